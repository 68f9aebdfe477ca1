// Written by `cargo xtask generate` from core/src/record.
import type { AttributeValue, CostSource, EventKind, OtelStatus, Outcome, Provenance, TimeoutKind, UsageWarning, WaitReason } from './types.js'

/** Nanoseconds; as decimal text above 2^53. */
export type Nanos = number | string

/** Why a call or an attempt failed. */
export interface RecordError {
  /** Low-cardinality class: the caller's or provider's type or code, a status code, or one of `timeout`, `network`, `rate_limit`, `stream_truncated`, `content_filter`, `_OTHER`. Maps to `error.type`. */
  type: string
  /** HTTP status code, where one is known. */
  status_code?: number
  /** Text for people, cut and cleaned of credentials; absent unless the configuration asks for messages. */
  message?: string
}

/** A pause between attempts, or before the first one. */
export interface WaitRecord {
  /** Why the call waited. */
  reason: WaitReason
  /** The delay that was planned. */
  planned_delay_ns: Nanos
  /** The delay that really passed. */
  actual_delay_ns: Nanos
  /** Whether the server asked for it (`Retry-After`). */
  server_requested: boolean
  /** Whether the wait was cut short and no retry followed. */
  aborted: boolean
  /** Start of the wait, from the start of the call. */
  start_ns: Nanos
  /** Number of the attempt before the wait; 0 before the first attempt. */
  after_attempt: number
}

/** A named stretch of local work. */
export interface PhaseRecord {
  /** Name of the phase, such as `prompt.build`. */
  name: string
  /** Phases open around it: 0 is top level. */
  depth: number
  /** Start of the phase, from the start of the call. */
  start_ns: Nanos
  /** Length of the phase. */
  duration_ns: Nanos
  /** Whether it was never ended and was closed with the call. */
  left_open: boolean
}

/** A moment worth a mark on the span. */
export interface SpanEvent {
  /** What happened. */
  kind: EventKind
  /** When, from the start of the call. */
  at_ns: Nanos
  /** Number of the attempt it belongs to; absent for none. */
  attempt?: number
  /** Name of the tool, reason of the wait, or finish reason. */
  name?: string
  /** Length of the stall, or planned delay of the retry. */
  duration_ns?: Nanos
}

/** The moments of an attempt, each absent when it did not happen. On an attempt they count from the start of the attempt; on the record they are those of the final attempt, from the start of the call. */
export interface Marks {
  /** The attempt started. */
  started_ns?: Nanos
  /** The request had left. */
  request_sent_ns?: Nanos
  /** The first byte or the response headers had come. */
  headers_ns?: Nanos
  /** The first decoded event of any kind, pings and comments excluded. */
  first_chunk_ns?: Nanos
  /** The first visible reasoning. */
  first_reasoning_ns?: Nanos
  /** The first visible chunk. */
  first_content_ns?: Nanos
  /** The first visible chunk that is not reasoning. */
  first_answer_ns?: Nanos
  /** The last visible chunk. */
  last_content_ns?: Nanos
  /** The last decoded event of any kind. */
  last_chunk_ns?: Nanos
  /** The consumer really got the first visible chunk. */
  delivered_ns?: Nanos
  /** The attempt ended. */
  ended_ns?: Nanos
}

