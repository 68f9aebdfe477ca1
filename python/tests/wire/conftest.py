"""A server that misbehaves on request, and a recorder that keeps what it is told."""

from __future__ import annotations

import gc
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

import llmspan
from llmspan._wire import hook_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmspan import Record

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Faults:
    """The fault server: see `tests/faults/README.md`."""

    _runs = itertools.count()

    def __init__(self, address: str) -> None:
        self.address = address
        self.run = ""

    def url(self, parameters: str = "") -> str:
        """A base URL of a new run."""
        self.run = f"{os.getpid()}-{next(self._runs)}"
        return f"{self.address}/s/run={self.run}" + (f"&{parameters}" if parameters else "")

    def truth(self, run: str | None = None) -> list[dict[str, Any]]:
        """What the server did in a run, the last one if none is named."""
        with urllib.request.urlopen(f"{self.address}/runs/{run or self.run}?wait=2000") as answer:
            requests: list[dict[str, Any]] = json.load(answer)["requests"]
        return requests


class Seen:
    """A recorder, and the records of calls that ended."""

    def __init__(self) -> None:
        self.memory = llmspan.sinks.Memory()
        # The clock of the server's log: times are compared as they are.
        self.recorder = llmspan.Recorder([self.memory], wall_clock=time.perf_counter_ns)

    def records(self) -> list[Record]:
        """The records since the last time, in the order in which their calls began."""
        gc.collect()
        assert self.recorder.flush()
        records = self.memory.records
        self.memory.clear()
        return sorted(records, key=lambda record: record.start_unix_ns or 0)

    def record(self) -> Record:
        """The one record since the last time."""
        records = self.records()
        assert len(records) == 1, [record.to_dict() for record in records]
        return records[0]


@pytest.fixture(scope="session")
def fault_server() -> Iterator[str]:
    binary = os.environ.get("LLMSPAN_FAULTS")
    if not binary and not shutil.which("cargo"):
        pytest.skip("LLMSPAN_FAULTS names no fault server, and there is no cargo to build one")
    command = [binary] if binary else ["cargo", "run", "--quiet", "-p", "llmspan-faults", "--"]
    with subprocess.Popen([*command, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


@pytest.fixture
def faults(fault_server: str) -> Faults:
    return Faults(fault_server)


@pytest.fixture
def seen() -> Iterator[Seen]:
    """A recorder; after the test no call is open, and no hook has failed."""
    gc.collect()
    # SDKs are large: what is there stays, and need not be looked through again and again.
    gc.freeze()
    errors = hook_errors()
    seen = Seen()
    yield seen
    llmspan.uninstrument()
    gc.collect()
    seen.recorder.flush()
    stats = seen.recorder.stats
    seen.recorder.close()
    assert stats.open_calls == 0
    assert stats.invalid_events == 0
    assert stats.sink_errors == 0
    assert hook_errors() == errors
