"""An OpenTelemetry SDK that keeps what it gets, and calls to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import llmspan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.trace import Tracer

    from llmspan.types import UsageInput

    Recording: TypeAlias = Callable[..., llmspan.Recorder]
    """Makes a recorder with the sinks that it is given."""


class Sdk(NamedTuple):
    """An SDK and what it got."""

    tracers: TracerProvider
    meters: MeterProvider
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    @property
    def tracer(self) -> Tracer:
        return self.tracers.get_tracer("application")

    def sink(self, **options: Any) -> llmspan.sinks.OpenTelemetry:
        return llmspan.sinks.OpenTelemetry(self.tracers, self.meters, **options)

    @property
    def spans(self) -> list[Any]:
        return list(self.exporter.get_finished_spans())

    def span(self, name: str) -> Any:
        found = [span for span in self.spans if span.name == name]
        assert len(found) == 1, [span.name for span in self.spans]
        return found[0]


@pytest.fixture
def sdk() -> Iterator[Sdk]:
    yield from make_sdk()


def make_sdk(**options: Any) -> Iterator[Sdk]:
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider(shutdown_on_exit=False, **options)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader], shutdown_on_exit=False)
    yield Sdk(tracers, meters, exporter, reader)
    tracers.shutdown()
    meters.shutdown()


@pytest.fixture
def record_to() -> Iterator[Recording]:
    """Make recorders that are closed after the test."""
    recorders = []

    def make(*sinks: llmspan.sinks.Sink | Callable[[llmspan.Record], object], **options: Any) -> llmspan.Recorder:
        recorder = llmspan.Recorder(sinks, **options)
        recorders.append(recorder)
        return recorder

    yield make
    for recorder in recorders:
        recorder.close(1.0)


MS = 1_000_000
START = 1_800_000_000_000_000_000
"""Wall-clock time of the calls that are told by hand."""


def retried_call(recorder: llmspan.Recorder, **fields: Any) -> None:
    """Tell a call of 3.25 s: 20 ms of a prompt, a 429 after 100 ms, a wait of 2 s, and an answer from 2.4 s on."""
    call = llmspan.Call(
        "chat",
        provider="openai",
        model="gpt-4.1-mini",
        stream=True,
        recorder=recorder,
        unix_ns=START,
        at_ns=0,
        **fields,
    )
    call.phase("prompt.build", at_ns=0)
    call.phase("load.system_prompt", at_ns=5 * MS).end(at_ns=10 * MS)
    call.phase_ended("prompt.build", at_ns=20 * MS)
    first = call.attempt(at_ns=20 * MS)
    first.fail(error_type="rate_limit", status_code=429, at_ns=100 * MS)
    call.retry(delay_ns=2000 * MS, reason="rate_limit", server_requested=True, at_ns=100 * MS)
    second = call.attempt(at_ns=2100 * MS)
    second.chunk("text", at_ns=2400 * MS)
    second.chunk("text", at_ns=3000 * MS)
    usage: UsageInput = {"input_tokens": 10, "output_tokens": 500}
    second.chunk("none", finish_reasons=["stop"], usage=usage, terminal=True, at_ns=3200 * MS)
    call.end(at_ns=3250 * MS)


def simple_call(recorder: llmspan.Recorder, **fields: Any) -> None:
    """Tell a call that succeeds."""
    fields = {"provider": "openai", "model": "gpt-4.1-mini", **fields}
    with llmspan.Call("chat", recorder=recorder, **fields) as call, call.attempt() as attempt:
        attempt.usage(input_tokens=3, output_tokens=4)
