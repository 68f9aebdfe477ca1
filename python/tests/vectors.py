"""Runs conformance vectors through the installed package.

Each argument is a file with the paths of vectors, one a line. For each vector one line of JSON comes out: its
``file``, the JSON of its ``records``, and ``why`` the event log was replayed where the methods of the package cannot
say a step. What the records have to be is compared by the caller.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import llmspan


class NoMethodError(Exception):
    """A step has no method."""


class Player:
    """Tells calls what the steps of one vector say."""

    def __init__(self, config: dict[str, Any]) -> None:
        """Make a recorder whose clock is that of the steps."""
        if set(config.get("limits", {})) & {"open_calls", "pending_records", "finished_calls"}:
            raise NoMethodError("caps of a tracker")
        self.now = 0
        self.last = 0
        self.records: list[str] = []
        self.recorder = llmspan.Recorder(config=config, clock=lambda: self.now, wall_clock=None)
        # The engine hands records over where they arise; the queue is for sinks.
        engine = type(self.recorder.engine)
        self.recorder.engine = engine(self.take, lambda: self.now, None, json.dumps(config))
        self.calls: dict[str, llmspan.Call] = {}
        self.attempts: dict[tuple[str, int], llmspan.Attempt] = {}

    def take(self, record: llmspan.Record, _context: object, _abandoned: bool) -> None:  # noqa: FBT001 - as the engine calls it
        """Keep the JSON of a record."""
        self.records.append(record.to_json())

    def play(self, steps: list[dict[str, Any]]) -> list[str]:
        """Tell every step, then drop what is open."""
        for given in steps:
            step = dict(given)
            self.now = int(step.pop("at_ns"))
            self.last = max(self.last, self.now)
            self.step(step.pop("event"), step)
        self.recorder.engine.abandon_open_calls(at_ns=self.last)
        if self.recorder.stats.invalid_events:
            raise RuntimeError("the package left out an event")
        return self.records

    def step(self, event: str, step: dict[str, Any]) -> None:
        """Tell one step, its time by the clock or by `at_ns`."""
        if event == "tick" and "call" not in step:
            self.recorder.engine.tick(at_ns=self.now)
            return
        id_ = step.pop("call", "1")
        call = self.calls.get(id_)
        if event == "call_started":
            if call is not None and call.is_open:
                raise NoMethodError("a call that starts twice")
            self.start(id_, **step)
            return
        if call is None:
            call = self.start(id_)
        if not call.is_open:
            raise NoMethodError("an event after the end of its call")
        if event == "attempt_started":
            attempt = call.attempt(**step, at_ns=self.now)
            self.attempts[id_, attempt.number] = attempt
        elif event == "call_dropped":
            del call
            self.drop(id_)
        elif event in ON_CALL:
            getattr(call, ON_CALL[event])(**step, at_ns=self.now)
        else:
            self.exchange(event, step, call, self.attempts.get((id_, step.get("attempt", 0))))

    def start(self, id_: str, unix_ns: str | None = None, **fields: Any) -> llmspan.Call:
        """Open a call; its time is the clock's."""
        unix = None if unix_ns is None else int(unix_ns)
        call = llmspan.Call(id=id_, recorder=self.recorder, unix_ns=unix, **fields)
        self.calls[id_] = call
        return call

    def drop(self, id_: str) -> None:
        """Let the destructor of a call end it."""
        self.attempts = {key: attempt for key, attempt in self.attempts.items() if key[0] != id_}
        del self.calls[id_]

    def exchange(self, event: str, step: dict[str, Any], call: llmspan.Call, attempt: llmspan.Attempt | None) -> None:
        """Tell a step of an attempt."""
        target: llmspan.Call | llmspan.Attempt = call
        if "attempt" in step:
            if attempt is None:
                raise NoMethodError("an attempt that nobody began")
            del step["attempt"]
            target = attempt
        if event == "payload":
            target.payload(step["protocol"], step["data"], at_ns=self.now)
        elif event == "bytes":
            data = step["utf8"].encode() if "utf8" in step else base64.b64decode(step["base64"])
            target.bytes(step["protocol"], data, at_ns=self.now)
        elif event == "usage":
            target.usage(**step["usage"], at_ns=self.now)
        else:
            getattr(target, ON_EXCHANGE[event])(**step, at_ns=self.now)


ON_CALL = {
    "attributes": "attributes",
    "call_ended": "end",
    "cancelled": "cancelled",
    "phase_ended": "phase_ended",
    "phase_started": "phase_started",
    "retry_scheduled": "retry",
    "retry_wait_ended": "retry_wait_ended",
    "tick": "tick",
    "timed_out": "timed_out",
}

ON_EXCHANGE = {
    "attempt_failed": "failed",
    "chunk": "chunk",
    "consumer_closed": "consumer_closed",
    "delivered": "delivered",
    "headers_received": "headers",
    "keep_alive": "keep_alive",
    "request_sent": "request_sent",
    "stream_ended": "stream_ended",
}


def run(path: str) -> dict[str, Any]:
    """Run one vector."""
    vector = json.loads(Path(path).read_text(encoding="utf-8"))
    config = vector.get("config", {})
    try:
        return {"file": path, "records": Player(config).play(vector["steps"])}
    except NoMethodError as why:
        log = "\n".join(map(json.dumps, vector["steps"]))
        records = llmspan.replay(log, config=json.dumps(config))
        return {"file": path, "records": [record.to_json() for record in records], "why": str(why)}


def main() -> None:
    """Run the vectors in the lists."""
    for paths in sys.argv[1:]:
        for path in Path(paths).read_text(encoding="utf-8").splitlines():
            try:
                result = run(path)
            except Exception as error:
                result = {"file": path, "records": [], "error": f"{type(error).__name__}: {error}"}
            print(json.dumps(result))


if __name__ == "__main__":
    main()
