"""`llmspan convert`, read back with what others have."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from command import LLMSPAN, LOG, SECOND, START, environment, lines, record, run
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import llmspan

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = lines(record("a", 2), record("b", 1.5, "error"))


def test_chrome_has_the_slices_of_each_call() -> None:
    done = run("convert", "--to", "chrome", "-", text=RECORDS)
    events = json.loads(done.stdout)
    slices = [(one["name"], one["dur"]) for one in events if one["ph"] == "X"]
    # Microseconds.
    assert slices == [
        ("llm.chat_stream", 2_000_000),
        ("attempt 1", 2_000_000),
        ("llm.chat_stream", 1_500_000),
        ("attempt 1", 1_500_000),
    ]
    assert (done.returncode, done.stderr) == (0, "llmspan: <stdin>: 2 records\n")


def spans(out: str) -> list[dict[str, Any]]:
    """The spans of OTLP in JSON lines."""
    scopes = [resource["scopeSpans"] for line in out.splitlines() for resource in json.loads(line)["resourceSpans"]]
    return [span for all_scopes in scopes for scope in all_scopes for span in scope["spans"]]


def test_otlp_has_the_spans_of_each_call() -> None:
    done = run("convert", "--to", "otlp", "-", "--service", "shop", text=RECORDS)
    found = spans(done.stdout)
    assert [span["name"] for span in found if "parentSpanId" not in span] == ["chat m", "chat m"]
    assert found[0]["startTimeUnixNano"] == str(START)
    assert found[0]["endTimeUnixNano"] == str(START + 2 * SECOND)
    (request,) = map(json.loads, done.stdout.splitlines())
    name = {"key": "service.name", "value": {"stringValue": "shop"}}
    assert request["resourceSpans"][0]["resource"]["attributes"] == [name]


def test_otlp_as_protobuf_is_one_message_however_many_records() -> None:
    records = lines(*(record(f"call-{number}") for number in range(600)))
    data = raw("convert", "--to", "otlp", "--format", "protobuf", "-", text=records)
    request = ExportTraceServiceRequest.FromString(data)
    found = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    assert sum(not span.parent_span_id for span in found) == 600
    assert len({span.trace_id for span in found}) == 600
    assert found[0].end_time_unix_nano == START + SECOND


def raw(*arguments: str, text: str) -> bytes:
    """What a command writes, byte by byte."""
    return subprocess.run(
        [LLMSPAN, *arguments], input=text.encode(), capture_output=True, env=environment(), check=True
    ).stdout


def test_profiles_name_attributes() -> None:
    done = run("convert", "--to", "otlp", "-", "--profile", "otel-1.41", "--profile", "qwen-code", text=RECORDS)
    keys = {attribute["key"] for attribute in spans(done.stdout)[0]["attributes"]}
    assert {"gen_ai.request.model", "duration_ms"} <= keys


def test_the_shape_is_chosen() -> None:
    def kinds(shape: str) -> list[int]:
        return [
            span["kind"] for span in spans(run("convert", "--to", "otlp", "-", "--shape", shape, text=RECORDS).stdout)
        ]

    # 1 is internal, 3 is client: that is the one which counts as the LLM call.
    assert kinds("call")[0] == 3
    assert kinds("attempt")[:2] == [1, 3]


def test_records_without_a_time_of_day_are_no_spans() -> None:
    done = run("convert", "--to", "otlp", "-", text=LOG)
    assert spans(done.stdout) == []
    assert done.stderr.splitlines()[0] == ("llmspan: 1 record left out: without a wall-clock time they are no spans")


def test_openmetrics_counts_calls() -> None:
    out = run("convert", "--to", "openmetrics", "-", text=RECORDS * 2).stdout
    labels = 'gen_ai_operation_name="chat",gen_ai_provider_name="p",gen_ai_request_model="m"'
    assert f'llmspan_calls_total{{{labels},llmspan_outcome="success"}} 2\n' in out
    assert f'llmspan_calls_total{{{labels},llmspan_outcome="error",error_type="boom"}} 2\n' in out
    # Two calls of 2 s, in seconds.
    assert f'gen_ai_client_operation_duration_seconds_sum{{{labels},llmspan_outcome="success"}} 4\n' in out
    assert out.endswith("# EOF\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--to", "chrome", "--profile", "otel-1.41"], "--profile is for otlp and openmetrics"),
        (["--to", "otlp", "--profile", "x"], f"otlp has no profile `x`, only {', '.join(llmspan.PROFILES)}"),
        (["--to", "openmetrics", "--profile", "langfuse"], "openmetrics has no profile `langfuse`, only otel-1.41"),
        (
            ["--to", "openmetrics", "--profile", "otel-1.41", "--profile", "otel-1.41"],
            "openmetrics takes one --profile",
        ),
    ],
)
def test_profiles_are_checked_first(options: list[str], message: str) -> None:
    done = run("convert", "-", *options, text="not read")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"llmspan: {message}")


def test_a_file_takes_the_output(tmp_path: Path) -> None:
    out = tmp_path / "trace.json"
    done = run("convert", "--to", "chrome", "-", "-o", out, text=RECORDS)
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(out.read_text())
    assert [path.name for path in tmp_path.iterdir()] == ["trace.json"]
