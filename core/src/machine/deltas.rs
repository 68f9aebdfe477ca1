//! What one event of a response does to its call: the hot path of the machine.
//!
//! The usual delta has a bit of text for the latest attempt, and nothing else. Whatever is rarer is looked at only when it is
//! there, and lives in functions of its own.

use alloc::boxed::Box;

use super::{
    attempt::{Applied, Attempt},
    call::{Machine, Streaming, bump},
    events::EventLog,
    input::Failure,
    limit::limit_failure,
};
use crate::{
    config::Config,
    delta::{ChoiceDelta, ContentKind, Delta, ErrorDelta, KindSet},
    limits::cut,
    record::{EventKind, Flags},
    time::{Nanos, Timestamp},
};

impl Machine {
    /// Applies what one provider event means.
    pub fn handle_delta(&mut self, now: Timestamp, attempt: Option<u32>, delta: &Delta<'_>) {
        if delta.is_plain() && self.takes_plain_content(attempt) {
            self.apply_plain(now, delta.visible, delta.first_bytes());
        } else {
            self.handle_any_delta(now, attempt, delta);
        }
    }

    /// Applies content of one kind, and nothing else: the hottest event of all.
    pub fn handle_content(&mut self, now: Timestamp, attempt: Option<u32>, kind: ContentKind, bytes: u32) {
        let mut visible = KindSet::default();
        visible.insert(kind);
        if visible.is_plain() && self.takes_plain_content(attempt) {
            self.apply_plain(now, visible, bytes);
        } else {
            let mut delta = Delta::chunk();
            delta.add_visible(kind, usize::try_from(bytes).unwrap_or(usize::MAX));
            self.handle_any_delta(now, attempt, &delta);
        }
    }

    /// Whether the latest attempt is meant, and runs, and has had content before.
    #[inline]
    fn takes_plain_content(&self, attempt: Option<u32>) -> bool {
        attempt.is_none_or(|number| number == self.attempt_count)
            && self.attempts.last().is_some_and(Attempt::takes_plain_content)
    }

    /// Applies content of one kind to the latest attempt, which takes it.
    #[inline(never)]
    fn apply_plain(&mut self, now: Timestamp, visible: KindSet, bytes: u32) {
        let now = self.advance(now);
        let Some(slot) = self.attempts.last_mut() else { return };
        let gap = slot.apply_plain(now, visible, bytes);
        if gap > self.config.stall_after_ns {
            self.log_stall(gap);
        }
    }

    #[cold]
    fn log_stall(&mut self, gap: Nanos) {
        let Self { config, attempts, events, counts, started, now, stream, .. } = self;
        let Some(slot) = attempts.last_mut() else { return };
        let gap = slot.stall(gap);
        if !stream.is_on() {
            return;
        }
        let dropped = &mut counts.dropped_events;
        let mut log = EventLog { events, limits: &config.limits, dropped, started: *started, now: *now };
        log.push(EventKind::Stall, slot.number, None, Some(gap));
    }

    #[inline(never)]
    fn handle_any_delta(&mut self, now: Timestamp, attempt: Option<u32>, delta: &Delta<'_>) {
        let now = self.advance(now);
        if delta.decode_errors | delta.oversized_frames != 0 || delta.usage.is_some() {
            self.count_oddities(delta);
        }
        if self.stream == Streaming::Unknown && delta.chunk && !delta.whole && !delta.visible.is_empty() {
            self.stream = Streaming::Inferred;
        }
        let latest = self.attempt_count;
        let is_latest = latest > 0 && attempt.is_none_or(|number| number == latest);
        let at = if is_latest { self.attempts.len().checked_sub(1) } else { self.locate(now, attempt) };

        let Self { config, stream, attempts, events, flags, counts, started, .. } = self;
        let Some(slot) = at.and_then(|at| attempts.get_mut(at)) else { return };
        if let Some(report) = &delta.usage {
            // Finance counts also what comes late.
            slot.tokens.apply(report);
        }
        if slot.evidence.ended.is_set() && is_late(slot, delta) {
            if delta.chunk || delta.keep_alives > 0 {
                bump(&mut counts.late_events);
            }
            return;
        }
        slot.last_activity = now;
        if delta.keep_alives > 0 {
            slot.keep_alive(now, delta.keep_alives);
        }

        let has_detail = delta.error.is_some() || !delta.choices.is_empty();
        // A finish reason that stands in for an end marker does not outweigh an error that follows it.
        let was_complete = slot.evidence.terminal.is_set();
        let applied = slot.apply(now, delta, config.stall_after_ns, &config.limits);
        let has_calls = !delta.tool_calls.is_empty() || refuses(delta);
        if has_detail || has_calls || applied.is_notable() {
            let dropped = &mut counts.dropped_events;
            let mut log = EventLog { events, limits: &config.limits, dropped, started: *started, now };
            if applied.is_notable() {
                log_content(&applied, slot, stream.is_on(), &mut log);
            }
            if has_calls {
                apply_calls(delta, slot, flags, &mut log);
            }
            for choice in &delta.choices {
                if slot.choices.observe(choice, log.limits) {
                    log.push(EventKind::Finish, slot.number, choice.finish_reason.as_deref(), None);
                }
            }
        }
        if delta.block_reason.is_some() || delta.incomplete_reason.is_some() {
            set_flags(delta, flags, config);
        }
        if has_detail && !was_complete {
            apply_error(delta, slot, now, config);
        }
    }

