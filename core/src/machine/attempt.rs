//! The state of one attempt.

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use super::{
    choices::Choices,
    input::{AttemptStart, Failure},
    limit::shorten,
    mark::Mark,
    tokens::Tokens,
    tools::ToolCalls,
};
use crate::{
    delta::{ContentKind, Delta, KindSet, ServerTiming, Terminal},
    limits::{Limits, cut},
    record::{Attributes, TimeoutKind, WaitReason},
    stats::Sketch,
    time::{Nanos, Timestamp},
};

/// One physical request while it runs, and what is known of it after.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Attempt {
    pub(crate) number: u32,
    /// The first attempt of those that were started beside each other.
    pub(crate) race: u32,
    pub(crate) hedged: bool,
    pub(crate) status_code: Option<u16>,
    pub(crate) started: Timestamp,
    pub(crate) moments: Moments,
    pub(crate) evidence: Evidence,
    pub(crate) labels: Option<Box<Labels>>,
    pub(crate) protocol: Option<Box<str>>,
    pub(crate) response_id: Option<Box<str>>,
    pub(crate) response_model: Option<Box<str>>,
    pub(crate) choices: Choices,
    pub(crate) tools: ToolCalls,
    pub(crate) server_tools: u32,
    pub(crate) tokens: Tokens,
    pub(crate) cost_nanos: Option<u64>,
    pub(crate) sizes: Sizes,
    pub(crate) gaps: Gaps,
    pub(crate) keep_alives: u32,
    pub(crate) last_keep_alive: Mark,
    pub(crate) last_activity: Timestamp,
    pub(crate) server: Option<Box<ServerTiming>>,
}

/// What the caller says of one attempt alone, and what its headers say. Most attempts have none of it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Labels {
    pub(crate) provider: Option<Box<str>>,
    pub(crate) model: Option<Box<str>>,
    pub(crate) endpoint: Option<Box<str>>,
    pub(crate) request_id: Option<Box<str>>,
    pub(crate) retry_after: Option<Nanos>,
    /// Class of the error by the headers; of use only with an error status.
    pub(crate) error_type: Option<Box<str>>,
    pub(crate) attributes: Attributes,
}

/// The moments of an attempt, its start excepted.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Moments {
    pub(crate) request_sent: Mark,
    pub(crate) headers: Mark,
    pub(crate) first_chunk: Mark,
    pub(crate) first_reasoning: Mark,
    pub(crate) first_content: Mark,
    pub(crate) first_answer: Mark,
    pub(crate) last_content: Mark,
    pub(crate) last_chunk: Mark,
    pub(crate) delivered: Mark,
}

/// Why the attempt may be over. The decision order of [`super::outcome`] weighs it all at the end.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Evidence {
    /// The protocol's end marker came.
    pub(crate) terminal: Mark,
    /// Servers of this protocol may leave the end marker out.
    pub(crate) finish_is_terminal: bool,
    /// The provider or the transport failed.
    pub(crate) failure: Option<Box<Failure>>,
    /// The stream ended.
    pub(crate) eof: Option<Eof>,
    /// The caller aborted.
    pub(crate) cancelled: bool,
    /// The consumer stopped reading.
    pub(crate) closed: Mark,
    /// A deadline passed.
    pub(crate) timed_out: Option<TimeoutKind>,
    /// A retry was scheduled while nothing had ended the attempt.
    pub(crate) retried: Option<WaitReason>,
    /// Another attempt started while this one was open.
    pub(crate) superseded: bool,
    /// A retry was scheduled, or another attempt took its place: what comes now is late, whatever it is.
    pub(crate) past: bool,
    /// The caller had aborted before the attempt began: an abort-like error is explained by that.
    pub(crate) cancelled_before: bool,
    /// The first of all that, the end marker excepted.
    pub(crate) ended: Mark,
}

/// Where the end of the stream stands among what may have ended an attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub(crate) enum Eof {
    /// Nothing else had ended the attempt before.
    First,
    /// The consumer or a timeout had.
    After,
}

/// Counts of what was streamed.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Sizes {
    pub(crate) chunks: u64,
    pub(crate) visible: u64,
    pub(crate) bytes: [u64; 7],
}

/// Gaps between visible chunks.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Gaps {
    pub(crate) sketch: Sketch,
    pub(crate) stalls: u32,
    pub(crate) stalled: Nanos,
}

/// What one delta did that the call wants to know.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) first_content: bool,
    pub(crate) stall: Option<Nanos>,
}

impl Applied {
    pub(crate) fn is_notable(&self) -> bool {
        self.first_content || self.stall.is_some()
    }
}

