"""``opentelemetry-instrument`` finds the package, and its exporter gets the calls."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import llmspan
from llmspan.opentelemetry import LlmspanInstrumentor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Sdk


class Collector:
    """Takes what is exported over HTTP."""

    def __init__(self) -> None:
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.path == "/v1/traces":
                    collector.traces.append(ExportTraceServiceRequest.FromString(body))
                elif self.path == "/v1/metrics":
                    collector.metrics.append(ExportMetricsServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever)
    thread.start()
    yield collector
    collector.server.shutdown()
    thread.join()
    collector.server.server_close()


def test_the_entry_point() -> None:
    (entry,) = entry_points(group="opentelemetry_instrumentor", name="llmspan")
    assert entry.load() is LlmspanInstrumentor


def test_opentelemetry_instrument(collector: Collector, tmp_path: Path) -> None:
    command = Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument"
    if not command.exists():
        pytest.skip("opentelemetry-instrument is not installed")
    app = tmp_path / "app.py"
    app.write_text(
        textwrap.dedent("""
        import llmspan
        from opentelemetry import trace
        assert llmspan.is_instrumented()
        with trace.get_tracer("app").start_as_current_span("turn"):
            with llmspan.Call("chat", provider="openai", model="gpt-4.1-mini") as call:
                with call.attempt() as attempt:
                    attempt.usage(input_tokens=3, output_tokens=4)
        """)
    )
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("OTEL_")},
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server.server_port}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_SERVICE_NAME": "agent",
    }
    done = subprocess.run(
        [sys.executable, str(command), sys.executable, str(app)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr

    spans = {
        span.name: (scope.scope.name, span)
        for request in collector.traces
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    assert spans["chat gpt-4.1-mini"][0] == "llmspan"
    assert spans["chat gpt-4.1-mini"][1].parent_span_id == spans["turn"][1].span_id
    assert spans["attempt"][1].parent_span_id == spans["chat gpt-4.1-mini"][1].span_id
    counts = [
        point.count
        for request in collector.metrics
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "gen_ai.client.operation.duration"
        for point in metric.histogram.data_points
    ]
    assert counts[-1:] == [1]


def test_the_instrumentor_by_hand(sdk: Sdk) -> None:
    before = llmspan.default_recorder()
    instrumentor = LlmspanInstrumentor()
    try:
        instrumentor.instrument(tracer_provider=sdk.tracers, meter_provider=sdk.meters)
        assert llmspan.is_instrumented()
        assert llmspan.default_recorder() is not before
        llmspan.Call("chat", model="m").end()
        assert llmspan.flush()
        assert [span.name for span in sdk.spans] == ["chat m"]
        instrumentor.uninstrument()
        assert not llmspan.is_instrumented()
        configured = llmspan.default_recorder()
        instrumentor.instrument()
        assert llmspan.default_recorder() is configured, "a recorder that is configured stays"
    finally:
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()
        llmspan.configure()
