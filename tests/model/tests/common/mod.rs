//! Random scenarios, odd ones included.

use llmspan_model::ops::{
    ChunkOp, Count, Frame, Kind, Op, Reason, Scenario, Settings, Source, Status, Step, UsageOp, Wait,
};
use proptest::prelude::*;

/// Cases of one run; `PROPTEST_CASES` asks for another number.
pub(crate) fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

/// What happens to one or two calls under some configuration.
pub(crate) fn scenario() -> impl Strategy<Value = Scenario> {
    let in_line = prop::bool::weighted(0.2);
    (settings(), begin(), prop::collection::vec(step(), 0..40), in_line).prop_map(
        |(settings, begin, mut steps, in_line)| {
            steps.splice(0..0, begin);
            for step in steps.iter_mut().filter(|_| in_line) {
                step.attempt = None;
                step.call = 0;
                if let Op::CallStarted { stream, .. } = &mut step.op {
                    *stream = stream.or(Some(true));
                }
                if let Op::AttemptStarted { hedged, .. } = &mut step.op {
                    *hedged = false;
                }
            }
            Scenario { settings, steps }
        },
    )
}

/// Most calls are started, and are streamed.
fn begin() -> impl Strategy<Value = Option<Step>> {
    let stream = prop_oneof![6 => Just(Some(true)), 2 => Just(None), 1 => Just(Some(false))];
    let op = (stream, prop::option::of(0_u32..3_000), prop::bool::weighted(0.8))
        .prop_map(|(stream, unix, named)| Op::CallStarted { stream, unix, named });
    let step = op.prop_map(|op| Step { wait: Wait::None, call: 0, attempt: None, op });
    prop::option::weighted(0.95, step)
}

