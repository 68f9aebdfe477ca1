//! What happened beside the attempts: phases, waits, and the time that nothing covers.

use llmspan_core::{
    config::Config,
    event::Event,
    machine::WaitEnd,
    record::{PhaseRecord, WaitRecord},
    time::Nanos,
};

use crate::told::{Story, What};

/// From when to when something was going on.
pub(crate) type Interval = (u64, u64);

#[derive(Debug, Default)]
pub(crate) struct Phases {
    pub(crate) records: Vec<PhaseRecord>,
    pub(crate) top_level: Vec<Interval>,
    pub(crate) unmatched: u64,
    pub(crate) dropped: u64,
}

/// The phases in the order of their start.
pub(crate) fn phases(config: &Config, story: &Story<'_>, end: u64) -> Phases {
    struct Phase<'p> {
        name: &'p str,
        depth: usize,
        start: u64,
        end: Option<u64>,
    }
    let mut all: Vec<Phase<'_>> = Vec::new();
    let mut out = Phases::default();
    for told in &story.told {
        match &told.what {
            What::Event(Event::PhaseStarted(name)) => {
                let depth = all.iter().filter(|phase| phase.end.is_none()).count();
                all.push(Phase { name, depth, start: told.at, end: None });
            }
            What::Event(Event::PhaseEnded(name)) => {
                let open: Vec<usize> = (0..all.len()).filter(|place| all[*place].end.is_none()).collect();
                if open.len() > config.limits.phase_depth {
                    // Phases that are too deep have no name: any end is that of the innermost one.
                    all[open[open.len() - 1]].end = Some(told.at);
                    continue;
                }
                let named = open.iter().rposition(|place| all[*place].name == &**name);
                let is_innermost = named.is_some_and(|named| named + 1 == open.len());
                out.unmatched += u64::from(!is_innermost);
                for place in named.map_or(&[][..], |named| &open[named..]) {
                    all[*place].end = Some(told.at);
                }
            }
            _ => {}
        }
    }
    for phase in &all {
        let length = phase.end.unwrap_or(end) - phase.start;
        if phase.depth == 0 {
            out.top_level.push((phase.start, phase.end.unwrap_or(end)));
        }
        if out.records.len() >= config.limits.phases || phase.depth >= config.limits.phase_depth {
            out.dropped += 1;
            continue;
        }
        let mut record = PhaseRecord::default();
        record.name = phase.name.into();
        record.depth = u32::try_from(phase.depth).unwrap_or(u32::MAX);
        record.start_ns = Nanos::from_nanos(phase.start - story.start);
        record.duration_ns = Nanos::from_nanos(length);
        record.left_open = phase.end.is_none();
        out.records.push(record);
    }
    out
}

/// The waits in their order, and when each was.
pub(crate) fn waits(story: &Story<'_>, end: u64) -> Vec<(WaitRecord, Interval)> {
    let mut waits = Vec::new();
    let mut attempts = 0;
    for (place, told) in story.told.iter().enumerate() {
        if matches!(told.what, What::Began(_)) {
            attempts += 1;
        }
        let What::Event(Event::RetryScheduled(retry)) = &told.what else { continue };
        // What closes a wait, and whether it cut it short.
        let close = story.told[place + 1..].iter().find_map(|told| match &told.what {
            What::Began(_) | What::Event(Event::RetryWaitEnded(WaitEnd::Elapsed) | Event::RetryScheduled(_)) => {
                Some((told.at, false))
            }
            What::Event(Event::RetryWaitEnded(WaitEnd::Aborted) | Event::Cancelled) => Some((told.at, true)),
            _ => None,
        });
        let (until, aborted) = close.unwrap_or((end, true));
        let mut record = WaitRecord::default();
        record.reason = retry.reason;
        record.planned_delay_ns = retry.delay_ns;
        record.actual_delay_ns = Nanos::from_nanos(until - told.at);
        record.server_requested = retry.server_requested;
        record.aborted = aborted;
        record.start_ns = Nanos::from_nanos(told.at - story.start);
        record.after_attempt = attempts;
        waits.push((record, (told.at, until)));
    }
    waits
}

/// How often a wait was said to be over while none was open.
pub(crate) fn ends_without_a_wait(story: &Story<'_>) -> u64 {
    let mut is_open = false;
    let mut count = 0;
    for told in &story.told {
        match &told.what {
            What::Event(Event::RetryScheduled(_)) => is_open = true,
            What::Event(Event::RetryWaitEnded(_)) if !is_open => count += 1,
            What::Event(Event::RetryWaitEnded(_) | Event::Cancelled) | What::Began(_) => is_open = false,
            _ => {}
        }
    }
    count
}

/// The length of time that these intervals cover together.
pub(crate) fn covered(mut intervals: Vec<Interval>) -> u64 {
    intervals.sort_unstable();
    let mut until = 0;
    let mut total = 0;
    for (start, end) in intervals {
        let start = start.max(until);
        if end > start {
            total += end - start;
            until = end;
        }
    }
    total
}
