//! The event log: everything that can happen to a call, with its time.
//!
//! An [`Event`] has two serialized forms. For people it is one JSON object per line, as in `docs/wire-format.md`; for machines it
//! is postcard behind a version byte ([`crate::encode`]). Replaying a log gives the same records.

mod json;
mod usage;

use alloc::{boxed::Box, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

pub use self::usage::{ReportedCount, ReportedUsage};
use crate::{
    delta::{ChoiceDelta, ContentKind, Delta, ErrorDelta, Terminal, ToolCallDelta},
    fields::fields,
    machine::{AttemptStart, CallStart, Failure, Headers, Retry, WaitEnd},
    provider::Protocol,
    record::{Attributes, TimeoutKind},
    time::Timestamp,
};

/// An event with its time and the call it belongs to.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the envelope of the log: time, call, event")]
pub struct TimedEvent {
    /// When it happened, on the caller's monotonic clock.
    pub at: Timestamp,
    /// Id of the call; `None` stands for the id `1`.
    pub call: Option<Box<str>>,
    /// Number of the attempt; `None` stands for the latest one. Only events of an attempt have one.
    pub attempt: Option<u32>,
    /// What happened.
    pub event: Event,
}

impl TimedEvent {
    /// An event of the call `1`.
    pub fn new(at: Timestamp, event: Event) -> Self {
        Self { at, call: None, attempt: None, event }
    }

    /// Sets the call.
    pub fn of_call(mut self, call: &str) -> Self {
        self.call = Some(call.into());
        self
    }

    /// Sets the attempt.
    pub fn of_attempt(mut self, attempt: u32) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// Id of the call.
    pub fn call_id(&self) -> &str {
        self.call.as_deref().unwrap_or(DEFAULT_CALL)
    }
}

/// Id of a call that nobody named.
pub const DEFAULT_CALL: &str = "1";

/// Something that happened to a call.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub enum Event {
    /// The call began.
    CallStarted(Box<CallStart>),
    /// A phase began.
    PhaseStarted(Box<str>),
    /// A phase ended.
    PhaseEnded(Box<str>),
    /// An attempt began.
    AttemptStarted(Box<AttemptStart>),
    /// The request had left.
    RequestSent,
    /// The response headers came.
    HeadersReceived(Box<Headers>),
    /// A chunk came, already classified.
    Chunk(Box<Chunk>),
    /// A provider event came, as JSON text.
    Payload(Protocol, Box<str>),
    /// Raw response bytes came.
    Bytes(Protocol, Vec<u8>),
    /// A comment or ping came.
    KeepAlive,
    /// Token counts came.
    Usage(Box<ReportedUsage>),
    /// The consumer got the first visible chunk.
    Delivered,
    /// The attempt failed.
    AttemptFailed(Box<Failure>),
    /// A retry was scheduled.
    RetryScheduled(Retry),
    /// The wait before a retry ended.
    RetryWaitEnded(WaitEnd),
    /// The stream ended (EOF).
    StreamEnded,
    /// The caller aborted.
    Cancelled,
    /// The consumer stopped reading.
    ConsumerClosed,
    /// The host gave up waiting.
    TimedOut(TimeoutKind),
    /// Time passed.
    Tick,
    /// The caller set attributes.
    Attributes(Attributes),
    /// The call ended.
    CallEnded(Box<Failure>),
    /// The call was dropped without an end.
    CallDropped,
}

impl Event {
    /// Names in the event log of the events that say something without any field. Hosts tell such an event by its place here,
    /// see [`Event::bare`], for which no JSON has to be read.
    pub fn bare_names() -> impl Iterator<Item = &'static str> {
        BARE.iter().map(|(name, _)| *name)
    }

    /// The event at that place of [`Event::bare_names`], without any field; `None` past the last one.
    ///
    /// # Examples
    /// ```
    /// use llmspan_core::event::Event;
    ///
    /// let place = Event::bare_names().position(|name| name == "stream_ended").unwrap();
    /// assert_eq!(Event::bare(place), Some(Event::StreamEnded));
    /// ```
    pub fn bare(place: usize) -> Option<Self> {
        BARE.get(place).map(|(_, event)| event())
    }
}