/** One physical request of a call. */
export interface AttemptRecord {
  /** Number of the attempt, from 1, never reused. `http.request.resend_count` is this less one. */
  number: number
  /** How the attempt ended. */
  outcome: Outcome
  /** Which timeout ended it; only with the outcome `timed_out`. */
  timeout_kind?: TimeoutKind
  /** Why it failed; only with the outcomes `error` and `timed_out`. */
  error?: RecordError
  /** Provider that was asked; the call's, unless the attempt names its own. */
  provider?: string
  /** Model that was asked for; the call's, unless the attempt names its own. */
  model?: string
  /** Endpoint, region or deployment that was asked, as the caller labels it. */
  endpoint?: string
  /** Protocol of the response, where raw events were decoded. */
  protocol?: string
  /** Whether the attempt was started while another was still open, on purpose. */
  hedged?: boolean
  /** HTTP status code of the response. */
  status_code?: number
  /** The server's request id, from its headers. */
  request_id?: string
  /** The provider's response id. */
  response_id?: string
  /** The model that answered. */
  response_model?: string
  /** Raw finish reasons in the order of the choices; a choice that never finished has none. */
  finish_reasons?: string[]
  /** How long the server asked to wait before the next attempt. */
  retry_after_ns?: Nanos
  /** Start of the attempt, from the start of the call. */
  start_ns: Nanos
  /** End less start of the attempt. */
  duration_ns: Nanos
  /** First visible chunk less start of the attempt. Absent when not streaming or without a visible chunk. */
  ttft_ns?: Nanos
  /** Headers less `request_sent`, else less the start of the attempt. */
  time_to_headers_ns?: Nanos
  /** First chunk of any kind, measured as `time_to_headers_ns`. */
  time_to_first_chunk_ns?: Nanos
  /** First visible reasoning, measured as `time_to_headers_ns`. */
  time_to_first_reasoning_ns?: Nanos
  /** First visible chunk that is not reasoning, measured as `time_to_headers_ns`. */
  time_to_first_answer_ns?: Nanos
  /** End of the attempt less first visible chunk. Absent as `ttft_ns` is. */
  sampling_ns?: Nanos
  /** Output tokens per second of sampling, to two decimals. */
  output_tokens_per_second?: number
  /** The same without reasoning tokens that were generated unseen. */
  decode_tokens_per_second?: number
  /** Sampling divided by output tokens less one, rounded down. */
  time_per_output_token_ns?: Nanos
  /** Gaps between visible chunks. */
  inter_chunk?: InterChunk
  /** Whether something held the stream back and let it go at once. Absent when not streaming. */
  output_buffered?: boolean
  /** Token counts of this attempt. */
  usage?: Usage
  /** Cost of this attempt. */
  cost?: Cost
  /** Sizes of what was streamed. */
  content?: Content
  /** Tool calls that the client was asked to run. */
  tool_call_count: number
  /** Tool calls that the provider ran itself. */
  server_tool_call_count: number
  /** Comment lines and pings. */
  keep_alives?: KeepAlives
  /** Timing that the server reported about itself. */
  server?: Server
  /** Time to first token less the server's queue and prompt time. Absent unless both are known. */
  network_ns?: Nanos
  /** The moments of the attempt, from its start. */
  marks?: Marks
  /** Attributes that the caller set on this attempt. */
  attributes?: { [key: string]: AttributeValue }
}

/** The gaps between consecutive visible chunks of one attempt. `min`, `max`, `mean` and the stall figures are exact; the percentiles are nearest-rank over a log-linear sketch. */
export interface InterChunk {
  /** Number of gaps: visible chunks less one. */
  count: number
  /** Shortest gap. */
  min_ns: Nanos
  /** Longest gap. */
  max_ns: Nanos
  /** Mean gap, rounded down. */
  mean_ns: Nanos
  /** Median gap. */
  p50_ns: Nanos
  /** 90th percentile. */
  p90_ns: Nanos
  /** 99th percentile. */
  p99_ns: Nanos
  /** Gaps longer than the configured bound (`stall_after_ns`). */
  stalls: number
  /** Sum of the whole gaps that are stalls. */
  stalled_ns: Nanos
}

/** Signs of life that are not content: comment lines and pings. */
export interface KeepAlives {
  /** How many came. */
  count: number
  /** Time of the last one, from the start of the attempt (on an attempt) or of the call (on the record). */
  last_ns?: Nanos
}

/** Sizes of what was streamed. The content itself is never kept. */
export interface Content {
  /** Events of the response, pings and comments excluded. */
  chunks: number
  /** Events with visible content. */
  visible_chunks: number
  /** UTF-8 bytes of answer text. */
  text_bytes: number
  /** UTF-8 bytes of visible reasoning. */
  reasoning_bytes: number
  /** UTF-8 bytes of tool-call names and arguments. */
  tool_call_bytes: number
  /** UTF-8 bytes of refusal text. */
  refusal_bytes: number
  /** UTF-8 bytes of executable code and its results. */
  code_bytes: number
  /** Encoded bytes of images. */
  image_bytes: number
  /** Encoded bytes of audio, and UTF-8 bytes of its transcript. */
  audio_bytes: number
}

/** Timing that the server reported about itself. */
export interface Server {
  /** Time in the server's queue. */
  queue_ns?: Nanos
  /** Time to read the prompt (prefill). */
  prompt_ns?: Nanos
  /** Time to generate the output (decode). */
  generation_ns?: Nanos
  /** The server's total for the request. */
  total_ns?: Nanos
  /** The server's own time to its first byte. */
  first_byte_ns?: Nanos
}

