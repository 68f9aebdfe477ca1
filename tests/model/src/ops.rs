//! What can happen to a call, as operations that anybody can make up: the tests from strategies, the fuzzer from bytes.

use arbitrary::Arbitrary;
use llmspan_core::{
    config::{Config, Slo},
    delta::{ContentKind, Provenance, ServerTiming, UsageMode},
    event::{Chunk, ChunkError, ChunkToolCall, Event, ReportedCount, ReportedUsage, TimedEvent},
    machine::{AttemptStart, CallStart, Failure, Headers, Retry, WaitEnd},
    price::Price,
    provider::Protocol,
    record::{AttributeValue, TimeoutKind, WaitReason},
    time::{Nanos, Timestamp, UnixNanos},
};

/// A configuration and everything that happens under it.
#[derive(Clone, Debug, Arbitrary)]
#[expect(clippy::exhaustive_structs, reason = "made by strategies")]
pub struct Scenario {
    /// The configuration.
    pub settings: Settings,
    /// What happens, in the order in which it is told.
    pub steps: Vec<Step>,
}

/// A choice of configurations.
#[derive(Clone, Copy, Debug, Default, Arbitrary)]
#[expect(clippy::exhaustive_structs, clippy::struct_excessive_bools, reason = "made by strategies")]
pub struct Settings {
    /// Deadline in tenths of a second, 0 for none.
    pub deadline: u8,
    /// Idle timeout in tenths of a second, 0 for none.
    pub idle: u8,
    /// Age at which a call is abandoned, in tenths of a second, 0 for none.
    pub abandon: u8,
    /// Bound of a stall in tenths of a second, 0 for the default.
    pub stall: u8,
    /// Whether there are low caps.
    pub low_caps: bool,
    /// Whether there are prices.
    pub prices: bool,
    /// Whether there are objectives.
    pub slo: bool,
    /// Whether the bounds of buffering are others.
    pub buffered: bool,
}

/// One event.
#[derive(Clone, Debug, Arbitrary)]
#[expect(clippy::exhaustive_structs, reason = "made by strategies")]
pub struct Step {
    /// The time since the step before.
    pub wait: Wait,
    /// Which of the calls, most often the first.
    pub call: u8,
    /// The number of the attempt, for events of an attempt; the latest when absent.
    pub attempt: Option<u8>,
    /// What happens.
    pub op: Op,
}

/// How the clock goes on.
#[derive(Clone, Copy, Debug, Arbitrary)]
#[expect(clippy::exhaustive_enums, reason = "made by strategies")]
pub enum Wait {
    /// Not at all.
    None,
    /// By microseconds.
    Micros(u16),
    /// By milliseconds.
    Millis(u16),
    /// By tenths of a second: the unit of the deadlines, so that they are met exactly.
    Tenths(u8),
    /// By up to centuries.
    Huge(u64),
    /// Back, by milliseconds.
    Back(u16),
}

/// What happens.
#[derive(Clone, Debug, Arbitrary)]
#[expect(clippy::exhaustive_enums, missing_docs, reason = "the events of the log, one by one")]
pub enum Op {
    CallStarted { stream: Option<bool>, unix: Option<u32>, named: bool },
    AttemptStarted { hedged: bool, other: bool },
    RequestSent,
    Headers { status: Status, retry_after: Option<u8>, queue: Option<u8>, prompt: Option<u8>, named: bool },
    Content { kind: Kind, bytes: Option<u16> },
    Chunk(Box<ChunkOp>),
    Sse(Frame),
    KeepAlive,
    Usage(UsageOp),
    Delivered,
    AttemptFailed { abort_like: bool, named: bool, status: Status, retry_after: Option<u8> },
    RetryScheduled { delay: u8, reason: Reason, by_server: bool },
    RetryWaitEnded { aborted: bool },
    StreamEnded,
    Cancelled,
    ConsumerClosed,
    TimedOut { idle: bool },
    Tick { of_all: bool },
    PhaseStarted(u8),
    PhaseEnded(u8),
    Attribute { key: u8, value: bool },
    CallEnded { named: bool, status: Status },
    CallDropped,
}

