//! How each value is read from a record.

use alloc::string::String;

use super::{profile::Profile, value::Value};
use crate::{
    record::{
        AttemptRecord, AttributeValue, Content, Cost, InterChunk, Money, OtelStatus, Outcome, Record, RecordError,
        Server, Usage, WaitRecord,
    },
    time::{Nanos, UnixNanos},
};

/// A value as the record holds it, before any conversion.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading<'a> {
    Amount(Money, &'a str),
    Count(u64),
    Flag(bool),
    Float(f64),
    Given(&'a AttributeValue),
    Int(i64),
    Moment(UnixNanos),
    /// A moment by the time since the call began.
    SinceStart(Nanos),
    Text(&'a str),
    TextList(&'a [String]),
    Time(Nanos),
}

/// What a span is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject<'a> {
    /// The call, as if it had been one request.
    Call(&'a Record),
    /// One of its attempts, on a span below that of the call.
    Attempt(&'a Record, &'a AttemptRecord),
    /// One of its attempts, as if it had been a call of its own.
    LoneAttempt(&'a Record, &'a AttemptRecord),
    /// The call, around attempts that are calls of their own: how long it took and how it ended.
    Around(&'a Record),
}

impl<'a> Subject<'a> {
    /// Reads a value; nothing when it is absent or makes no sense for the subject.
    pub(super) fn read(self, value: Value) -> Option<Reading<'a>> {
        if value.is_caller_attribute() {
            return self.caller_attribute(value.key()).map(Reading::Given);
        }
        if value.is_summed() && self.is_fetched() {
            return None;
        }
        let reading = match self {
            Self::Call(record) => read_call(record, value),
            Self::Attempt(record, attempt) => read_attempt(record, attempt, value),
            Self::LoneAttempt(record, attempt) => read_lone_attempt(record, attempt, value),
            Self::Around(record) => read_around(record, value),
        };
        // Whoever reads attributes does not see what the record says of its clock, and would take the zeros for times.
        let record = self.record();
        reading.filter(|reading| match reading {
            Reading::Time(time) => record.is_measured(*time),
            _ => value != Value::FirstContentTime || !record.diagnostics.clock.frozen,
        })
    }

    /// Whether an attempt came before this one, or before the final one of the call.
    pub(super) fn is_retried(self) -> bool {
        match self {
            Self::Call(record) | Self::Around(record) => record.retry_count > 0,
            Self::Attempt(_, attempt) | Self::LoneAttempt(_, attempt) => attempt.number > 1,
        }
    }

    /// Whether the response was only fetched: its tokens are those of the call that made it ("MUST NOT report token
    /// usage", OpenTelemetry's `fetch_response` span).
    fn is_fetched(self) -> bool {
        self.record().operation.as_deref() == Some("fetch_response")
    }

    fn record(self) -> &'a Record {
        match self {
            Self::Call(record) | Self::Attempt(record, _) | Self::LoneAttempt(record, _) | Self::Around(record) => {
                record
            }
        }
    }

    fn caller_attribute(self, key: &str) -> Option<&'a AttributeValue> {
        match self {
            Self::Call(record) | Self::Around(record) => record.attributes.get(key),
            Self::Attempt(record, attempt) | Self::LoneAttempt(record, attempt) => {
                attempt.attributes.get(key).or_else(|| record.attributes.get(key))
            }
        }
    }
}

fn read_call(record: &Record, value: Value) -> Option<Reading<'_>> {
    let request = &record.request;
    let flags = &record.flags;
    match value {
        Value::AttemptCount => Some(Reading::Count(record.attempt_count)),
        Value::AttemptIndex | Value::ResendCount => {
            record.final_attempt.map(|number| Reading::Count(u64::from(number.saturating_sub(1))))
        }
        Value::AttemptNumber => record.final_attempt.map(|number| Reading::Count(u64::from(number))),
        Value::BlockReason => text(flags.block_reason.as_ref()),
        Value::CacheHit => flag(flags.cache_hit),
        Value::CallTtft => time(record.call_ttft_ns),
        Value::ChoiceCount => count(request.choice_count),
        Value::DecodeTokensPerSecond => float(record.decode_tokens_per_second),
        Value::Duration => Some(Reading::Time(record.duration_ns)),
        Value::FinalAttemptDuration => final_attempt(record).map(|attempt| Reading::Time(attempt.duration_ns)),
        Value::FinishReasons => texts(&record.finish_reasons),
        Value::FirstContentTime => record.marks.first_content_ns.map(Reading::SinceStart),
        Value::FirstFinishReason => text(record.finish_reasons.first()),
        Value::FrequencyPenalty => float(request.frequency_penalty),
        Value::HistoryTokens => count(request.input_parts.history),
        Value::IncompleteReason => text(flags.incomplete_reason.as_ref()),
        Value::JsonValid => flag(flags.json_valid),
        Value::MaxTokens => count(request.max_tokens),
        Value::Network => time(record.network_ns),
        Value::Operation => Some(Reading::Text(record.operation.as_deref().unwrap_or(Profile::DEFAULT_OPERATION))),
        Value::OtelStatus => status(record.otel_status),
        Value::Outcome => Some(Reading::Text(record.outcome.as_str())),
        Value::OutputBuffered => flag(record.output_buffered),
        Value::OutputTokensPerSecond => float(record.output_tokens_per_second),
        Value::PresencePenalty => float(request.presence_penalty),
        Value::Protocol => text(record.protocol.as_ref()),
        Value::Provider => text(record.provider.as_ref()),
        Value::ReasoningLevel => text(request.reasoning_level.as_ref()),
        Value::Refusal => flag(flags.refusal),
        Value::RequestId => text(record.request_id.as_ref()),
        Value::RequestModel => text(record.model.as_ref()),
        Value::RequestSetup => time(record.request_setup_ns),
        Value::ResponseId => text(record.response_id.as_ref()),
        Value::ResponseModel => text(record.response_model.as_ref()),
        Value::ResponseOrRequestModel => text(record.response_model.as_ref().or(record.model.as_ref())),
        Value::RetrievedTokens => count(request.input_parts.retrieved),
        Value::RetryActualDelay => Some(Reading::Time(record.retry_actual_delay_ns)),
        Value::RetryCause => retry_cause(record),
        Value::RetryCount => Some(Reading::Count(record.retry_count)),
        Value::RetryPlannedDelay => Some(Reading::Time(record.retry_planned_delay_ns)),
        Value::Sampling => time(record.sampling_ns),
        Value::Seed => request.seed.map(Reading::Int),
        Value::ServerToolCallCount => Some(Reading::Count(record.server_tool_call_count)),
        Value::ServiceTier => text(request.service_tier.as_ref()),
        Value::StatusCode => status_code(record.status_code, record.error.as_ref()),
        Value::StopSequences => texts(&request.stop_sequences),
        Value::Stream => Some(Reading::Flag(record.stream)),
        Value::Success => Some(Reading::Flag(record.outcome == Outcome::Success)),
        Value::SystemTokens => count(request.input_parts.system),
        Value::Tail => time(record.tail_ns),
        Value::Temperature => float(request.temperature),
        Value::TimePerOutputToken => time(record.time_per_output_token_ns),
        Value::TimeToFirstAnswer => time(record.time_to_first_answer_ns),
        Value::TimeToFirstChunk => time(record.time_to_first_chunk_ns),
        Value::TimeToFirstReasoning => time(record.time_to_first_reasoning_ns),
        Value::TimeToHeaders => time(record.time_to_headers_ns),
        Value::TimedOut => Some(Reading::Flag(record.outcome == Outcome::TimedOut)),
        Value::ToolCallCount => Some(Reading::Count(record.tool_call_count)),
        Value::ToolResultTokens => count(request.input_parts.tool_results),
        Value::TopK => float(request.top_k),
        Value::TopP => float(request.top_p),
        Value::Ttft => time(record.ttft_ns),
        Value::Unattributed => Some(Reading::Time(record.unattributed_ns)),
        _ => Parts {
            content: record.content.as_ref(),
            cost: record.cost.as_ref(),
            error: record.error.as_ref(),
            inter_chunk: record.inter_chunk.as_ref(),
            server: record.server.as_ref(),
            usage: record.usage.as_ref(),
        }
        .read(value),
    }
}

