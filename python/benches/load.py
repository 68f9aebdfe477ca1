"""Offers chunks to thousands of calls that are open at once, from threads or from tasks, and checks that nothing is lost.

    python python/benches/load.py [--seconds N] [--rate N] [--calls N] [--way threads|tasks] [--threads N]

against the installed package. It fails when a record or a chunk is missing. Times and memory are printed: the interpreter's own
share of both is large, and the machine may be busy.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import threading
import time
from typing import NamedTuple

import llmspan

CHUNK = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4.1-mini",'
    b'"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}\n\n'
)
END = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4.1-mini",'
    b'"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)

CHUNKS_PER_CALL = 200
BETWEEN_LOOKS = 256
"""Chunks between two looks at whether a thread is ahead of its rate, or between two turns of a task."""


class Plan(NamedTuple):
    """What is offered."""

    calls: int
    """Calls that are open at the same time."""
    chunks: int
    """Chunks of all calls together."""
    rate: int | None
    """Chunks per second; as many as there is time for without one."""


class Tally(llmspan.sinks.Sink):
    """Counts records and what they count."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.records = 0
        self.complete = 0
        self.chunks = 0

    def record(self, record: llmspan.Record) -> None:
        """Count one."""
        self.records += 1
        self.complete += record.outcome == "success" and record.finish_reasons == ["stop"]
        self.chunks += record.content.visible_chunks if record.content else 0


class Streaming:
    """A call whose answer comes."""

    def __init__(self, recorder: llmspan.Recorder, left: int) -> None:
        """Open it, for so many chunks."""
        self.call = llmspan.Call("chat", provider="openai", model="gpt-4.1-mini", stream=True, recorder=recorder)
        self.attempt = self.call.attempt()
        self.take = self.attempt.bytes
        self.left = left

    def end(self) -> None:
        """End the answer and the call."""
        self.take("openai.chat", END)
        self.attempt.stream_ended()
        self.call.end()


class Share:
    """The calls of one thread or task, in turn."""

    def __init__(self, plan: Plan, recorder: llmspan.Recorder) -> None:
        """Open all calls of the share."""
        self.plan = plan
        self.recorder = recorder
        self.opened = plan.calls
        self.offered = 0
        self.costs: list[int] = []
        # Calls begin at different points of their lives, so that they do not all end together.
        self.calls = [Streaming(recorder, 1 + number % CHUNKS_PER_CALL) for number in range(plan.calls)]
        self.began = time.perf_counter()

    def step(self) -> float | None:
        """Offer some chunks. Gives how long there is nothing to do then, and ``None`` at the end."""
        clock = time.perf_counter_ns
        for _ in range(min(BETWEEN_LOOKS, self.plan.chunks - self.offered)):
            at = self.offered % len(self.calls)
            streaming = self.calls[at]
            before = clock()
            streaming.take("openai.chat", CHUNK)
            cost = clock() - before
            if self.offered % 64 == 0:
                self.costs.append(cost)
            self.offered += 1
            streaming.left -= 1
            if streaming.left == 0:
                self.calls[at] = Streaming(self.recorder, CHUNKS_PER_CALL)
                self.opened += 1
                streaming.end()
        if self.offered >= self.plan.chunks:
            for streaming in self.calls:
                streaming.end()
            return None
        if self.plan.rate is None:
            return 0.0
        return max(self.began + self.offered / self.plan.rate - time.perf_counter(), 0.0)


def in_threads(plan: Plan, recorder: llmspan.Recorder, count: int) -> list[Share]:
    """Share the plan out to threads."""
    shares: list[Share] = []

    def work(part: Plan) -> None:
        share = Share(part, recorder)
        shares.append(share)
        while (pause := share.step()) is not None:
            if pause > 0:
                time.sleep(pause)

    threads = [threading.Thread(target=work, args=(part,)) for part in parts(plan, count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return shares


def in_tasks(plan: Plan, recorder: llmspan.Recorder, count: int) -> list[Share]:
    """Share the plan out to tasks of one loop."""

    async def work(part: Plan) -> Share:
        share = Share(part, recorder)
        while (pause := share.step()) is not None:
            await asyncio.sleep(pause)
        return share

    async def run() -> list[Share]:
        return list(await asyncio.gather(*(work(part) for part in parts(plan, count))))

    return asyncio.run(run())


def parts(plan: Plan, count: int) -> list[Plan]:
    """Cut a plan into equal parts."""
    rate = None if plan.rate is None else plan.rate // count
    return [Plan(plan.calls // count, plan.chunks // count, rate) for _ in range(count)]


def resident() -> int:
    """Bytes of the process in memory; 0 where there is no such file."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def run(way: str, plan: Plan, count: int) -> bool:
    """Do it once; says whether nothing was lost."""
    tally = Tally()
    # Every record has to be counted: the queue is as long as all calls that there can be.
    recorder = llmspan.Recorder([tally], queue_size=plan.calls + plan.chunks)
    before, began = resident(), time.perf_counter()
    shares = (in_threads if way == "threads" else in_tasks)(plan, recorder, count)
    took, held = time.perf_counter() - began, resident() - before
    recorder.flush(120)
    recorder.close()
    opened, offered = sum(share.opened for share in shares), sum(share.offered for share in shares)
    costs = sorted(cost for share in shares for cost in share.costs)
    stats = recorder.stats
    print(f"{way}: {plan.calls} calls open at once, {offered} chunks in {took:.1f} s, {offered / took:,.0f} per second")
    print(f"  {opened} calls opened, {tally.records} records; {tally.chunks} chunks in the records; {stats}")
    print(
        f"  {held // max(plan.calls, 1)} bytes of memory by open call at the end, with the interpreter's and the queue's"
    )
    print(f"  a chunk costs {costs[len(costs) // 2]} ns (p50), {costs[len(costs) * 99 // 100]} ns (p99)")
    return (tally.records, tally.complete, tally.chunks, stats.open_calls, stats.dropped) == (
        opened,
        opened,
        offered,
        0,
        0,
    )


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--rate", type=int, default=1_000_000, help="chunks offered per second; default: %(default)s")
    parser.add_argument("--calls", type=int, default=10_000, help="open at once; default: %(default)s")
    parser.add_argument("--chunks", type=int, help="so many chunks, as fast as it goes, in place of seconds and rate")
    parser.add_argument("--way", choices=("threads", "tasks"), action="append", help="default: both")
    parser.add_argument("--threads", type=int, default=4, help="threads or tasks; default: %(default)s")
    options = parser.parse_args()
    rate = None if options.chunks else options.rate
    plan = Plan(options.calls, options.chunks or options.rate * options.seconds, rate)
    lossless = [run(way, plan, options.threads) for way in options.way or ("threads", "tasks")]
    if not all(lossless):
        print("records or chunks were lost", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
