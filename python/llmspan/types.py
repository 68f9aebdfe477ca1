"""The words and shapes that the typed API uses, for annotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

AttributeValue: TypeAlias = str | bool | int | float | Sequence[str]
"""A value of an attribute."""

ContentKind: TypeAlias = Literal["text", "reasoning", "tool_call", "refusal", "code", "image", "audio", "none"]
"""What a chunk carries."""

CostSource: TypeAlias = Literal["table", "provider"]
"""Where a cost comes from: the price table of the configuration, or the provider."""

EventKind: TypeAlias = Literal["first_token", "finish", "refusal", "retry", "stall", "tool_call"]
"""Moments worth a mark on a span."""

HeaderPairs: TypeAlias = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
"""Response headers."""

OtelStatus: TypeAlias = Literal["ERROR", "UNSET"]
"""Status of an OpenTelemetry span."""

Outcome: TypeAlias = Literal["success", "error", "cancelled", "interrupted", "timed_out", "abandoned"]
"""How a call or an attempt ended."""

Provenance: TypeAlias = Literal["reported", "partial", "placeholder", "estimated"]
"""What a token count is worth."""

SpanShape: TypeAlias = Literal["call", "attempt"]
"""Which spans are those that backends count as LLM calls."""

TimeoutKind: TypeAlias = Literal["deadline", "idle"]
"""Which deadline passed."""

UsageMode: TypeAlias = Literal["cumulative", "delta"]
"""Whether token counts replace those before them, or add to them."""

UsageWarning: TypeAlias = Literal["cache_exceeds_input", "reasoning_exceeds_output", "total_is_not_the_sum"]
"""Where token counts contradict each other."""

WaitReason: TypeAlias = Literal[
    "content",
    "continuation",
    "fallback",
    "key_pool",
    "network",
    "other",
    "rate_limit",
    "server_error",
    "timeout",
    "truncation",
]
"""Why a call waited."""


class RequestInput(TypedDict, total=False):
    """Parameters of a request, as the caller gives them."""

    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    top_k: float | None
    seed: int | None
    frequency_penalty: float | None
    presence_penalty: float | None
    stop_sequences: Sequence[str]
    choice_count: int | None
    service_tier: str | None
    reasoning_level: str | None
    input_parts: InputPartsInput
    refusal: bool | None
    json_valid: bool | None
    cache_hit: bool | None


class InputPartsInput(TypedDict, total=False):
    """Size of a request by part, in input tokens as the caller counted them."""

    system: int | None
    history: int | None
    retrieved: int | None
    tool_results: int | None


class UsageInput(TypedDict, total=False):
    """Token counts of one report: input with cache reads and writes, output with reasoning."""

    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    mode: UsageMode
    source: Provenance


class ToolCallInput(TypedDict, total=False):
    """A tool call, or a fragment of one."""

    index: int | None
    id: str | None
    name: str | None


class ErrorInput(TypedDict, total=False):
    """An error in a stream."""

    type: str | None
    status_code: int | None
    message: str | None


class HeaderFacts(TypedDict, total=False):
    """What response headers say."""

    status_code: int
    request_id: str
    server_processing_ns: int
    server_queue_ns: int
    server_prompt_ns: int
    server_generation_ns: int
    server_first_byte_ns: int
    retry_after_ns: int
    error_type: str
    token_counts: dict[str, int]


class EventData(TypedDict):
    """A moment on a span. ``at_ns`` counts from the start of the call."""

    name: str
    at_ns: int
    at_unix_ns: int | None
    attributes: dict[str, Any]


class SpanData(TypedDict):
    """One span of a call. ``start_ns`` and ``end_ns`` count from the start of the call."""

    role: Literal["call", "attempt", "wait", "phase"]
    attempt: int | None
    name: str
    kind: Literal["client", "internal"]
    trace_id: str
    span_id: str
    parent_span_id: str | None
    start_ns: int
    end_ns: int
    start_unix_ns: int | None
    end_unix_ns: int | None
    status: OtelStatus
    status_message: str | None
    error_type: str | None
    attributes: dict[str, Any]
    events: list[EventData]
