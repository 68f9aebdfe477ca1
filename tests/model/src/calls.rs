//! A log, call by call.

use llmspan_core::{
    config::Config,
    event::{Event, TimedEvent},
    machine::{CallStart, Failure},
    record::{Record, TimeoutKind},
};

use crate::{attempt, record, told};

/// Everything that was told of one call, up to its end.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) id: &'a str,
    pub(crate) start: u64,
    pub(crate) begin: Option<&'a CallStart>,
    /// The events behind the start, in the order in which they were told.
    pub(crate) events: Vec<&'a TimedEvent>,
    end: Option<End<'a>>,
    /// Events and ends that were told after the end.
    after: (u64, u64),
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End<'a> {
    pub(crate) at: u64,
    pub(crate) how: How<'a>,
    /// Whether somebody told the time, or it follows from the configuration.
    pub(crate) is_told: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum How<'a> {
    /// `call_ended`.
    Caller(&'a Failure),
    /// `call_dropped`, an age, or a log that stops.
    Abandoned,
    /// A deadline of the configuration, at a tick.
    TimedOut(TimeoutKind),
}

/// The records of a log, in the order in which their calls ended.
pub fn records(config: &Config, log: &[TimedEvent]) -> Vec<Record> {
    let mut calls: Vec<Call<'_>> = Vec::new();
    // Places in `calls`, in the order of the ends.
    let mut ended: Vec<usize> = Vec::new();
    for timed in log {
        let id = timed.call_id();
        let open = calls.iter().position(|call| call.id == id && call.end.is_none());
        let over = calls.iter().rposition(|call| call.id == id && call.end.is_some());
        match (&timed.event, open, over) {
            (Event::Tick, _, _) => {
                // A tick of no call in particular is one of all.
                let mut due: Vec<(u64, usize)> = Vec::new();
                for (place, call) in calls.iter_mut().enumerate() {
                    let is_meant = timed.call.is_none() || call.id == id;
                    if call.end.is_some() || !is_meant {
                        continue;
                    }
                    // A tick before the last event of the call counts as if it came with that.
                    let heard = call.events.iter().filter(|event| !matches!(event.event, Event::CallStarted(_)));
                    let last = heard.map(|event| event.at).max().unwrap_or_default().max(timed.at);
                    let deadline = deadline(config, call).filter(|deadline| deadline.0 <= last.as_nanos());
                    if let Some((at, how)) = deadline {
                        call.end = Some(End { at, how, is_told: false });
                        due.push((at, place));
                    } else if open == Some(place) || timed.call.is_none() {
                        call.events.push(timed);
                    }
                }
                due.sort_unstable();
                ended.extend(due.iter().map(|(_, place)| place));
            }
            (_, Some(place), _) => {
                let call = &mut calls[place];
                let how = match &timed.event {
                    Event::CallEnded(failure) => Some(How::Caller(failure)),
                    Event::CallDropped => Some(How::Abandoned),
                    _ => None,
                };
                if let Some(how) = how {
                    call.end = Some(End { at: timed.at.as_nanos(), how, is_told: true });
                    ended.push(place);
                } else {
                    call.events.push(timed);
                }
            }
            (Event::CallStarted(begin), None, _) => calls.push(Call::new(timed, Some(begin))),
            (Event::CallEnded(_) | Event::CallDropped, None, Some(place)) => calls[place].after.1 += 1,
            (_, None, Some(place)) => calls[place].after.0 += 1,
            (_, None, None) => {
                let mut call = Call::new(timed, None);
                let how = match &timed.event {
                    Event::CallEnded(failure) => Some(How::Caller(failure)),
                    Event::CallDropped => Some(How::Abandoned),
                    _ => None,
                };
                if let Some(how) = how {
                    call.end = Some(End { at: timed.at.as_nanos(), how, is_told: true });
                    ended.push(calls.len());
                } else {
                    call.events.push(timed);
                }
                calls.push(call);
            }
        }
    }
    // What the log leaves open is dropped at its last event, the oldest call first.
    let last = log.iter().map(|timed| timed.at.as_nanos()).max().unwrap_or(0);
    for (place, call) in calls.iter_mut().enumerate() {
        if call.end.is_none() {
            call.end = Some(End { at: last, how: How::Abandoned, is_told: true });
            ended.push(place);
        }
    }
    ended.iter().map(|place| finish(config, &calls[*place])).collect()
}

impl<'a> Call<'a> {
    fn new(first: &'a TimedEvent, begin: Option<&'a CallStart>) -> Self {
        Self {
            id: first.call_id(),
            start: first.at.as_nanos().min(told::LATEST),
            begin,
            events: Vec::new(),
            end: None,
            after: (0, 0),
        }
    }
}

fn finish(config: &Config, call: &Call<'_>) -> Record {
    let end = call.end.expect("every call has ended");
    let mut record = record::of(config, call, end);
    record.diagnostics.late_events += call.after.0;
    record.diagnostics.duplicate_ends += call.after.1;
    record
}

/// The first deadline of a call as far as it is told, and what it means.
fn deadline<'a>(config: &Config, call: &Call<'a>) -> Option<(u64, How<'a>)> {
    let after_start = |length: Option<llmspan_core::time::Nanos>| Some(call.start.saturating_add(length?.as_nanos()));
    let story = told::told(config, call, None);
    let idle = config.idle_timeout_ns.and_then(|timeout| {
        Some(attempt::last_sign_of_life(&attempt::attempts(&story))?.saturating_add(timeout.as_nanos()))
    });
    // At the same moment: the caller's own deadline first, then silence, then age.
    [
        (after_start(config.deadline_ns), How::TimedOut(TimeoutKind::Deadline)),
        (idle, How::TimedOut(TimeoutKind::Idle)),
        (after_start(config.abandon_after_ns), How::Abandoned),
    ]
    .into_iter()
    .filter_map(|(at, how)| Some((at?, how)))
    .min_by_key(|(at, _)| *at)
}
