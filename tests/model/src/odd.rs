//! What was odd about the events of a call, and what was dropped of it.

use llmspan_core::{
    config::Config,
    event::Event,
    record::{ClockQuality, EventKind, Marks, Record},
    time::Nanos,
};

use crate::{
    attempt::Attempt,
    attempt_record, local, span_events,
    told::{Story, Told, What},
};

/// Fills in the diagnostics that follow from the events; the values of the record are there already.
pub(crate) fn diagnose(config: &Config, record: &mut Record, story: &Story<'_>, attempts: &[Attempt<'_>]) {
    let deltas = || {
        story.told.iter().enumerate().filter_map(|(place, told)| match &told.what {
            What::Delta(delta) | What::Astray(Some(delta)) => Some(delta),
            What::Rest(delta) => Some(delta).filter(|_| span_events::taken_at(attempts, place).is_some()),
            _ => None,
        })
    };
    let diagnostics = &mut record.diagnostics;
    diagnostics.clock_regressions = story.clock_regressions;
    let astray = story.told.iter().filter(|told| matches!(told.what, What::Astray(_))).count() as u64;
    diagnostics.late_events =
        attempts.iter().map(|it| it.late).sum::<u64>() + astray + local::ends_without_a_wait(story);
    let own = story.told.iter().filter_map(|told| match &told.what {
        What::Event(Event::Usage(usage)) => Some(usage.to_report()),
        _ => None,
    });
    let reports = deltas().filter_map(|delta| delta.usage).chain(own);
    diagnostics.rejected_usage_values = reports.map(|report| u64::from(report.rejected)).sum();
    diagnostics.decode_errors = deltas().map(|delta| u64::from(delta.decode_errors)).sum();
    diagnostics.oversized_frames = deltas().map(|delta| u64::from(delta.oversized_frames)).sum();
    diagnostics.compressed_body = deltas().any(|delta| delta.compressed);
    let dropped_calls = attempts.iter().map(|it| attempt_record::tool_calls(config, it).dropped).sum();
    diagnostics.dropped.tool_calls = Some(dropped_calls).filter(|calls| *calls > 0);
    if let (Some(server), Some(ttft)) = (&record.server, record.ttft_ns)
        && let (Some(queue), Some(prompt)) = (server.queue_ns, server.prompt_ns)
    {
        diagnostics.server_timing_contradicts = queue.saturating_add(prompt) > ttft;
    }
    let mut clock = ClockQuality::default();
    let steps = story.times.windows(2).map(|pair| pair[1] - pair[0]);
    clock.resolution_ns = steps.filter(|step| *step > 0).min().map(Nanos::from_nanos);
    clock.frozen = record.marks.first_chunk_ns.is_some() && are_one(&record.marks);
    diagnostics.clock = clock;
}

fn are_one(marks: &Marks) -> bool {
    let all = [
        marks.started_ns,
        marks.request_sent_ns,
        marks.headers_ns,
        marks.first_chunk_ns,
        marks.first_reasoning_ns,
        marks.first_content_ns,
        marks.first_answer_ns,
        marks.last_content_ns,
        marks.last_chunk_ns,
        marks.delivered_ns,
        marks.ended_ns,
    ];
    all.into_iter().flatten().all(|mark| Some(mark) == marks.started_ns)
}

/// The numbers of the attempts that are kept in detail: past the cap each one that begins takes the place of the latest that is
/// over, so that the first ones and those that run are kept.
pub(crate) fn kept(config: &Config, story: &Story<'_>) -> Vec<u32> {
    let is_turn = |told: &Told<'_>| match &told.what {
        What::Began(begin) => !begin.is_some_and(|begin| begin.hedged),
        What::Event(Event::RetryScheduled(_)) => true,
        _ => false,
    };
    let mut kept: Vec<(usize, u32)> = Vec::new();
    for (place, told) in story.told.iter().enumerate().filter(|(_, told)| matches!(told.what, What::Began(_))) {
        if kept.len() >= config.limits.attempts.max(1) {
            let is_over = |begun: usize| story.told[begun + 1..=place].iter().any(is_turn);
            let over = kept.iter().rposition(|(begun, _)| is_over(*begun)).unwrap_or(kept.len() - 1);
            kept.remove(over);
        }
        kept.push((place, told.attempt.unwrap_or(0)));
    }
    kept.into_iter().map(|(_, number)| number).collect()
}

/// Cuts each list at its cap, and says what was dropped.
pub(crate) fn cap(config: &Config, record: &mut Record, kept: &[u32], dropped_phases: u64) {
    let caps = &config.limits;
    let some = |count: usize| (count > 0).then_some(count as u64);
    let dropped = &mut record.diagnostics.dropped;

    dropped.attempts = some(record.attempts.len() - kept.len());
    record.attempts.retain(|attempt| kept.contains(&attempt.number));
    dropped.waits = some(record.waits.len().saturating_sub(caps.waits));
    record.waits.truncate(caps.waits);
    dropped.phases = (dropped_phases > 0).then_some(dropped_phases);

    // Stalls have a smaller cap within that of all events.
    let all = record.events.len();
    let mut stalls = 0;
    record.events.retain(|event| {
        stalls += usize::from(event.kind == EventKind::Stall);
        event.kind != EventKind::Stall || stalls <= caps.stall_events
    });
    record.events.truncate(caps.events);
    dropped.events = some(all - record.events.len());
}
