//! Random event logs, odd ones included.

use llmspan_core::{
    delta::{ContentKind, Provenance, RawUsage, UsageMode},
    event::{Chunk, Event, ReportedUsage, TimedEvent},
    machine::{AttemptStart, CallStart, Failure, Headers, Retry, WaitEnd},
    provider::Protocol,
    record::{TimeoutKind, WaitReason},
    time::{Nanos, Timestamp, UnixNanos},
};
use proptest::prelude::*;

/// A log of one call: any events in any order, with times that sometimes step back.
pub(crate) fn log() -> impl Strategy<Value = Vec<TimedEvent>> {
    let step = prop_oneof![8 => 0_u64..2_000_000_000, 1 => Just(0), 1 => 0_u64..90_000_000_000];
    let entry = (step, 0_u8..20, prop::option::weighted(0.15, 0_u32..5), event());
    (start(), prop::collection::vec(entry, 0..40), any::<bool>()).prop_map(|(start, entries, ends)| {
        let mut at = 1_000_000_000;
        let mut log = vec![TimedEvent::new(Timestamp::from_nanos(at), start)];
        for (step, back, attempt, event) in entries {
            at += step;
            let shown = if back == 0 { at - step.min(at) / 2 } else { at };
            let mut timed = TimedEvent::new(Timestamp::from_nanos(shown), event);
            timed.attempt = attempt.filter(|_| takes_attempt(&timed.event));
            log.push(timed);
        }
        if ends {
            log.push(TimedEvent::new(Timestamp::from_nanos(at), Event::CallEnded(Box::default())));
        }
        log
    })
}

fn takes_attempt(event: &Event) -> bool {
    matches!(
        event,
        Event::Chunk(_)
            | Event::Payload(..)
            | Event::Bytes(..)
            | Event::Usage(_)
            | Event::KeepAlive
            | Event::RequestSent
            | Event::HeadersReceived(_)
            | Event::Delivered
            | Event::AttemptFailed(_)
            | Event::StreamEnded
            | Event::ConsumerClosed
    )
}

fn start() -> impl Strategy<Value = Event> {
    (any::<Option<bool>>(), any::<Option<u64>>()).prop_map(|(stream, unix)| {
        let mut start = CallStart::new("chat").with_provider("openai").with_model("gpt-4.1-mini");
        start.stream = stream;
        start.unix_ns = unix.map(UnixNanos::from_nanos);
        Event::CallStarted(Box::new(start))
    })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => Just(Event::AttemptStarted(Box::default())),
        1 => any::<bool>().prop_map(|hedged| {
            let mut start = AttemptStart::default();
            start.hedged = hedged;
            start.model = Some("other".into());
            Event::AttemptStarted(Box::new(start))
        }),
        8 => chunk(),
        2 => bytes(),
        2 => usage().prop_map(|usage| Event::Usage(Box::new(usage))),
        1 => phase_name().prop_map(Event::PhaseStarted),
        1 => phase_name().prop_map(Event::PhaseEnded),
        1 => Just(Event::RequestSent),
        1 => headers().prop_map(|headers| Event::HeadersReceived(Box::new(headers))),
        1 => Just(Event::KeepAlive),
        1 => Just(Event::Delivered),
        2 => any::<bool>().prop_map(|abort_like| {
            let mut failure = Failure::of_type("network");
            failure.abort_like = abort_like;
            Event::AttemptFailed(Box::new(failure))
        }),
        2 => (0_u64..5_000_000_000).prop_map(|delay| {
            Event::RetryScheduled(Retry::after(Nanos::from_nanos(delay), WaitReason::RateLimit))
        }),
        1 => prop_oneof![Just(WaitEnd::Elapsed), Just(WaitEnd::Aborted)].prop_map(Event::RetryWaitEnded),
        1 => Just(Event::StreamEnded),
        1 => Just(Event::Cancelled),
        1 => Just(Event::ConsumerClosed),
        1 => prop_oneof![Just(TimeoutKind::Idle), Just(TimeoutKind::Deadline)].prop_map(Event::TimedOut),
        1 => Just(Event::Tick),
    ]
}

/// Counts no larger than those of `usage`, so that sums stay exact.
fn headers() -> impl Strategy<Value = Headers> {
    let time = || prop::option::of((0_u64..5_000_000_000).prop_map(Nanos::from_nanos));
    let count = || prop::option::of(0_u64..1_000);
    (any::<Option<u16>>(), [time(), time(), time()], [count(), count(), count()], any::<bool>()).prop_map(
        |(status, [total, queue, retry_after], [input, output, cache_read], has_type)| {
            let mut headers = Headers::default();
            headers.status_code = status;
            headers.server.total_ns = total;
            headers.server.queue_ns = queue;
            headers.retry_after_ns = retry_after;
            headers.error_type = has_type.then(|| "ThrottlingException".into());
            let counts = RawUsage { input, output, cache_read, ..RawUsage::default() };
            headers.usage = (!counts.is_empty()).then(|| Box::new(counts));
            headers
        },
    )
}

fn phase_name() -> impl Strategy<Value = Box<str>> {
    prop_oneof![Just("route".into()), Just("prompt.build".into()), Just("tool.execute".into())]
}

fn usage() -> impl Strategy<Value = ReportedUsage> {
    (any::<Option<u32>>(), any::<Option<u64>>(), any::<Option<u16>>(), any::<bool>(), any::<bool>()).prop_map(
        |(input, output, reasoning, adds, estimated)| {
            let mut usage = ReportedUsage::default();
            usage.input_tokens = input.map(u64::from).map(Into::into).unwrap_or_default();
            usage.output_tokens = output.map(Into::into).unwrap_or_default();
            usage.reasoning_tokens = reasoning.map(u64::from).map(Into::into).unwrap_or_default();
            usage.mode = if adds { UsageMode::Delta } else { UsageMode::Cumulative };
            usage.source = if estimated { Provenance::Estimated } else { Provenance::Reported };
            usage
        },
    )
}

fn chunk() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![
        3 => Just(ContentKind::Text),
        1 => Just(ContentKind::Reasoning),
        1 => Just(ContentKind::ToolCall),
        1 => Just(ContentKind::Refusal),
        2 => Just(ContentKind::None),
    ];
    (kind, any::<Option<u64>>(), prop::option::weighted(0.3, usage()), 0_u8..10, 0_u8..10).prop_map(
        |(kind, bytes, usage, finish, terminal)| {
            let mut chunk = Chunk::of(kind);
            chunk.bytes = bytes;
            chunk.usage = usage;
            chunk.finish_reasons = if finish == 0 { vec![Some("stop".into())] } else { Vec::new() };
            chunk.terminal = terminal == 0;
            Event::Chunk(Box::new(chunk))
        },
    )
}

fn bytes() -> impl Strategy<Value = Event> {
    let sse = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"na\u{ef}ve\\n\"}}]}\n\n: ping\n\ndata: [DONE]\n\n";
    prop_oneof![
        (0..sse.len()).prop_map(move |cut| sse.as_bytes()[..cut].to_vec()),
        prop::collection::vec(any::<u8>(), 0..60),
        Just(sse.as_bytes().to_vec()),
    ]
    .prop_map(|bytes| Event::Bytes(Protocol::OpenAiChat, bytes))
}
