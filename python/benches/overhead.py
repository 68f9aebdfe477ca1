"""CPU time that instrumentations of the OpenAI SDK add, per chunk and per call, without a network.

    python benches/overhead.py            the table
    python benches/overhead.py NAME ...   some rows

A row runs in a process of its own, on its own copy of the same bytes: first without the instrumentation, then with it. Figures are
medians of CPU time (`time.process_time_ns`), so that other programs disturb them less than wall time. Packages that are not
installed are left out, and named.
"""

from __future__ import annotations

import gc
import importlib.metadata
import json
import logging
import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNKS = 4_000
CALLS = 300
REPEATS = 9

PROMISES = {"bytes per chunk": 1.0, "SDK objects per chunk": 2.0, "per call": 100.0, "import": 30.0}
"""Upper bounds: microseconds, and for the import milliseconds."""


def chunk(text: str, finish: str | None = None) -> bytes:
    """One event of a stream, of the size that OpenAI sends."""
    event = {
        "id": "chatcmpl-BenchBenchBenchBenchBench",
        "object": "chat.completion.chunk",
        "created": 1760000000,
        "model": "gpt-4.1-mini-2025-04-14",
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
        "choices": [{"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": finish}],
    }
    return f"data: {json.dumps(event)}\n\n".encode()


def body(count: int) -> list[bytes]:
    """The chunks of a stream."""
    return [*(chunk(f" word{number}") for number in range(count)), chunk("", "stop"), b"data: [DONE]\n\n"]


def http() -> Any:
    """The library that the installed SDK sends with."""
    major = int(importlib.metadata.version("openai").split(".")[0])
    return __import__("httpx2" if major > 2 else "httpx")


def local_transport(httpx: Any, chunks: list[bytes]) -> Any:
    """A transport that answers every request with the same stream."""

    class Stream(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return iter(chunks)

    class Local(httpx.BaseTransport):
        def handle_request(self, request: Any) -> Any:
            del request
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Stream())

    return Local()


def client(httpx: Any, transport: Any) -> Any:
    """A client of the SDK on a transport."""
    import openai

    return openai.OpenAI(api_key="k", http_client=httpx.Client(transport=transport), max_retries=0)


def read(client: Any) -> None:
    """One call, read to its end."""
    messages = [{"role": "user", "content": "Say hello."}]
    for _ in client.chat.completions.create(model="gpt-4.1-mini", messages=messages, stream=True):
        pass


def cpu(work: Callable[[], object], count: int, repeats: int = REPEATS) -> list[float]:
    """CPU microseconds of a part of the work, repeated."""
    work()
    times = []
    for _ in range(repeats):
        gc.collect()
        started = time.process_time_ns()
        work()
        times.append((time.process_time_ns() - started) / count / 1e3)
    return times


def alternating(
    bare: Callable[[], object], seen: Callable[[], object], count: int, repeats: int = 21
) -> dict[str, float]:
    """Both by turns, so that a machine that changes its pace disturbs both.

    What is added is the median of the differences, or the difference of the least times: other programs only add to either.
    """
    bare(), seen()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for work, into in ((bare, times[0]), (seen, times[1])):
            gc.collect()
            started = time.process_time_ns()
            work()
            into.append((time.process_time_ns() - started) / count / 1e3)
    return added(*times)


def added(bare: list[float], seen: list[float]) -> dict[str, float]:
    """Medians, and what is added."""
    differences = [with_it - without for without, with_it in zip(bare, seen, strict=True)]
    return {
        "bare": statistics.median(bare),
        "with": statistics.median(seen),
        "added": min(statistics.median(differences), min(seen) - min(bare)),
    }


def bytes_alone() -> dict[str, Any]:
    """The transport alone: what a chunk of bytes costs."""
    import llmspan

    httpx = http()
    llmspan.configure(sinks=[llmspan.sinks.Memory(10)])
    ours = __import__(f"llmspan.{httpx.__name__}", fromlist=["Transport"])
    chunks = body(CHUNKS)
    request = {"url": "https://api.openai.com/v1/chat/completions", "content": b'{"model":"m","stream":true}'}

    def drain(client: Any) -> None:
        with client.stream("POST", **request) as response:
            for _ in response.iter_raw():
                pass

    bare = httpx.Client(transport=local_transport(httpx, chunks))
    seen = httpx.Client(transport=ours.Transport(local_transport(httpx, chunks)))
    return {"chunk": alternating(lambda: drain(bare), lambda: drain(seen), CHUNKS)}


