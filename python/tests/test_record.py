"""Records, their parts, and what is written of them."""

from __future__ import annotations

import ast
import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import llmspan

JSON = (
    '{"call":"1","operation":"chat","provider":"openai","model":"gpt-4.1-mini","stream":true,'
    '"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","outcome":"error",'
    '"error":{"type":"429","status_code":429},"start_unix_ns":"1790000000000000000","duration_ns":1250000000,'
    '"ttft_ns":250000000,"attempt_count":1,"final_attempt":1,'
    '"attempts":[{"number":1,"outcome":"error","start_ns":50000000,"duration_ns":1200000000}],'
    '"usage":{"input_tokens":10,"output_tokens":500},'
    '"cost":{"currency":"USD","total":"0.00125"},"attributes":{"tenant_id":"t"}}'
)


@pytest.fixture
def record() -> llmspan.Record:
    return llmspan.Record.from_json(JSON)


def test_values_and_parts(record: llmspan.Record) -> None:
    assert (record.operation, record.stream, record.outcome) == ("chat", True, "error")
    assert record.start_unix_ns == 1_790_000_000_000_000_000
    assert record.error is not None
    assert (record.error.type, record.error.message) == ("429", None)
    (attempt,) = record.attempts
    assert (attempt.number, attempt.duration_ns, attempt.usage, attempt.finish_reasons) == (1, 1_200_000_000, None, [])
    assert attempt.to_dict()["start_ns"] == 50_000_000
    assert record.cost is not None
    assert record.cost.total == "0.00125"
    assert record.slo is None
    assert record.waits == []
    assert record.caller_attributes == {"tenant_id": "t"}
    assert record.attempts == record.attempts


def test_unknown_fields_raise(record: llmspan.Record) -> None:
    with pytest.raises(AttributeError):
        record.nothing  # type: ignore[attr-defined] # noqa: B018
    with pytest.raises(AttributeError, match="there is no field `nothing` here"):
        record.attempts[0].nothing  # type: ignore[attr-defined] # noqa: B018
    with pytest.raises(AttributeError):
        record.model = "other"  # type: ignore[misc]


def test_forms(record: llmspan.Record) -> None:
    assert json.loads(record.to_json()) == record.to_dict()
    assert llmspan.Record.from_json(record.to_json()) == record
    assert pickle.loads(pickle.dumps(record)) == record
    assert record.to_dict() is not record.to_dict()
    record.to_dict()["model"] = "other"
    record.attempts[0].to_dict()["number"] = 2
    assert (record.model, record.attempts[0].number) == ("gpt-4.1-mini", 1)
    assert repr(record) == '<Record call="1" outcome=error model="gpt-4.1-mini" duration_ns=1250000000>'
    assert record != llmspan.Record.from_json("{}")


def test_names_of_profiles(record: llmspan.Record) -> None:
    attributes = record.attributes()
    assert attributes == record.attributes("otel-1.41")
    assert attributes["gen_ai.usage.output_tokens"] == 500
    both = record.attributes("otel-1.41", "qwen-code")
    assert both["ttft_ms"] == 250
    assert both.items() >= attributes.items()
    assert len(record.attempt_attributes()) == 1
    with pytest.raises(llmspan.errors.UnknownProfileError) as raised:
        record.attributes("nope")
    assert raised.value.code == "unknown_profile"
    assert isinstance(raised.value, llmspan.Error)


def test_explanations(record: llmspan.Record) -> None:
    lines = record.explain()
    assert lines[0].startswith("1.25 s in all")
    assert all(isinstance(line, str) for line in lines)


def test_definitions(record: llmspan.Record) -> None:
    tools = {definition["tool"] for definition in record.definitions()}
    assert tools >= {"llmspan", "vllm", "otel"}


def test_spans(record: llmspan.Record) -> None:
    spans = llmspan.spans(record)
    assert spans is not None
    assert [span["name"] for span in spans] == ["chat gpt-4.1-mini", "attempt"]
    call, attempt = spans
    assert (call["status"], call["error_type"], call["kind"]) == ("ERROR", "429", "client")
    assert attempt["parent_span_id"] == call["span_id"] == "b7ad6b7169203331"
    assert attempt["start_unix_ns"] == 1_790_000_000_050_000_000
    assert call["attributes"]["error.type"] == "429"
    assert llmspan.spans(llmspan.Record.from_json("{}")) is None
    with pytest.raises(ValueError, match="shape"):
        llmspan.spans(record, shape="tree")  # type: ignore[arg-type]