/// A status code.
#[derive(Clone, Copy, Debug, Arbitrary)]
#[expect(clippy::exhaustive_enums, missing_docs, reason = "a few of each class")]
pub enum Status {
    Absent,
    Ok,
    BadRequest,
    Busy,
    Failed,
}

/// What a chunk carries.
#[derive(Clone, Copy, Debug, Arbitrary)]
#[expect(clippy::exhaustive_enums, missing_docs, reason = "those of the log")]
pub enum Kind {
    Text,
    Reasoning,
    ToolCall,
    Refusal,
    Code,
    Image,
    Audio,
    None,
}

/// Why a call waits.
#[derive(Clone, Copy, Debug, Arbitrary)]
#[expect(clippy::exhaustive_enums, missing_docs, reason = "some of those of the log")]
pub enum Reason {
    KeyPool,
    RateLimit,
    Content,
    Network,
}

/// A chunk with more than content.
#[derive(Clone, Copy, Debug, Arbitrary)]
#[expect(clippy::exhaustive_structs, missing_docs, reason = "the fields of the log")]
pub struct ChunkOp {
    pub kind: Kind,
    pub bytes: Option<u8>,
    /// By choice: 0 for one that did not finish.
    pub finish: [u8; 2],
    pub usage: Option<UsageOp>,
    pub id: Option<u8>,
    pub model: Option<u8>,
    pub tool: Option<(Option<u8>, Option<u8>, Option<u8>)>,
    pub error: Option<(bool, Status)>,
    pub terminal: bool,
}

/// Token counts: absent, usable, or none at all.
#[derive(Clone, Copy, Debug, Arbitrary)]
#[expect(clippy::exhaustive_structs, missing_docs, reason = "the fields of the log")]
pub struct UsageOp {
    pub input: Count,
    pub output: Count,
    pub cache_read: Count,
    pub cache_write: Count,
    pub reasoning: Count,
    pub adds: bool,
    pub source: Source,
}

/// One count.
#[derive(Clone, Copy, Debug, Arbitrary)]
#[expect(clippy::exhaustive_enums, missing_docs, reason = "the kinds of counts")]
pub enum Count {
    Absent,
    Zero,
    Small(u16),
    Huge(u64),
    Rejected,
}

/// Where counts come from.
#[derive(Clone, Copy, Debug, Arbitrary)]
#[expect(clippy::exhaustive_enums, missing_docs, reason = "those of the log")]
pub enum Source {
    Reported,
    Partial,
    Placeholder,
    Estimated,
}

/// Raw bytes of a stream of server-sent events.
#[derive(Clone, Copy, Debug, Arbitrary)]
#[expect(clippy::exhaustive_enums, missing_docs, reason = "what such streams are made of")]
pub enum Frame {
    Comment,
    Text,
    Two,
    Finish,
    Usage,
    Error,
    Done,
    Nonsense,
    Half,
}

