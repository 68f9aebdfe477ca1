"""What is current: the open call of a block, and the flow of control that runs."""

from __future__ import annotations

import itertools
import sys
import threading
import weakref
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
    try:  # noqa: SIM105 - `contextlib` is not imported
        _current.reset(token)
    except ValueError:
        # The block was left in another context than it was entered in, as generators and fixtures may do: there, the call
        # was never the current one.
        pass


def flow() -> int:
    """Give the number of the flow of control that runs: a task of asyncio or trio, else a thread or greenlet."""
    task = current_task()
    if task is None:
        # The system numbers a thread as one that ended before it; and greenlets may be of one thread.
        return hash((threading.get_ident(), _thread.number)) & 0xFFFF_FFFF_FFFF_FFFF
    number = _tasks.get(task)
    if number is None:
        _tasks[task] = number = next(_numbers)
    return number


def current_task() -> object | None:
    """Give the task of asyncio or trio that runs."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        try:
            return asyncio.current_task()  # type: ignore[no-any-return]
        except (AttributeError, RuntimeError):
            # It is not running, or is being imported.
            pass
    trio = sys.modules.get("trio")
    if trio is not None:
        try:
            return trio.lowlevel.current_task()  # type: ignore[no-any-return]
        except (AttributeError, RuntimeError):
            pass
    return None


class _Thread(threading.local):
    def __init__(self) -> None:
        self.number = next(_numbers)


_numbers = itertools.count(1)
_tasks: weakref.WeakKeyDictionary[object, int] = weakref.WeakKeyDictionary()
_thread = _Thread()
