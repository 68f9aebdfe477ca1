"""A sink that writes to the OpenTelemetry SDK of the application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import context as otel_context
from opentelemetry import trace

from llmspan import _ambient, _llmspan
from llmspan.sinks._base import Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

    from llmspan._llmspan import Record
    from llmspan.recorder import Recorder
    from llmspan.types import SpanData, SpanShape


class OpenTelemetryStats(NamedTuple):
    """What became of the records that a sink took."""

    exported: int
    """Calls with a span that the tracer records. Exporting it is up to the SDK."""
    not_recorded: int
    """Calls that the tracer did not record: not sampled, suppressed where they began, or without a provider."""
    elsewhere: int
    """Calls that the span of another library stands for; attempts and waits are below it."""
    without_clock: int
    """Calls without an absolute time, and so without spans: the recorder has no wall clock."""


class OpenTelemetry(Sink):
    """Writes calls to a tracer, with the times, parents and attributes that they had, and measures them with a meter.

    **Parents.** The span that is current when a call begins is its parent, on whatever thread or task it goes on and
    ends. A call that comes with ids of its own is a child of the span that they name as parent, else of the one that
    they name as the call's. Baggage and other plain values of the context are there for span processors.

    **Sampling** is the SDK's: a call whose parent is not sampled has no spans under the default sampler. Metrics are of
    all calls. Where ``opentelemetry.instrumentation.utils.suppress_instrumentation`` is in force there are neither.

    **One call, one span.** Where the current span is the one that another library made for the same call, such as an
    SDK that traces itself or another instrumentation, the call gets no second one: that span gets the attributes that
    it lacks, if it is still open when the call ends, and attempts, waits and phases are below it, without token counts.
    Where the library makes its span inside the block of a call of the application, both are there, and that of the
    application has neither model nor token counts. Other spans are never changed. Metrics are measured all the same:
    leave them out with ``metrics_profile=None`` where that library has them too.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        profiles: Iterable[str] | None = None,
        shape: SpanShape = "call",
        metrics_profile: str | None = "otel-1.41",
        response_model: bool = False,
        chunk_gaps: int = 100,
    ) -> None:
        """Write to providers.

        :param tracer_provider: where spans go; to the global provider when it is not said, which may be set later.
        :param meter_provider: where measurements go; to the global provider when it is not said, which may be set
            later.
        :param profiles: names of the dialects that are written; those of the recorder when they are not said.
        :param shape: whether backends shall count calls or attempts.
        :param metrics_profile: names of the metrics, one of :data:`llmspan.METRIC_PROFILES`; ``None`` for no metrics.
        :param response_model: whether the model that answered is a label of metrics beside the one that was asked for.
        :param chunk_gaps: measurements that the gaps between the chunks of one call take at most, for each takes its
            time; past it, a share of them that is alike.
        :raises ValueError: for a shape that does not exist.
        :raises llmspan.errors.UnknownProfileError: for a profile that does not exist.
        """
        self._profiles = None if profiles is None else list(profiles)
        self._shape: SpanShape = shape
        self._metrics_profile = metrics_profile
        self._response_model = response_model
        self._chunk_gaps = chunk_gaps
        self._meter_provider = meter_provider
        self._observers: Sequence[Callable[..., None]] | None = None
        self._exported = self._not_recorded = self._elsewhere = self._without_clock = 0
        _llmspan.spans(_llmspan.Record.from_json('{"call": "1"}'), profiles=self._profiles, shape=shape)
        if metrics_profile is not None:
            _llmspan.instruments(metrics_profile)
        self._tracer = trace.get_tracer("llmspan", _llmspan.__version__, tracer_provider)

    @property
    def stats(self) -> OpenTelemetryStats:
        """What became of the records so far."""
        return OpenTelemetryStats(self._exported, self._not_recorded, self._elsewhere, self._without_clock)

    def attach(self, recorder: Recorder) -> None:
        """Take over the profiles of the recorder, if no others were given."""
        if self._profiles is None:
            self._profiles = list(recorder.profiles)

    def ended(self, record: Record, context: object) -> None:
        """Add what the span of another library lacks, as long as it is open."""
        if context is None:
            return
        here: Context = context  # type: ignore[assignment]
        span = _inner_of(here)
        if span is None:
            span = trace.get_current_span(here)
            if not span.is_recording() or not _is_model_call(span):
                return
            # A call with ids of its own may belong elsewhere.
            if trace.get_current_span(_parent_of(record, here)) is not span:
                return
        if span.is_recording() and not otel_context.get_value(_SUPPRESSED, here):
            tree = self._tree(record, "call")
            span.set_attributes(_llmspan.missing_attributes(tree[0]["attributes"], _attributes_of(span)))

    def record(self, record: Record) -> None:
        """Write the spans and the measurements of a call."""
        here = otel_context.get_current()
        if otel_context.get_value(_SUPPRESSED, here):
            self._not_recorded += 1
            return
        around = here
        try:
            around = self._write(record, here)
        finally:
            # Also where a span processor failed.
            if self._metrics_profile is not None:
                self._measure(record, self._metrics_profile, around)

    def _write(self, record: Record, here: Context) -> Context:
        """Write the spans; give the context of the call's span, which stands for the call."""
        if record.start_unix_ns is None:
            self._without_clock += 1
            return here
        parent = _parent_of(record, here)
        if _is_model_call(trace.get_current_span(parent)):
            self._elsewhere += 1
            tree = self._tree(record, "call")
            self._write_below(tree[0], parent, tree[1:], parent)
            return parent
        is_theirs = _inner_of(here) is not None
        tree = self._tree(record, "call" if is_theirs else self._shape)
        if is_theirs:
            # The call of the application, around that of the library: without what would be counted twice.
            shell = self._tree(record, "attempt")[0]
            tree[0]["name"], tree[0]["kind"], tree[0]["attributes"] = shell["name"], shell["kind"], shell["attributes"]
        call = self._start(tree[0], parent)
        around = trace.set_span_in_context(call, parent)
        if not call.is_recording():
            self._not_recorded += 1
            return around
        if is_theirs:
            self._elsewhere += 1
        else:
            self._exported += 1
        self._write_below(tree[0], around, tree[1:], parent)
        call.end(tree[0]["end_unix_ns"])
        return around

    def _write_below(self, call: SpanData, around: Context, inner: Sequence[SpanData], outer: Context) -> None:
        """Write the spans below that of a call."""
        contexts = {call["span_id"]: around}
        open_spans = []
        for data in inner:
            span = self._start(data, contexts.get(data["parent_span_id"] or "", around))
            if data["role"] == "phase":
                # Phases alone have spans below them.
                contexts[data["span_id"]] = trace.set_span_in_context(span, outer)
            open_spans.append((span, data["end_unix_ns"]))
        # A span ends before the one around it.
        for span, end in reversed(open_spans):
            span.end(end)

    def _tree(self, record: Record, shape: SpanShape) -> list[SpanData]:
        # The ids only tell which span is below which: those that are exported are the SDK's.
        tree = _llmspan.spans(record, profiles=self._profiles, shape=shape, trace_id="1" * 32, span_id="1" * 16)
        return tree or []

    def _start(self, data: SpanData, parent: Context) -> Span:
        span = self._tracer.start_span(
            data["name"],
            parent,
            _KINDS[data["kind"]],
            data["attributes"],
            start_time=data["start_unix_ns"],
        )
        if span.is_recording():
            for event in data["events"]:
                span.add_event(event["name"], event["attributes"], event["at_unix_ns"])
            if data["status"] == "ERROR":
                span.set_status(trace.Status(trace.StatusCode.ERROR, data["status_message"]))
        return span

    def _measure(self, record: Record, profile: str, around: Context) -> None:
        observers = self._observers
        if observers is None:
            observers = self._observers = _observers(self._meter_provider, profile)
        measurements = _llmspan.measurements(
            record, profile, response_model=self._response_model, gaps=self._chunk_gaps
        )
        for place, value, times, labels in measurements:
            observe = observers[place]
            for _ in range(times):
                observe(value, labels, around)