impl Scenario {
    /// The configuration.
    pub fn config(&self) -> Config {
        let tenths = |value: u8| (value > 0).then(|| Nanos::from_millis(u64::from(value) * 100));
        let it = self.settings;
        let mut config = Config::default();
        config.deadline_ns = tenths(it.deadline);
        config.idle_timeout_ns = tenths(it.idle);
        config.abandon_after_ns = tenths(it.abandon);
        config.stall_after_ns = tenths(it.stall).unwrap_or(config.stall_after_ns);
        if it.low_caps {
            if self.is_in_line() {
                config.limits.attempts = 2;
            }
            config.limits.waits = 1;
            config.limits.phases = 3;
            config.limits.phase_depth = 2;
            config.limits.events = 4;
            config.limits.stall_events = 1;
            config.limits.tool_calls = 2;
        }
        if it.prices {
            let mut exact = Price::new("model", 400_000_000, 1_600_000_000);
            exact.cache_read = Some(100_000_001);
            exact.reasoning = Some(999_999_999);
            let mut dated = Price::new("model-*", 3, 5);
            dated.from_unix_ns = Some(UnixNanos::from_nanos(1_000));
            config.prices = vec![Price::new("mod*", 7, 11), exact, dated];
        }
        if it.slo {
            let mut slo = Slo::default();
            slo.ttft_ns = Some(Nanos::from_millis(500));
            slo.inter_chunk_p99_ns = Some(Nanos::from_millis(300));
            slo.time_per_output_token_ns = Some(Nanos::from_millis(20));
            slo.duration_ns = Some(Nanos::from_secs(5));
            slo.stalls = Some(1);
            config.slo = Some(slo);
        }
        if it.buffered {
            config.buffered_tokens_per_second = 50;
            config.buffered_ttft_percent = 30;
        }
        config
    }

    /// Whether there is one call at a time that says whether it streams, with attempts that follow one another, and nothing that
    /// comes for an older one: what is dropped past the cap of attempts takes no more reports and learns nothing new of its call.
    fn is_in_line(&self) -> bool {
        let is_hedge = |step: &Step| matches!(step.op, Op::AttemptStarted { hedged: true, .. });
        let is_vague = |step: &Step| matches!(step.op, Op::CallStarted { stream: None, .. });
        let begins = matches!(self.steps.first(), Some(Step { op: Op::CallStarted { .. }, .. }));
        let is_one = |step: &Step| step.call % 16 < 15 && step.attempt.is_none();
        begins && self.steps.iter().all(|step| is_one(step) && !is_hedge(step) && !is_vague(step))
    }

    /// The log.
    pub fn log(&self) -> Vec<TimedEvent> {
        let mut now = 1_000_000_000_u64;
        let mut log = Vec::new();
        for step in &self.steps {
            let at = match step.wait {
                Wait::None => now,
                Wait::Micros(length) => now.saturating_add(u64::from(length) * 1_000),
                Wait::Millis(length) => now.saturating_add(u64::from(length) * 1_000_000),
                Wait::Tenths(length) => now.saturating_add(u64::from(length) * 100_000_000),
                Wait::Huge(length) => now.saturating_add(length),
                Wait::Back(length) => now.saturating_sub(u64::from(length) * 1_000_000),
            };
            now = now.max(at);
            let mut timed = TimedEvent::new(Timestamp::from_nanos(at), step.op.event());
            if step.call % 16 == 15 {
                timed.call = Some("2".into());
            }
            if matches!(step.op, Op::Tick { of_all: true }) {
                timed.call = None;
            } else if matches!(step.op, Op::Tick { of_all: false }) {
                timed.call = Some(timed.call_id().into());
            }
            if step.op.is_of_an_attempt() {
                timed.attempt = step.attempt.map(|number| u32::from(number % 5));
            }
            log.push(timed);
        }
        log
    }
}

impl Op {
    fn is_of_an_attempt(&self) -> bool {
        matches!(
            self,
            Self::RequestSent
                | Self::Headers { .. }
                | Self::Content { .. }
                | Self::Chunk(_)
                | Self::Sse(_)
                | Self::KeepAlive
                | Self::Usage(_)
                | Self::Delivered
                | Self::AttemptFailed { .. }
                | Self::StreamEnded
                | Self::ConsumerClosed
        )
    }

