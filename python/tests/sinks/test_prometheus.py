"""What a scraper reads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.parser import text_string_to_metric_families as read_prometheus

import llmspan

from .conftest import retried_call, simple_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.metrics_core import Metric

    Reader = Callable[[str], Iterable[Metric]]
    from .conftest import Recording


OPEN_METRICS = "application/openmetrics-text; version=1.0.0; q=0.9, text/plain; q=0.1"
LABELS = {
    "gen_ai_operation_name": "chat",
    "gen_ai_provider_name": "openai",
    "gen_ai_request_model": "gpt-4.1-mini",
    "llmspan_outcome": "success",
}


def values(families: Iterable[Metric], name: str) -> dict[tuple[tuple[str, str], ...], float]:
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.parametrize(
    ("accept", "read", "media_type"),
    [(None, read_prometheus, "text/plain"), (OPEN_METRICS, read_open_metrics, "application/openmetrics-text")],
)
def test_both_formats(record_to: Recording, accept: str | None, read: Reader, media_type: str) -> None:
    sink = llmspan.sinks.Prometheus()
    recorder = record_to(sink)
    retried_call(recorder)
    retried_call(recorder)
    assert recorder.flush()
    content_type, text = sink.scrape(accept)
    assert content_type.startswith(media_type)
    families = list(read(text))
    labels = tuple(sorted(LABELS.items()))
    assert values(families, "llmspan_calls_total") == {labels: 2}
    assert values(families, "gen_ai_client_operation_duration_seconds_sum") == {labels: 6.5}
    assert values(families, "gen_ai_client_operation_duration_seconds_count") == {labels: 2}


def test_a_profile_and_a_cap(record_to: Recording) -> None:
    sink = llmspan.sinks.Prometheus("qwen-code", label_sets=2)
    recorder = record_to(sink)
    for number in range(5):
        simple_call(recorder, model=f"m{number}")
    recorder.flush()
    text = sink.scrape()[1]
    assert 'model="m1"' in text
    assert 'model="m4"' not in text
    assert "overflow" in text
    with pytest.raises(llmspan.errors.UnknownProfileError):
        llmspan.sinks.Prometheus("openinference-2")


def test_wsgi(record_to: Recording) -> None:
    sink = llmspan.sinks.Prometheus()
    recorder = record_to(sink)
    simple_call(recorder)
    recorder.flush()
    started: list[tuple[str, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
        started.append((status, dict(headers)))
        return lambda _: None

    environ: dict[str, object] = {"HTTP_ACCEPT": OPEN_METRICS, "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    # The validator of the standard library checks both sides of the protocol.
    body = validator(sink.wsgi)(environ, start_response)
    text = b"".join(body).decode()
    body.close()  # type: ignore[attr-defined]  # the validator wants it
    ((status, headers),) = started
    assert status == "200 OK"
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert headers["Content-Length"] == str(len(text.encode()))
    assert text == sink.scrape(OPEN_METRICS)[1]


def test_asgi(record_to: Recording) -> None:
    sink = llmspan.sinks.Prometheus()
    recorder = record_to(sink)
    simple_call(recorder)
    recorder.flush()
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "headers": [(b"host", b"x"), (b"accept", OPEN_METRICS.encode())]}
    asyncio.run(sink.asgi(scope, receive, send))
    start, body = sent
    assert start["status"] == 200
    assert dict(start["headers"])[b"content-type"].startswith(b"application/openmetrics-text")
    assert body["body"].decode() == sink.scrape(OPEN_METRICS)[1]
