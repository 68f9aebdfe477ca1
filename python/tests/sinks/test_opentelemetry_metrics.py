"""Every record is measured once, under the names, units and bounds of its profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import llmspan

from .conftest import MS, START, retried_call, simple_call

if TYPE_CHECKING:
    from .conftest import Recording, Sdk


LABELS = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4.1-mini",
    "llmspan.outcome": "success",
}


def metrics(sdk: Sdk) -> dict[str, Any]:
    data = sdk.reader.get_metrics_data()
    assert data is not None
    assert {scope.scope.name for resource in data.resource_metrics for scope in resource.scope_metrics} == {"llmspan"}
    return {
        metric.name: metric
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def test_a_retried_call(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    retried_call(recorder)
    assert recorder.flush()
    found = metrics(sdk)

    duration = found["gen_ai.client.operation.duration"]
    assert duration.unit == "s"
    (point,) = duration.data.data_points
    assert (point.count, point.sum) == (1, 3.25)
    # The bounds that the semantic conventions ask for.
    assert point.explicit_bounds == (
        0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
    )  # fmt: skip
    assert dict(point.attributes) == LABELS

    usage = found["gen_ai.client.token.usage"]
    assert usage.unit == "{token}"
    points = {point.attributes["gen_ai.token.type"]: point for point in usage.data.data_points}
    assert {kind: (point.count, point.sum) for kind, point in points.items()} == {"input": (1, 10), "output": (1, 500)}
    assert dict(points["input"].attributes) == {**LABELS, "gen_ai.token.type": "input"}
    (calls,) = found["llmspan.calls"].data.data_points
    assert calls.value == 1
    (first,) = found["llmspan.time_to_first_token"].data.data_points
    assert first.sum == pytest.approx(0.3)
    (attempts,) = found["llmspan.attempts"].data.data_points
    assert attempts.sum == 2


def test_each_record_once(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    for number in range(25):
        call = llmspan.Call("chat", provider="openai", recorder=recorder)
        call.end(error_type="timeout" if number % 5 == 0 else None)
        call.end()
    recorder.flush()
    points = metrics(sdk)["gen_ai.client.operation.duration"].data.data_points
    by_error = {point.attributes.get("error.type"): point.count for point in points}
    assert by_error == {None: 20, "timeout": 5}


def test_examples_are_of_the_call(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    simple_call(recorder)
    recorder.flush()
    (point,) = metrics(sdk)["gen_ai.client.operation.duration"].data.data_points
    span = sdk.span("chat gpt-4.1-mini").context
    assert [(exemplar.trace_id, exemplar.span_id) for exemplar in point.exemplars] == [(span.trace_id, span.span_id)]


def test_another_profile(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink(metrics_profile="qwen-code"))
    simple_call(recorder)
    recorder.flush()
    found = metrics(sdk)
    assert "gen_ai.client.operation.duration" not in found
    wanted = {row[0] for row in llmspan._llmspan.instruments("qwen-code")}
    assert found.keys() <= wanted
    assert found


def test_no_metrics(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink(metrics_profile=None))
    simple_call(recorder)
    recorder.flush()
    assert sdk.reader.get_metrics_data() is None
    assert len(sdk.spans) == 2


def test_a_long_stream_takes_a_bounded_number_of_measurements(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink(chunk_gaps=100))
    call = llmspan.Call("chat", provider="openai", stream=True, recorder=recorder, unix_ns=START, at_ns=0)
    attempt = call.attempt(at_ns=0)
    for number in range(5001):
        # 4,500 gaps of 10 ms, and 500 of 1 s.
        slow = max(0, number - 4500)
        attempt.chunk("text", at_ns=(number - slow) * 10 * MS + slow * 1000 * MS)
    call.end()
    recorder.flush()
    (point,) = metrics(sdk)["gen_ai.client.operation.time_per_output_chunk"].data.data_points
    assert 95 <= point.count <= 105
    assert point.min == pytest.approx(0.01)
    assert point.max == pytest.approx(1.0, rel=0.01)
    of_a_second = point.bucket_counts[7]  # above 0.64 s, up to 1.28 s
    assert 5 <= of_a_second <= 15


def test_short_streams_are_measured_gap_by_gap(sdk: Sdk, record_to: Recording) -> None:
    recorder = record_to(sdk.sink())
    retried_call(recorder)
    recorder.flush()
    (point,) = metrics(sdk)["gen_ai.client.operation.time_per_output_chunk"].data.data_points
    assert (point.count, point.sum) == (1, 0.6)
