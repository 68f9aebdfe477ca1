"""Without sinks, records go to the OpenTelemetry SDK of the application, once it has one."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap


def run(program: str, before: str = "") -> list[str]:
    """Run a program in a new interpreter; give its lines."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", before + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={key: value for key, value in os.environ.items() if not key.startswith("OTEL_")},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


SDK = """
import atexit
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

class Printer(SpanExporter):
    def export(self, spans):
        for span in spans:
            print(span.name, span.parent is not None)
        return SpanExportResult.SUCCESS

def set_up():
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Printer()))
    trace.set_tracer_provider(provider)
    return provider
"""


def test_nothing_of_opentelemetry_is_imported() -> None:
    program = """
    import sys
    import llmspan
    with llmspan.Call("chat"):
        pass
    assert llmspan.flush()
    heavy = ("opentelemetry", "httpx", "asyncio", "json", "logging", "email")
    print([name for name in heavy if name in sys.modules])
    """
    assert run(program) == ["[]"]


def test_the_provider_of_the_application() -> None:
    program = """
    import llmspan
    set_up()
    with trace.get_tracer("app").start_as_current_span("turn"):
        with llmspan.Call("chat", model="m") as call:
            with call.attempt():
                pass
    """
    # What is exported is what the batch processor still gets at the exit of the interpreter.
    assert sorted(run(program, SDK)) == ["attempt True", "chat m True", "turn False"]


def test_a_provider_that_is_set_after_the_first_call() -> None:
    program = """
    import llmspan
    llmspan.Call("chat", model="before").end()
    set_up()
    llmspan.Call("chat", model="after").end()
    """
    assert run(program, SDK) == ["chat after False"]


def test_a_call_that_is_open_when_the_interpreter_exits() -> None:
    program = """
    import llmspan
    set_up()
    llmspan.configure()
    call = llmspan.Call("chat", model="m")
    """
    assert run(program, SDK) == ["chat m False"]


def test_only_the_api() -> None:
    program = """
    from opentelemetry import trace
    import threading
    import llmspan
    with trace.get_tracer("app").start_as_current_span("turn"):
        llmspan.Call("chat").end()
    assert llmspan.flush()
    # Nobody wants the record, so there is no thread for it.
    print([thread.name for thread in threading.enumerate()], llmspan.default_recorder().stats.records)
    """
    assert run(program) == ["['MainThread'] 1"]


def test_an_api_that_cannot_be_used() -> None:
    program = """
    import logging, sys
    import llmspan
    import opentelemetry.trace
    logging.getLogger("llmspan").addHandler(logging.NullHandler())
    logging.getLogger("llmspan").propagate = False
    opentelemetry.trace.get_tracer_provider = object
    opentelemetry.trace.get_tracer = None
    for _ in range(3):
        llmspan.Call("chat").end()
    assert llmspan.flush()
    print(llmspan.default_recorder().stats.sink_errors)
    """
    assert run(program) == ["1"]


def test_sinks_that_are_given_replace_it() -> None:
    program = """
    import llmspan
    set_up()
    for sinks in ([], [lambda record: print("taken")]):
        llmspan.configure(sinks=sinks)
        llmspan.Call("chat").end()
        llmspan.flush()
    """
    assert run(program, SDK) == ["taken"]


def test_first_calls_on_many_threads() -> None:
    program = """
    import sys, threading
    import llmspan
    set_up()
    sys.setswitchinterval(1e-6)
    barrier = threading.Barrier(8)
    def ask():
        barrier.wait()
        llmspan.Call("chat").end()
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    """
    assert run(program, SDK) == ["chat False"] * 8
