//! Why a call did not succeed.

use alloc::string::String;

use super::{
    explanation::{Lines, Topic},
    say::{
        Value::{self, Counted, Error, Number, Text, Time},
        said, say,
    },
};
use crate::{
    provider::hints,
    record::{Outcome, Record, TimeoutKind},
    time::Nanos,
};

pub(super) fn explain(record: &Record, lines: &mut Lines) {
    let moment = moment(record);
    let moment = Text(&moment);
    let mut say = |template, values: &[_]| lines.say(Topic::Outcome, template, values);
    match record.outcome {
        Outcome::Success => {}
        Outcome::Error if is_cut(record) => {
            let marker = hints::end_marker(record.protocol.as_deref()).unwrap_or("its end marker");
            match &record.content {
                None => say("the stream was cut before any chunk: it ended without {}", &[Text(marker)]),
                Some(content) => say(
                    "the stream was cut after {} ({} visible): it ended without {}",
                    &[Counted(content.chunks, "chunk"), Number(content.visible_chunks), Text(marker)],
                ),
            }
        }
        Outcome::Error => say("{}", &[Text(&failed(record, moment))]),
        Outcome::Cancelled => say("cancelled by the caller {}", &[moment]),
        Outcome::Interrupted => say("the consumer stopped reading {}", &[moment]),
        Outcome::TimedOut if record.timeout_kind == Some(TimeoutKind::Idle) => {
            say("timed out: nothing came for {}, {}", &[Time(silence(record)), moment]);
        }
        Outcome::TimedOut => {
            say("timed out: the deadline of the call passed after {}, {}", &[Time(record.duration_ns), moment]);
        }
        Outcome::Abandoned => say("abandoned {}: nobody ended the call", &[moment]),
    }
}

fn is_cut(record: &Record) -> bool {
    record.error.as_ref().is_some_and(|error| error.error_type == "stream_truncated")
}

fn failed(record: &Record, moment: Value<'_>) -> String {
    let error = record.error.as_ref();
    let mut text = said("failed with {} ", &[Error(error)]);
    if let (Some(number), count @ 2..) = (record.final_attempt, record.attempt_count) {
        say(&mut text, "in attempt {} of {}, ", &[Number(number.into()), Number(count)]);
    }
    say(&mut text, "{}", &[moment]);
    if let Some(message) = error.and_then(|error| error.message.as_deref()) {
        say(&mut text, ": {}", &[Text(message)]);
    }
    text
}

/// From the last sign of life to the end.
fn silence(record: &Record) -> Nanos {
    let marks = &record.marks;
    let alive = record.keep_alives.as_ref().and_then(|alive| alive.last_ns);
    let heard = [marks.last_chunk_ns, marks.headers_ns, marks.request_sent_ns, marks.started_ns, alive];
    let last = heard.into_iter().flatten().max().unwrap_or_default();
    end(record).saturating_sub(last)
}

/// Where in its course the call was when it ended.
fn moment(record: &Record) -> String {
    if record.waits.last().is_some_and(|wait| wait.aborted) {
        return String::from("during a wait");
    }
    if let Some(first) = record.marks.first_content_ns.filter(|_| record.ttft_ns.is_some()) {
        return said("{} after the first token", &[Time(end(record).saturating_sub(first))]);
    }
    if record.final_attempt.is_none() {
        return String::from("before any attempt");
    }
    let waited = end(record).saturating_sub(record.marks.started_ns.unwrap_or(Nanos::ZERO));
    let lacking = if record.stream { "a visible chunk" } else { "a response" };
    said("after {} without {}", &[Time(waited), Text(lacking)])
}

fn end(record: &Record) -> Nanos {
    record.marks.ended_ns.unwrap_or(record.duration_ns)
}
