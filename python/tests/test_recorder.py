"""The way of records to sinks, and what must not stand in it."""

from __future__ import annotations

import json
import logging
import os
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

    from conftest import Bench


def end_one(recorder: llmspan.Recorder) -> None:
    llmspan.Call("chat", recorder=recorder).end()


def test_functions_are_sinks() -> None:
    taken: list[llmspan.Record] = []
    recorder = llmspan.Recorder([taken.append])
    end_one(recorder)
    assert recorder.flush()
    assert [record.outcome for record in taken] == ["success"]
    assert taken[0].start_unix_ns is not None
    assert abs(taken[0].start_unix_ns - time.time_ns()) < 60 * 10**9
    recorder.close()


def test_configure_sets_the_recorder_of_calls() -> None:
    first, second = llmspan.sinks.Memory(), llmspan.sinks.Memory()
    recorder = llmspan.configure(sinks=[first], profiles=["langfuse"])
    assert llmspan.default_recorder() is recorder
    assert recorder.profiles == ("langfuse",)
    open_call = llmspan.Call("chat")
    llmspan.configure(sinks=[second])
    llmspan.Call("chat").end()
    assert llmspan.flush()
    assert [record.outcome for record in first.records] == ["abandoned"]
    assert [record.outcome for record in second.records] == ["success"]
    open_call.end()
    llmspan.configure()


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text('{"call":"before"}\n')
    recorder = llmspan.Recorder([llmspan.sinks.JsonLines(path)])
    for _ in range(3):
        end_one(recorder)
    recorder.close()
    calls = [json.loads(line)["call"] for line in path.read_text().splitlines()]
    assert calls == ["before", "1", "2", "3"]


def test_a_full_queue_drops_and_counts() -> None:
    entered, leave = threading.Event(), threading.Event()

    def wait(_: llmspan.Record) -> None:
        entered.set()
        assert leave.wait(10)

    recorder = llmspan.Recorder([wait], queue_size=2)
    end_one(recorder)
    assert entered.wait(10)
    for _ in range(5):
        end_one(recorder)
    assert recorder.stats.dropped == 3
    assert recorder.flush(timeout=0.01) is False
    leave.set()
    assert recorder.flush()
    assert recorder.stats.records == 6
    recorder.close()


def test_a_sink_that_fails_is_counted_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    memory = llmspan.sinks.Memory()

    def fail(_: llmspan.Record) -> None:
        raise ValueError("of the sink")

    recorder = llmspan.Recorder([fail, memory])
    with caplog.at_level(logging.WARNING, logger="llmspan"):
        end_one(recorder)
        end_one(recorder)
        recorder.close()
    assert recorder.stats.sink_errors == 2
    assert len(memory.records) == 2
    assert len(caplog.records) == 1


def test_a_sink_may_flush_its_recorder() -> None:
    results: list[bool] = []
    recorder = llmspan.Recorder([lambda _: results.append(recorder.flush(timeout=10))])
    end_one(recorder)
    assert recorder.flush()
    assert results == [False]
    recorder.close()


def test_deadlines_pass_without_help() -> None:
    memory = llmspan.sinks.Memory()
    recorder = llmspan.Recorder([memory], config={"deadline_ns": 1_000_000})
    call = llmspan.Call("chat", recorder=recorder)
    until = time.monotonic() + 20
    while not memory.records and time.monotonic() < until:
        time.sleep(0.01)
    assert call.is_open is False
    (record,) = memory.records
    assert (record.outcome, record.timeout_kind, record.duration_ns) == ("timed_out", "deadline", 1_000_000)
    recorder.close()


def test_tick_ends_what_is_due(bench: Bench) -> None:
    recorder = llmspan.Recorder([bench.memory], config='{"abandon_after_ns": 5}', clock=bench.clock)
    call = llmspan.Call("chat", recorder=recorder)
    recorder.tick()
    assert call.is_open
    bench.clock.ns = 6
    recorder.tick()
    assert call.is_open is False
    recorder.close()
    assert [record.outcome for record in bench.memory.records] == ["abandoned"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"config": {"nonsense": 1}}, "invalid_config"),
        ({"config": "[]"}, "invalid_config"),
        ({"config": {"deadline_ns": 0}}, "invalid_config"),
        ({"profiles": ["nope"]}, "unknown_profile"),
    ],
)
def test_what_cannot_be_configured_raises(arguments: dict[str, object], code: str) -> None:
    with pytest.raises(llmspan.Error) as raised:
        llmspan.Recorder(**arguments)  # type: ignore[arg-type]
    assert raised.value.code == code


