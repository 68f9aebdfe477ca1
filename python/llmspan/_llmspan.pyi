"""The extension module of llmspan. Use the package `llmspan` around it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, final, type_check_only

from typing_extensions import Self, disjoint_base

from llmspan.types import (
    AttributeValue,
    ContentKind,
    CostSource,
    ErrorInput,
    EventKind,
    HeaderFacts,
    HeaderPairs,
    OtelStatus,
    Outcome,
    Provenance,
    RequestInput,
    SpanData,
    SpanShape,
    TimeoutKind,
    ToolCallInput,
    UsageInput,
    UsageMode,
    UsageWarning,
    WaitReason,
)

__all__ = [
    "METRIC_PROFILES",
    "PROFILES",
    "PROTOCOLS",
    "Attempt",
    "Call",
    "ChromeTraceLog",
    "Correlator",
    "Exchange",
    "Metrics",
    "ModelRequest",
    "Part",
    "Record",
    "Recorder",
    "Replay",
    "Sketch",
    "__version__",
    "chrome_trace",
    "detect",
    "detect_event",
    "instruments",
    "is_event",
    "is_model_call",
    "measurements",
    "missing_attributes",
    "otlp_traces",
    "read_headers",
    "read_request",
    "readable",
    "replay",
    "request_body_limit",
    "spans",
    "waterfall_legend",
    "waterfall_page",
]

METRIC_PROFILES: Final[tuple[str, ...]]
"""Profiles that name metrics, the default one first."""
PROFILES: Final[tuple[str, ...]]
"""Profiles that name attributes, the default one first."""
PROTOCOLS: Final[tuple[str, ...]]
"""Protocols of responses."""
__version__: Final[str]

@disjoint_base
class Recorder:
    """Opens calls and hands their records to a callable."""

    def __new__(
        cls,
        deliver: Callable[[Record, Any, bool], object],
        clock: Callable[[], int],
        wall_clock: Callable[[], int] | None = None,
        config: str | None = None,
    ) -> Self: ...
    def tick(self, *, at_ns: int | None = None) -> None:
        """End the calls whose deadline, idle timeout or age has passed."""
    def abandon_open_calls(self, *, at_ns: int | None = None) -> None:
        """End all open calls as they are: what never ended is `abandoned`."""
    def forget_open_calls(self) -> None:
        """Let the open calls end without a record: in the child of a fork they are the parent's."""
    @property
    def has_deadlines(self) -> bool:
        """Whether a deadline, an idle timeout or an age is configured, so that `tick` has something to do."""
    @property
    def open_calls(self) -> int:
        """Calls that are open."""
    @property
    def records(self) -> int:
        """Records handed over."""
    @property
    def invalid_events(self) -> int:
        """Events left out because their fields could not be read."""

@disjoint_base
class Exchange:
    """One request and its response: what a call, which means its latest attempt, and an attempt have in common."""

    def request_sent(self, *, at_ns: int | None = None) -> None:
        """Mark the moment when the request had left."""
    def headers(
        self,
        status_code: int | None = None,
        headers: HeaderPairs | None = None,
        *,
        unix_ns: int | None = None,
        request_id: str | None = None,
        server_processing_ns: int | None = None,
        server_queue_ns: int | None = None,
        server_prompt_ns: int | None = None,
        server_generation_ns: int | None = None,
        server_first_byte_ns: int | None = None,
        retry_after_ns: int | None = None,
        error_type: str | None = None,
        token_counts: Mapping[str, int] | None = None,
        attempt: int | None = None,
        at_ns: int | None = None,
    ) -> int | None:
        """Take the response headers, and what the application read itself.

        Gives back how many nanoseconds the server asks to wait before a retry. `unix_ns` is the wall-clock time of
        their arrival, which is read when it is not given.
        """
    def bytes(self, protocol: str, data: bytes | bytearray | memoryview, *, at_ns: int | None = None) -> None:
        """Take raw response bytes, split anywhere: of a stream, or of a whole body."""
    def payload(self, protocol: str, event: object, *, at_ns: int | None = None) -> None:
        """Take one provider event: an object of an SDK, a dict, or JSON as text or bytes."""
    def chunk(
        self,
        content: ContentKind = "none",
        *,
        bytes: int | None = None,
        at_ns: int | None = None,
        finish_reasons: Sequence[str | None] | None = None,
        usage: UsageInput | None = None,
        response_id: str | None = None,
        response_model: str | None = None,
        tool_call: ToolCallInput | None = None,
        error: ErrorInput | None = None,
        terminal: bool | None = None,
        attempt: int | None = None,
    ) -> None:
        """Take a chunk that the application has classified itself."""
    def keep_alive(self, *, at_ns: int | None = None) -> None:
        """Take note of a comment or a ping."""
    def usage(
        self,
        *,
        at_ns: int | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        reasoning_tokens: int | None = None,
        mode: UsageMode = "cumulative",
        source: Provenance = "reported",
    ) -> None:
        """Take token counts that came apart from the response."""
    def delivered(self, *, at_ns: int | None = None) -> None:
        """Mark the moment when the consumer got the first visible chunk, where something holds chunks back."""
    def failed(
        self,
        *,
        error_type: str | None = None,
        status_code: int | None = None,
        message: str | None = None,
        abort_like: bool | None = None,
        retry_after_ns: int | None = None,
        attempt: int | None = None,
        at_ns: int | None = None,
    ) -> None:
        """Close the attempt with an error."""
    def stream_ended(self, *, at_ns: int | None = None) -> None:
        """Take note of the end of the response stream."""
    def consumer_closed(self, *, at_ns: int | None = None) -> None:
        """Take note that nobody reads the response any more."""
    @property
    def is_open(self) -> bool:
        """Whether the call has not ended."""
    @property
    def id(self) -> str:
        """Id of the call."""

