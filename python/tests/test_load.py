"""A short form of the load: thousands of calls at once lose no record and no chunk. No times."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

LOAD = pathlib.Path(__file__).resolve().parents[1] / "benches/load.py"


@pytest.mark.parametrize("way", ["threads", "tasks"])
def test_nothing_is_lost(way: str) -> None:
    command = [sys.executable, str(LOAD), "--way", way, "--calls", "4000", "--chunks", "40000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "40000 chunks in the records" in done.stdout
