"""A line for each call."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import llmspan

from .conftest import retried_call

if TYPE_CHECKING:
    import pytest

    from .conftest import Recording


def test_lines_and_levels(record_to: Recording, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    recorder = record_to(llmspan.sinks.Logging())
    retried_call(recorder)
    call = llmspan.Call("chat", provider="openai", recorder=recorder)
    call.attempt().fail(error_type="timeout")
    call.end()
    assert recorder.flush()
    good, bad = caplog.records
    assert (good.name, good.levelno, bad.levelno) == ("llmspan.calls", logging.INFO, logging.WARNING)
    assert good.getMessage().startswith("chat gpt-4.1-mini: success, 3.25 s in all: ")
    assert bad.getMessage().startswith("chat openai: error (timeout), ")
    assert vars(good)["llmspan"].attempt_count == 2


def test_a_logger_of_the_application(record_to: Recording, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("app.llm")
    caplog.set_level(logging.DEBUG, "app.llm")
    recorder = record_to(llmspan.sinks.Logging("app.llm", logging.DEBUG, error_level=logging.ERROR))
    llmspan.Call("chat", recorder=recorder).end()
    llmspan.Call("chat", recorder=recorder).end(error_type="network")
    recorder.flush()
    assert [(record.name, record.levelno) for record in caplog.records] == [
        ("app.llm", logging.DEBUG),
        ("app.llm", logging.ERROR),
    ]
    caplog.clear()
    logger.setLevel(logging.CRITICAL)
    llmspan.Call("chat", recorder=recorder).end()
    recorder.flush()
    assert caplog.records == []