@disjoint_base
class Call(Exchange):
    """One call, as the application sees it."""

    def __new__(
        cls,
        recorder: Recorder,
        id: str | None = None,
        context: object = None,
        sent: ModelRequest | None = None,
        *,
        operation: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        stream: bool | None = None,
        unix_ns: int | None = None,
        trace_id: str | None = None,
        span_id: str | None = None,
        parent_span_id: str | None = None,
        request: RequestInput | Mapping[str, object] | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        at_ns: int | None = None,
    ) -> Self: ...
    def phase_started(self, name: str, *, at_ns: int | None = None) -> None:
        """Begin a phase."""
    def phase_ended(self, name: str, *, at_ns: int | None = None) -> None:
        """End a phase, and every phase inside it."""
    def retry(
        self,
        *,
        delay_ns: int | None = None,
        reason: WaitReason | None = None,
        server_requested: bool | None = None,
        at_ns: int | None = None,
    ) -> None:
        """Open a wait, which the next attempt closes."""
    def retry_wait_ended(self, *, aborted: bool | None = None, at_ns: int | None = None) -> None:
        """Close the wait that is open, where the next attempt does not follow at once."""
    def cancelled(self, *, at_ns: int | None = None) -> None:
        """Take note that the application aborts the call. The call still has to end."""
    def timed_out(self, kind: TimeoutKind = "idle", *, at_ns: int | None = None) -> None:
        """Take note that the application gives up waiting. The call still has to end."""
    def attributes(self, attributes: Mapping[str, AttributeValue], *, at_ns: int | None = None) -> None:
        """Set attributes."""
    def tick(self, *, at_ns: int | None = None) -> None:
        """End the call if a deadline of its configuration has passed."""
    def end(
        self,
        *,
        error_type: str | None = None,
        status_code: int | None = None,
        message: str | None = None,
        at_ns: int | None = None,
    ) -> None:
        """End the call: a success, unless something that happened to its last attempt says otherwise."""
    def dropped(self, *, at_ns: int | None = None) -> None:
        """End the call as a destructor does: what never ended is `abandoned`."""

@disjoint_base
class Attempt(Exchange):
    """One physical request of a call."""

    def __new__(
        cls,
        call: Call,
        *,
        provider: str | None = None,
        model: str | None = None,
        endpoint: str | None = None,
        hedged: bool | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        at_ns: int | None = None,
    ) -> Self: ...
    @property
    def number(self) -> int:
        """Number of the attempt, from 1; 0 if the call had ended before it began."""

@final
class Part:
    """A part of a record, such as an attempt. A field that is absent is `None`, or an empty list."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values. Integers above 2^53 are text, as in JSON."""
    def __eq__(self, other: object, /) -> bool: ...

# Written by `cargo xtask generate` from core/src/record: parts.
@type_check_only
class RecordError:
    """Why a call or an attempt failed."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def type(self) -> str:
        """Low-cardinality class: the caller's or provider's type or code, a status code, or one of `timeout`,
        `network`, `rate_limit`, `stream_truncated`, `content_filter`, `_OTHER`. Maps to `error.type`.
        """
    @property
    def status_code(self) -> int | None:
        """HTTP status code, where one is known."""
    @property
    def message(self) -> str | None:
        """Text for people, cut and cleaned of credentials; absent unless the configuration asks for messages."""

@type_check_only
class WaitRecord:
    """A pause between attempts, or before the first one."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def reason(self) -> WaitReason:
        """Why the call waited."""
    @property
    def planned_delay_ns(self) -> int:
        """The delay that was planned."""
    @property
    def actual_delay_ns(self) -> int:
        """The delay that really passed."""
    @property
    def server_requested(self) -> bool:
        """Whether the server asked for it (`Retry-After`)."""
    @property
    def aborted(self) -> bool:
        """Whether the wait was cut short and no retry followed."""
    @property
    def start_ns(self) -> int:
        """Start of the wait, from the start of the call."""
    @property
    def after_attempt(self) -> int:
        """Number of the attempt before the wait; 0 before the first attempt."""

@type_check_only
class PhaseRecord:
    """A named stretch of local work."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def name(self) -> str:
        """Name of the phase, such as `prompt.build`."""
    @property
    def depth(self) -> int:
        """Phases open around it: 0 is top level."""
    @property
    def start_ns(self) -> int:
        """Start of the phase, from the start of the call."""
    @property
    def duration_ns(self) -> int:
        """Length of the phase."""
    @property
    def left_open(self) -> bool:
        """Whether it was never ended and was closed with the call."""

@type_check_only
class SpanEvent:
    """A moment worth a mark on the span."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def kind(self) -> EventKind:
        """What happened."""
    @property
    def at_ns(self) -> int:
        """When, from the start of the call."""
    @property
    def attempt(self) -> int | None:
        """Number of the attempt it belongs to; absent for none."""
    @property
    def name(self) -> str | None:
        """Name of the tool, reason of the wait, or finish reason."""
    @property
    def duration_ns(self) -> int | None:
        """Length of the stall, or planned delay of the retry."""