/** Whether the call met the service-level objectives of its configuration. */
export interface SloVerdict {
  /** Whether every objective that applies was met and the call succeeded. */
  met: boolean
  /** The objectives that were not met: `outcome`, `ttft`, `inter_chunk_p99`, `time_per_output_token`, `duration`, `stalls`. */
  failed?: string[]
}

/** What was odd about the events of this call. All zero and false on a clean one. */
export interface Diagnostics {
  /** Timestamps older than the one before them, clamped to it. */
  clock_regressions: number
  /** Events for an attempt that was over, did not exist, or for a call that was over. */
  late_events: number
  /** Token counts that were negative, fractional, above 2^53 or no number: one per field and report. */
  rejected_usage_values: number
  /** Ends after the first one. */
  duplicate_ends: number
  /** Payloads that were no valid JSON or UTF-8, messages with a wrong checksum, and bodies that were nothing that the protocol sends, or were cut within a message. */
  decode_errors: number
  /** Whether a response came compressed and nobody decompressed it, so that nothing of it could be read. Found by its first bytes: gzip, zlib and zstd; Brotli has no mark and is one of the `decode_errors`. */
  compressed_body: boolean
  /** Frames longer than their cap, skipped. */
  oversized_frames: number
  /** Ends of phases that were not open. */
  unmatched_phases: number
  /** Whether `stream` was not given and was taken from the first chunk with content. */
  stream_inferred: boolean
  /** Whether the server's own times exceed the measured time to first token, so that `network_ns` was clamped. */
  server_timing_contradicts: boolean
  /** What the caller's clock looked like. */
  clock: ClockQuality
  /** Detail that was dropped past a cap. */
  dropped?: Dropped
}

/** What the caller's clock looked like through this call's timestamps. */
export interface ClockQuality {
  /** Whether chunks came on a stream but every mark of it carries the same time. */
  frozen: boolean
  /** Smallest step between two timestamps of this call that differ; absent when none do. */
  resolution_ns?: Nanos
}

/** How many entries of each capped list were dropped. A list that is complete has no key. */
export interface Dropped {
  /** Attempts without detail. */
  attempts?: number
  /** Waits without detail. */
  waits?: number
  /** Phases without detail. */
  phases?: number
  /** Span events. */
  events?: number
  /** Tool calls that could not be told apart by index any more. */
  tool_calls?: number
  /** Finish reasons. */
  finish_reasons?: number
  /** Attributes. */
  attributes?: number
}

/** Normalized token counts. A count that nobody reported is absent; a reported 0 is 0. */
export interface Usage {
  /** Input tokens, cache reads and writes included. Maps to `gen_ai.usage.input_tokens`. */
  input_tokens?: number
  /** Output tokens, reasoning included. Maps to `gen_ai.usage.output_tokens`. */
  output_tokens?: number
  /** Input tokens read from the provider's cache. Maps to `gen_ai.usage.cache_read.input_tokens`. */
  cache_read_tokens?: number
  /** Input tokens written to the provider's cache. Maps to `gen_ai.usage.cache_creation.input_tokens`. */
  cache_write_tokens?: number
  /** Output tokens spent on reasoning. Maps to `gen_ai.usage.reasoning.output_tokens`. */
  reasoning_tokens?: number
  /** Where each count comes from. */
  provenance?: ProvenanceOf
  /** The provider's own numbers before any arithmetic; absent when a caller gave the counts. */
  raw?: Raw
  /** Where the counts contradict each other. Nothing is corrected: the counts stay as they were reported. */
  warnings?: UsageWarning[]
}

/** Where each count of a `Usage` comes from. A count that is absent has no provenance. */
export interface ProvenanceOf {
  /** Of `input_tokens`. */
  input_tokens?: Provenance
  /** Of `output_tokens`. */
  output_tokens?: Provenance
  /** Of `cache_read_tokens`. */
  cache_read_tokens?: Provenance
  /** Of `cache_write_tokens`. */
  cache_write_tokens?: Provenance
  /** Of `reasoning_tokens`. */
  reasoning_tokens?: Provenance
}

/** Token counts exactly as the provider reported them. */
export interface Raw {
  /** Input. */
  input?: number
  /** Output. */
  output?: number
  /** Cached input. */
  cache_read?: number
  /** Input written to the cache. */
  cache_write?: number
  /** Reasoning. */
  reasoning?: number
  /** Total. */
  total?: number
  /** Input that the provider's tools added (Gemini). */
  tool_use_prompt?: number
  /** Billed input (Cohere). */
  billed_input?: number
  /** Billed output (Cohere). */
  billed_output?: number
}

