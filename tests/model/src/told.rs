//! What was told of one call: clamped times, decoded bytes, and the attempt that each thing is for.

use llmspan_core::{
    config::Config,
    delta::{ChoiceDelta, Delta, ErrorDelta, ToolCallDelta},
    event::Event,
    machine::{AttemptStart, Failure},
    provider::{Protocol, StreamDecoder},
};

use crate::calls::{Call, End, How};

/// The events of a call as one list, with what is counted while it is made.
#[derive(Debug)]
pub(crate) struct Story<'a> {
    pub(crate) start: u64,
    /// Clamped; absent while the call is open.
    pub(crate) end: Option<End<'a>>,
    pub(crate) told: Vec<Told<'a>>,
    pub(crate) clock_regressions: u64,
    /// Every time of the call, clamped, in order.
    pub(crate) times: Vec<u64>,
}

/// One thing that was told.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    pub(crate) at: u64,
    /// The number of its attempt; absent for what concerns the call.
    pub(crate) attempt: Option<u32>,
    pub(crate) what: What<'a>,
}

#[derive(Debug)]
pub(crate) enum What<'a> {
    /// An attempt began. One that nobody began has no start of its own.
    Began(Option<&'a AttemptStart>),
    /// Bytes came, whatever they say.
    Bytes(Protocol),
    /// A provider event came, whatever it says.
    Payload(Protocol),
    /// What a chunk, bytes or a payload say.
    Delta(Box<Delta<'static>>),
    /// What was left in the decoder when the call ended.
    Rest(Box<Delta<'static>>),
    /// An event for an attempt that never began, or a second start of the call; a chunk and counts with what they say.
    Astray(Option<Box<Delta<'static>>>),
    /// Any other event, as it is.
    Event(&'a Event),
}

/// Makes the list. `end` is absent while the call is open.
pub(crate) fn told<'a>(config: &Config, call: &Call<'a>, end: Option<End<'a>>) -> Story<'a> {
    let mut story =
        Story { start: call.start, end: None, told: Vec::new(), clock_regressions: 0, times: vec![call.start] };
    let mut decoders: Vec<(u32, StreamDecoder)> = Vec::new();
    let mut attempts: u32 = 0;
    let mut now = call.start;
    for timed in &call.events {
        if matches!(timed.event, Event::Tick) {
            continue;
        }
        if matches!(timed.event, Event::CallStarted(_)) {
            // A second start says nothing, not even a time.
            story.told.push(Told { at: now, attempt: None, what: What::Astray(None) });
            continue;
        }
        let at = timed.at.as_nanos().min(LATEST);
        story.clock_regressions += u64::from(at < now);
        now = now.max(at);
        story.times.push(now);
        let is_of_an_attempt = is_of_an_attempt(&timed.event);
        if let Event::AttemptStarted(begin) = &timed.event {
            attempts += 1;
            story.told.push(Told { at: now, attempt: Some(attempts), what: What::Began(Some(begin)) });
            continue;
        }
        if attempts == 0 && begins_an_attempt(&timed.event) && timed.attempt.is_none_or(|number| number == 1) {
            attempts = 1;
            story.told.push(Told { at: now, attempt: Some(1), what: What::Began(None) });
        }
        let attempt = timed.attempt.unwrap_or(attempts);
        let mut tell = |attempt, what| story.told.push(Told { at: now, attempt, what });
        match &timed.event {
            Event::ConsumerClosed if timed.attempt.is_none() => tell(None, What::Event(&timed.event)),
            event if is_of_an_attempt && (attempt == 0 || attempt > attempts) => {
                let delta = match event {
                    Event::Chunk(chunk) => Some(owned(&chunk.to_delta())),
                    Event::Usage(usage) => {
                        let mut delta = Delta::default();
                        delta.usage = Some(usage.to_report());
                        Some(Box::new(delta))
                    }
                    _ => None,
                };
                tell(None, What::Astray(delta));
            }
            Event::Chunk(chunk) => tell(Some(attempt), What::Delta(owned(&chunk.to_delta()))),
            Event::KeepAlive => tell(Some(attempt), What::Delta(Box::new(Delta::keep_alive()))),
            Event::Bytes(protocol, bytes) => {
                tell(Some(attempt), What::Bytes(*protocol));
                let decoder = decoder_of(config, &mut decoders, attempt, *protocol);
                let mut rest = &bytes[..];
                while let Some(delta) = decoder.next_delta(&mut rest) {
                    tell(Some(attempt), What::Delta(owned(&delta)));
                }
            }
            Event::Payload(protocol, json) => {
                tell(Some(attempt), What::Payload(*protocol));
                let decoder = decoder_of(config, &mut decoders, attempt, *protocol);
                tell(Some(attempt), What::Delta(owned(&decoder.decode_payload(json.as_bytes()))));
            }
            Event::StreamEnded => {
                let decoder = decoders.iter_mut().find(|(number, _)| *number == attempt);
                if let Some((_, decoder)) = decoder {
                    while let Some(delta) = decoder.finish() {
                        tell(Some(attempt), What::Delta(owned(&delta)));
                    }
                }
                tell(Some(attempt), What::Event(&timed.event));
            }
            _ => tell(is_of_an_attempt.then_some(attempt), What::Event(&timed.event)),
        }
    }
    if let Some(end) = end {
        // A deadline that passed before the last event is over by then; nobody told that time, so it is no step of the clock.
        let at = now.max(end.at.min(LATEST));
        if end.is_told {
            story.clock_regressions += u64::from(end.at.min(LATEST) < now);
            story.times.push(at);
        }
        let decoder = decoders.iter_mut().find(|(number, _)| *number == attempts);
        if let (How::Caller(_), Some((_, decoder))) = (end.how, decoder) {
            while let Some(delta) = decoder.finish() {
                story.told.push(Told { at, attempt: Some(attempts), what: What::Rest(owned(&delta)) });
            }
        }
        story.end = Some(End { at, ..end });
    }
    story
}

/// The last nanosecond of the clock is taken for the one before.
pub(crate) const LATEST: u64 = u64::MAX - 1;

/// Whether a failure says anything at all.
pub(crate) fn says_something(failure: &Failure) -> bool {
    failure.error_type.is_some() || failure.status_code.is_some() || failure.message.is_some() || failure.abort_like
}

/// Whether the event is one of an attempt.
fn is_of_an_attempt(event: &Event) -> bool {
    begins_an_attempt(event) || matches!(event, Event::StreamEnded | Event::ConsumerClosed)
}

/// Whether the event shows that an attempt runs, also when nobody said so.
fn begins_an_attempt(event: &Event) -> bool {
    matches!(
        event,
        Event::Chunk(_)
            | Event::Bytes(..)
            | Event::Payload(..)
            | Event::KeepAlive
            | Event::Usage(_)
            | Event::HeadersReceived(_)
            | Event::RequestSent
            | Event::Delivered
            | Event::AttemptFailed(_)
    )
}

fn decoder_of<'d>(
    config: &Config,
    decoders: &'d mut Vec<(u32, StreamDecoder)>,
    attempt: u32,
    protocol: Protocol,
) -> &'d mut StreamDecoder {
    let place = decoders.iter().position(|(number, _)| *number == attempt).unwrap_or_else(|| {
        let caps = &config.limits;
        decoders.push((attempt, StreamDecoder::new(protocol, caps.frame_bytes, caps.body_bytes)));
        decoders.len() - 1
    });
    &mut decoders[place].1
}

/// The same delta with text of its own.
fn owned(delta: &Delta<'_>) -> Box<Delta<'static>> {
    let text = |text: &Option<alloc::borrow::Cow<'_, str>>| text.as_ref().map(|text| text.to_string().into());
    let mut own = Delta::default();
    own.chunk = delta.chunk;
    own.keep_alives = delta.keep_alives;
    own.visible = delta.visible;
    own.bytes = delta.bytes;
    own.choices = delta
        .choices
        .iter()
        .map(|choice| ChoiceDelta { index: choice.index, finish_reason: text(&choice.finish_reason) })
        .collect();
    own.tool_calls = delta
        .tool_calls
        .iter()
        .map(|call| ToolCallDelta {
            choice: call.choice,
            index: call.index,
            id: text(&call.id),
            name: text(&call.name),
        })
        .collect();
    own.server_tool_calls = delta.server_tool_calls;
    own.usage = delta.usage;
    own.response_id = text(&delta.response_id);
    own.response_model = text(&delta.response_model);
    own.error = delta.error.as_ref().map(|error| ErrorDelta {
        error_type: text(&error.error_type),
        status_code: error.status_code,
        message: None,
        retry_after_ns: error.retry_after_ns,
    });
    own.terminal = delta.terminal;
    own.server = delta.server;
    own.cost_nanos = delta.cost_nanos;
    own.refused = delta.refused;
    own.block_reason = text(&delta.block_reason);
    own.incomplete_reason = text(&delta.incomplete_reason);
    own.decode_errors = delta.decode_errors;
    own.oversized_frames = delta.oversized_frames;
    own.compressed = delta.compressed;
    own.whole = delta.whole;
    Box::new(own)
}
