//! Recorded retries: several responses to the same request, as attempts of one call.

use std::{
    fs,
    path::{Path, PathBuf},
};

use llmspan_core::{
    machine::AttemptStart,
    record::{AttemptRecord, Record},
    time::Timestamp,
};
use serde::Deserialize;

use super::{Case, Replay, lines, protocol_of};
use crate::report::Report;

/// One line of `sequences.jsonl`, as far as a replay needs it.
#[derive(Debug, Deserialize)]
struct Sequence {
    group: String,
    calls: Vec<Recorded>,
    /// Whether the calls before the last one are failed attempts of the same request.
    retries: bool,
}

#[derive(Debug, Deserialize)]
struct Recorded {
    id: String,
}

/// Replays the retries of a corpus that knows any.
pub(super) fn run(dir: &Path, cases: &[Case]) -> Report {
    let mut report = Report::default();
    let path = dir.join("sequences.jsonl");
    if !path.is_file() {
        return report;
    }
    match lines::<Sequence>(&path) {
        Ok(sequences) => {
            for sequence in sequences.iter().filter(|sequence| sequence.retries) {
                let name = PathBuf::from(format!("{}#{}", path.display(), sequence.group));
                report.add(name, check(dir, cases, sequence).unwrap_or_else(|error| vec![error]));
            }
        }
        Err(error) => report.add(path, vec![error]),
    }
    report
}

/// Every attempt has to say what its response says alone, and the last one decides how the call ended.
fn check(dir: &Path, cases: &[Case], sequence: &Sequence) -> Result<Vec<String>, String> {
    let mut bodies = Vec::new();
    for Recorded { id } in &sequence.calls {
        let case = cases.iter().find(|case| case.id == *id).ok_or_else(|| format!("{id}: no such case"))?;
        bodies.push((case, fs::read(dir.join(&case.file)).map_err(|error| error.to_string())?));
    }
    let mut replays = Vec::new();
    for (case, body) in &bodies {
        let protocol = protocol_of(&case.wire).ok_or_else(|| format!("wire `{}` stands for no protocol", case.wire))?;
        replays.push(Replay::new(case, protocol, body)?);
    }
    let (first, last) = replays.first().zip(replays.last()).ok_or("a sequence without calls")?;

    let mut call = first.begin();
    let mut now = Timestamp::default();
    for (at, replay) in (1..).zip(&replays) {
        now = Timestamp::from_millis(at);
        if at > 1 {
            call.handle_attempt_started(now, AttemptStart::default());
            call.handle_headers(now, None, replay.headers());
        }
        call.handle_bytes(now, None, replay.protocol, replay.body);
        if replay.is_stream() {
            call.handle_stream_ended(now, None);
        }
    }
    let record = last.end(call, now);

    let mut out = Vec::new();
    if (record.attempt_count, record.retry_count) != (replays.len() as u64, replays.len() as u64 - 1) {
        out.push(format!("{} attempts and {} retries are counted", record.attempt_count, record.retry_count));
    }
    let alone: Vec<Record> = replays.iter().map(Replay::record_by_event).collect();
    for (attempt, alone) in record.attempts.iter().zip(&alone) {
        let expected = alone.attempts.first().map(facts);
        if Some(facts(attempt)) != expected {
            out.push(format!("attempt {}: {:?}, alone {expected:?}", attempt.number, facts(attempt)));
        }
    }
    if let Some(alone) = alone.last()
        && (record.outcome, &record.error) != (alone.outcome, &alone.error)
    {
        out.push(format!("the call ended as {:?}, its last attempt as {:?}", record.outcome, alone.outcome));
    }
    Ok(out)
}

/// What an attempt says of its response, but for times.
fn facts(attempt: &AttemptRecord) -> String {
    let AttemptRecord { outcome, error, usage, finish_reasons, response_id, response_model, .. } = attempt;
    format!("{outcome:?} {error:?} {usage:?} {finish_reasons:?} {response_id:?} {response_model:?}")
}
