"""Files that others read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import llmspan

from .conftest import MS, START, retried_call, simple_call

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Recording, Sdk


def requests_of(path: Path) -> list[ExportTraceServiceRequest]:
    """Read lines as the types of OTLP, whose JSON has ids as hexadecimal and not as base64."""
    requests = []
    for line in path.read_text().splitlines():
        data = json.loads(line)
        for resource in data["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    for key in ("traceId", "spanId", "parentSpanId"):
                        span.pop(key, None)
        requests.append(json_format.ParseDict(data, ExportTraceServiceRequest()))
    return requests


def test_a_line_of_otlp_for_each_call(tmp_path: Path, record_to: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    path = tmp_path / "spans.jsonl"
    recorder = record_to(llmspan.sinks.OtlpJsonLines(path))
    retried_call(recorder)
    simple_call(recorder)
    assert recorder.flush()
    first, second = requests_of(path)
    (resource,) = first.resource_spans
    assert [(item.key, item.value.string_value) for item in resource.resource.attributes] == [
        ("service.name", "unknown_service")
    ]
    (scope,) = resource.scope_spans
    spans = {span.name: span for span in scope.spans}
    call = spans["chat gpt-4.1-mini"]
    assert (call.start_time_unix_nano, call.end_time_unix_nano) == (START, START + 3250 * MS)
    assert call.kind == call.SPAN_KIND_CLIENT
    assert spans["wait rate_limit"].end_time_unix_nano == START + 2100 * MS
    assert len(scope.spans) == 6
    assert len(second.resource_spans[0].scope_spans[0].spans) == 2


def test_the_resource_and_the_parent(tmp_path: Path, record_to: Recording, sdk: Sdk) -> None:
    path = tmp_path / "spans.jsonl"
    resource = {"service.name": "agent", "service.version": "7"}
    recorder = record_to(llmspan.sinks.OtlpJsonLines(path, resource=resource, profiles=["qwen-code"]))
    with sdk.tracer.start_as_current_span("turn") as turn:
        simple_call(recorder)
    recorder.flush()
    (data,) = [json.loads(line)["resourceSpans"][0] for line in path.read_text().splitlines()]
    attributes = {item["key"]: item["value"]["stringValue"] for item in data["resource"]["attributes"]}
    assert attributes == resource
    spans = data["scopeSpans"][0]["spans"]
    assert {span["traceId"] for span in spans} == {f"{turn.get_span_context().trace_id:032x}"}
    (call,) = [span for span in spans if span["parentSpanId"] == f"{turn.get_span_context().span_id:016x}"]
    assert {item["key"] for item in call["attributes"]} >= {"input_tokens", "output_tokens"}


def test_calls_without_a_time_have_no_line(tmp_path: Path, record_to: Recording) -> None:
    path = tmp_path / "spans.jsonl"
    recorder = record_to(llmspan.sinks.OtlpJsonLines(path), wall_clock=None)
    simple_call(recorder)
    assert recorder.flush()
    assert path.read_text() == ""


def test_lines_are_added(tmp_path: Path, record_to: Recording) -> None:
    path = tmp_path / "spans.jsonl"
    for _ in range(2):
        recorder = record_to(llmspan.sinks.OtlpJsonLines(path))
        simple_call(recorder)
        recorder.close()
    assert len(requests_of(path)) == 2


def test_what_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        llmspan.sinks.OtlpJsonLines(tmp_path / "nowhere" / "spans.jsonl")
    with pytest.raises(FileNotFoundError):
        llmspan.sinks.ChromeTrace(tmp_path / "nowhere" / "trace.json")
    with pytest.raises(ValueError, match="shape"):
        llmspan.sinks.OtlpJsonLines(tmp_path / "spans.jsonl", shape="calls")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="resource"):
        llmspan.sinks.OtlpJsonLines(tmp_path / "spans.jsonl", resource={"a": object()})  # type: ignore[dict-item]
    assert os.listdir(tmp_path) == []


def test_a_trace_is_complete_json_after_the_end(tmp_path: Path, record_to: Recording) -> None:
    path = tmp_path / "trace.json"
    path.write_text("of another run")
    recorder = record_to(llmspan.sinks.ChromeTrace(path))
    retried_call(recorder)
    recorder.flush()
    assert json.loads(path.read_text() + "]"), "it is readable while it grows"
    recorder.close()
    events = json.loads(path.read_text())
    slices = {event["name"]: event["dur"] for event in events if event["ph"] == "X"}
    # Microseconds.
    assert slices["llm.chat_stream"] == 3_250_000
    assert slices["wait: rate_limit"] == 2_000_000
    assert slices["attempt 2"] == 1_100_000
    assert slices["first_token"] == 300_000


def test_a_trace_without_calls(tmp_path: Path, record_to: Recording) -> None:
    path = tmp_path / "trace.json"
    record_to(llmspan.sinks.ChromeTrace(path)).close()
    assert json.loads(path.read_text()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_the_child_of_a_fork_writes_a_trace_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    program = """
import os, sys, llmspan
llmspan.configure(sinks=[llmspan.sinks.ChromeTrace(sys.argv[1])])
llmspan.Call("chat", model="before").end()
llmspan.flush()
child = os.fork()
llmspan.Call("chat", model="after").end()
if child:
    os.waitpid(child, 0)
    print(child)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    child = done.stdout.strip()
    assert sorted(os.listdir(tmp_path)) == sorted(["trace.json", f"trace.{child}.json"])

    def models(path: Path) -> list[str]:
        return [event["args"]["model"] for event in json.loads(path.read_text()) if event["name"] == "llm.chat"]

    assert models(path) == ["before", "after"]
    assert models(tmp_path / f"trace.{child}.json") == ["after"]
