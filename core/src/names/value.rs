//! The values that a dialect can have a name for.

macro_rules! values {
    ($($(#[$meta:meta])* $variant:ident = $key:literal,)*) => {
        /// One value of a record, as the tables of `profiles.toml` refer to it.
        ///
        /// Values of the call come from its final attempt where they are about a response. On an attempt's own span a
        /// value is that attempt's, and values of the whole call are absent.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Value {
            $($(#[$meta])* $variant,)*
        }

        impl Value {
            /// Every value, in the order of the enum.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The key of the value in `profiles.toml`, in snake case.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$variant => $key,)*
                }
            }
        }
    };
}

values! {
    /// Name of the agent, from the caller's attributes.
    AgentName = "agent_name",
    /// Output tokens less reasoning, at least 0.
    AnswerTokens = "answer_tokens",
    /// Number of attempts. Not on attempts.
    AttemptCount = "attempt_count",
    /// Number of the (final) attempt, from 0.
    AttemptIndex = "attempt_index",
    /// Number of the (final) attempt, from 1.
    AttemptNumber = "attempt_number",
    /// Why the provider blocked the prompt. Not on attempts.
    BlockReason = "block_reason",
    /// Whether a cache of the caller answered. Not on attempts.
    CacheHit = "cache_hit",
    /// Input tokens read from the provider's cache.
    CacheReadTokens = "cache_read_tokens",
    /// Input tokens written to the provider's cache.
    CacheWriteTokens = "cache_write_tokens",
    /// First visible chunk less start of the call. Not on attempts.
    CallTtft = "call_ttft",
    /// Choices asked for. Not on attempts.
    ChoiceCount = "choice_count",
    /// Events of the response, pings and comments excluded.
    ChunkCount = "chunk_count",
    /// Conversation or session, from the caller's attributes.
    ConversationId = "conversation_id",
    /// The same without reasoning tokens that were generated unseen.
    DecodeTokensPerSecond = "decode_tokens_per_second",
    /// End less start, of the call or of the attempt.
    Duration = "duration",
    /// Text of the error; absent unless the configuration asks for messages.
    ErrorMessage = "error_message",
    /// HTTP status code of the error.
    ErrorStatusCode = "error_status_code",
    /// Low-cardinality class of the error.
    ErrorType = "error_type",
    /// Evaluation bucket, from the caller's attributes.
    EvalBucket = "eval_bucket",
    /// Experiment bucket, from the caller's attributes.
    ExperimentBucket = "experiment_bucket",
    /// Duration of the final attempt. Not on attempts.
    FinalAttemptDuration = "final_attempt_duration",
    /// Raw finish reasons by choice; absent when no choice finished.
    FinishReasons = "finish_reasons",
    /// Wall-clock time of the first visible chunk; absent without an anchor.
    FirstContentTime = "first_content_time",
    /// The first of the finish reasons.
    FirstFinishReason = "first_finish_reason",
    /// Frequency penalty. Not on attempts.
    FrequencyPenalty = "frequency_penalty",
    /// Input tokens of the history, as the caller counted. Not on attempts.
    HistoryTokens = "history_tokens",
    /// Why the response is incomplete. Not on attempts.
    IncompleteReason = "incomplete_reason",
    /// Cost of the input.
    InputCost = "input_cost",
    /// Input tokens, cache reads and writes included.
    InputTokens = "input_tokens",
    /// Longest gap between visible chunks.
    InterChunkMax = "inter_chunk_max",
    /// Mean gap between visible chunks.
    InterChunkMean = "inter_chunk_mean",
    /// Median gap between visible chunks.
    InterChunkP50 = "inter_chunk_p50",
    /// 90th percentile of the gaps between visible chunks.
    InterChunkP90 = "inter_chunk_p90",
    /// 99th percentile of the gaps between visible chunks.
    InterChunkP99 = "inter_chunk_p99",
    /// Whether the answer parsed as the JSON that was asked for. Not on attempts.
    JsonValid = "json_valid",
    /// Label of the API key, from the caller's attributes.
    KeyLabel = "key_label",
    /// Upper bound of generated tokens. Not on attempts.
    MaxTokens = "max_tokens",
    /// Messages sent, from the caller's attributes.
    MessageCount = "message_count",
    /// Time to first token less the server's queue and prompt time.
    Network = "network",
    /// What was asked for: `chat` when the record does not say.
    Operation = "operation",
    /// `ERROR` for errors and timeouts, else absent.
    OtelStatus = "otel_status",
    /// How it ended, in one word.
    Outcome = "outcome",
    /// Whether something held the stream back.
    OutputBuffered = "output_buffered",
    /// Cost of the output.
    OutputCost = "output_cost",
    /// Output tokens, reasoning included.
    OutputTokens = "output_tokens",
    /// Output tokens per second of sampling, to two decimals.
    OutputTokensPerSecond = "output_tokens_per_second",
    /// Kind of output asked for (text, json, image, speech), from the caller's attributes.
    OutputType = "output_type",
    /// Presence penalty. Not on attempts.
    PresencePenalty = "presence_penalty",
    /// Name of the prompt template, from the caller's attributes.
    PromptName = "prompt_name",
    /// Version of the prompt template, from the caller's attributes.
    PromptVersion = "prompt_version",
    /// Protocol of the response, where raw events were decoded.
    Protocol = "protocol",
    /// Provider that was asked.
    Provider = "provider",
    /// Reasoning effort asked for. Not on attempts.
    ReasoningLevel = "reasoning_level",
    /// Output tokens spent on reasoning.
    ReasoningTokens = "reasoning_tokens",
    /// Whether the model refused. Not on attempts.
    Refusal = "refusal",
    /// Region, from the caller's attributes.
    Region = "region",
    /// The server's request id.
    RequestId = "request_id",
    /// Model that was asked for.
    RequestModel = "request_model",
    /// Start of the (final) attempt less start of the call.
    RequestSetup = "request_setup",
    /// Attempts before the (final) one.
    ResendCount = "resend_count",
    /// The provider's response id.
    ResponseId = "response_id",
    /// Model that answered; never copied from the request.
    ResponseModel = "response_model",
    /// Model that answered, else the one that was asked for.
    ResponseOrRequestModel = "response_or_request_model",
    /// Input tokens of retrieved context, as the caller counted. Not on attempts.
    RetrievedTokens = "retrieved_tokens",
    /// Sum of the delays that really passed in those waits. Not on attempts.
    RetryActualDelay = "retry_actual_delay",
    /// Reason of the last wait that a retry followed. Not on attempts.
    RetryCause = "retry_cause",
    /// Attempts less one. Not on attempts.
    RetryCount = "retry_count",
    /// Sum of the planned delays of waits that a retry followed; on an attempt, of those before it. Absent there when
    /// the list of waits is not complete.
    RetryPlannedDelay = "retry_planned_delay",
    /// End of the attempt less first visible chunk.
    Sampling = "sampling",
    /// Sampling seed. Not on attempts.
    Seed = "seed",
    /// Host of the endpoint, from the caller's attributes.
    ServerAddress = "server_address",
    /// The server's own time to its first byte, as it reported.
    ServerFirstByte = "server_first_byte",
    /// The server's time to generate the output, as it reported.
    ServerGeneration = "server_generation",
    /// Port of the endpoint, from the caller's attributes.
    ServerPort = "server_port",
    /// The server's time to read the prompt, as it reported.
    ServerPrompt = "server_prompt",
    /// Time in the server's queue, as it reported.
    ServerQueue = "server_queue",
    /// Tool calls that the provider ran itself.
    ServerToolCallCount = "server_tool_call_count",
    /// The server's total, as it reported.
    ServerTotal = "server_total",
    /// Service tier asked for. Not on attempts.
    ServiceTier = "service_tier",
    /// Gaps between visible chunks longer than the configured bound.
    StallCount = "stall_count",
    /// Sum of the gaps that are stalls.
    Stalled = "stalled",
    /// HTTP status code of the response, else of the error.
    StatusCode = "status_code",
    /// Stop sequences; absent when there are none. Not on attempts.
    StopSequences = "stop_sequences",
    /// Whether the response was streamed. Not on attempts.
    Stream = "stream",
    /// Whether the outcome is `success`.
    Success = "success",
    /// Input tokens of the system message, as the caller counted. Not on attempts.
    SystemTokens = "system_tokens",
    /// End of the call less end of the final attempt. Not on attempts.
    Tail = "tail",
    /// Task that the call belongs to, from the caller's attributes.
    TaskId = "task_id",
    /// Sampling temperature. Not on attempts.
    Temperature = "temperature",
    /// Tenant, from the caller's attributes.
    TenantId = "tenant_id",
    /// Sampling divided by output tokens less one.
    TimePerOutputToken = "time_per_output_token",
    /// First visible chunk that is no reasoning, less `request_sent` or start of the attempt.
    TimeToFirstAnswer = "time_to_first_answer",
    /// First chunk of any kind less `request_sent` or start of the attempt.
    TimeToFirstChunk = "time_to_first_chunk",
    /// First visible reasoning less `request_sent` or start of the attempt.
    TimeToFirstReasoning = "time_to_first_reasoning",
    /// Headers less `request_sent` or start of the attempt.
    TimeToHeaders = "time_to_headers",
    /// Whether the outcome is `timed_out`.
    TimedOut = "timed_out",
    /// Tool calls that the client was asked to run.
    ToolCallCount = "tool_call_count",
    /// Tools offered, from the caller's attributes.
    ToolCount = "tool_count",
    /// Input tokens of tool results, as the caller counted. Not on attempts.
    ToolResultTokens = "tool_result_tokens",
    /// Top-k sampling bound. Not on attempts.
    TopK = "top_k",
    /// Nucleus sampling bound. Not on attempts.
    TopP = "top_p",
    /// Cost of input and output.
    TotalCost = "total_cost",
    /// Input plus output tokens, when both are known.
    TotalTokens = "total_tokens",
    /// First visible chunk less start of the (final) attempt.
    Ttft = "ttft",
    /// Duration that nothing covers. Not on attempts.
    Unattributed = "unattributed",
    /// Input tokens less cache reads and writes, at least 0.
    UncachedInputTokens = "uncached_input_tokens",
    /// End user, from the caller's attributes.
    UserId = "user_id",
    /// Segment of the end user, from the caller's attributes.
    UserSegment = "user_segment",
    /// Events with visible content.
    VisibleChunkCount = "visible_chunk_count",
}

impl Value {
    /// Whether the value is a count of tokens or their price: what backends add up over spans.
    pub(crate) const fn is_summed(self) -> bool {
        matches!(
            self,
            Self::AnswerTokens
                | Self::CacheReadTokens
                | Self::CacheWriteTokens
                | Self::InputCost
                | Self::InputTokens
                | Self::OutputCost
                | Self::OutputTokens
                | Self::ReasoningTokens
                | Self::TotalCost
                | Self::TotalTokens
                | Self::UncachedInputTokens
        )
    }

    /// Whether the value is a well-known attribute of the caller: [`Self::key`] is then its key among the attributes.
    pub(super) const fn is_caller_attribute(self) -> bool {
        matches!(
            self,
            Self::AgentName
                | Self::ConversationId
                | Self::EvalBucket
                | Self::ExperimentBucket
                | Self::KeyLabel
                | Self::MessageCount
                | Self::OutputType
                | Self::PromptName
                | Self::PromptVersion
                | Self::Region
                | Self::ServerAddress
                | Self::ServerPort
                | Self::TaskId
                | Self::TenantId
                | Self::ToolCount
                | Self::UserId
                | Self::UserSegment
        )
    }
}