fn read_attempt<'a>(record: &'a Record, attempt: &'a AttemptRecord, value: Value) -> Option<Reading<'a>> {
    match value {
        Value::AttemptIndex | Value::ResendCount => Some(Reading::Count(u64::from(attempt.number.saturating_sub(1)))),
        Value::AttemptNumber => Some(Reading::Count(u64::from(attempt.number))),
        Value::DecodeTokensPerSecond => float(attempt.decode_tokens_per_second),
        Value::Duration => Some(Reading::Time(attempt.duration_ns)),
        Value::FinishReasons => texts(&attempt.finish_reasons),
        Value::FirstContentTime => {
            let first = attempt.marks.first_content_ns;
            first.map(|mark| Reading::SinceStart(attempt.start_ns.saturating_add(mark)))
        }
        Value::FirstFinishReason => text(attempt.finish_reasons.first()),
        Value::Network => time(attempt.network_ns),
        Value::OtelStatus => status(attempt.outcome.otel_status()),
        Value::Outcome => Some(Reading::Text(attempt.outcome.as_str())),
        Value::OutputBuffered => flag(attempt.output_buffered),
        Value::OutputTokensPerSecond => float(attempt.output_tokens_per_second),
        Value::Protocol => text(attempt.protocol.as_ref()),
        Value::Provider => text(attempt.provider.as_ref().or(record.provider.as_ref())),
        Value::RequestId => text(attempt.request_id.as_ref()),
        Value::RequestModel => text(attempt.model.as_ref().or(record.model.as_ref())),
        Value::RequestSetup => Some(Reading::Time(attempt.start_ns)),
        Value::ResponseId => text(attempt.response_id.as_ref()),
        Value::ResponseModel => text(attempt.response_model.as_ref()),
        Value::ResponseOrRequestModel => {
            text(attempt.response_model.as_ref().or(attempt.model.as_ref()).or(record.model.as_ref()))
        }
        Value::RetryPlannedDelay => planned_delay_before(record, attempt.number).map(Reading::Time),
        Value::Sampling => time(attempt.sampling_ns),
        Value::ServerToolCallCount => Some(Reading::Count(attempt.server_tool_call_count)),
        Value::StatusCode => status_code(attempt.status_code, attempt.error.as_ref()),
        Value::Success => Some(Reading::Flag(attempt.outcome == Outcome::Success)),
        Value::TimePerOutputToken => time(attempt.time_per_output_token_ns),
        Value::TimeToFirstAnswer => time(attempt.time_to_first_answer_ns),
        Value::TimeToFirstChunk => time(attempt.time_to_first_chunk_ns),
        Value::TimeToFirstReasoning => time(attempt.time_to_first_reasoning_ns),
        Value::TimeToHeaders => time(attempt.time_to_headers_ns),
        Value::TimedOut => Some(Reading::Flag(attempt.outcome == Outcome::TimedOut)),
        Value::ToolCallCount => Some(Reading::Count(attempt.tool_call_count)),
        Value::Ttft => time(attempt.ttft_ns),
        _ => Parts {
            content: attempt.content.as_ref(),
            cost: attempt.cost.as_ref(),
            error: attempt.error.as_ref(),
            inter_chunk: attempt.inter_chunk.as_ref(),
            server: attempt.server.as_ref(),
            usage: attempt.usage.as_ref(),
        }
        .read(value),
    }
}