@type_check_only
class Marks:
    """The moments of an attempt, each absent when it did not happen. On an attempt they count from the start of the
    attempt; on the record they are those of the final attempt, from the start of the call.
    """

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def started_ns(self) -> int | None:
        """The attempt started."""
    @property
    def request_sent_ns(self) -> int | None:
        """The request had left."""
    @property
    def headers_ns(self) -> int | None:
        """The first byte or the response headers had come."""
    @property
    def first_chunk_ns(self) -> int | None:
        """The first decoded event of any kind, pings and comments excluded."""
    @property
    def first_reasoning_ns(self) -> int | None:
        """The first visible reasoning."""
    @property
    def first_content_ns(self) -> int | None:
        """The first visible chunk."""
    @property
    def first_answer_ns(self) -> int | None:
        """The first visible chunk that is not reasoning."""
    @property
    def last_content_ns(self) -> int | None:
        """The last visible chunk."""
    @property
    def last_chunk_ns(self) -> int | None:
        """The last decoded event of any kind."""
    @property
    def delivered_ns(self) -> int | None:
        """The consumer really got the first visible chunk."""
    @property
    def ended_ns(self) -> int | None:
        """The attempt ended."""

@type_check_only
class AttemptRecord:
    """One physical request of a call."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def number(self) -> int:
        """Number of the attempt, from 1, never reused. `http.request.resend_count` is this less one."""
    @property
    def outcome(self) -> Outcome:
        """How the attempt ended."""
    @property
    def timeout_kind(self) -> TimeoutKind | None:
        """Which timeout ended it; only with the outcome `timed_out`."""
    @property
    def error(self) -> RecordError | None:
        """Why it failed; only with the outcomes `error` and `timed_out`."""
    @property
    def provider(self) -> str | None:
        """Provider that was asked; the call's, unless the attempt names its own."""
    @property
    def model(self) -> str | None:
        """Model that was asked for; the call's, unless the attempt names its own."""
    @property
    def endpoint(self) -> str | None:
        """Endpoint, region or deployment that was asked, as the caller labels it."""
    @property
    def protocol(self) -> str | None:
        """Protocol of the response, where raw events were decoded."""
    @property
    def hedged(self) -> bool | None:
        """Whether the attempt was started while another was still open, on purpose."""
    @property
    def status_code(self) -> int | None:
        """HTTP status code of the response."""
    @property
    def request_id(self) -> str | None:
        """The server's request id, from its headers."""
    @property
    def response_id(self) -> str | None:
        """The provider's response id."""
    @property
    def response_model(self) -> str | None:
        """The model that answered."""
    @property
    def finish_reasons(self) -> list[str]:
        """Raw finish reasons in the order of the choices; a choice that never finished has none."""
    @property
    def retry_after_ns(self) -> int | None:
        """How long the server asked to wait before the next attempt."""
    @property
    def start_ns(self) -> int:
        """Start of the attempt, from the start of the call."""
    @property
    def duration_ns(self) -> int:
        """End less start of the attempt."""
    @property
    def ttft_ns(self) -> int | None:
        """First visible chunk less start of the attempt. Absent when not streaming or without a visible chunk."""
    @property
    def time_to_headers_ns(self) -> int | None:
        """Headers less `request_sent`, else less the start of the attempt."""
    @property
    def time_to_first_chunk_ns(self) -> int | None:
        """First chunk of any kind, measured as `time_to_headers_ns`."""
    @property
    def time_to_first_reasoning_ns(self) -> int | None:
        """First visible reasoning, measured as `time_to_headers_ns`."""
    @property
    def time_to_first_answer_ns(self) -> int | None:
        """First visible chunk that is not reasoning, measured as `time_to_headers_ns`."""
    @property
    def sampling_ns(self) -> int | None:
        """End of the attempt less first visible chunk. Absent as `ttft_ns` is."""
    @property
    def output_tokens_per_second(self) -> float | None:
        """Output tokens per second of sampling, to two decimals."""
    @property
    def decode_tokens_per_second(self) -> float | None:
        """The same without reasoning tokens that were generated unseen."""
    @property
    def time_per_output_token_ns(self) -> int | None:
        """Sampling divided by output tokens less one, rounded down."""
    @property
    def inter_chunk(self) -> InterChunk | None:
        """Gaps between visible chunks."""
    @property
    def output_buffered(self) -> bool | None:
        """Whether something held the stream back and let it go at once. Absent when not streaming."""
    @property
    def usage(self) -> Usage | None:
        """Token counts of this attempt."""
    @property
    def cost(self) -> Cost | None:
        """Cost of this attempt."""
    @property
    def content(self) -> Content | None:
        """Sizes of what was streamed."""
    @property
    def tool_call_count(self) -> int:
        """Tool calls that the client was asked to run."""
    @property
    def server_tool_call_count(self) -> int:
        """Tool calls that the provider ran itself."""
    @property
    def keep_alives(self) -> KeepAlives | None:
        """Comment lines and pings."""
    @property
    def server(self) -> Server | None:
        """Timing that the server reported about itself."""
    @property
    def network_ns(self) -> int | None:
        """Time to first token less the server's queue and prompt time. Absent unless both are known."""
    @property
    def marks(self) -> Marks | None:
        """The moments of the attempt, from its start."""
    @property
    def attributes(self) -> dict[str, AttributeValue]:
        """Attributes that the caller set on this attempt."""

@type_check_only
class InterChunk:
    """The gaps between consecutive visible chunks of one attempt. `min`, `max`, `mean` and the stall figures are
    exact; the percentiles are nearest-rank over a log-linear sketch.
    """

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def count(self) -> int:
        """Number of gaps: visible chunks less one."""
    @property
    def min_ns(self) -> int:
        """Shortest gap."""
    @property
    def max_ns(self) -> int:
        """Longest gap."""
    @property
    def mean_ns(self) -> int:
        """Mean gap, rounded down."""
    @property
    def p50_ns(self) -> int:
        """Median gap."""
    @property
    def p90_ns(self) -> int:
        """90th percentile."""
    @property
    def p99_ns(self) -> int:
        """99th percentile."""
    @property
    def stalls(self) -> int:
        """Gaps longer than the configured bound (`stall_after_ns`)."""
    @property
    def stalled_ns(self) -> int:
        """Sum of the whole gaps that are stalls."""