impl Attempt {
    pub(crate) fn new(number: u32, now: Timestamp, start: AttemptStart, limits: &Limits) -> Self {
        let hedged = start.hedged;
        let mut labels = Labels {
            provider: start.provider,
            model: start.model,
            endpoint: start.endpoint,
            attributes: start.attributes,
            ..Labels::default()
        };
        let mut has_labels = !labels.attributes.is_empty();
        for name in [&mut labels.provider, &mut labels.model, &mut labels.endpoint] {
            shorten(name, limits.name_bytes);
            has_labels |= name.is_some();
        }
        Self {
            number,
            race: number,
            hedged,
            status_code: None,
            started: now,
            moments: Moments::default(),
            evidence: Evidence::default(),
            labels: has_labels.then(|| Box::new(labels)),
            protocol: None,
            response_id: None,
            response_model: None,
            choices: Choices::default(),
            tools: ToolCalls::default(),
            server_tools: 0,
            tokens: Tokens::default(),
            cost_nanos: None,
            sizes: Sizes::default(),
            gaps: Gaps::default(),
            keep_alives: 0,
            last_keep_alive: Mark::default(),
            last_activity: now,
            server: None,
        }
    }

    /// Whether the response is complete: the end marker came, or every choice finished where that is enough.
    ///
    /// A failure is taken over only while the response is not complete, so it rules completeness out.
    pub(crate) fn is_complete(&self) -> bool {
        self.evidence.failure.is_none()
            && (self.evidence.terminal.is_set() || (self.evidence.finish_is_terminal && self.choices.all_finished()))
    }

    /// Whether the response would be complete with this event.
    pub(crate) fn completes_with(&self, delta: &Delta<'_>) -> bool {
        let finish_is_terminal =
            self.evidence.finish_is_terminal || delta.terminal == Terminal::WhenEveryChoiceFinished;
        delta.error.is_none()
            && !self.has_error_status()
            && (delta.terminal == Terminal::Yes
                || (finish_is_terminal && self.choices.would_finish_with(&delta.choices)))
    }

    fn has_error_status(&self) -> bool {
        self.status_code.is_some_and(|status| status >= 400)
    }

    /// Class of the error that the headers of a response with an error status name.
    pub(crate) fn error_type_of_headers(&self) -> Option<&str> {
        self.labels.as_deref()?.error_type.as_deref().filter(|_| self.has_error_status())
    }

    /// Whether nothing may change the attempt any more but a usage report.
    pub(crate) fn is_sealed(&self) -> bool {
        let evidence = &self.evidence;
        evidence.failure.is_some()
            || evidence.eof.is_some()
            || evidence.cancelled
            || evidence.retried.is_some()
            || evidence.past
    }

    /// Whether an abort or a close of the caller's says how the attempt ended: it runs, or nothing but an error that looks like
    /// an abort has ended it.
    pub(crate) fn is_explained_by_the_caller(&self) -> bool {
        !self.evidence.past && self.evidence.eof.is_none() && !self.is_complete()
    }

    /// Whether the attempt is still running, as far as anyone said.
    pub(crate) fn is_open(&self) -> bool {
        !self.evidence.ended.is_set() && !self.is_complete()
    }

    /// End of the attempt, for a call that ends at `call_end`.
    ///
    /// A complete response ends with its last chunk, usage and metadata behind the end marker included; any other with the
    /// first thing that ended it.
    pub(crate) fn end(&self, call_end: Timestamp) -> Timestamp {
        let end = if self.is_complete() {
            self.evidence.terminal.get().max(self.moments.last_chunk.get())
        } else {
            self.evidence.ended.get()
        };
        end.unwrap_or(call_end).max(self.started)
    }

