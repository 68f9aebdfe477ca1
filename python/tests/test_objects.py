"""Objects of SDKs are read in place."""

from __future__ import annotations

import dataclasses
import enum
import json
from typing import TYPE_CHECKING, Any

import attrs
import pydantic
import pytest

if TYPE_CHECKING:
    from conftest import Bench

PROTOCOL = "openai.chat"


class Finish(enum.Enum):
    STOP = "stop"


class FinishText(str, enum.Enum):
    STOP = "stop"


class Delta(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    content: str | None = None
    refusal: str | None = None


class Choice(pydantic.BaseModel):
    index: int
    delta: Delta
    finish_reason: Finish | None = None


class Chunk(pydantic.BaseModel):
    id: str
    model: str
    choices: list[Choice]
    usage: dict[str, Any] | None = None
    _secret: str = "hidden"


@dataclasses.dataclass
class DataDelta:
    content: str


@dataclasses.dataclass(slots=True)
class DataChoice:
    index: int
    delta: DataDelta
    finish_reason: FinishText


@attrs.define
class AttrsChunk:
    id: str
    model: str
    choices: tuple[DataChoice, ...]
    usage: dict[str, int]


class PlainChunk:
    def __init__(self) -> None:
        self.id = "c"
        self.model = "gpt"
        self.choices = [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]
        self.usage = {"prompt_tokens": 3, "completion_tokens": 2}


USAGE = {"prompt_tokens": 3, "completion_tokens": 2}
WIRE: dict[str, Any] = {
    "id": "c",
    "model": "gpt",
    "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}],
    "usage": USAGE,
}


@pytest.mark.parametrize(
    "event",
    [
        WIRE,
        json.dumps(WIRE),
        json.dumps(WIRE).encode(),
        Chunk(
            id="c",
            model="gpt",
            choices=[Choice(index=0, delta=Delta(content="Hi"), finish_reason=Finish.STOP)],
            usage=USAGE,
        ),
        AttrsChunk("c", "gpt", (DataChoice(0, DataDelta("Hi"), FinishText.STOP),), USAGE),
        PlainChunk(),
    ],
    ids=["dict", "text", "bytes", "pydantic", "attrs", "plain"],
)
def test_every_kind_of_object_says_the_same(bench: Bench, event: object) -> None:
    call = bench.call()
    call.attempt().payload(PROTOCOL, event)
    call.end()
    record = bench.record
    assert record.outcome == "success"
    assert (record.response_id, record.response_model, record.finish_reasons) == ("c", "gpt", ["stop"])
    assert record.content is not None
    assert (record.content.text_bytes, record.content.chunks) == (2, 1)
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (3, 2)
    assert record.diagnostics.decode_errors == 0


def test_extra_fields_of_a_model_are_read(bench: Bench) -> None:
    delta = Delta.model_validate({"reasoning_content": "Hmm"})
    call = bench.call()
    call.attempt().payload(PROTOCOL, Chunk(id="c", model="m", choices=[Choice(index=0, delta=delta)]))
    call.end()
    assert bench.record.content is not None
    assert bench.record.content.reasoning_bytes == 3


class NotGiven:
    """A sentinel, as SDKs have for what was not given."""


class Raising:
    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        raise RuntimeError


class Cyclic:
    def __init__(self) -> None:
        self.choices = [self]


@pytest.mark.parametrize(
    "odd", [NotGiven(), object(), len, int, json, Raising(), {1, 2}, iter([]), "\ud800", 2**70, float("nan")]
)
def test_what_is_no_value_is_absent(bench: Bench, odd: object) -> None:
    call = bench.call()
    event = {
        "id": odd,
        "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": odd}],
        "usage": odd,
        5: odd,
    }
    call.attempt().payload(PROTOCOL, event)
    call.end()
    record = bench.record
    assert (record.response_id, record.finish_reasons, record.usage) == (None, [], None)
    assert record.content is not None
    assert record.content.text_bytes == 2


@pytest.mark.parametrize("broken", [Cyclic(), "{", b"\xff", 7, None, [[]] * 3])
def test_what_is_no_event_is_counted_or_says_nothing(bench: Bench, broken: object) -> None:
    call = bench.call()
    call.attempt().payload(PROTOCOL, broken)
    call.end()
    record = bench.record
    assert record.ttft_ns is None
    assert record.usage is None


def test_nesting_is_bounded(bench: Bench) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    call = bench.call()
    call.attempt().payload(PROTOCOL, {"choices": deep})
    call.end()
    assert bench.record.diagnostics.decode_errors == 1


def test_bytes_of_media_are_as_long_as_on_the_wire(bench: Bench) -> None:
    call = bench.call()
    part = {"inline_data": {"mime_type": "image/png", "data": b"\x89PNG"}}
    call.attempt().payload("gemini.generate_content", {"candidates": [{"content": {"parts": [part]}}]})
    call.end()
    assert bench.record.content is not None
    assert bench.record.content.image_bytes == 8


def test_an_object_that_ends_its_own_call_while_it_is_read(bench: Bench) -> None:
    call = bench.call()
    attempt = call.attempt()

    class Meddling:
        @property
        def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
            attempt.payload(PROTOCOL, WIRE)
            call.end()
            return {"id": "late"}

    attempt.payload(PROTOCOL, {"nested": Meddling(), "id": "outer"})
    assert bench.record.response_id == "c"


def test_a_dict_that_changes_while_it_is_read(bench: Bench) -> None:
    event: dict[str, Any] = {}

    class Growing:
        @property
        def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
            event.clear()
            event["new"] = 1
            return {"x": 1}

    event.update({"first": Growing(), "id": "c", "choices": [{"index": 0, "delta": {"content": "Hi"}}]})
    call = bench.call()
    call.attempt().payload(PROTOCOL, event)
    call.end()
    assert bench.record.response_id == "c"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_raw_bytes_of_any_type(bench: Bench, kind: type[Any]) -> None:
    call = bench.call()
    attempt = call.attempt()
    body = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    for at in range(0, len(body), 5):
        attempt.bytes(PROTOCOL, kind(body[at : at + 5]))
    attempt.stream_ended()
    call.end()
    assert bench.record.outcome == "success"
    assert bench.record.protocol == PROTOCOL