@type_check_only
class KeepAlives:
    """Signs of life that are not content: comment lines and pings."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def count(self) -> int:
        """How many came."""
    @property
    def last_ns(self) -> int | None:
        """Time of the last one, from the start of the attempt (on an attempt) or of the call (on the record)."""

@type_check_only
class Content:
    """Sizes of what was streamed. The content itself is never kept."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def chunks(self) -> int:
        """Events of the response, pings and comments excluded."""
    @property
    def visible_chunks(self) -> int:
        """Events with visible content."""
    @property
    def text_bytes(self) -> int:
        """UTF-8 bytes of answer text."""
    @property
    def reasoning_bytes(self) -> int:
        """UTF-8 bytes of visible reasoning."""
    @property
    def tool_call_bytes(self) -> int:
        """UTF-8 bytes of tool-call names and arguments."""
    @property
    def refusal_bytes(self) -> int:
        """UTF-8 bytes of refusal text."""
    @property
    def code_bytes(self) -> int:
        """UTF-8 bytes of executable code and its results."""
    @property
    def image_bytes(self) -> int:
        """Encoded bytes of images."""
    @property
    def audio_bytes(self) -> int:
        """Encoded bytes of audio, and UTF-8 bytes of its transcript."""

@type_check_only
class Server:
    """Timing that the server reported about itself."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def queue_ns(self) -> int | None:
        """Time in the server's queue."""
    @property
    def prompt_ns(self) -> int | None:
        """Time to read the prompt (prefill)."""
    @property
    def generation_ns(self) -> int | None:
        """Time to generate the output (decode)."""
    @property
    def total_ns(self) -> int | None:
        """The server's total for the request."""
    @property
    def first_byte_ns(self) -> int | None:
        """The server's own time to its first byte."""

@type_check_only
class SloVerdict:
    """Whether the call met the service-level objectives of its configuration."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def met(self) -> bool:
        """Whether every objective that applies was met and the call succeeded."""
    @property
    def failed(self) -> list[str]:
        """The objectives that were not met: `outcome`, `ttft`, `inter_chunk_p99`, `time_per_output_token`,
        `duration`, `stalls`.
        """

@type_check_only
class Diagnostics:
    """What was odd about the events of this call. All zero and false on a clean one."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def clock_regressions(self) -> int:
        """Timestamps older than the one before them, clamped to it."""
    @property
    def late_events(self) -> int:
        """Events for an attempt that was over, did not exist, or for a call that was over."""
    @property
    def rejected_usage_values(self) -> int:
        """Token counts that were negative, fractional, above 2^53 or no number: one per field and report."""
    @property
    def duplicate_ends(self) -> int:
        """Ends after the first one."""
    @property
    def decode_errors(self) -> int:
        """Payloads that were no valid JSON or UTF-8, messages with a wrong checksum, and bodies that were nothing
        that the protocol sends, or were cut within a message.
        """
    @property
    def compressed_body(self) -> bool:
        """Whether a response came compressed and nobody decompressed it, so that nothing of it could be read. Found
        by its first bytes: gzip, zlib and zstd; Brotli has no mark and is one of the `decode_errors`.
        """
    @property
    def oversized_frames(self) -> int:
        """Frames longer than their cap, skipped."""
    @property
    def unmatched_phases(self) -> int:
        """Ends of phases that were not open."""
    @property
    def stream_inferred(self) -> bool:
        """Whether `stream` was not given and was taken from the first chunk with content."""
    @property
    def server_timing_contradicts(self) -> bool:
        """Whether the server's own times exceed the measured time to first token, so that `network_ns` was clamped."""
    @property
    def clock(self) -> ClockQuality:
        """What the caller's clock looked like."""
    @property
    def dropped(self) -> Dropped | None:
        """Detail that was dropped past a cap."""

@type_check_only
class ClockQuality:
    """What the caller's clock looked like through this call's timestamps."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def frozen(self) -> bool:
        """Whether chunks came on a stream but every mark of it carries the same time."""
    @property
    def resolution_ns(self) -> int | None:
        """Smallest step between two timestamps of this call that differ; absent when none do."""

@type_check_only
class Dropped:
    """How many entries of each capped list were dropped. A list that is complete has no key."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def attempts(self) -> int | None:
        """Attempts without detail."""
    @property
    def waits(self) -> int | None:
        """Waits without detail."""
    @property
    def phases(self) -> int | None:
        """Phases without detail."""
    @property
    def events(self) -> int | None:
        """Span events."""
    @property
    def tool_calls(self) -> int | None:
        """Tool calls that could not be told apart by index any more."""
    @property
    def finish_reasons(self) -> int | None:
        """Finish reasons."""
    @property
    def attributes(self) -> int | None:
        """Attributes."""