    #[cold]
    fn count_oddities(&mut self, delta: &Delta<'_>) {
        let counts = &mut self.counts;
        counts.decode_errors = counts.decode_errors.saturating_add(delta.decode_errors);
        counts.compressed |= delta.compressed;
        counts.oversized_frames = counts.oversized_frames.saturating_add(delta.oversized_frames);
        if let Some(report) = &delta.usage {
            counts.rejected_usage = counts.rejected_usage.saturating_add(report.rejected);
        }
    }

    /// The place of an attempt that is not simply the latest. The first one starts with its first event; what belongs to an
    /// attempt that is not there is late.
    #[cold]
    fn locate(&mut self, now: Timestamp, number: Option<u32>) -> Option<usize> {
        if self.attempt_count == 0 && number.is_none_or(|number| number == 1) {
            self.start_implicit_attempt(now);
            return Some(0);
        }
        let at = self.attempts.iter().rposition(|attempt| Some(attempt.number) == number);
        if at.is_none() {
            bump(&mut self.counts.late_events);
        }
        at
    }
}

/// Whether an attempt that has ended takes the event no more. After a timeout or a close only what
/// completes the response still counts.
#[cold]
fn is_late(slot: &Attempt, delta: &Delta<'_>) -> bool {
    let is_over = slot.evidence.ended.is_set() && !slot.is_complete() && !slot.completes_with(delta);
    slot.is_sealed() || is_over
}

#[cold]
fn log_content(applied: &Applied, slot: &Attempt, is_stream: bool, log: &mut EventLog<'_>) {
    if applied.first_content && is_stream {
        log.push(EventKind::FirstToken, slot.number, None, None);
    }
    if let Some(gap) = applied.stall.filter(|_| is_stream) {
        log.push(EventKind::Stall, slot.number, None, Some(gap));
    }
}

fn apply_calls(delta: &Delta<'_>, slot: &mut Attempt, flags: &mut Option<Box<Flags>>, log: &mut EventLog<'_>) {
    if refuses(delta) {
        let flags = flags.get_or_insert_default();
        if flags.refusal != Some(true) {
            flags.refusal = Some(true);
            log.push(EventKind::Refusal, slot.number, None, None);
        }
    }
    for call in &delta.tool_calls {
        if slot.tools.observe(call, log.limits.tool_calls) {
            log.push(EventKind::ToolCall, slot.number, call.name.as_deref(), None);
        }
    }
}

fn refuses(delta: &Delta<'_>) -> bool {
    delta.refused || delta.visible.contains(ContentKind::Refusal)
}

#[cold]
fn set_flags(delta: &Delta<'_>, flags: &mut Option<Box<Flags>>, config: &Config) {
    let flags = flags.get_or_insert_default();
    let name = |text: &str| cut(text, config.limits.name_bytes).into();
    if let Some(reason) = delta.block_reason.as_deref() {
        flags.block_reason = Some(name(reason));
    }
    if let Some(reason) = delta.incomplete_reason.as_deref() {
        flags.incomplete_reason = Some(name(reason));
    }
}

/// Fails an attempt whose response says that it failed: by an error, or by the finish reason `error`.
fn apply_error(delta: &Delta<'_>, slot: &mut Attempt, now: Timestamp, config: &Config) {
    let says_error = |choice: &ChoiceDelta<'_>| {
        choice.finish_reason.as_deref().is_some_and(|reason| reason.eq_ignore_ascii_case("error"))
    };
    if let Some(error) = &delta.error {
        if error.retry_after_ns.is_some() {
            slot.labels_mut().retry_after = error.retry_after_ns;
        }
        let mut failure = failure_of(error);
        limit_failure(&mut failure, config);
        slot.fail(now, failure);
    } else if delta.choices.iter().any(says_error) {
        slot.fail(now, Failure::default());
    }
}

fn failure_of(error: &ErrorDelta<'_>) -> Failure {
    Failure {
        error_type: error.error_type.as_deref().map(Into::into),
        status_code: error.status_code,
        message: error.message.as_deref().map(Into::into),
        retry_after_ns: error.retry_after_ns,
        ..Failure::default()
    }
}