/// What came before an attempt is what qwen-code reports on the span of each attempt: its start, the retries and their
/// delays. Facts that only the call has are those of the call; flags of the response belong to the final attempt.
fn read_lone_attempt<'a>(record: &'a Record, attempt: &'a AttemptRecord, value: Value) -> Option<Reading<'a>> {
    let is_final = record.final_attempt == Some(attempt.number);
    match value {
        Value::AttemptCount => Some(Reading::Count(1)),
        Value::CallTtft => time(attempt.ttft_ns),
        Value::FinalAttemptDuration => Some(Reading::Time(attempt.duration_ns)),
        Value::RetryCount => Some(Reading::Count(u64::from(attempt.number.saturating_sub(1)))),
        // The sums of the record go on past the cap of its list of waits; the list, once cut, has none for an attempt.
        Value::RetryActualDelay | Value::RetryPlannedDelay | Value::RetryCause if is_final => read_call(record, value),
        Value::RetryActualDelay if record.diagnostics.dropped.waits.is_some() => None,
        Value::RetryActualDelay => {
            let delays = waits_before(record, attempt).map(|wait| wait.actual_delay_ns);
            Some(Reading::Time(delays.fold(Nanos::ZERO, Nanos::saturating_add)))
        }
        Value::RetryCause => waits_before(record, attempt).last().map(|wait| Reading::Text(wait.reason.as_str())),
        Value::BlockReason | Value::CacheHit | Value::IncompleteReason | Value::JsonValid | Value::Refusal => {
            read_call(record, value).filter(|_| is_final)
        }
        Value::ChoiceCount
        | Value::FrequencyPenalty
        | Value::HistoryTokens
        | Value::MaxTokens
        | Value::Operation
        | Value::PresencePenalty
        | Value::ReasoningLevel
        | Value::RetrievedTokens
        | Value::Seed
        | Value::ServiceTier
        | Value::StopSequences
        | Value::Stream
        | Value::SystemTokens
        | Value::Temperature
        | Value::ToolResultTokens
        | Value::TopK
        | Value::TopP => read_call(record, value),
        _ => read_attempt(record, attempt, value),
    }
}