@type_check_only
class Usage:
    """Normalized token counts. A count that nobody reported is absent; a reported 0 is 0."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def input_tokens(self) -> int | None:
        """Input tokens, cache reads and writes included. Maps to `gen_ai.usage.input_tokens`."""
    @property
    def output_tokens(self) -> int | None:
        """Output tokens, reasoning included. Maps to `gen_ai.usage.output_tokens`."""
    @property
    def cache_read_tokens(self) -> int | None:
        """Input tokens read from the provider's cache. Maps to `gen_ai.usage.cache_read.input_tokens`."""
    @property
    def cache_write_tokens(self) -> int | None:
        """Input tokens written to the provider's cache. Maps to `gen_ai.usage.cache_creation.input_tokens`."""
    @property
    def reasoning_tokens(self) -> int | None:
        """Output tokens spent on reasoning. Maps to `gen_ai.usage.reasoning.output_tokens`."""
    @property
    def provenance(self) -> ProvenanceOf | None:
        """Where each count comes from."""
    @property
    def raw(self) -> Raw | None:
        """The provider's own numbers before any arithmetic; absent when a caller gave the counts."""
    @property
    def warnings(self) -> list[UsageWarning]:
        """Where the counts contradict each other. Nothing is corrected: the counts stay as they were reported."""

@type_check_only
class ProvenanceOf:
    """Where each count of a `Usage` comes from. A count that is absent has no provenance."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def input_tokens(self) -> Provenance | None:
        """Of `input_tokens`."""
    @property
    def output_tokens(self) -> Provenance | None:
        """Of `output_tokens`."""
    @property
    def cache_read_tokens(self) -> Provenance | None:
        """Of `cache_read_tokens`."""
    @property
    def cache_write_tokens(self) -> Provenance | None:
        """Of `cache_write_tokens`."""
    @property
    def reasoning_tokens(self) -> Provenance | None:
        """Of `reasoning_tokens`."""

@type_check_only
class Raw:
    """Token counts exactly as the provider reported them."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def input(self) -> int | None:
        """Input."""
    @property
    def output(self) -> int | None:
        """Output."""
    @property
    def cache_read(self) -> int | None:
        """Cached input."""
    @property
    def cache_write(self) -> int | None:
        """Input written to the cache."""
    @property
    def reasoning(self) -> int | None:
        """Reasoning."""
    @property
    def total(self) -> int | None:
        """Total."""
    @property
    def tool_use_prompt(self) -> int | None:
        """Input that the provider's tools added (Gemini)."""
    @property
    def billed_input(self) -> int | None:
        """Billed input (Cohere)."""
    @property
    def billed_output(self) -> int | None:
        """Billed output (Cohere)."""

@type_check_only
class Cost:
    """What a call or an attempt cost. Absent without a price and without a cost from the provider; never an invented
    0.
    """

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def currency(self) -> str:
        """ISO 4217 code of the currency, `USD` unless the price table says otherwise."""
    @property
    def input(self) -> str | None:
        """Cost of the input of the final attempt, cache reads and writes included."""
    @property
    def output(self) -> str | None:
        """Cost of the output of the final attempt, reasoning included."""
    @property
    def total(self) -> str | None:
        """Cost of the final attempt."""
    @property
    def all_attempts(self) -> str | None:
        """Cost of all attempts together. Absent on an attempt, and when one attempt with usage has no cost."""
    @property
    def wasted(self) -> str | None:
        """Cost of the attempts before the final one that failed. Absent on an attempt, and when one of them with
        usage has no cost.
        """
    @property
    def source(self) -> CostSource:
        """Whether the provider stated the cost or the price table gave it."""

@type_check_only
class Request:
    """Parameters of the request, as the caller gives them. Nothing here is derived."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def max_tokens(self) -> int | None:
        """Upper bound of generated tokens. Maps to `gen_ai.request.max_tokens`."""
    @property
    def temperature(self) -> float | None:
        """Sampling temperature. Maps to `gen_ai.request.temperature`."""
    @property
    def top_p(self) -> float | None:
        """Nucleus sampling bound. Maps to `gen_ai.request.top_p`."""
    @property
    def top_k(self) -> float | None:
        """Top-k sampling bound. Maps to `gen_ai.request.top_k`."""
    @property
    def seed(self) -> int | None:
        """Sampling seed. Maps to `gen_ai.request.seed`."""
    @property
    def frequency_penalty(self) -> float | None:
        """Frequency penalty. Maps to `gen_ai.request.frequency_penalty`."""
    @property
    def presence_penalty(self) -> float | None:
        """Presence penalty. Maps to `gen_ai.request.presence_penalty`."""
    @property
    def stop_sequences(self) -> list[str]:
        """Stop sequences. Maps to `gen_ai.request.stop_sequences`."""
    @property
    def choice_count(self) -> int | None:
        """Choices asked for. Maps to `gen_ai.request.choice.count`, which is not written for 1."""
    @property
    def service_tier(self) -> str | None:
        """Service tier asked for. Maps to `openai.request.service_tier`."""
    @property
    def reasoning_level(self) -> str | None:
        """Reasoning effort asked for. Maps to `gen_ai.request.reasoning.level` (main)."""
    @property
    def input_parts(self) -> InputParts | None:
        """Input tokens by part of the prompt, as the caller counted them."""

@type_check_only
class InputParts:
    """Size of the request by part, in input tokens as the caller counted them."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def system(self) -> int | None:
        """System message."""
    @property
    def history(self) -> int | None:
        """Conversation history."""
    @property
    def retrieved(self) -> int | None:
        """Retrieved context."""
    @property
    def tool_results(self) -> int | None:
        """Results of tools."""

@type_check_only
class Flags:
    """Facts about the response that are neither time nor tokens. Each is absent when nobody said it."""

    def to_dict(self) -> dict[str, Any]:
        """The part as dicts and lists, without absent values."""
    @property
    def refusal(self) -> bool | None:
        """Whether the model refused. Set by the caller, or true when refusal text was streamed."""
    @property
    def json_valid(self) -> bool | None:
        """Whether the answer parsed as the JSON that was asked for. Set by the caller."""
    @property
    def cache_hit(self) -> bool | None:
        """Whether a cache of the caller answered. Set by the caller."""
    @property
    def block_reason(self) -> str | None:
        """Why the provider blocked the prompt, in its own word (Gemini `blockReason`)."""
    @property
    def incomplete_reason(self) -> str | None:
        """Why the response is incomplete, in the provider's word (OpenAI Responses `incomplete_details.reason`)."""

