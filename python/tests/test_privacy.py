"""Nothing secret comes out: of records, sinks, logs, warnings, exceptions, texts of objects, and the command."""

from __future__ import annotations

import gc
import json
import logging
import os
import pickle
import subprocess
import sysconfig
import traceback
import warnings
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from secrets_and_exchanges import Exchange, exchanges, halves, secrets
from wire.local import Answer, Server, serve

import llmspan
from llmspan import _llmspan
from llmspan._wire import hook_errors

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

JSON = ("content-type", "application/json")
PLAYS = ("streamed", "split", "whole", "refused", "failed", "cut", "page")


class Outlets:
    """What came out, by what wrote it."""

    def __init__(self, *, with_messages: bool = False) -> None:
        self.with_messages = with_messages
        self.leaks: dict[str, set[str]] = {}
        self.written = 0

    def add(self, outlet: str, text: str | bytes) -> None:
        assert outlet != "notes of exceptions" or not text
        self.written += len(text)
        leaks = secrets().leaks(outlet, text, with_messages=self.with_messages)
        if leaks:
            self.leaks.setdefault(outlet, set()).update(leaks)

    def check(self) -> None:
        assert self.leaks == {}
        assert self.written > 0


@pytest.fixture
def answers() -> Iterator[tuple[Server, list[Answer]]]:
    """A server, and what it will answer next."""
    answers: list[Answer] = []
    with serve(lambda *_: answers.pop(0)) as server:
        yield server, answers


