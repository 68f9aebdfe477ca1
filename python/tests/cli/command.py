"""The installed command, run as a process, and small inputs for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

LLMSPAN = str(Path(sysconfig.get_path("scripts")) / ("llmspan.exe" if sys.platform == "win32" else "llmspan"))

SECOND = 1_000_000_000
START = 1_763_713_200 * SECOND
"""21 November 2025, 08:20 UTC."""


def environment(**more: str) -> dict[str, str]:
    """The environment of a command: nothing of the terminal that the tests run in."""
    kept = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR", "PYTHONPATH"}}
    return {**kept, "PYTHONIOENCODING": "utf-8", **more}


def run(*arguments: str | Path, text: str | bytes = b"", **more: str) -> subprocess.CompletedProcess[str]:
    """Run `llmspan`, with text on its standard input and more in its environment."""
    data = text.encode() if isinstance(text, str) else text
    done = subprocess.run(
        [LLMSPAN, *map(str, arguments)], input=data, capture_output=True, env=environment(**more), check=False
    )
    out, error = done.stdout.decode(), done.stderr.decode()
    return subprocess.CompletedProcess(
        done.args, done.returncode, out.replace("\r\n", "\n"), error.replace("\r\n", "\n")
    )


def record(call: str, seconds: float = 1, outcome: str = "success", **fields: Any) -> dict[str, Any]:
    """A record as a dict. Its call began at `START`, asked `m` of `p` and had one attempt that lasted as long."""
    duration = round(seconds * SECOND)
    error = {"error": {"type": "boom"}} if outcome == "error" else {}
    attempt = {"number": 1, "outcome": outcome, "start_ns": 0, "duration_ns": duration, **error}
    found = {
        "call": call,
        "operation": "chat",
        "provider": "p",
        "model": "m",
        "stream": True,
        "outcome": outcome,
        **error,
        "start_unix_ns": str(START),
        "end_unix_ns": str(START + duration),
        "duration_ns": duration,
        "attempt_count": 1,
        "final_attempt": 1,
        "attempts": [attempt],
    }
    return {**found, **fields}


def lines(*records: dict[str, Any]) -> str:
    """Records as JSON lines."""
    return "".join(json.dumps(one) + "\n" for one in records)


LOG = """\
{"at_ns":0,"event":"call_started","call":"simple","operation":"chat","provider":"openai","model":"gpt-4.1-mini","stream":true}
{"at_ns":0,"event":"attempt_started","call":"simple"}
{"at_ns":250000000,"event":"chunk","call":"simple","content":"text","response_id":"id-1"}
{"at_ns":1000000000,"event":"chunk","call":"simple","content":"text","finish_reasons":["stop"],"usage":{"input_tokens":1204,"output_tokens":31},"terminal":true}
{"at_ns":1000000000,"event":"call_ended","call":"simple"}
"""

PRICES = '{"prices":[{"model":"gpt-4.1-mini","input":400000000,"output":1600000000}]}'
