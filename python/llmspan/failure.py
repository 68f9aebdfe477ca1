"""What an exception says of a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired


class Failure(TypedDict):
    """The fields of a failure, as :meth:`llmspan.Call.fail` and :meth:`llmspan.Call.end` take them."""

    error_type: NotRequired[str | None]
    status_code: NotRequired[int | None]
    message: NotRequired[str | None]
    abort_like: NotRequired[bool]


def describe(error: BaseException) -> Failure:
    """Describe an exception: its HTTP status code, if it has one, else its class. Never raises."""
    status_code = _status_code(error)
    described: Failure = {"abort_like": is_abort(error), "message": _text(error)}
    if status_code is not None:
        described["status_code"] = status_code
    else:
        described["error_type"] = _error_type(type(error))
        cause = _attribute(error, "__cause__")
        if described["error_type"] == "timeout" and cause is not None and _error_type(type(cause)) == "network":
            # `httpx-aiohttp` has a timeout for every lost connection.
            described["error_type"] = "network"
    return described


def is_abort(error: BaseException) -> bool:
    """Say whether an exception is how Python shows an abort: a cancelled task, Ctrl-C, an exit, a closed generator."""
    return not isinstance(error, Exception)


def _status_code(error: BaseException) -> int | None:
    for holder in (error, _attribute(error, "response")):
        code = _attribute(holder, "status_code")
        if isinstance(code, int) and not isinstance(code, bool):
            return code
    return None


def _error_type(class_: type) -> str:
    for base in class_.__mro__:
        name = base.__name__
        if name.endswith(("TimeoutError", "TimeoutException")) or name == "Timeout":
            return "timeout"
        if name.endswith(("ConnectionError", "NetworkError", "TransportError")) or name in _NETWORK:
            return "network"
    return class_.__name__


def _text(error: BaseException) -> str | None:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - code of others
        return None


def _attribute(holder: object, name: str) -> object:
    try:
        return getattr(holder, name, None)
    except Exception:  # noqa: BLE001 - code of others
        return None


_NETWORK = frozenset({"ClientPayloadError", "ConnectionClosedError", "ProtocolError", "ResponseStreamingError"})
"""How aiohttp, botocore and urllib3 name a broken connection."""