def _observers(provider: MeterProvider | None, profile: str) -> list[Callable[..., None]]:
    """Make an instrument for each metric of a profile."""
    from opentelemetry.metrics import get_meter  # noqa: PLC0415 - not on a thread of the application

    meter = get_meter("llmspan", _llmspan.__version__, provider)
    observers: list[Callable[..., None]] = []
    for name, unit, description, kind, _, bounds in _llmspan.instruments(profile):
        if kind == "counter":
            observers.append(meter.create_counter(name, unit, description).add)
        else:
            histogram = meter.create_histogram(name, unit, description, explicit_bucket_boundaries_advisory=bounds)
            observers.append(histogram.record)
    return observers


def _parent_of(record: Record, here: Context) -> Context:
    """Give the context to begin the span of a call in.

    A record tells ids, not whether the trace is sampled. The context where the call began does, where it is of the same
    trace; else the trace of a caller who asks for it by its ids counts as sampled.
    """
    current = trace.get_current_span(here).get_span_context()
    # The API gives no span an id of the caller's choice: below that span is as near as it gets.
    trace_hex, span_hex = record.trace_id, record.parent_span_id or record.span_id
    if trace_hex is None or span_hex is None:
        return trace.set_span_in_context(trace.INVALID_SPAN, here) if current.is_valid else here
    trace_id, span_id = int(trace_hex, 16), int(span_hex, 16)
    if current.trace_id == trace_id and current.span_id == span_id:
        return here
    of_same_trace = current.is_valid and current.trace_id == trace_id
    flags = current.trace_flags if of_same_trace else trace.TraceFlags(trace.TraceFlags.SAMPLED)
    state = current.trace_state if of_same_trace else None
    span = trace.NonRecordingSpan(
        trace.SpanContext(trace_id, span_id, is_remote=False, trace_flags=flags, trace_state=state)
    )
    return trace.set_span_in_context(span, here)


def _inner_of(here: Context) -> Span | None:
    """Give the span that a library made for the request of a call after it had begun."""
    span: Any = otel_context.get_value(_ambient.INNER, here)
    return span if span is not None and _is_model_call(span) else None


def _is_model_call(span: Span) -> bool:
    return _llmspan.is_model_call(_attributes_of(span))


def _attributes_of(span: Span) -> Mapping[str, Any]:
    """Give the attributes of a span, which the SDK knows and the API does not."""
    attributes = getattr(span, "attributes", None)
    return attributes if isinstance(attributes, Mapping) else {}


_SUPPRESSED = "suppress_instrumentation"
"""Key of contexts in which nothing is to be instrumented, of ``opentelemetry.instrumentation.utils``."""

_KINDS = {"client": trace.SpanKind.CLIENT, "internal": trace.SpanKind.INTERNAL}