    /// Applies what a provider event means. The attempt is not sealed.
    #[inline]
    pub(crate) fn apply(&mut self, now: Timestamp, delta: &Delta<'_>, stall_after: Nanos, limits: &Limits) -> Applied {
        let mut applied = Applied::default();
        if delta.chunk {
            self.sizes.chunks = self.sizes.chunks.wrapping_add(1);
            self.moments.first_chunk.set_first(now);
            self.moments.last_chunk.set(now);
        }
        if !delta.visible.is_empty() {
            for slot in delta.visible.slots() {
                if let (Some(total), Some(bytes)) = (self.sizes.bytes.get_mut(slot), delta.bytes.get(slot)) {
                    *total = total.wrapping_add(u64::from(*bytes));
                }
            }
            self.sizes.visible = self.sizes.visible.wrapping_add(1);
            if let Some(last) = self.moments.last_content.get() {
                let gap = now.saturating_since(last);
                self.gaps.sketch.record(gap.as_nanos());
                if gap > stall_after {
                    applied.stall = Some(self.stall(gap));
                }
            } else {
                self.moments.first_content.set(now);
                applied.first_content = true;
            }
            self.moments.last_content.set(now);
            if delta.visible.has_answer() {
                self.moments.first_answer.set_first(now);
            }
            if delta.visible.contains(ContentKind::Reasoning) {
                self.moments.first_reasoning.set_first(now);
            }
        }
        match delta.terminal {
            Terminal::No => {}
            // An end marker that reports a failure is an error, not the end of a complete response; the body of an error
            // status may be complete and still is no answer.
            _ if delta.error.is_some() || self.has_error_status() => {}
            Terminal::Yes => self.evidence.terminal.set_first(now),
            Terminal::WhenEveryChoiceFinished => self.evidence.finish_is_terminal = true,
        }
        if delta.response_id.is_some() || delta.response_model.is_some() {
            self.name(delta, limits);
        }
        if delta.server.is_some() || delta.cost_nanos.is_some() || delta.server_tool_calls > 0 {
            self.apply_rare(delta);
        }
        applied
    }

    /// Whether nothing but the next bit of content is to be noted: the attempt runs, and has had content before.
    #[inline]
    pub(crate) fn takes_plain_content(&self) -> bool {
        !self.evidence.ended.is_set() && self.moments.last_content.is_set()
    }

    /// Applies content of one kind. Returns the gap before it.
    #[inline]
    pub(crate) fn apply_plain(&mut self, now: Timestamp, visible: KindSet, bytes: u32) -> Nanos {
        self.last_activity = now;
        self.moments.last_chunk.set(now);
        self.sizes.chunks = self.sizes.chunks.wrapping_add(1);
        self.sizes.visible = self.sizes.visible.wrapping_add(1);
        if let Some(total) = self.sizes.bytes.get_mut(visible.first_slot()) {
            *total = total.wrapping_add(u64::from(bytes));
        }
        if visible.has_answer() {
            self.moments.first_answer.set_first(now);
        } else {
            self.moments.first_reasoning.set_first(now);
        }
        let gap = self.moments.last_content.since_then(now);
        self.moments.last_content.set(now);
        self.gaps.sketch.record(gap.as_nanos());
        gap
    }

    #[cold]
    pub(crate) fn stall(&mut self, gap: Nanos) -> Nanos {
        self.gaps.stalls = self.gaps.stalls.saturating_add(1);
        self.gaps.stalled = self.gaps.stalled.saturating_add(gap);
        gap
    }

    /// Takes the first id and model that are not empty.
    fn name(&mut self, delta: &Delta<'_>, limits: &Limits) {
        if let Some(id) = delta.response_id.as_deref().filter(|id| !id.is_empty())
            && self.response_id.is_none()
        {
            self.response_id = Some(cut(id, limits.name_bytes).into());
        }
        if let Some(model) = delta.response_model.as_deref().filter(|model| !model.is_empty())
            && self.response_model.is_none()
        {
            self.response_model = Some(cut(model, limits.name_bytes).into());
        }
    }

    #[cold]
    fn apply_rare(&mut self, delta: &Delta<'_>) {
        if let Some(server) = &delta.server {
            self.server.get_or_insert_default().merge(server);
        }
        if delta.cost_nanos.is_some() {
            self.cost_nanos = delta.cost_nanos;
        }
        self.server_tools = self.server_tools.saturating_add(delta.server_tool_calls);
    }

    pub(crate) fn keep_alive(&mut self, now: Timestamp, count: u32) {
        self.keep_alives = self.keep_alives.saturating_add(count);
        self.last_keep_alive.set(now);
    }

    pub(crate) fn fail(&mut self, now: Timestamp, mut failure: Failure) {
        self.evidence.ended.set_first(now);
        match &mut self.evidence.failure {
            // The error that an SDK raises for an error frame repeats it; only what the frame lacked is taken over.
            Some(known) => {
                // A real error outweighs an abort-like one, whichever came first.
                if known.abort_like && !failure.abort_like {
                    core::mem::swap(&mut **known, &mut failure);
                } else if known.abort_like == failure.abort_like {
                    known.error_type = known.error_type.take().or(failure.error_type);
                }
                known.status_code = known.status_code.or(failure.status_code);
                known.message = known.message.take().or(failure.message);
                known.retry_after_ns = known.retry_after_ns.or(failure.retry_after_ns);
            }
            slot @ None => *slot = Some(Box::new(failure)),
        }
    }

    pub(crate) fn labels_mut(&mut self) -> &mut Labels {
        self.labels.get_or_insert_default()
    }
}