def test_a_clock_that_raises_is_not_felt() -> None:
    def clock() -> int:
        raise OSError

    memory = llmspan.sinks.Memory()
    recorder = llmspan.Recorder([memory], clock=clock, wall_clock=clock)
    with llmspan.Call("chat", recorder=recorder, at_ns=5) as call:
        call.attempt().chunk("text")
    recorder.close()
    assert memory.records[0].duration_ns == 0
    assert memory.records[0].start_unix_ns is None


def test_calls_of_many_threads(bench: Bench) -> None:
    shared = bench.call()
    attempt = shared.attempt()

    def work() -> None:
        for _ in range(500):
            attempt.chunk("text", bytes=1)
            attempt.payload("openai.chat", {"choices": [{"index": 0, "delta": {"content": "xy"}}]})
            with bench.call() as own:
                own.attempt().chunk(terminal=True)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shared.end()
    assert bench.recorder.flush()
    record = next(record for record in bench.records if record.call == "1")
    assert len(bench.records) == 8 * 500 + 1
    assert record.content is not None
    assert record.content.text_bytes == 8 * 500 * 3


def run_program(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", textwrap.dedent(program), *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_exit_of_the_interpreter_ends_and_writes_everything(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    program = """
        import sys, threading, llmspan
        llmspan.configure(sinks=[llmspan.sinks.JsonLines(sys.argv[1])])
        done = llmspan.Call("done"); done.end()
        open_one = llmspan.Call("open"); attempt = open_one.attempt()
        class Late:
            def __del__(self, Call=llmspan.Call): Call("late").end()
        late = Late()
        cycle = [llmspan.Call("cycle")]; cycle.append(cycle)
        sys.modules["kept"] = (late, cycle)
    """
    finished = run_program(program, str(path))
    assert (finished.returncode, finished.stderr) == (0, "")
    outcomes = {line["operation"]: line["outcome"] for line in map(json.loads, path.read_text().splitlines())}
    assert outcomes["done"] == "success"
    assert outcomes["open"] == outcomes["cycle"] == "abandoned"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_leaves_the_parent_its_calls_and_has_calls_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    program = """
        import os, sys, llmspan
        llmspan.configure(sinks=[llmspan.sinks.JsonLines(sys.argv[1])])
        llmspan.Call("before").end()
        open_one = llmspan.Call("parent")
        child = os.fork()
        if child == 0:
            llmspan.Call("child").end()
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        open_one.end()
    """
    finished = run_program(program, str(path))
    assert finished.returncode == 0, finished.stderr
    operations = sorted(json.loads(line)["operation"] for line in path.read_text().splitlines())
    assert operations == ["before", "child", "parent"]


def test_importing_takes_nothing_that_is_not_needed() -> None:
    finished = run_program("import sys, llmspan; print(*sys.modules)")
    modules = set(finished.stdout.split())
    assert "llmspan" in modules
    assert not modules & {"asyncio", "httpx", "json", "logging", "opentelemetry", "pydantic"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_chunks_or_calls() -> None:
    program = """
        import llmspan
        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * 4
        llmspan.configure()
        chunk = {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}
        call = llmspan.Call("chat"); attempt = call.attempt()
        def chunks(count):
            for _ in range(count):
                attempt.payload("openai.chat", chunk)
        def calls(count):
            for _ in range(count):
                llmspan.Call("chat").attempt().chunk("text")
        chunks(1_000); calls(1_000)
        before = resident()
        chunks(200_000); calls(10_000)
        print(resident() - before)
    """
    finished = run_program(program)
    assert int(finished.stdout) < 1_024, finished.stderr