def answers_of(exchange: Exchange, play: str) -> list[Answer]:
    headers = exchange.response_headers
    whole = [*(pair for pair in headers if pair[0] != "content-type"), JSON]
    stream = b"".join(exchange.frames)
    return {
        "streamed": [Answer(exchange.frames, headers=headers)],
        "split": [Answer([stream[at : at + 7] for at in range(0, len(stream), 7)], headers=headers)],
        "whole": [Answer([exchange.whole], headers=whole)],
        "refused": [Answer([exchange.error], 429, whole), Answer(exchange.frames, headers=headers)],
        "failed": [Answer([*exchange.frames[:2], exchange.error_frame], headers=headers)],
        "page": [Answer([exchange.error_page], 502, [*whole[:-1], ("content-type", "text/html")])],
        "cut": [Answer([stream[: len(stream) // 2]], headers=headers)],
    }[play]


def ask(url: str, exchange: Exchange, outlets: Outlets, recorder: llmspan.Recorder) -> None:
    """Ask as an application does that knows nothing of what is measured."""
    with httpx.Client() as http:
        request = http.build_request("POST", url, headers=exchange.request_headers, content=exchange.request)
        response = http.send(request, stream=True)
        try:
            for _ in response.iter_raw():
                pass
            outlets.add("repr", f"{recorder!r} {vars(recorder)!r} {recorder.stats!r}")
            response.raise_for_status()
        except httpx.HTTPError as error:
            # What the application gets is the client's own: nothing was added to it.
            told = " ".join([str(error), *getattr(error, "__notes__", [])])
            outlets.add("notes of exceptions", "a note" if "llmspan" in told else "")
        finally:
            response.close()


@pytest.mark.parametrize("with_messages", [False, True])
def test_instrumented_clients(
    answers: tuple[Server, list[Answer]],
    tmp_path: pathlib.Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    *,
    with_messages: bool,
) -> None:
    server, queue = answers
    outlets = Outlets(with_messages=with_messages)
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(shutdown_on_exit=False), MeterProvider([reader], shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    memory, prometheus = llmspan.sinks.Memory(), llmspan.sinks.Prometheus()
    files = {name: tmp_path / f"{name}.jsonl" for name in ("records", "otlp", "trace")}
    sinks = [
        memory,
        prometheus,
        llmspan.sinks.JsonLines(files["records"]),
        llmspan.sinks.OtlpJsonLines(files["otlp"], profiles=llmspan.PROFILES, shape="attempt"),
        llmspan.sinks.ChromeTrace(files["trace"]),
        llmspan.sinks.Logging(),
        llmspan.sinks.OpenTelemetry(tracers, meters, profiles=llmspan.PROFILES),
    ]
    recorder = llmspan.Recorder(sinks, config={"error_messages": with_messages})
    before = hook_errors()
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        llmspan.instrument(recorder=recorder)
        try:
            asked = 0
            for exchange in exchanges():
                for play in PLAYS:
                    queue[:] = answers_of(exchange, play)
                    url = exchange.url(server.url.split("/")[2], whole=play == "whole")
                    while queue:
                        ask(url, exchange, outlets, recorder)
                    asked += 1
                    # What is asked next is no retry.
                    recorder.flush()
        finally:
            llmspan.uninstrument()
        gc.collect()
        recorder.flush()
    assert hook_errors() == before
    assert len(memory.records) == asked
    for record in memory.records:
        written_of(record, outlets)
    recorder.close()
    meters.force_flush()
    outlets.add("warnings", " ".join(str(warning.message) for warning in warned))
    told = [line for line in caplog.records if line.name.startswith("llmspan")]
    assert len(told) >= asked
    formatter = logging.Formatter("%(message)s %(exc_text)s %(stack_info)s")
    outlets.add("log", " ".join(formatter.format(line) for line in told))
    outlets.add("spans of OpenTelemetry", " ".join(str(span.to_json()) for span in exporter.get_finished_spans()))
    outlets.add("metrics of OpenTelemetry", str(reader.get_metrics_data()))
    for name, file in files.items():
        outlets.add(f"file of {name}", file.read_bytes())
    for accept in (None, "application/openmetrics-text"):
        outlets.add("scrape", "".join(prometheus.scrape(accept)))
    for sink in sinks:
        outlets.add("repr", repr(sink))
    outlets.add("standard output and error", " ".join(capfd.readouterr()))
    command(files["records"], tmp_path, outlets)
    outlets.check()
    # Nothing passes because nothing was read.
    streamed = [record for record in memory.records if record.outcome == "success" and record.stream]
    assert len(streamed) > len(exchanges()) * 2
    kinds = {kind for record in streamed for kind in (record.to_dict().get("content") or {}) if kind.endswith("_bytes")}
    assert {"text_bytes", "reasoning_bytes", "refusal_bytes"} <= kinds


def written_of(record: llmspan.Record, outlets: Outlets) -> None:
    """Everything that is written of a record."""
    outlets.add("repr", f"{record!r} {record} {record.attempts!r} {record.error!r} {record.request!r}")
    outlets.add("record", record.to_json())
    outlets.add("record", repr(record.to_dict()))
    outlets.add("record", pickle.dumps(record))
    outlets.add("explain", " ".join(record.explain()))
    outlets.add("definitions", repr(record.definitions()))
    outlets.add("waterfall", record.waterfall(120, color=True))
    outlets.add("waterfall", llmspan._llmspan.waterfall_page("calls", [record.waterfall_html()]))
    outlets.add("waterfall", repr(record.waterfall_data()))
    outlets.add("waterfall", record._repr_html_())
    outlets.add("attributes", repr(record.attributes(*llmspan.PROFILES)))
    outlets.add("attributes", repr(record.attempt_attributes(*llmspan.PROFILES)))
    outlets.add("spans", repr(llmspan.spans(record, profiles=llmspan.PROFILES, trace_id="1" * 32, span_id="2" * 16)))
    for form in ("json", "protobuf"):
        outlets.add("OTLP", llmspan.otlp_traces([record], format=form, profiles=llmspan.PROFILES))
    outlets.add("Chrome trace", llmspan.chrome_trace([record]))
    for profile in llmspan.METRIC_PROFILES:
        metrics = llmspan.Metrics(profile)
        metrics.observe(record)
        outlets.add("metrics", repr(metrics.series()))
        outlets.add("metrics", "".join(metrics.scrape()))


def run(*arguments: str | pathlib.Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run the installed command."""
    program = f"{sysconfig.get_path('scripts')}/llmspan"
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [program, *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        check=False,
    )


def command(records: pathlib.Path, tmp_path: pathlib.Path, outlets: Outlets) -> None:
    """What the command writes of a file of records."""
    page = tmp_path / "report.html"
    for arguments in (
        ("show", records),
        ("report", records, "-o", page, "--details", "200"),
        ("convert", records, "--to", "chrome"),
        ("convert", records, "--to", "otlp"),
        ("convert", records, "--to", "otlp", "--shape", "attempt", "--profile", "openinference"),
        ("convert", records, "--to", "openmetrics"),
    ):
        done = run(*arguments)
        assert done.returncode == 0, done.stderr
        outlets.add("command", done.stdout + done.stderr)
    outlets.add("report", page.read_bytes())


def test_event_logs_in_the_command(tmp_path: pathlib.Path) -> None:
    """An event log holds content; what is shown of it, and what is said of a line that cannot be read, does not."""
    outlets = Outlets()
    lines: list[str] = []
    for number, exchange in enumerate(exchanges()):
        call = str(number)
        events: list[dict[str, Any]] = [
            {"event": "call_started", "operation": "chat", "stream": True},
            {"event": "attempt_started"},
            {"event": "headers_received", "status_code": 200, "headers": exchange.response_headers},
            *({"event": "bytes", "protocol": exchange.protocol, "base64": _base64(frame)} for frame in exchange.frames),
            {"event": "call_ended", "message": exchange.error.decode()},
        ]
        lines += [json.dumps({"at_ns": at, "call": call, **event}) for at, event in enumerate(events)]
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(lines))
    assert len(secrets().found(log.read_bytes())) > 10
    command(log, tmp_path, outlets)
    spoilt = [line[: len(line) * 2 // 3] for line in lines] + [
        line.replace('"at_ns"', '"at"').replace('"base64"', '"data"') for line in lines
    ]
    spoilt += [exchange.whole.decode() for exchange in exchanges()] + [
        exchange.error.decode() for exchange in exchanges()
    ]
    for at, line in enumerate(spoilt):
        # A process for each of them would take its time: the exceptions below say the same.
        if at % 83 == 0 or at == len(spoilt) - 1:
            done = run("show", "-", text=line)
            outlets.add("errors of the command", done.stdout + done.stderr)
        try:
            llmspan.replay(line)
        except llmspan.Error as error:
            outlets.add("exceptions", "".join(traceback.format_exception(error)) + repr(error))
        try:
            llmspan.Record.from_json(line)
        except llmspan.Error as error:
            outlets.add("exceptions", "".join(traceback.format_exception(error)) + repr(error))
    outlets.check()


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()


def test_by_hand_and_observed(recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture) -> None:
    """Objects while a call is open, streams that are watched, and events that are told in the wrong way."""
    outlets = Outlets()
    caplog.set_level(logging.DEBUG)
    memory = llmspan.sinks.Memory()
    recorder = llmspan.Recorder([memory])
    for exchange in exchanges():
        request = _llmspan.read_request(exchange.url("models.example.com"), exchange.request_headers, exchange.request)
        outlets.add("repr", repr(request))
        call = llmspan.Call("chat", recorder=recorder)
        with call, call.attempt() as attempt:
            for frame in exchange.frames:
                attempt.bytes(exchange.protocol, frame[: len(frame) // 2])
                outlets.add("repr", f"{call!r} {attempt!r} {recorder!r} {recorder.engine!r}")
                attempt.bytes(exchange.protocol, frame[len(frame) // 2 :])
        for chunk in llmspan.observe(iter(exchange.frames), protocol=exchange.protocol, recorder=recorder):
            assert chunk
        # An application that takes the text of a chunk for its kind, and its prompt for other things.
        text = exchange.whole.decode()
        wrong = llmspan.Call("chat", recorder=recorder)
        for name, arguments, fields in (
            ("chunk", (text,), {}),
            ("chunk", (), {"bytes": text}),
            ("chunk", ("text",), {"finish_reasons": text}),
            ("usage", (), {"input_tokens": text}),
            ("timed_out", (text,), {}),
            ("attributes", ({"a": {"b": text}},), {}),
            ("payload", (exchange.protocol, text + text), {}),
            ("bytes", (exchange.protocol, text), {}),
            ("bytes", (text, exchange.whole), {}),
        ):
            # Each is told by the first of a recorder.
            one = llmspan.Recorder([])
            for holder in (wrong, llmspan.Call("chat", recorder=one)):
                try:
                    getattr(holder, name)(*arguments, **fields)
                except TypeError as error:
                    outlets.add("exceptions", repr(error))
                if holder is not wrong:
                    holder.end()
            one.close()
        wrong.end()
    recorder.flush()
    assert recorder.stats.invalid_events > 0
    for record in memory.records:
        written_of(record, outlets)
    recorder.close()
    assert len(recwarn) > 0
    outlets.add("warnings", " ".join(str(warning.message) for warning in recwarn))
    outlets.add("log", caplog.text)
    outlets.check()


def test_the_search_finds_what_it_is_for() -> None:
    value = secrets().values["prompt"]
    first, second = halves(value)
    for spelled in (
        value,
        value.upper(),
        f"x{first}x",
        f"x{second}x",
        secrets().spell("{{prompt|base64}}"),
        _base64(f"ab{value}c".encode()),
        secrets().spell("{{prompt|percent}}"),
        repr(list(value.encode())),
        value.encode().hex(),
        "".join(f"\\u{byte:04X}" for byte in value.encode()),
    ):
        assert secrets().found(spelled) == {"prompt"}, spelled
    # The same way as in the tests above, with a record that a leaking application has made.
    memory = llmspan.sinks.Memory()
    recorder = llmspan.Recorder([memory])
    llmspan.Call("chat", model=value, attributes={"prompt": value}, recorder=recorder).end()
    recorder.close()
    outlets = Outlets()
    written_of(memory.records[0], outlets)
    wanted = {"repr", "record", "waterfall", "attributes", "spans", "OTLP", "Chrome trace", "metrics"}
    assert wanted <= outlets.leaks.keys()
    assert not outlets.leaks.keys() - wanted - {"explain", "definitions"}
