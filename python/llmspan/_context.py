"""What is current: the open call of a block, and the flow of control that runs."""

from __future__ import annotations

import sys
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextvars import Token

    from llmspan.call import Call

_current: ContextVar[Call | None] = ContextVar("llmspan_call", default=None)


def current_call() -> Call | None:
    """Give the call whose block this code runs in, if it is open."""
    call = _current.get()
    return call if call is not None and call.is_open else None


def enter(call: Call) -> Token[Call | None]:
    """Make a call the current one."""
    return _current.set(call)


def leave(token: Token[Call | None]) -> None:
    """Make the call before it the current one again."""
    try:
        _current.reset(token)
    except ValueError:
        # The block was left in another context than it was entered in, as generators and fixtures may do: there, the call
        # was never the current one.
        pass


def flow() -> int:
    """Number the flow of control: a task of asyncio or trio, else the thread, which gevent makes a greenlet."""
    return hash((threading.get_ident(), _task())) & 0xFFFF_FFFF_FFFF_FFFF


def _task() -> int:
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        try:
            return id(asyncio.current_task())
        except RuntimeError:
            pass
    trio = sys.modules.get("trio")
    if trio is not None:
        try:
            return id(trio.lowlevel.current_task())
        except RuntimeError:
            pass
    return 0