/// The name of an event, and the event.
type Bare = (&'static str, fn() -> Event);

/// Events that have no fields, or that may come without them.
const BARE: [Bare; 11] = [
    ("attempt_started", || Event::AttemptStarted(Box::default())),
    ("request_sent", || Event::RequestSent),
    ("keep_alive", || Event::KeepAlive),
    ("delivered", || Event::Delivered),
    ("attempt_failed", || Event::AttemptFailed(Box::default())),
    ("retry_wait_ended", || Event::RetryWaitEnded(WaitEnd::Elapsed)),
    ("stream_ended", || Event::StreamEnded),
    ("cancelled", || Event::Cancelled),
    ("consumer_closed", || Event::ConsumerClosed),
    ("timed_out", || Event::TimedOut(TimeoutKind::default())),
    ("call_ended", || Event::CallEnded(Box::default())),
];

/// A chunk that the caller has classified itself.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Chunk {
    /// What it carries.
    pub content: ContentKind,
    /// Bytes of content; 0 says that the content is empty, `None` that nobody counted.
    pub bytes: Option<u64>,
    /// Finish reasons by choice.
    pub finish_reasons: Vec<Option<Box<str>>>,
    /// Token counts.
    pub usage: Option<ReportedUsage>,
    /// The provider's response id.
    pub response_id: Option<Box<str>>,
    /// The model that answered.
    pub response_model: Option<Box<str>>,
    /// A tool call or a fragment of one.
    pub tool_call: Option<ChunkToolCall>,
    /// An error in the stream.
    pub error: Option<ChunkError>,
    /// Whether this ends the response.
    pub terminal: bool,
}

/// A tool call in a [`Chunk`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ChunkToolCall {
    /// Index of the call within its choice.
    pub index: Option<u32>,
    /// The provider's id.
    pub id: Option<Box<str>>,
    /// Name of the tool.
    pub name: Option<Box<str>>,
}

/// An error in a [`Chunk`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ChunkError {
    /// Class of the error.
    #[serde(rename = "type")]
    pub error_type: Option<Box<str>>,
    /// HTTP status code.
    pub status_code: Option<u16>,
    /// Text for people.
    pub message: Option<Box<str>>,
}

fields! {
    ChunkToolCall, skips Nothing, others Refused { index, id, name }
}

fields! {
    ChunkError, skips Nothing, others Refused { error_type as "type", status_code, message }
}

impl Chunk {
    /// A chunk with content of one kind.
    pub fn of(content: ContentKind) -> Self {
        Self { content, ..Self::default() }
    }

    /// Bytes of content, when the chunk has content that is visible and nothing else.
    pub(crate) fn plain_bytes(&self) -> Option<u32> {
        let is_plain = self.content != ContentKind::None
            && self.bytes != Some(0)
            && self.finish_reasons.is_empty()
            && self.usage.is_none()
            && self.response_id.is_none()
            && self.response_model.is_none()
            && self.tool_call.is_none()
            && self.error.is_none()
            && !self.terminal;
        is_plain.then(|| u32::try_from(self.bytes.unwrap_or(0)).unwrap_or(u32::MAX))
    }

    /// What the chunk means to the machine.
    pub fn to_delta(&self) -> Delta<'_> {
        let mut delta = Delta::chunk();
        match self.bytes {
            // Nothing was counted: the chunk is what its kind says.
            None => delta.add_visible(self.content, 0),
            // The start of a tool call counts with empty arguments too.
            Some(0) if self.content == ContentKind::ToolCall => delta.add_visible(self.content, 0),
            Some(bytes) => delta.add_text(self.content, usize::try_from(bytes).unwrap_or(usize::MAX)),
        }
        for (index, reason) in (0_u32..).zip(&self.finish_reasons) {
            delta.choices.push(ChoiceDelta { index, finish_reason: reason.as_deref().map(Into::into) });
        }
        delta.usage = self.usage.as_ref().map(ReportedUsage::to_report);
        delta.response_id = self.response_id.as_deref().map(Into::into);
        delta.response_model = self.response_model.as_deref().map(Into::into);
        if let Some(call) = &self.tool_call {
            delta.tool_calls.push(ToolCallDelta {
                choice: 0,
                index: call.index,
                id: call.id.as_deref().map(Into::into),
                name: call.name.as_deref().map(Into::into),
            });
        }
        delta.error = self.error.as_ref().map(|error| ErrorDelta {
            error_type: error.error_type.as_deref().map(Into::into),
            status_code: error.status_code,
            message: error.message.as_deref().map(Into::into),
            ..ErrorDelta::default()
        });
        if self.terminal {
            delta.terminal = Terminal::Yes;
        }
        delta
    }
}

/// Reads a log of JSON lines; empty lines are skipped.
///
/// # Errors
/// [`ErrorKind::InvalidEvent`](crate::error::ErrorKind::InvalidEvent) with the number of the first line that is no event.
pub fn read_log(text: &str) -> Result<Vec<TimedEvent>, crate::error::Error> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(at, line)| {
            TimedEvent::from_json(line).map_err(|error| {
                let detail: String = alloc::format!("line {}: {error}", at.saturating_add(1));
                crate::error::Error::new(error.kind(), detail)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::{Event, TimedEvent};

    #[test]
    fn bare_events_are_those_of_the_log_without_fields() {
        let names: alloc::vec::Vec<_> = Event::bare_names().collect();
        assert!(names.contains(&"call_ended"));
        for (place, name) in names.iter().enumerate() {
            let read = TimedEvent::from_json(&format!("{{\"at_ns\":0,\"event\":\"{name}\"}}")).unwrap();
            assert_eq!(Event::bare(place), Some(read.event), "{name}");
        }
        assert_eq!(Event::bare(names.len()), None);
    }
}
