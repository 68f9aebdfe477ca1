"""The OpenTelemetry context in which a call begins, in applications that use OpenTelemetry."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span


class Origin:
    """What surrounds a call."""

    __slots__ = ("_context", "_inner", "_span", "span_id", "trace_id")

    def __init__(self, context: Context | None, span: Span) -> None:
        """Take note of the context, and of its span."""
        ids = span.get_span_context()
        self.trace_id = f"{ids.trace_id:032x}" if ids.is_valid else None
        """Trace of the span that is current when the call begins, 32 hex digits; ``None`` where none is."""
        self.span_id = f"{ids.span_id:016x}" if ids.is_valid else None
        """That span, 16 hex digits; ``None`` where none is."""
        self._context = context
        self._span: Span | None = span
        self._inner: Span | None = None

    def attempt_begins(self) -> None:
        """Take note of a span that began after the call: a library may have made it for the same request."""
        if self._span is None:
            return
        try:
            span = sys.modules["opentelemetry.trace"].get_current_span()
            if span is not self._span and span.is_recording():
                self._inner = span
        except Exception:
            return

    def take(self) -> Any:
        """Give the context for sinks, in which :data:`INNER` is the span that the last attempt began in, and let go."""
        context, inner = self._context, self._inner
        self._context = self._span = self._inner = None
        if inner is None:
            return context
        return sys.modules["opentelemetry.context"].set_value(INNER, inner, context or {})


def origin() -> Origin | None:
    """Take note of the current context; ``None`` in an application without OpenTelemetry. Raises nothing."""
    api, trace = sys.modules.get("opentelemetry.context"), sys.modules.get("opentelemetry.trace")
    if api is None or trace is None:
        return None
    try:
        context = api.get_current()
        if not context:
            return Origin(None, trace.INVALID_SPAN)
        span = trace.get_current_span(context)
        kept = {key: value for key, value in context.items() if value is span or isinstance(value, _PLAIN)}
        if len(kept) != len(context):
            # Nobody knows what else hangs on an object that the application put there, such as a request.
            context = api.Context(kept)
        return Origin(context, span)
    except Exception:
        # The API is being imported, or somebody replaced a part of it.
        return None


INNER = "llmspan-inner-span"
"""Key of the context that sinks get."""

_PLAIN = (str, bool, int, float, bytes, tuple, list, Mapping, type(None))
"""Baggage, flags and other values that stand for themselves."""
