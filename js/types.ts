/** A value of an attribute. */
export type AttributeValue = string | boolean | number | readonly string[]

export type Attributes = Readonly<Record<string, AttributeValue>>

/** What a chunk carries. */
export type ContentKind = 'text' | 'reasoning' | 'tool_call' | 'refusal' | 'code' | 'image' | 'audio' | 'none'

/** How a call or an attempt ended. */
export type Outcome = 'success' | 'error' | 'cancelled' | 'interrupted' | 'timed_out' | 'abandoned'

/** What a token count is worth. */
export type Provenance = 'reported' | 'partial' | 'placeholder' | 'estimated'

/** Which deadline passed. */
export type TimeoutKind = 'deadline' | 'idle'

/** Whether token counts replace those before them, or add to them. */
export type UsageMode = 'cumulative' | 'delta'

/** Where a cost comes from: the price table of the configuration, or the provider. */
export type CostSource = 'table' | 'provider'

/** Moments worth a mark on a span. */
export type EventKind = 'first_token' | 'finish' | 'refusal' | 'retry' | 'stall' | 'tool_call'

/** Status of an OpenTelemetry span. */
export type OtelStatus = 'ERROR' | 'UNSET'

/** Where token counts contradict each other. */
export type UsageWarning = 'cache_exceeds_input' | 'reasoning_exceeds_output' | 'total_is_not_the_sum'

/** Why a call waited. */
export type WaitReason =
  | 'content'
  | 'continuation'
  | 'fallback'
  | 'key_pool'
  | 'network'
  | 'other'
  | 'rate_limit'
  | 'server_error'
  | 'timeout'
  | 'truncation'

/** The time of an event. */
export interface At {
  /** Milliseconds on the clock of the recorder, which is `performance.now()`; read when it is not given. */
  atMs?: number | undefined
}

/** Parameters of a request, as the caller gives them. */
export interface RequestInput {
  maxTokens?: number | undefined
  temperature?: number | undefined
  topP?: number | undefined
  topK?: number | undefined
  seed?: number | undefined
  frequencyPenalty?: number | undefined
  presencePenalty?: number | undefined
  stopSequences?: readonly string[] | undefined
  choiceCount?: number | undefined
  serviceTier?: string | undefined
  reasoningLevel?: string | undefined
  /** Size of the request by part, in input tokens as the caller counted them. */
  inputParts?:
    | {
        system?: number | undefined
        history?: number | undefined
        retrieved?: number | undefined
        toolResults?: number | undefined
      }
    | undefined
  refusal?: boolean | undefined
  jsonValid?: boolean | undefined
  cacheHit?: boolean | undefined
}

/** Token counts of one report: input with cache reads and writes, output with reasoning. */
export interface UsageInput {
  inputTokens?: number | undefined
  outputTokens?: number | undefined
  cacheReadTokens?: number | undefined
  cacheWriteTokens?: number | undefined
  reasoningTokens?: number | undefined
  /** `cumulative` when it is not said. */
  mode?: UsageMode | undefined
  /** `reported` when it is not said. */
  source?: Provenance | undefined
}

/** How a call begins. */
export interface CallInput extends At {
  /** Provider by its OpenTelemetry name: `openai`, `anthropic`, `gcp.gemini`, … */
  provider?: string | undefined
  /** Model that is asked for. */
  model?: string | undefined
  /** Whether the response is to be streamed; the first chunk with content decides when it is not said. */
  stream?: boolean | undefined
  request?: RequestInput | undefined
  attributes?: Attributes | undefined
  /** Trace that the call belongs to, 32 hex digits. */
  traceId?: string | undefined
  /** Span of the call, 16 hex digits. */
  spanId?: string | undefined
  /** Span above, 16 hex digits. */
  parentSpanId?: string | undefined
  /** Wall-clock start in milliseconds since 1970, or in nanoseconds as a `bigint`; read when it is not given. */
  unixMs?: number | bigint | undefined
  /** Id of the call in its record; numbered by the recorder when it is not said. */
  id?: string | undefined
}