def objects_alone() -> dict[str, Any]:
    """``observe`` alone: what a chunk costs that the SDK has parsed already."""
    from openai.types.chat import ChatCompletionChunk

    import llmspan

    llmspan.configure(sinks=[llmspan.sinks.Memory(10)])
    parsed = [ChatCompletionChunk.model_validate_json(event[6:]) for event in body(CHUNKS)[:-1]]

    def drain(chunks: Any) -> None:
        for _ in chunks:
            pass

    # The application's loop reads an iterator in both cases.
    return {"chunk": alternating(lambda: drain(iter(parsed)), lambda: drain(llmspan.observe(iter(parsed))), CHUNKS)}


def transport() -> dict[str, Any]:
    """The SDK with our transport."""
    import llmspan

    httpx = http()
    llmspan.configure(sinks=[llmspan.sinks.Memory(10)])
    ours = __import__(f"llmspan.{httpx.__name__}", fromlist=["Transport"])
    result = {}
    for key, count, calls in (("chunk", CHUNKS, 1), ("call", 1, CALLS)):
        chunks = body(count)
        bare = client(httpx, local_transport(httpx, chunks))
        seen = client(httpx, ours.Transport(local_transport(httpx, chunks)))
        result[key] = alternating(
            lambda bare=bare, calls=calls: [read(bare) for _ in range(calls)],
            lambda seen=seen, calls=calls: [read(seen) for _ in range(calls)],
            count * calls,
        )
    return result


def observed() -> dict[str, Any]:
    """The SDK with its stream observed."""
    import llmspan

    httpx = http()
    llmspan.configure(sinks=[llmspan.sinks.Memory(10)])

    def read_observed(client: Any) -> None:
        messages = [{"role": "user", "content": "Say hello."}]
        stream = client.chat.completions.create(model="gpt-4.1-mini", messages=messages, stream=True)
        for _ in llmspan.observe(stream, protocol="openai.chat"):
            pass

    result = {}
    for key, count, calls in (("chunk", CHUNKS, 1), ("call", 1, CALLS)):
        bare = client(httpx, local_transport(httpx, body(count)))
        result[key] = alternating(
            lambda bare=bare, calls=calls: [read(bare) for _ in range(calls)],
            lambda bare=bare, calls=calls: [read_observed(bare) for _ in range(calls)],
            count * calls,
        )
    return result


def other(start: Callable[[], object]) -> Callable[[], dict[str, Any]]:
    """The SDK with hooks that cannot be taken out by turns: first without, then with them."""

    def measure() -> dict[str, Any]:
        httpx = http()
        parts = {"chunk": (CHUNKS, 1), "call": (1, CALLS)}
        bare = {key: cpu(reading(httpx, *part), part[0] * part[1]) for key, part in parts.items()}
        start()
        # Some hooks replace methods of clients that are made after them.
        seen = {key: cpu(reading(httpx, *part), part[0] * part[1]) for key, part in parts.items()}
        for provider in PROVIDERS:
            provider.force_flush()
        if PROVIDERS and not SPANS[0]:
            raise SystemExit("it is installed, but sees no call")
        return {key: added(bare[key], seen[key]) for key in parts}

    return measure


def reading(httpx: Any, count: int, calls: int) -> Callable[[], object]:
    """Calls of a new client, each of so many chunks."""
    reader = client(httpx, local_transport(httpx, body(count)))
    return lambda: [read(reader) for _ in range(calls)]


def instrumented() -> dict[str, Any]:
    """The SDK with our hooks, put in and taken out by turns."""
    import llmspan

    httpx = http()
    llmspan.configure(sinks=[llmspan.sinks.Memory(10)])
    result = {}
    for key, count, calls in (("chunk", CHUNKS, 1), ("call", 1, CALLS)):
        work = reading(httpx, count, calls)

        def seen(work: Callable[[], object] = work) -> None:
            llmspan.instrument()
            work()
            llmspan.uninstrument()

        result[key] = alternating(work, seen, count * calls)
    return result


def otel_provider() -> Any:
    """Spans that stay in the process: the exporter forgets them."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Nowhere(SpanExporter):
        def export(self, spans: Any) -> Any:
            SPANS[0] += len(spans)
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    PROVIDERS.append(provider)
    return provider


SPANS = [0]
"""Spans that were exported."""
PROVIDERS: list[Any] = []


def openai_v2() -> None:
    """OpenTelemetry's own."""
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=otel_provider())


def openllmetry() -> None:
    """OpenLLMetry."""
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=otel_provider())


