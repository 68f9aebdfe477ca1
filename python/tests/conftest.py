"""What tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import llmspan

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns

    def advance_ms(self, ms: int) -> None:
        self.ns += ms * 1_000_000


class Bench:
    """A recorder on a manual clock, and what it recorded."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.memory = llmspan.sinks.Memory()
        self.recorder = llmspan.Recorder([self.memory], clock=self.clock, wall_clock=None)

    def call(self, operation: str = "chat", *, stream: bool | None = True, model: str = "m") -> llmspan.Call:
        return llmspan.Call(operation, model=model, stream=stream, recorder=self.recorder)

    @property
    def records(self) -> list[llmspan.Record]:
        assert self.recorder.flush()
        return self.memory.records

    @property
    def record(self) -> llmspan.Record:
        (record,) = self.records
        return record


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.recorder.close()