# By hand again.
@final
class Record:
    """The finalized record of one call. A field that is absent is `None`, or an empty list."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a record from JSON."""
    def to_json(self) -> str:
        """The record as JSON, without absent values: the same text in every language."""
    def to_dict(self) -> dict[str, Any]:
        """The record as dicts and lists, without absent values. Integers above 2^53 and money are text, as in JSON."""
    def explain(self) -> list[str]:
        """Where the time went, what went wrong, and why values are absent, in lines for people."""
    def waterfall(self, width: int = 100, *, color: bool = False, ascii: bool = False, title: str | None = None) -> str:
        """The call as a waterfall for a terminal: lines of at most `width` columns, from 40 to 400.

        `color` writes ANSI escape sequences, `ascii` draws without box characters.
        """
    def waterfall_html(self, *, title: str | None = None) -> str:
        """The call as a waterfall for a web page: one `<figure>` without script that asks for nothing else."""
    def waterfall_data(self) -> dict[str, Any]:
        """What the waterfall shows, for code that draws it itself: rows, time axis, values and explanations.

        Texts are as a provider or caller wrote them, without control characters: escape them for your markup.
        """
    def _repr_html_(self) -> str: ...
    def attributes(self, *profiles: str) -> dict[str, Any]:
        """The attributes of the call's span under the names of profiles; those of `otel-1.41` when none is named."""
    def attempt_attributes(self, *profiles: str) -> list[dict[str, Any]]:
        """The attributes of the spans of the attempts, in their order."""
    def server_timing(self) -> str:
        """Where the time went, as the value of a ``Server-Timing`` header.

        Durations and words of this package, nothing that a caller or a provider wrote: for the browser or proxy that waits
        for a response, or as a trailer.
        """
    def definitions(self) -> list[dict[str, Any]]:
        """What other tools would report for the call: tool, metric, value, and the rule that makes them differ."""
    @property
    def caller_attributes(self) -> dict[str, AttributeValue]:
        """Attributes that the caller set on the call."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Callable[[str], Record], tuple[str]]: ...
    # Written by `cargo xtask generate` from core/src/record: values.
    @property
    def call(self) -> str:
        """Id of the call in its event log; `1` unless the caller names it."""
    @property
    def operation(self) -> str | None:
        """What was asked for, such as `chat`. Maps to `gen_ai.operation.name`."""
    @property
    def provider(self) -> str | None:
        """Provider that was asked first: the call's, else its first attempt's. Maps to `gen_ai.provider.name`."""
    @property
    def model(self) -> str | None:
        """Model that was asked for first: the call's, else its first attempt's. Maps to `gen_ai.request.model`."""
    @property
    def stream(self) -> bool:
        """Whether the response was streamed. Maps to `gen_ai.request.stream`, written only as true."""
    @property
    def trace_id(self) -> str | None:
        """Trace that the call belongs to: 32 hex digits."""
    @property
    def span_id(self) -> str | None:
        """Span of the call: 16 hex digits."""
    @property
    def parent_span_id(self) -> str | None:
        """Span that was current when the call started: 16 hex digits."""
    @property
    def outcome(self) -> Outcome:
        """How the call ended."""
    @property
    def timeout_kind(self) -> TimeoutKind | None:
        """Which timeout ended it; only with the outcome `timed_out`."""
    @property
    def otel_status(self) -> OtelStatus:
        """Status of the OpenTelemetry span."""
    @property
    def error(self) -> RecordError | None:
        """Why the call failed; only with the outcomes `error` and `timed_out`. Maps to `error.type`."""
    @property
    def start_unix_ns(self) -> int | None:
        """Wall-clock start; absent without an anchor."""
    @property
    def end_unix_ns(self) -> int | None:
        """Wall-clock end: start plus duration; absent without an anchor."""
    @property
    def duration_ns(self) -> int:
        """End less start of the call."""
    @property
    def request_setup_ns(self) -> int | None:
        """Start of the final attempt less start of the call: earlier attempts, waits and local phases. Absent
        without an attempt.
        """
    @property
    def ttft_ns(self) -> int | None:
        """First visible chunk less start of the final attempt. Absent when not streaming or without a visible chunk."""
    @property
    def call_ttft_ns(self) -> int | None:
        """First visible chunk of the final attempt less start of the call: what the user felt."""
    @property
    def time_to_headers_ns(self) -> int | None:
        """Headers of the final attempt less its `request_sent`, else less its start."""
    @property
    def time_to_first_chunk_ns(self) -> int | None:
        """First chunk of any kind, measured as `time_to_headers_ns`. Maps to `gen_ai.response.time_to_first_chunk`."""
    @property
    def time_to_first_reasoning_ns(self) -> int | None:
        """First visible reasoning, measured as `time_to_headers_ns`."""
    @property
    def time_to_first_answer_ns(self) -> int | None:
        """First visible chunk that is not reasoning, measured as `time_to_headers_ns`."""
    @property
    def sampling_ns(self) -> int | None:
        """End of the final attempt less its first visible chunk. Absent as `ttft_ns` is."""
    @property
    def tail_ns(self) -> int | None:
        """End of the call less end of the final attempt: tools, parsing, forgotten ends. Absent without an attempt."""
    @property
    def output_tokens_per_second(self) -> float | None:
        """Output tokens per second of sampling, to two decimals."""
    @property
    def decode_tokens_per_second(self) -> float | None:
        """The same without reasoning tokens that were generated unseen."""
    @property
    def time_per_output_token_ns(self) -> int | None:
        """Sampling divided by output tokens less one, rounded down."""
    @property
    def inter_chunk(self) -> InterChunk | None:
        """Gaps between visible chunks of the final attempt."""
    @property
    def output_buffered(self) -> bool | None:
        """Whether something held the stream back and let it go at once. Absent when not streaming."""
    @property
    def unattributed_ns(self) -> int:
        """Duration that no top-level phase, attempt or wait covers."""
    @property
    def marks(self) -> Marks | None:
        """The moments of the final attempt, from the start of the call."""
    @property
    def attempt_count(self) -> int:
        """Number of attempts, also past the cap of the list."""
    @property
    def final_attempt(self) -> int | None:
        """Number of the attempt that the call's own values come from; absent without an attempt."""
    @property
    def retry_count(self) -> int:
        """Attempts less one."""
    @property
    def retry_planned_delay_ns(self) -> int:
        """Sum of the planned delays of waits that a retry followed."""
    @property
    def retry_actual_delay_ns(self) -> int:
        """Sum of the delays that really passed in those waits."""
    @property
    def attempts(self) -> list[AttemptRecord]:
        """The attempts in their order."""
    @property
    def waits(self) -> list[WaitRecord]:
        """The waits in their order, also those before the first attempt."""
    @property
    def phases(self) -> list[PhaseRecord]:
        """The phases in the order of their start."""
    @property
    def events(self) -> list[SpanEvent]:
        """Moments worth a mark on the span, in time order."""
    @property
    def usage(self) -> Usage | None:
        """Token counts of the final attempt."""
    @property
    def total_usage(self) -> Usage | None:
        """Token counts of all attempts together: what is paid for."""
    @property
    def wasted_usage(self) -> Usage | None:
        """Token counts of the attempts before the final one that failed. Those of a round of tools did not."""
    @property
    def cost(self) -> Cost | None:
        """What the call cost. Absent without a price and without a cost from the provider."""
    @property
    def content(self) -> Content | None:
        """Sizes of what the final attempt streamed."""
    @property
    def tool_call_count(self) -> int:
        """Tool calls that the client was asked to run."""
    @property
    def server_tool_call_count(self) -> int:
        """Tool calls that the provider ran itself."""
    @property
    def response_id(self) -> str | None:
        """The provider's response id. Maps to `gen_ai.response.id`."""
    @property
    def response_model(self) -> str | None:
        """The model that answered. Maps to `gen_ai.response.model`."""
    @property
    def finish_reasons(self) -> list[str]:
        """Raw finish reasons in the order of the choices. Maps to `gen_ai.response.finish_reasons`."""
    @property
    def request_id(self) -> str | None:
        """The server's request id, from its headers."""
    @property
    def status_code(self) -> int | None:
        """HTTP status code of the final attempt."""
    @property
    def protocol(self) -> str | None:
        """Protocol of the response, where raw events were decoded."""
    @property
    def keep_alives(self) -> KeepAlives | None:
        """Comment lines and pings of the final attempt."""
    @property
    def server(self) -> Server | None:
        """Timing that the server reported about itself."""
    @property
    def network_ns(self) -> int | None:
        """Time to first token less the server's queue and prompt time. Absent unless both are known."""
    @property
    def request(self) -> Request | None:
        """Request parameters, as the caller gave them."""
    @property
    def flags(self) -> Flags | None:
        """Facts about the response that are neither time nor tokens."""
    @property
    def slo(self) -> SloVerdict | None:
        """Verdict on the configured service-level objectives; absent without any."""
    @property
    def diagnostics(self) -> Diagnostics:
        """What was odd about the events of this call."""
    # By hand again.