/** How an attempt begins; what is absent is the call's. */
export interface AttemptInput extends At {
  provider?: string | undefined
  model?: string | undefined
  endpoint?: string | undefined
  /** Whether the attempt before it goes on. */
  hedged?: boolean | undefined
  attributes?: Attributes | undefined
}

/** What the application read from response headers itself. */
export interface HeaderInput extends At {
  /** Wall-clock time of their arrival in milliseconds since 1970; read when it is not given. */
  unixMs?: number | undefined
  requestId?: string | undefined
  serverProcessingMs?: number | undefined
  serverQueueMs?: number | undefined
  serverPromptMs?: number | undefined
  serverGenerationMs?: number | undefined
  serverFirstByteMs?: number | undefined
  retryAfterMs?: number | undefined
  errorType?: string | undefined
  /** Token counts as the provider names them. */
  tokenCounts?: Readonly<Record<string, number>> | undefined
}

/** Response headers. */
export type HeaderPairs = Iterable<readonly [string, string]> | Readonly<Record<string, string>>

/** A chunk that the application has classified itself. */
export interface ChunkInput extends At {
  /** Bytes of the content, in UTF-8. */
  bytes?: number | undefined
  finishReasons?: readonly (string | null)[] | undefined
  usage?: UsageInput | undefined
  responseId?: string | undefined
  responseModel?: string | undefined
  toolCall?: { index?: number | undefined; id?: string | undefined; name?: string | undefined } | undefined
  error?:
    | { type?: string | undefined; statusCode?: number | undefined; message?: string | undefined }
    | undefined
  terminal?: boolean | undefined
}

/** Why an attempt failed. */
export interface FailureInput extends At {
  errorType?: string | undefined
  statusCode?: number | undefined
  message?: string | undefined
  /** Whether the error is how an abort shows. */
  abortLike?: boolean | undefined
  /** Delay before a retry that the server asks for. */
  retryAfterMs?: number | undefined
}

/** A wait before the next attempt. */
export interface RetryInput extends At {
  delayMs?: number | undefined
  reason?: WaitReason | undefined
  serverRequested?: boolean | undefined
}

/** How a call ends. */
export interface EndInput extends At {
  errorType?: string | undefined
  statusCode?: number | undefined
  message?: string | undefined
}

/** How the spans of a call are named and arranged. */
export interface SpanOptions {
  /** Names of the dialects of the attributes: `otel-1.41` when it is not said. The first one names the spans. */
  profiles?: readonly string[] | undefined
  /** Which spans are those that backends count as calls: that of the `call` when it is not said. */
  shape?: 'call' | 'attempt' | undefined
}

/** One span of a call. */
export interface SpanData {
  role: 'call' | 'attempt' | 'wait' | 'phase'
  /** Number of the attempt; of attempts alone. */
  attempt?: number
  name: string
  kind: 'client' | 'internal'
  /** 32 hex digits. */
  trace_id: string
  /** 16 hex digits. */
  span_id: string
  /** 16 hex digits; absent at a root. */
  parent_span_id?: string
  /** From the start of the call. Above 2^53 it is text. */
  start_ns: number | string
  /** From the start of the call. Above 2^53 it is text. */
  end_ns: number | string
  /** Nanoseconds since 1970 as text; absent without a wall clock. */
  start_unix_ns?: string
  /** Nanoseconds since 1970 as text; absent without a wall clock. */
  end_unix_ns?: string
  status: OtelStatus
  /** Text of the error; absent unless the configuration asks for messages. */
  status_message?: string
  /** Low-cardinality class of the error. */
  error_type?: string
  attributes: Attributes
  events: SpanMoment[]
}

/** A moment on a span. */
export interface SpanMoment {
  name: string
  /** From the start of the call. Above 2^53 it is text. */
  at_ns: number | string
  /** Nanoseconds since 1970 as text; absent without a wall clock. */
  at_unix_ns?: string
  attributes: Attributes
}