fn settings() -> impl Strategy<Value = Settings> {
    let tenths =
        |weight| prop::option::weighted(weight, prop_oneof![1_u8..15, 1_u8..60]).prop_map(Option::unwrap_or_default);
    let rarely = || prop::bool::weighted(0.25);
    (tenths(0.2), tenths(0.3), tenths(0.1), tenths(0.3), rarely(), rarely(), rarely(), rarely()).prop_map(
        |(deadline, idle, abandon, stall, low_caps, prices, slo, buffered)| Settings {
            deadline,
            idle,
            abandon,
            stall,
            low_caps,
            prices,
            slo,
            buffered,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![
        3 => Just(Wait::None),
        2 => any::<u16>().prop_map(Wait::Micros),
        6 => (0_u16..800).prop_map(Wait::Millis),
        2 => (0_u8..40).prop_map(Wait::Tenths),
        1 => any::<u16>().prop_map(Wait::Back),
    ];
    let huge = (0_u8..60, any::<u64>(), 0_u32..64).prop_map(|(chance, length, shift)| (chance == 0, length >> shift));
    let attempt = prop::option::weighted(0.2, 0_u8..5);
    (wait, huge, any::<u8>(), attempt, op()).prop_map(|(wait, (is_huge, length), call, attempt, op)| {
        let wait = if is_huge { Wait::Huge(length) } else { wait };
        Step { wait, call, attempt, op }
    })
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (prop::bool::weighted(0.4), any::<bool>()).prop_map(|(hedged, other)| Op::AttemptStarted { hedged, other }),
        1 => Just(Op::RequestSent),
        2 => (status(), small(), small(), small(), any::<bool>()).prop_map(|(status, retry_after, queue, prompt, named)| {
            Op::Headers { status, retry_after, queue, prompt, named }
        }),
        10 => (kind(), prop::option::weighted(0.3, 0_u16..9)).prop_map(|(kind, bytes)| Op::Content { kind, bytes }),
        8 => chunk().prop_map(|chunk| Op::Chunk(Box::new(chunk))),
        4 => frame().prop_map(Op::Sse),
        1 => Just(Op::KeepAlive),
        3 => usage().prop_map(Op::Usage),
        1 => Just(Op::Delivered),
        4 => (prop::bool::weighted(0.3), any::<bool>(), status(), small()).prop_map(
            |(abort_like, named, status, retry_after)| Op::AttemptFailed { abort_like, named, status, retry_after }
        ),
        3 => (0_u8..50, reason(), any::<bool>()).prop_map(|(delay, reason, by_server)| {
            Op::RetryScheduled { delay, reason, by_server }
        }),
        1 => any::<bool>().prop_map(|aborted| Op::RetryWaitEnded { aborted }),
        2 => Just(Op::StreamEnded),
        2 => Just(Op::Cancelled),
        2 => Just(Op::ConsumerClosed),
        2 => any::<bool>().prop_map(|idle| Op::TimedOut { idle }),
        4 => any::<bool>().prop_map(|of_all| Op::Tick { of_all }),
        2 => (0_u8..3).prop_map(Op::PhaseStarted),
        2 => (0_u8..3).prop_map(Op::PhaseEnded),
        1 => (0_u8..4, any::<bool>()).prop_map(|(key, value)| Op::Attribute { key, value }),
        1 => (prop::bool::weighted(0.3), status()).prop_map(|(named, status)| Op::CallEnded { named, status }),
        1 => Just(Op::CallDropped),
        1 => Just(Op::CallStarted { stream: Some(true), unix: None, named: true }),
    ]
}

fn chunk() -> impl Strategy<Value = ChunkOp> {
    let finish = || prop_oneof![6 => Just(0_u8), 2 => 0_u8..8];
    let tool = (prop::option::of(0_u8..4), prop::option::of(0_u8..4), prop::option::of(0_u8..4));
    (
        (kind(), prop::option::weighted(0.3, 0_u8..9)),
        (finish(), finish()),
        prop::option::weighted(0.4, usage()),
        (prop::option::weighted(0.2, 0_u8..4), prop::option::weighted(0.2, 0_u8..4)),
        prop::option::weighted(0.3, tool),
        prop::option::weighted(0.1, (any::<bool>(), status())),
        prop::bool::weighted(0.25),
    )
        .prop_map(|((kind, bytes), (first, second), usage, (id, model), tool, error, terminal)| ChunkOp {
            kind,
            bytes,
            finish: [first, second],
            usage,
            id,
            model,
            tool,
            error,
            terminal,
        })
}

fn usage() -> impl Strategy<Value = UsageOp> {
    let source = prop_oneof![
        6 => Just(Source::Reported),
        1 => Just(Source::Partial),
        1 => Just(Source::Placeholder),
        3 => Just(Source::Estimated),
    ];
    (count(), count(), count(), count(), count(), prop::bool::weighted(0.3), source).prop_map(
        |(input, output, cache_read, cache_write, reasoning, adds, source)| UsageOp {
            input,
            output,
            cache_read,
            cache_write,
            reasoning,
            adds,
            source,
        },
    )
}

fn count() -> impl Strategy<Value = Count> {
    prop_oneof![
        6 => Just(Count::Absent),
        1 => Just(Count::Zero),
        8 => (0_u16..300).prop_map(Count::Small),
        // About the number of tokens from which a stream counts as held back.
        3 => (15_u16..19).prop_map(Count::Small),
        1 => any::<u64>().prop_map(Count::Huge),
        1 => Just(Count::Huge(1 << 53)),
        1 => Just(Count::Rejected),
    ]
}

fn small() -> impl Strategy<Value = Option<u8>> {
    prop::option::weighted(0.4, 0_u8..9)
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        4 => Just(Status::Absent),
        2 => Just(Status::Ok),
        1 => Just(Status::BadRequest),
        1 => Just(Status::Busy),
        1 => Just(Status::Failed),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        8 => Just(Kind::Text),
        2 => Just(Kind::Reasoning),
        2 => Just(Kind::ToolCall),
        1 => Just(Kind::Refusal),
        1 => Just(Kind::Code),
        1 => Just(Kind::Image),
        1 => Just(Kind::Audio),
        5 => Just(Kind::None),
    ]
}

fn reason() -> impl Strategy<Value = Reason> {
    prop_oneof![Just(Reason::KeyPool), Just(Reason::RateLimit), Just(Reason::Content), Just(Reason::Network)]
}

fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        Just(Frame::Comment),
        Just(Frame::Text),
        Just(Frame::Two),
        Just(Frame::Finish),
        Just(Frame::Usage),
        Just(Frame::Error),
        Just(Frame::Done),
        Just(Frame::Nonsense),
        Just(Frame::Half),
    ]
}