@final
class Metrics:
    """Counts records, and writes what it has counted for Prometheus and others that scrape."""

    def __new__(
        cls,
        profile: str = "otel-1.41",
        *,
        label_sets: int | None = None,
        exponential: bool = False,
        exemplars: bool = True,
        response_model: bool = False,
    ) -> Self: ...
    def observe(self, record: Record) -> None:
        """Count a record."""
    def merge(self, other: Metrics) -> None:
        """Add what others have counted under the same names and options."""
    def scrape(self, accept: str | None = None) -> tuple[str, str]:
        """The answer to a scrape: its content type and its text, as the `Accept` header of the request asks for."""
    def series(self) -> list[dict[str, Any]]:
        """The series as dicts, metric by metric: `name`, `unit`, `labels`, and what was counted.

        A sum has `sum`; a histogram `count`, `sum`, `min`, `max` and `buckets` (upper bound, count), and `exponential`
        if asked for. Numbers in the unit of the metric are decimal text.
        """
    @property
    def label_sets(self) -> int:
        """How many label sets have series of their own."""
    @property
    def has_overflow(self) -> bool:
        """Whether calls were counted in the overflow series."""

@final
class ChromeTraceLog:
    """A trace that grows call by call, for a file that is open while the program runs."""

    def __new__(cls, *, origin_unix_ns: int | None = None) -> Self: ...
    def append(self, record: Record) -> str:
        """What to append to the file for a record; empty for one that cannot be drawn, and after the end."""
    def close(self) -> str:
        """What to append at the end of the file; empty when it was asked for before."""

@final
class ModelRequest:
    """A request to a model, by what its URL, headers and body say."""

    @property
    def protocol(self) -> str:
        """The protocol that the response will be in."""
    @property
    def provider(self) -> str | None:
        """Provider by its OpenTelemetry name."""
    @property
    def model(self) -> str | None:
        """Model that is asked for."""
    @property
    def stream(self) -> bool | None:
        """Whether a stream is asked for."""
    @property
    def server_address(self) -> str | None:
        """Host of the URL."""