/** What a call or an attempt cost. Absent without a price and without a cost from the provider; never an invented 0. */
export interface Cost {
  /** ISO 4217 code of the currency, `USD` unless the price table says otherwise. */
  currency: string
  /** Cost of the input of the final attempt, cache reads and writes included. */
  input?: string
  /** Cost of the output of the final attempt, reasoning included. */
  output?: string
  /** Cost of the final attempt. */
  total?: string
  /** Cost of all attempts together. Absent on an attempt, and when one attempt with usage has no cost. */
  all_attempts?: string
  /** Cost of the attempts before the final one that failed. Absent on an attempt, and when one of them with usage has no cost. */
  wasted?: string
  /** Whether the provider stated the cost or the price table gave it. */
  source: CostSource
}

/** Parameters of the request, as the caller gives them. Nothing here is derived. */
export interface Request {
  /** Upper bound of generated tokens. Maps to `gen_ai.request.max_tokens`. */
  max_tokens?: number
  /** Sampling temperature. Maps to `gen_ai.request.temperature`. */
  temperature?: number
  /** Nucleus sampling bound. Maps to `gen_ai.request.top_p`. */
  top_p?: number
  /** Top-k sampling bound. Maps to `gen_ai.request.top_k`. */
  top_k?: number
  /** Sampling seed. Maps to `gen_ai.request.seed`. */
  seed?: number
  /** Frequency penalty. Maps to `gen_ai.request.frequency_penalty`. */
  frequency_penalty?: number
  /** Presence penalty. Maps to `gen_ai.request.presence_penalty`. */
  presence_penalty?: number
  /** Stop sequences. Maps to `gen_ai.request.stop_sequences`. */
  stop_sequences?: string[]
  /** Choices asked for. Maps to `gen_ai.request.choice.count`, which is not written for 1. */
  choice_count?: number
  /** Service tier asked for. Maps to `openai.request.service_tier`. */
  service_tier?: string
  /** Reasoning effort asked for. Maps to `gen_ai.request.reasoning.level` (main). */
  reasoning_level?: string
  /** Input tokens by part of the prompt, as the caller counted them. */
  input_parts?: InputParts
}

/** Size of the request by part, in input tokens as the caller counted them. */
export interface InputParts {
  /** System message. */
  system?: number
  /** Conversation history. */
  history?: number
  /** Retrieved context. */
  retrieved?: number
  /** Results of tools. */
  tool_results?: number
}

/** Facts about the response that are neither time nor tokens. Each is absent when nobody said it. */
export interface Flags {
  /** Whether the model refused. Set by the caller, or true when refusal text was streamed. */
  refusal?: boolean
  /** Whether the answer parsed as the JSON that was asked for. Set by the caller. */
  json_valid?: boolean
  /** Whether a cache of the caller answered. Set by the caller. */
  cache_hit?: boolean
  /** Why the provider blocked the prompt, in its own word (Gemini `blockReason`). */
  block_reason?: string
  /** Why the response is incomplete, in the provider's word (OpenAI Responses `incomplete_details.reason`). */
  incomplete_reason?: string
}