def test_otlp(record: llmspan.Record) -> None:
    request = json.loads(llmspan.otlp_traces([record], format="json", resource={"service.name": "s"}))
    (resource,) = request["resourceSpans"]
    assert resource["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "s"}}]
    spans = resource["scopeSpans"][0]["spans"]
    assert [span["name"] for span in spans] == ["chat gpt-4.1-mini", "attempt"]
    assert b"chat gpt-4.1-mini" in llmspan.otlp_traces([record])
    without_ids = copy.copy(record.to_dict())
    del without_ids["trace_id"], without_ids["span_id"]
    other = llmspan.Record.from_json(json.dumps(without_ids))
    ids = {
        json.loads(llmspan.otlp_traces([other], format="json"))["resourceSpans"][0]["scopeSpans"][0]["spans"][0][
            "traceId"
        ]
        for _ in range(2)
    }
    assert len(ids) == 2


def test_chrome_trace(record: llmspan.Record) -> None:
    events = json.loads(llmspan.chrome_trace([record]))["traceEvents"]
    durations = {event["name"]: event["dur"] for event in events if event["ph"] == "X"}
    assert durations["llm.chat_stream"] == 1_250_000.0
    log = llmspan.ChromeTraceLog()
    file = log.append(record) + log.append(record) + log.close()
    assert sum(event["name"] == "llm.chat_stream" for event in json.loads(file)) == 2
    assert log.append(record) == log.close() == ""


def test_metrics(record: llmspan.Record) -> None:
    metrics, other = llmspan.Metrics(), llmspan.Metrics()
    metrics.observe(record)
    other.observe(record)
    metrics.merge(other)
    content_type, text = metrics.scrape()
    assert content_type.startswith("text/plain")
    assert any(line.startswith("llmspan_calls_total{") and line.endswith(" 2") for line in text.splitlines())
    assert metrics.scrape("application/openmetrics-text")[0].startswith("application/openmetrics-text")
    assert (metrics.label_sets, metrics.has_overflow) == (1, False)
    with pytest.raises(llmspan.errors.InvalidConfigError):
        metrics.merge(llmspan.Metrics("qwen-code"))
    metrics.merge(metrics)
    assert " 4\n" in metrics.scrape()[1]


def test_detection_and_headers() -> None:
    assert llmspan.detect("https://api.anthropic.com/v1/messages") == "anthropic.messages"
    assert llmspan.detect("/llm", {}, b'{"object":"chat.completion","choices":[]}') == "openai.chat"
    assert llmspan.detect("/v1/embeddings") is None
    assert set(llmspan.PROTOCOLS) >= {"openai.chat", "anthropic.messages"}
    assert llmspan.PROFILES[0] == llmspan.METRIC_PROFILES[0] == "otel-1.41"
    assert llmspan.read_headers(429, {"Retry-After": "2"}) == {"status_code": 429, "retry_after_ns": 2_000_000_000}
    date = {"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}
    facts = llmspan.read_headers(503, date, unix_ns=784_111_770_000_000_000)
    assert facts["retry_after_ns"] == 7_000_000_000


def test_replay() -> None:
    log = '{"at_ns":0,"event":"call_started","call":"a"}\n\n{"at_ns":5,"event":"call_ended","call":"a"}\n'
    (record,) = llmspan.replay(log)
    assert (record.call, record.duration_ns) == ("a", 5)
    with pytest.raises(llmspan.errors.InvalidEventError, match="line 1"):
        llmspan.replay("{}")


@pytest.mark.parametrize("broken", ["", "[]x", '{"duration_ns": "x"}'])
def test_broken_records_raise(broken: str) -> None:
    with pytest.raises(llmspan.errors.InvalidRecordError) as raised:
        llmspan.Record.from_json(broken)
    assert raised.value.code == "invalid_record"
    copied = pickle.loads(pickle.dumps(raised.value))
    assert (copied.code, str(copied)) == ("invalid_record", str(raised.value))


def test_the_stub_has_the_fields_of_the_record() -> None:
    """The fields of a record and of all its parts are those that the core knows."""
    package = Path(llmspan.__file__).parent
    module = ast.parse((package / "_llmspan.pyi").read_text(encoding="utf-8"))
    classes = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}

    def properties(name: str) -> set[str]:
        functions = [node for node in classes[name].body if isinstance(node, ast.FunctionDef)]
        return {
            function.name
            for function in functions
            if any(
                isinstance(decorator, ast.Name) and decorator.id == "property" for decorator in function.decorator_list
            )
        }

    def fields(part: object) -> set[str]:
        return {name for name in dir(part) if not name.startswith("_") and name != "to_dict"}

    filled = llmspan.Record.from_json(json.dumps(FILLED))
    properties_of_record = {name for name in dir(llmspan.Record) if isinstance(getattr(llmspan.Record, name), property)}
    assert properties("Record") - {"caller_attributes"} == properties_of_record
    for name, part in {
        "AttemptRecord": filled.attempts[0],
        "ClockQuality": filled.diagnostics.clock,
        "Content": filled.content,
        "Cost": filled.cost,
        "Diagnostics": filled.diagnostics,
        "Dropped": filled.diagnostics.dropped,
        "Flags": filled.flags,
        "InputParts": filled.request.input_parts if filled.request else None,
        "InterChunk": filled.inter_chunk,
        "KeepAlives": filled.keep_alives,
        "Marks": filled.marks,
        "PhaseRecord": filled.phases[0],
        "ProvenanceOf": filled.usage.provenance if filled.usage else None,
        "Raw": filled.usage.raw if filled.usage else None,
        "RecordError": filled.error,
        "Request": filled.request,
        "Server": filled.server,
        "SloVerdict": filled.slo,
        "SpanEvent": filled.events[0],
        "Usage": filled.usage,
        "WaitRecord": filled.waits[0],
    }.items():
        assert part is not None, name
        assert properties(name) == fields(part), name


FILLED: dict[str, Any] = {
    "error": {"type": "x"},
    "marks": {"started_ns": 0},
    "attempts": [{"number": 1}],
    "waits": [{}],
    "phases": [{}],
    "events": [{}],
    "usage": {"provenance": {"input_tokens": "reported"}, "raw": {"input": 1}},
    "cost": {"currency": "USD"},
    "content": {},
    "keep_alives": {"count": 1},
    "inter_chunk": {},
    "server": {"queue_ns": 1},
    "request": {"input_parts": {"system": 1}},
    "flags": {"refusal": True},
    "slo": {"met": True},
    "diagnostics": {"clock": {}, "dropped": {"attempts": 1}},
}