def openinference() -> None:
    """OpenInference."""
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=otel_provider())


def logfire() -> None:
    """Logfire, which sends nothing here."""
    import logfire

    logfire.configure(send_to_logfire=False, console=False)
    logfire.instrument_openai()


def ddtrace() -> None:
    """Datadog's tracer, with an agent that is not there."""
    os.environ.setdefault("DD_TRACE_ENABLED", "true")
    logging.disable(logging.CRITICAL)
    from ddtrace import patch

    patch(openai=True)


def openlit() -> None:
    """OpenLIT."""
    import openlit

    openlit.init(tracer=otel_provider().get_tracer("bench"), disable_metrics=True, disable_batch=True)


def langfuse() -> None:
    """Langfuse, with a server that is not there."""
    os.environ.update(LANGFUSE_PUBLIC_KEY="k", LANGFUSE_SECRET_KEY="s", LANGFUSE_HOST="http://127.0.0.1:9")
    logging.disable(logging.CRITICAL)
    import langfuse.openai  # noqa: F401 - the import installs the hooks


ROWS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "llmspan, bytes alone": ("llmspan", bytes_alone),
    "llmspan, objects alone": ("llmspan", objects_alone),
    "llmspan Transport": ("llmspan", transport),
    "llmspan instrument()": ("llmspan", instrumented),
    "llmspan observe()": ("llmspan", observed),
    "opentelemetry-instrumentation-openai-v2": ("opentelemetry-instrumentation-openai-v2", other(openai_v2)),
    "openinference-instrumentation-openai": ("openinference-instrumentation-openai", other(openinference)),
    "opentelemetry-instrumentation-openai": ("opentelemetry-instrumentation-openai", other(openllmetry)),
    "logfire": ("logfire", other(logfire)),
    "langfuse": ("langfuse", other(langfuse)),
    "openlit": ("openlit", other(openlit)),
    "ddtrace": ("ddtrace", other(ddtrace)),
}


def import_time(module: str) -> float:
    """Milliseconds that the import takes by ``-X importtime``, in the quickest of several processes."""
    times = []
    for _ in range(7):
        command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
        times.append(next(int(line.split("|")[1]) for line in reversed(lines) if line.split("|")[-1].strip() == module))
    return min(times) / 1e3


def main(names: list[str]) -> int:
    """Print the table; the exit code says whether our promises hold."""
    if names[:1] == ["--row"]:
        print(json.dumps(ROWS[names[1]][1]()), flush=True)
        # Exporters that wait for servers need not.
        os._exit(0)
    print(f"openai {importlib.metadata.version('openai')}, {http().__name__}, Python {sys.version.split()[0]}")
    print(f"{'µs of CPU':42} {'chunk':>8} {'added':>8} {'ratio':>6}   {'call':>8} {'added':>8}")
    missing, kept = [], []
    for name, (package, _) in ROWS.items():
        if names and name not in names:
            continue
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            missing.append(package)
            continue
        command = [sys.executable, __file__, "--row", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        label = f"{name} {version}" if package != "llmspan" else name
        try:
            row = json.loads(done.stdout.strip().splitlines()[-1])
        except (IndexError, ValueError):
            print(f"{label:42} failed: {(done.stderr.strip().splitlines() or ['?'])[-1][:90]}")
            continue
        per_chunk, per_call = row["chunk"], row.get("call")
        line = f"{label:42} {per_chunk['bare']:8.2f} {per_chunk['added']:8.2f} {per_chunk['with'] / per_chunk['bare']:6.2f}"
        print(line + (f"   {per_call['bare']:8.1f} {per_call['added']:8.1f}" if per_call else ""), flush=True)
        promise = {"llmspan, bytes alone": "bytes per chunk", "llmspan, objects alone": "SDK objects per chunk"}.get(
            name
        )
        if promise:
            kept.append((promise, per_chunk["added"]))
        if name == "llmspan instrument()" and per_call:
            kept.append(("per call", per_call["added"]))
    kept.append(("import", import_time("llmspan")))
    for promise, measured in kept:
        unit = "ms" if promise == "import" else "µs"
        verdict = "kept" if measured <= PROMISES[promise] else "BROKEN"
        print(f"{promise:24} {measured:8.2f} {unit}, at most {PROMISES[promise]:g}: {verdict}")
    if missing:
        print("not installed:", ", ".join(dict.fromkeys(missing)))
    return int(any(measured > PROMISES[promise] for promise, measured in kept))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