    fn event(&self) -> Event {
        let tenths = |value: u8| Nanos::from_millis(u64::from(value) * 100);
        match self {
            Self::CallStarted { stream, unix, named } => {
                let mut start = CallStart::new("chat");
                if *named {
                    start = start.with_provider("openai").with_model("model");
                }
                start.stream = *stream;
                start.unix_ns = unix.map(|unix| UnixNanos::from_nanos(u64::from(unix)));
                Event::CallStarted(Box::new(start))
            }
            Self::AttemptStarted { hedged, other } => {
                let mut start = AttemptStart::default();
                start.hedged = *hedged;
                if *other {
                    start = start.with_provider("anthropic").with_model("model-other").with_endpoint("eu");
                }
                Event::AttemptStarted(Box::new(start))
            }
            Self::RequestSent => Event::RequestSent,
            Self::Headers { status, retry_after, queue, prompt, named } => {
                let mut headers = Headers::default();
                headers.status_code = status.code();
                headers.retry_after_ns = retry_after.map(tenths);
                headers.server = ServerTiming {
                    queue_ns: queue.map(tenths),
                    prompt_ns: prompt.map(tenths),
                    ..ServerTiming::default()
                };
                if *named {
                    headers.request_id = Some("request".into());
                    headers.error_type = Some("OfHeaders".into());
                }
                Event::HeadersReceived(Box::new(headers))
            }
            Self::Content { kind, bytes } => {
                let mut chunk = Chunk::of(kind.kind());
                chunk.bytes = bytes.map(u64::from);
                Event::Chunk(Box::new(chunk))
            }
            Self::Chunk(chunk) => Event::Chunk(Box::new(chunk.chunk())),
            Self::Sse(frame) => Event::Bytes(Protocol::OpenAiChat, frame.text().into()),
            Self::KeepAlive => Event::KeepAlive,
            Self::Usage(usage) => Event::Usage(Box::new(usage.usage())),
            Self::Delivered => Event::Delivered,
            Self::AttemptFailed { abort_like, named, status, retry_after } => {
                let mut failure = failure(*named, *status);
                failure.abort_like = *abort_like;
                failure.retry_after_ns = retry_after.map(tenths);
                Event::AttemptFailed(Box::new(failure))
            }
            Self::RetryScheduled { delay, reason, by_server } => {
                let retry = Retry::after(tenths(*delay), reason.reason());
                Event::RetryScheduled(if *by_server { retry.requested_by_server() } else { retry })
            }
            Self::RetryWaitEnded { aborted } => {
                Event::RetryWaitEnded(if *aborted { WaitEnd::Aborted } else { WaitEnd::Elapsed })
            }
            Self::StreamEnded => Event::StreamEnded,
            Self::Cancelled => Event::Cancelled,
            Self::ConsumerClosed => Event::ConsumerClosed,
            Self::TimedOut { idle } => Event::TimedOut(if *idle { TimeoutKind::Idle } else { TimeoutKind::Deadline }),
            Self::Tick { .. } => Event::Tick,
            Self::PhaseStarted(name) => Event::PhaseStarted(phase(*name)),
            Self::PhaseEnded(name) => Event::PhaseEnded(phase(*name)),
            Self::Attribute { key, value } => {
                let key = ["json_valid", "cache_hit", "refusal", "tenant"][usize::from(*key % 4)];
                Event::Attributes([(key.into(), AttributeValue::Bool(*value))].into())
            }
            Self::CallEnded { named, status } => Event::CallEnded(Box::new(failure(*named, *status))),
            Self::CallDropped => Event::CallDropped,
        }
    }
}