/** One call, finalized: what was asked, where the time went, what came back and what it cost. Values of "the final attempt" are also those of the entry of `attempts` with the number `final_attempt`. */
export interface RecordData {
  /** Id of the call in its event log; `1` unless the caller names it. */
  call: string
  /** What was asked for, such as `chat`. Maps to `gen_ai.operation.name`. */
  operation?: string
  /** Provider that was asked first: the call's, else its first attempt's. Maps to `gen_ai.provider.name`. */
  provider?: string
  /** Model that was asked for first: the call's, else its first attempt's. Maps to `gen_ai.request.model`. */
  model?: string
  /** Whether the response was streamed. Maps to `gen_ai.request.stream`, written only as true. */
  stream: boolean
  /** Trace that the call belongs to: 32 hex digits. */
  trace_id?: string
  /** Span of the call: 16 hex digits. */
  span_id?: string
  /** Span that was current when the call started: 16 hex digits. */
  parent_span_id?: string
  /** How the call ended. */
  outcome: Outcome
  /** Which timeout ended it; only with the outcome `timed_out`. */
  timeout_kind?: TimeoutKind
  /** Status of the OpenTelemetry span. */
  otel_status: OtelStatus
  /** Why the call failed; only with the outcomes `error` and `timed_out`. Maps to `error.type`. */
  error?: RecordError
  /** Wall-clock start; absent without an anchor. */
  start_unix_ns?: string
  /** Wall-clock end: start plus duration; absent without an anchor. */
  end_unix_ns?: string
  /** End less start of the call. */
  duration_ns: Nanos
  /** Start of the final attempt less start of the call: earlier attempts, waits and local phases. Absent without an attempt. */
  request_setup_ns?: Nanos
  /** First visible chunk less start of the final attempt. Absent when not streaming or without a visible chunk. */
  ttft_ns?: Nanos
  /** First visible chunk of the final attempt less start of the call: what the user felt. */
  call_ttft_ns?: Nanos
  /** Headers of the final attempt less its `request_sent`, else less its start. */
  time_to_headers_ns?: Nanos
  /** First chunk of any kind, measured as `time_to_headers_ns`. Maps to `gen_ai.response.time_to_first_chunk`. */
  time_to_first_chunk_ns?: Nanos
  /** First visible reasoning, measured as `time_to_headers_ns`. */
  time_to_first_reasoning_ns?: Nanos
  /** First visible chunk that is not reasoning, measured as `time_to_headers_ns`. */
  time_to_first_answer_ns?: Nanos
  /** End of the final attempt less its first visible chunk. Absent as `ttft_ns` is. */
  sampling_ns?: Nanos
  /** End of the call less end of the final attempt: tools, parsing, forgotten ends. Absent without an attempt. */
  tail_ns?: Nanos
  /** Output tokens per second of sampling, to two decimals. */
  output_tokens_per_second?: number
  /** The same without reasoning tokens that were generated unseen. */
  decode_tokens_per_second?: number
  /** Sampling divided by output tokens less one, rounded down. */
  time_per_output_token_ns?: Nanos
  /** Gaps between visible chunks of the final attempt. */
  inter_chunk?: InterChunk
  /** Whether something held the stream back and let it go at once. Absent when not streaming. */
  output_buffered?: boolean
  /** Duration that no top-level phase, attempt or wait covers. */
  unattributed_ns: Nanos
  /** The moments of the final attempt, from the start of the call. */
  marks?: Marks
  /** Number of attempts, also past the cap of the list. */
  attempt_count: number
  /** Number of the attempt that the call's own values come from; absent without an attempt. */
  final_attempt?: number
  /** Attempts less one. */
  retry_count: number
  /** Sum of the planned delays of waits that a retry followed. */
  retry_planned_delay_ns: Nanos
  /** Sum of the delays that really passed in those waits. */
  retry_actual_delay_ns: Nanos
  /** The attempts in their order. */
  attempts?: AttemptRecord[]
  /** The waits in their order, also those before the first attempt. */
  waits?: WaitRecord[]
  /** The phases in the order of their start. */
  phases?: PhaseRecord[]
  /** Moments worth a mark on the span, in time order. */
  events?: SpanEvent[]
  /** Token counts of the final attempt. */
  usage?: Usage
  /** Token counts of all attempts together: what is paid for. */
  total_usage?: Usage
  /** Token counts of the attempts before the final one that failed. Those of a round of tools did not. */
  wasted_usage?: Usage
  /** What the call cost. Absent without a price and without a cost from the provider. */
  cost?: Cost
  /** Sizes of what the final attempt streamed. */
  content?: Content
  /** Tool calls that the client was asked to run. */
  tool_call_count: number
  /** Tool calls that the provider ran itself. */
  server_tool_call_count: number
  /** The provider's response id. Maps to `gen_ai.response.id`. */
  response_id?: string
  /** The model that answered. Maps to `gen_ai.response.model`. */
  response_model?: string
  /** Raw finish reasons in the order of the choices. Maps to `gen_ai.response.finish_reasons`. */
  finish_reasons?: string[]
  /** The server's request id, from its headers. */
  request_id?: string
  /** HTTP status code of the final attempt. */
  status_code?: number
  /** Protocol of the response, where raw events were decoded. */
  protocol?: string
  /** Comment lines and pings of the final attempt. */
  keep_alives?: KeepAlives
  /** Timing that the server reported about itself. */
  server?: Server
  /** Time to first token less the server's queue and prompt time. Absent unless both are known. */
  network_ns?: Nanos
  /** Request parameters, as the caller gave them. */
  request?: Request
  /** Facts about the response that are neither time nor tokens. */
  flags?: Flags
  /** Attributes that the caller set on the call. */
  attributes?: { [key: string]: AttributeValue }
  /** Verdict on the configured service-level objectives; absent without any. */
  slo?: SloVerdict
  /** What was odd about the events of this call. */
  diagnostics: Diagnostics
}