fn read_around(record: &Record, value: Value) -> Option<Reading<'_>> {
    match value {
        Value::Duration
        | Value::ErrorMessage
        | Value::ErrorStatusCode
        | Value::ErrorType
        | Value::OtelStatus
        | Value::Outcome
        | Value::Provider
        | Value::Success
        | Value::TimedOut => read_call(record, value),
        _ => None,
    }
}

/// The objects that a call and an attempt have in the same form.
struct Parts<'a> {
    content: Option<&'a Content>,
    cost: Option<&'a Cost>,
    error: Option<&'a RecordError>,
    inter_chunk: Option<&'a InterChunk>,
    server: Option<&'a Server>,
    usage: Option<&'a Usage>,
}

impl<'a> Parts<'a> {
    fn read(&self, value: Value) -> Option<Reading<'a>> {
        match value {
            Value::ChunkCount => self.content.map(|content| Reading::Count(content.chunks)),
            Value::ErrorMessage => text(self.error?.message.as_ref()),
            Value::ErrorStatusCode => status_code(None, self.error),
            Value::ErrorType => self.error.map(|error| Reading::Text(&error.error_type)),
            Value::InputCost => self.amount(|cost| cost.input),
            Value::InterChunkMax => self.inter_chunk.map(|gaps| Reading::Time(gaps.max_ns)),
            Value::InterChunkMean => self.inter_chunk.map(|gaps| Reading::Time(gaps.mean_ns)),
            Value::InterChunkP50 => self.inter_chunk.map(|gaps| Reading::Time(gaps.p50_ns)),
            Value::InterChunkP90 => self.inter_chunk.map(|gaps| Reading::Time(gaps.p90_ns)),
            Value::InterChunkP99 => self.inter_chunk.map(|gaps| Reading::Time(gaps.p99_ns)),
            Value::OutputCost => self.amount(|cost| cost.output),
            Value::ServerFirstByte => time(self.server?.first_byte_ns),
            Value::ServerGeneration => time(self.server?.generation_ns),
            Value::ServerPrompt => time(self.server?.prompt_ns),
            Value::ServerQueue => time(self.server?.queue_ns),
            Value::ServerTotal => time(self.server?.total_ns),
            Value::StallCount => self.inter_chunk.map(|gaps| Reading::Count(gaps.stalls)),
            Value::Stalled => self.inter_chunk.map(|gaps| Reading::Time(gaps.stalled_ns)),
            Value::TotalCost => self.amount(|cost| cost.total),
            Value::VisibleChunkCount => self.content.map(|content| Reading::Count(content.visible_chunks)),
            _ => self.usage.and_then(|usage| tokens(usage, value)).map(Reading::Count),
        }
    }

    fn amount(&self, part: impl Fn(&Cost) -> Option<Money>) -> Option<Reading<'a>> {
        self.cost.and_then(|cost| part(cost).map(|amount| Reading::Amount(amount, &cost.currency)))
    }
}