@final
class Correlator:
    """Finds the attempts of one call among the requests of a client."""

    def __new__(cls) -> Self: ...
    def request(self, request: ModelRequest, flow: int | None, at_ns: int) -> tuple[int, int, dict[str, Any]] | None:
        """The call that a request is the next attempt of, when its last attempt failed, and the fields of the retry.

        `None` for a request that begins a call.
        """
    def failed(
        self,
        call: int,
        request: ModelRequest,
        flow: int | None,
        at_ns: int,
        *,
        status_code: int | None = None,
        error_type: str | None = None,
        abort_like: bool = False,
        retry_after_ns: int | None = None,
    ) -> bool:
        """Take note that the request of a call failed; whether another attempt may come."""
    def moved_on(self, flow: int) -> None:
        """Take note that a flow of control does something else."""
    def shutdown(self) -> None:
        """End all waiting."""
    def over(self, at_ns: int) -> list[tuple[int, int]]:
        """The calls whose retries stopped coming, each with the time at which its last attempt failed."""
    @property
    def timeout_ns(self) -> int | None:
        """The time at which `over` has something to say, unless a retry comes before."""

def request_body_limit(method: str, url: str) -> int | None:
    """Whether a request asks a model, by its method and URL: how many bytes its body may have at most to be read."""

def read_request(url: str, headers: HeaderPairs | None = None, body: bytes | None = None) -> ModelRequest | None:
    """Read a request by its URL, headers and body; `None` when it goes to no model whose answer could be read."""

def detect_event(event: object) -> str | None:
    """Find the protocol of an event that an SDK hands out, by its shape; `None` when it has none that is known."""

def is_event(data: bytes) -> bool:
    """Whether data is the JSON of one event, and not the bytes of a response."""

@final
class Replay:
    """Replays an event log line by line."""

    def __new__(cls, config: str | None = None) -> Self: ...
    def feed(self, line: str) -> list[Record]:
        """Take one event, as JSON, and give the records of the calls that it ends."""
    def finish(self) -> list[Record]:
        """End the calls that the log leaves open, at its last time, and give their records: they are `abandoned`."""

@final
class Sketch:
    """Counts lengths of time in constant memory, for percentiles that are within 1 %."""

    def __new__(cls) -> Self: ...
    def record(self, value: int) -> None:
        """Count a value."""
    def percentiles(self) -> tuple[int, int, int] | None:
        """The values at 50, 90 and 99 %; `None` without values."""
    @property
    def count(self) -> int:
        """How many values were counted."""
    @property
    def max(self) -> int | None:
        """The largest value, exactly; `None` without values."""

def readable(nanos: int) -> str:
    """A length of time with its unit, to three digits."""

def waterfall_legend(width: int = 100, *, color: bool = False, ascii: bool = False) -> str:
    """What the bars of a waterfall are made of, in one line or a few."""

def waterfall_page(title: str, figures: Sequence[str]) -> str:
    """A page around waterfalls: `figures` are what `Record.waterfall_html` gives, and are not escaped."""

def detect(url: str, headers: HeaderPairs | None = None, first_bytes: bytes | None = None) -> str | None:
    """Find the protocol of a response by what HTTP tells; `None` when it is no answer in a known one."""

def read_headers(status_code: int, headers: HeaderPairs, *, unix_ns: int | None = None) -> HeaderFacts:
    """Read response headers: request id, retry delay and the server's own timing, under the names of the event log."""

def replay(log: str, *, config: str | None = None) -> list[Record]:
    """Replay an event log of JSON lines to the records of its calls; calls that it leaves open end as `abandoned`."""

def spans(
    record: Record,
    *,
    profiles: Sequence[str] | None = None,
    shape: SpanShape = "call",
    trace_id: str | None = None,
    span_id: str | None = None,
    parent_span_id: str | None = None,
) -> list[SpanData] | None:
    """The spans of a call: the call's first, a parent before its children. `None` without ids."""

def otlp_traces(
    records: Sequence[Record],
    *,
    format: Literal["protobuf", "json"] = "protobuf",
    profiles: Sequence[str] | None = None,
    shape: SpanShape = "call",
    resource: Mapping[str, AttributeValue] | None = None,
) -> bytes:
    """Records as an `ExportTraceServiceRequest` of OTLP.

    Records without ids get random ones; records without a wall-clock anchor are left out.
    """

def chrome_trace(records: Sequence[Record]) -> str:
    """Records as a trace for Perfetto and `chrome://tracing`: the JSON of one file."""

def instruments(profile: str) -> list[tuple[str, str, str, Literal["counter", "histogram"], bool, list[float]]]:
    """The metrics of a profile, for instruments of another library.

    Each has a name, a unit, a description, a kind, whether values are integers, and the upper bounds of its buckets.
    """

def measurements(
    record: Record, profile: str = "otel-1.41", *, response_model: bool = False, gaps: int = 1024
) -> list[tuple[int, int | float, int, dict[str, str]]]:
    """What a record adds to the metrics of a profile.

    Each has the place of the metric among `instruments`, the value, how often it was observed, and its labels. Of gaps
    between chunks no more than about `gaps` are given.
    """

def is_model_call(attributes: Mapping[str, object]) -> bool:
    """Whether the attributes of a span, of whatever library, say that it stands for one request to a model."""

def missing_attributes(call: dict[str, Any], known: Mapping[str, object]) -> dict[str, Any]:
    """The attributes of a call that may be added to a span of another library for it, with those that it has."""
