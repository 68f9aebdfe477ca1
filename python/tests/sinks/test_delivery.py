"""A sink that fails, blocks or is slow never reaches the application."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING

import pytest

import llmspan

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Recording

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


class Blocking(llmspan.sinks.Sink):
    """Holds the recorder's thread until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.release = threading.Event()
        self.taken = 0
        self.closed = False

    def record(self, _: llmspan.Record) -> None:
        self.entered.set()
        self.release.wait()
        self.taken += 1

    def close(self) -> None:
        self.closed = True


def end_one(recorder: llmspan.Recorder) -> None:
    llmspan.Call("chat", recorder=recorder).end()


def test_a_failing_sink_does_not_stop_the_others(record_to: Recording, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(llmspan.sinks.Sink):
        def record(self, _: llmspan.Record) -> None:
            raise ValueError("of the sink")

        def ended(self, *_: object) -> None:
            raise ValueError("of the sink")

        def flush(self) -> None:
            raise ValueError("of the sink")

        def close(self) -> None:
            raise ValueError("of the sink")

    memory = llmspan.sinks.Memory()
    recorder = record_to(Failing(), memory)
    for _ in range(3):
        end_one(recorder)
    assert recorder.flush()
    assert len(memory.records) == 3
    # Three times `ended`, three times `record`, and the flush.
    assert recorder.stats.sink_errors == 7
    recorder.close()
    assert recorder.stats.sink_errors == 9
    assert [record.message for record in caplog.records] == ["a sink failed; later failures are counted"]


def test_a_blocking_sink_costs_records_and_no_time(record_to: Recording) -> None:
    sink = Blocking()
    recorder = record_to(sink, queue_size=10)
    end_one(recorder)
    assert sink.entered.wait(10)
    begun = time.perf_counter()
    for _ in range(1000):
        end_one(recorder)
    assert time.perf_counter() - begun < 5
    assert recorder.stats.dropped == 990
    assert not recorder.flush(0.05)
    sink.release.set()
    assert recorder.flush(10)
    assert sink.taken == 11


def test_close_waits_no_longer_than_it_is_told(record_to: Recording) -> None:
    sink = Blocking()
    recorder = record_to(sink)
    for _ in range(5):
        end_one(recorder)
    assert sink.entered.wait(10)
    begun = time.perf_counter()
    recorder.close(0.2)
    assert 0.1 < time.perf_counter() - begun < 5
    assert recorder.stats.dropped == 4
    # A call that ends later goes nowhere, and waits for nobody.
    end_one(recorder)
    assert recorder.stats.dropped == 5
    assert not sink.closed, "it would hold whoever closes it, too"
    sink.release.set()


def test_a_sink_may_close_its_recorder(record_to: Recording) -> None:
    recorders: list[llmspan.Recorder] = []
    recorder = record_to(lambda _: recorders[0].close())
    recorders.append(recorder)
    end_one(recorder)
    deadline = time.monotonic() + 10
    while any(thread.name == "llmspan" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.001)
    assert not [thread for thread in threading.enumerate() if thread.name == "llmspan"]
    assert recorder.stats.sink_errors == 0


def run(program: str, path: Path, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        # Later versions of Python warn of forks beside threads.
        [
            sys.executable,
            "-W",
            "error::RuntimeWarning",
            "-W",
            "ignore::DeprecationWarning",
            "-c",
            textwrap.dedent(program),
            str(path),
        ],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_the_exit_waits_five_seconds_at_most_for_a_sink_that_hangs(tmp_path: Path) -> None:
    program = """
    import threading, llmspan
    class Hanging(llmspan.sinks.Sink):
        def record(self, record):
            threading.Event().wait()
    llmspan.configure(sinks=[Hanging()])
    llmspan.Call("chat").end()
    llmspan.Call("chat").end()
    """
    begun = time.perf_counter()
    done = run(program, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert 4 < time.perf_counter() - begun < 15


def test_the_exit_hands_over_what_is_queued_to_a_slow_sink(tmp_path: Path) -> None:
    program = """
    import sys, time, llmspan
    class Slow(llmspan.sinks.JsonLines):
        def record(self, record):
            time.sleep(0.01)
            super().record(record)
    llmspan.configure(sinks=[Slow(sys.argv[1])])
    for _ in range(50):
        llmspan.Call("chat").end()
    open_call = llmspan.Call("chat")
    """
    path = tmp_path / "calls.jsonl"
    assert run(program, path).returncode == 0
    records = [llmspan.Record.from_json(line) for line in path.read_text().splitlines()]
    assert [record.outcome for record in records] == ["success"] * 50 + ["abandoned"]


def test_records_of_many_threads(record_to: Recording) -> None:
    memory = llmspan.sinks.Memory()
    recorder = record_to(memory)

    def work() -> None:
        for _ in range(200):
            end_one(recorder)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.flush()
    assert len({record.call for record in memory.records}) == 1600


def test_records_of_tasks_that_are_cancelled(record_to: Recording) -> None:
    memory = llmspan.sinks.Memory()
    recorder = record_to(memory)

    async def ask() -> None:
        async with llmspan.Call("chat", recorder=recorder):
            await asyncio.get_running_loop().create_future()

    async def main() -> None:
        tasks = [asyncio.create_task(ask()) for _ in range(10)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)

    asyncio.run(main())
    assert recorder.flush()
    assert [record.outcome for record in memory.records] == ["cancelled"] * 10


@needs_fork
def test_the_child_of_a_fork_has_its_own_records(tmp_path: Path) -> None:
    program = """
    import os, sys, llmspan
    sink = llmspan.sinks.JsonLines(sys.argv[1])
    memory, counts = llmspan.sinks.Memory(), llmspan.sinks.Prometheus()
    llmspan.configure(sinks=[sink, memory, counts])
    def count():
        text = counts.scrape()[1]
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("llmspan_calls_total"))
    llmspan.Call("chat", model="before").end()
    llmspan.flush()
    open_call = llmspan.Call("chat", model="open")
    child = os.fork()
    llmspan.Call("chat", model="child" if child == 0 else "parent").end()
    llmspan.flush()
    models = [record.model for record in memory.records]
    if child == 0:
        assert models == ["child"], models
        assert count() == 1, count()
        sys.exit(0)
    assert models == ["before", "parent"], models
    assert count() == 2, count()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    open_call.end()
    """
    path = tmp_path / "calls.jsonl"
    done = run(program, path)
    assert (done.returncode, done.stderr) == (0, "")
    models = [llmspan.Record.from_json(line).model for line in path.read_text().splitlines()]
    assert sorted(map(str, models)) == ["before", "child", "open", "parent"]


@needs_fork
def test_a_fork_while_a_sink_holds_the_thread(tmp_path: Path) -> None:
    program = """
    import os, sys, threading, llmspan
    parent = os.getpid()
    entered = threading.Event()
    class Hanging(llmspan.sinks.JsonLines):
        def record(self, record):
            if os.getpid() == parent:
                entered.set()
                threading.Event().wait()
            super().record(record)
    llmspan.configure(sinks=[Hanging(sys.argv[1])])
    for model in ("hangs", "waits"):
        llmspan.Call("chat", model=model).end()
    entered.wait(10)
    child = os.fork()
    if child == 0:
        llmspan.Call("chat", model="child").end()
        assert llmspan.flush(10)
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os._exit(0)
    """
    path = tmp_path / "calls.jsonl"
    done = run(program, path)
    assert (done.returncode, done.stderr) == (0, "")
    assert [llmspan.Record.from_json(line).model for line in path.read_text().splitlines()] == ["child"]


def test_a_trace_of_a_process_that_was_killed(tmp_path: Path) -> None:
    program = """
    import os, signal, sys, llmspan
    llmspan.configure(sinks=[llmspan.sinks.ChromeTrace(sys.argv[1])])
    for number in range(3):
        with llmspan.Call("chat", model=f"m{number}", stream=True) as call:
            with call.attempt() as attempt:
                attempt.chunk("text")
    llmspan.flush()
    os.kill(os.getpid(), signal.SIGKILL)
    """
    path = tmp_path / "trace.json"
    assert run(program, path).returncode == -signal.SIGKILL
    # The format leaves the closing bracket to the reader.
    events = json.loads(path.read_text() + "]")
    calls = [event for event in events if event["name"] == "llm.chat_stream"]
    assert len(calls) == 3
    assert all(event["ph"] == "X" and event["dur"] > 0 for event in calls)