fn tokens(usage: &Usage, value: Value) -> Option<u64> {
    let cached = || usage.cache_read_tokens.unwrap_or(0).saturating_add(usage.cache_write_tokens.unwrap_or(0));
    match value {
        Value::AnswerTokens => {
            usage.output_tokens.map(|output| output.saturating_sub(usage.reasoning_tokens.unwrap_or(0)))
        }
        Value::CacheReadTokens => usage.cache_read_tokens,
        Value::CacheWriteTokens => usage.cache_write_tokens,
        Value::InputTokens => usage.input_tokens,
        Value::OutputTokens => usage.output_tokens,
        Value::ReasoningTokens => usage.reasoning_tokens,
        Value::TotalTokens => usage.input_tokens?.checked_add(usage.output_tokens?),
        Value::UncachedInputTokens => usage.input_tokens.map(|input| input.saturating_sub(cached())),
        _ => None,
    }
}

fn final_attempt(record: &Record) -> Option<&AttemptRecord> {
    record.final_attempt.and_then(|number| record.attempts.iter().rfind(|attempt| attempt.number == number))
}

/// A wait before the first attempt, or one that was given up, is no cause of a retry.
fn retry_cause(record: &Record) -> Option<Reading<'_>> {
    let cause = record.waits.iter().rfind(|wait| wait.after_attempt > 0 && !wait.aborted)?;
    Some(Reading::Text(cause.reason.as_str()))
}

/// What the waits before an attempt were planned to take. Waits that were dropped past the cap would be missing in the sum.
fn planned_delay_before(record: &Record, number: u32) -> Option<Nanos> {
    if record.diagnostics.dropped.waits.is_some() {
        return None;
    }
    let retried = record.waits.iter().filter(|wait| !wait.aborted && (1..number).contains(&wait.after_attempt));
    Some(retried.fold(Nanos::ZERO, |sum, wait| sum.saturating_add(wait.planned_delay_ns)))
}

/// The waits of the retries that led to an attempt.
fn waits_before<'a>(record: &'a Record, attempt: &'a AttemptRecord) -> impl Iterator<Item = &'a WaitRecord> {
    let led_here = |wait: &&WaitRecord| (1..attempt.number).contains(&wait.after_attempt) && !wait.aborted;
    record.waits.iter().filter(led_here)
}

fn status_code(response: Option<u16>, error: Option<&RecordError>) -> Option<Reading<'static>> {
    response.or_else(|| error?.status_code).map(|code| Reading::Count(u64::from(code)))
}

/// `OK` and `UNSET` are not for instrumentation to write.
fn status(status: OtelStatus) -> Option<Reading<'static>> {
    (status == OtelStatus::Error).then_some(Reading::Text("ERROR"))
}

fn count(value: Option<u64>) -> Option<Reading<'static>> {
    value.map(Reading::Count)
}

fn flag(value: Option<bool>) -> Option<Reading<'static>> {
    value.map(Reading::Flag)
}

fn float(value: Option<f64>) -> Option<Reading<'static>> {
    value.map(Reading::Float)
}

fn text(value: Option<&String>) -> Option<Reading<'_>> {
    value.map(|text| Reading::Text(text))
}

fn texts(values: &[String]) -> Option<Reading<'_>> {
    (!values.is_empty()).then_some(Reading::TextList(values))
}

fn time(value: Option<Nanos>) -> Option<Reading<'static>> {
    value.map(Reading::Time)
}