impl ChunkOp {
    fn chunk(&self) -> Chunk {
        let mut chunk = Chunk::of(self.kind.kind());
        chunk.bytes = self.bytes.map(u64::from);
        let reason = |value: u8| match value % 8 {
            0..=3 => None,
            4 => Some("error".into()),
            5 => Some("length".into()),
            _ => Some("stop".into()),
        };
        if self.finish.iter().any(|value| *value > 0) {
            chunk.finish_reasons = self.finish.iter().map(|value| reason(*value)).collect();
        }
        chunk.usage = self.usage.map(|usage| usage.usage());
        let text = |name: &str, value: u8| match value % 4 {
            0 => "".into(),
            value => format!("{name}{value}").into_boxed_str(),
        };
        chunk.response_id = self.id.map(|value| text("id", value));
        chunk.response_model = self.model.map(|value| text("model-", value));
        chunk.tool_call = self.tool.map(|(index, id, name)| {
            let mut call = ChunkToolCall::default();
            call.index = index.map(|index| u32::from(index % 4));
            call.id = id.map(|value| text("call", value));
            call.name = name.map(|value| text("tool", value));
            call
        });
        chunk.error = self.error.map(|(named, status)| {
            let mut error = ChunkError::default();
            error.error_type = named.then(|| "overloaded".into());
            error.status_code = status.code();
            error
        });
        chunk.terminal = self.terminal;
        chunk
    }
}

impl UsageOp {
    fn usage(&self) -> ReportedUsage {
        let mut usage = ReportedUsage::default();
        usage.input_tokens = self.input.count();
        usage.output_tokens = self.output.count();
        usage.cache_read_tokens = self.cache_read.count();
        usage.cache_write_tokens = self.cache_write.count();
        usage.reasoning_tokens = self.reasoning.count();
        usage.mode = if self.adds { UsageMode::Delta } else { UsageMode::Cumulative };
        usage.source = match self.source {
            Source::Reported => Provenance::Reported,
            Source::Partial => Provenance::Partial,
            Source::Placeholder => Provenance::Placeholder,
            Source::Estimated => Provenance::Estimated,
        };
        usage
    }
}

impl Count {
    fn count(self) -> ReportedCount {
        match self {
            Self::Absent => ReportedCount::Absent,
            Self::Zero => ReportedCount::Value(0),
            Self::Small(value) => u64::from(value).into(),
            Self::Huge(value) => value.into(),
            Self::Rejected => ReportedCount::Rejected,
        }
    }
}

impl Status {
    fn code(self) -> Option<u16> {
        match self {
            Self::Absent => None,
            Self::Ok => Some(200),
            Self::BadRequest => Some(400),
            Self::Busy => Some(429),
            Self::Failed => Some(500),
        }
    }
}

impl Kind {
    fn kind(self) -> ContentKind {
        match self {
            Self::Text => ContentKind::Text,
            Self::Reasoning => ContentKind::Reasoning,
            Self::ToolCall => ContentKind::ToolCall,
            Self::Refusal => ContentKind::Refusal,
            Self::Code => ContentKind::Code,
            Self::Image => ContentKind::Image,
            Self::Audio => ContentKind::Audio,
            Self::None => ContentKind::None,
        }
    }
}

impl Reason {
    fn reason(self) -> WaitReason {
        match self {
            Self::KeyPool => WaitReason::KeyPool,
            Self::RateLimit => WaitReason::RateLimit,
            Self::Content => WaitReason::Content,
            Self::Network => WaitReason::Network,
        }
    }
}

impl Frame {
    fn text(self) -> &'static str {
        match self {
            Self::Comment => ": wait\n\n",
            Self::Text => "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n",
            Self::Two => {
                "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}},{\"index\":1,\"delta\":{\"reasoning_content\":\"Hm\"}}]}\n\n"
            }
            Self::Finish => "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
            Self::Usage => {
                "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":15}}\n\n"
            }
            Self::Error => "data: {\"error\":{\"type\":\"server_error\",\"code\":503}}\n\n",
            Self::Done => "data: [DONE]\n\n",
            Self::Nonsense => "data: nonsense\n\n",
            Self::Half => "data: {\"choices\":[{\"index\":0,\"del",
        }
    }
}

fn failure(named: bool, status: Status) -> Failure {
    let mut failure = Failure::default();
    failure.error_type = named.then(|| "network".into());
    failure.status_code = status.code();
    failure
}

fn phase(name: u8) -> Box<str> {
    ["route", "prompt.build", "tool.execute"][usize::from(name % 3)].into()
}
