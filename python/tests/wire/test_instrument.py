"""Hooks: before and after imports, put in twice, taken out, wrapped by others, in threads and in forks."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import llmspan
from wire.local import BODY, STREAM, Answer, Server, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wire.conftest import Seen


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(lambda *_: Answer(STREAM)) as server:
        yield server


def post(server: Server) -> None:
    with httpx.Client() as http:
        assert http.post(server.url, content=BODY).content == b"".join(STREAM)


def test_put_in_and_taken_out(server: Server, seen: Seen) -> None:
    methods: list[tuple[type, str]] = [
        (httpx.Client, "_send_single_request"),
        (httpx.AsyncClient, "_send_single_request"),
    ]
    if importlib.util.find_spec("httpx2"):
        httpx2 = importlib.import_module("httpx2")
        methods += [(httpx2.Client, "_send_single_request"), (httpx2.AsyncClient, "_send_single_request")]
    if importlib.util.find_spec("botocore"):
        methods.append((importlib.import_module("botocore.httpsession").URLLib3Session, "send"))
    if importlib.util.find_spec("requests"):
        methods.append((importlib.import_module("requests.adapters").HTTPAdapter, "send"))
    if importlib.util.find_spec("aiohttp"):
        methods.append((importlib.import_module("aiohttp").ClientSession, "_request"))
    before = [vars(owner)[name] for owner, name in methods]
    finders = list(sys.meta_path)
    for _ in range(3):
        llmspan.instrument(recorder=seen.recorder)
        assert llmspan.is_instrumented()
        post(server)
    assert [record.outcome for record in seen.records()] == ["success"] * 3
    assert all(vars(owner)[name] is not method for (owner, name), method in zip(methods, before, strict=True))
    llmspan.uninstrument()
    llmspan.uninstrument()
    assert not llmspan.is_instrumented()
    assert [vars(owner)[name] for owner, name in methods] == before
    assert sys.meta_path == finders
    post(server)
    assert seen.records() == []


def test_wrapped_by_somebody_else(server: Server, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    llmspan.instrument(recorder=seen.recorder)
    ours = httpx.Client._send_single_request
    others = []

    def wrapper(self: Any, request: Any) -> Any:
        others.append(request)
        return ours(self, request)

    monkeypatch.setattr(httpx.Client, "_send_single_request", wrapper)
    post(server)
    assert len(seen.records()) == 1
    llmspan.uninstrument()
    # Their wrapper stays; what it calls of ours passes everything on.
    assert httpx.Client._send_single_request is wrapper
    post(server)
    assert (len(others), seen.records()) == (2, [])


def test_instrumented_client_with_a_transport_is_seen_once(server: Server, seen: Seen) -> None:
    import llmspan.httpx

    llmspan.instrument(recorder=seen.recorder)
    with httpx.Client(transport=llmspan.httpx.Transport(recorder=seen.recorder)) as http:
        assert http.post(server.url, content=BODY).status_code == 200
    assert seen.record().attempt_count == 1


def test_threads_that_instrument(server: Server, seen: Seen) -> None:
    def work() -> None:
        for _ in range(20):
            llmspan.instrument(recorder=seen.recorder)
            post(server)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Between two of them a request may find no hooks.
    assert 0 < len(seen.records()) <= 80
    llmspan.uninstrument()
    assert not hasattr(httpx.Client._send_single_request, "__wrapped__")


# Where no sources of the package lie.
HERE = os.path.dirname(__file__)

SCRIPT = """
import sys
import llmspan
memory = llmspan.sinks.Memory()
llmspan.configure(sinks=[memory])
{before}
{after}
import {library}
assert {library}.__spec__.loader.__class__.__module__.startswith(("_frozen_importlib", "importlib")), {library}.__spec__.loader
with {library}.Client() as http:
    http.post(sys.argv[1], content=b'{{"model":"gpt-4.1","stream":true}}').read()
llmspan.flush()
print([record.outcome for record in memory.records])
"""


def run(script: str, server: Server) -> str:
    command = [sys.executable, "-W", "error", "-c", script, server.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=HERE)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
@pytest.mark.parametrize("order", ["before the import", "after the import"])
def test_import_order(library: str, order: str, server: Server) -> None:
    pytest.importorskip(library)
    instrument = "llmspan.instrument()"
    early = order == "before the import"
    before, after = (instrument, "") if early else (f"import {library}", instrument)
    script = SCRIPT.format(before=before, after=after, library=library)
    assert run(script, server) == "['success']"


def test_import_imports_little() -> None:
    names = ("asyncio", "json", "logging", "httpx", "inspect")
    script = f"import sys, llmspan; print([name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=HERE)
    assert done.stdout.strip() == "[]"


FORK = """
import os, sys
import httpx, llmspan
memory = llmspan.sinks.Memory()
recorder = llmspan.configure(sinks=[memory])
llmspan.instrument()
http = httpx.Client()
def post():
    with httpx.Client() as http:
        return http.post(sys.argv[1], content=b'{"model":"gpt-4.1","stream":true}').status_code
parent = http.send(http.build_request("POST", sys.argv[1], content=b'{"model":"gpt-4.1","stream":true}'), stream=True)
read, write = os.pipe()
child = os.fork()
if not child:
    # What the parent reads is not the child's to end.
    assert recorder.stats.open_calls == 0
    post()
    llmspan.flush()
    os.write(write, repr([record.outcome for record in memory.records]).encode())
    os._exit(0)
os.waitpid(child, 0)
assert os.read(read, 99) == b"['success']"
parent.read()
post()
llmspan.flush()
print([record.outcome for record in memory.records])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_fork(server: Server) -> None:
    assert run(FORK, server) == "['success', 'success']"


GEVENT = """
import gevent.monkey
gevent.monkey.patch_all()
import gevent, sys
import httpx, llmspan
memory = llmspan.sinks.Memory()
llmspan.configure(sinks=[memory])
llmspan.instrument()
def post():
    with httpx.Client() as http:
        http.post(sys.argv[1], content=b'{"model":"gpt-4.1","stream":true}').read()
gevent.joinall([gevent.spawn(post) for _ in range(10)], raise_error=True)
llmspan.flush()
print([record.outcome for record in memory.records].count("success"))
"""


def test_gevent(server: Server) -> None:
    pytest.importorskip("gevent")
    assert run(GEVENT, server) == "10"


def test_call_that_is_open_at_the_exit_is_abandoned(server: Server, tmp_path: Any) -> None:
    path = tmp_path / "calls.jsonl"
    script = f"""
import sys, httpx, llmspan
llmspan.configure(sinks=[llmspan.sinks.JsonLines({str(path)!r})])
llmspan.instrument()
http = httpx.Client()
response = http.send(http.build_request("POST", sys.argv[1], content=b'{{"model":"gpt-4.1"}}'), stream=True)
"""
    run(script, server)
    assert [llmspan.Record.from_json(line).outcome for line in path.read_text().splitlines()] == ["abandoned"]
