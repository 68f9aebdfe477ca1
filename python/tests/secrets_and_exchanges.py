"""Marked secrets, exchanges that hold them, and the search for them: the files of `tests/privacy`, which say what may come out."""

from __future__ import annotations

import base64
import json
import pathlib
import re
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

DATA = pathlib.Path(__file__).resolve().parents[2] / "tests/privacy"

CONTENT_TYPES = {
    "array": "application/json",
    "aws": "application/vnd.amazon.eventstream",
    "aws_invoke": "application/vnd.amazon.eventstream",
    "lines": "application/x-ndjson",
}
"""By framing; the others are server-sent events."""


class Secrets:
    """The secrets, and what may come out where."""

    def __init__(self) -> None:
        data = json.loads((DATA / "secrets.json").read_text())
        assert data["schema"] == "llmspan.privacy/1"
        self.values: dict[str, str] = {name: secret["value"] for name, secret in data["secrets"].items()}
        self._allowed: list[dict[str, Any]] = data["allowed"]
        kinds: dict[str, dict[str, str]] = {}
        for name, value in self.values.items():
            for half in halves(value):
                for kind, spelled in _spellings(half).items():
                    kinds.setdefault(kind, {})[spelled] = name
        # All begin alike, so that a text is gone through quickly: what follows is looked up.
        self._kinds = [
            (re.compile(f"(?={re.escape(_beginning(names))})"), len(next(iter(names))), names)
            for names in kinds.values()
        ]

    def spell(self, template: str) -> str:
        """Put secrets in the places of a template."""
        return re.sub(r"\{\{(\w+)(?:\|(\w+))?\}\}", lambda place: self._spelled(place[1], place[2]), template)

    def found(self, text: str | bytes) -> set[str]:
        """The names of the secrets in a text, in any spelling, also half of one."""
        if isinstance(text, bytes):
            text = text.decode("latin-1")
        text = text.lower()
        found = (
            names.get(text[place.start() : place.start() + length])
            for begin, length, names in self._kinds
            for place in begin.finditer(text)
        )
        return {name for name in found if name is not None}

    def leaks(self, outlet: str, text: str | bytes, *, with_messages: bool) -> set[str]:
        """The names of those that may not be there."""
        return {name for name in self.found(text) if not self._may(name, outlet, with_messages=with_messages)}

    def _may(self, name: str, outlet: str, *, with_messages: bool) -> bool:
        return any(
            (allowed["secrets"] == "all" or name in allowed["secrets"])
            and (
                allowed.get("everywhere")
                or (with_messages and allowed.get("with_messages"))
                or outlet in allowed.get("outlets", ())
            )
            for allowed in self._allowed
        )

    def _spelled(self, name: str, spelling: str | None) -> str:
        value = self.values[name]
        first, second = halves(value)
        spelled = {
            "plain": value,
            "base64": base64.b64encode(value.encode()).decode(),
            "percent": "".join(f"%{byte:02X}" for byte in value.encode()),
            "1": first,
            "2": second,
        }
        if spelling is not None:
            return spelled[spelling]
        escaped = "".join(f"\\u{byte:04x}" for byte in value.encode())
        return " ".join((value, escaped, spelled["base64"], spelled["percent"]))


def halves(value: str) -> tuple[str, str]:
    middle = len(value) // 2
    return value[:middle], value[middle:]


def _beginning(texts: Iterable[str]) -> str:
    """What all of them begin with; they are of one length."""
    first, last = min(texts), max(texts)
    differ = (at for at, (one, other) in enumerate(zip(first, last, strict=True)) if one != other)
    return first[: next(differ, len(first))]


def _spellings(half: str) -> dict[str, str]:
    """How text of letters and digits may be written, in lower case, by kind and length."""
    data = half.encode()
    spelled = {
        "plain": half,
        "hexadecimal": data.hex(),
        "escapes": "".join(f"\\u{byte:04x}" for byte in data),
        "percent": "".join(f"%{byte:02x}" for byte in data),
    }
    for separator in (", ", ","):
        numbers = separator.join(map(str, data))
        spelled[f"numbers {separator} {len(numbers)}"] = numbers
    # Where in a group of three bytes the text begins changes how it is written; what its neighbours take part in is cut.
    for before, cut in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * before + data).decode().lower()
        spelled[f"base64 {before}"] = encoded[cut : (before + len(data)) // 3 * 4]
    return spelled


class Exchange(NamedTuple):
    """A request in one protocol, and what may come back."""

    protocol: str
    path: str
    whole_path: str
    request_headers: dict[str, str]
    request: bytes
    response_headers: list[tuple[str, str]]
    frames: list[bytes]
    whole: bytes
    error: bytes
    error_frame: bytes
    error_page: bytes
    shows: list[str]

    def url(self, address: str, *, whole: bool = False) -> str:
        """The URL at an address such as `127.0.0.1:80`, with secrets wherever a URL has room for one."""
        path = self.whole_path if whole else self.path
        separator = "&" if "?" in path else "?"
        url: str = _file()["url"]
        url = url.replace("{host}", address).replace("{path}", path).replace("{separator}", separator)
        return secrets().spell(url)


@lru_cache
def secrets() -> Secrets:
    return Secrets()


def exchanges() -> list[Exchange]:
    """At least one in every protocol."""
    return [_exchange(raw) for raw in _file()["exchanges"]]


@lru_cache
def _file() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((DATA / "exchanges.json").read_text())
    assert data["schema"] == "llmspan.privacy.exchanges/1"
    return data


def _exchange(raw: dict[str, Any]) -> Exchange:
    data, spell = _file(), secrets().spell
    framing = raw["framing"]
    content_type = CONTENT_TYPES.get(framing, "text/event-stream")
    response_headers = [(name, spell(value)) for name, value in data["response_headers"].items()]
    return Exchange(
        protocol=raw["protocol"],
        path=spell(raw["path"]),
        whole_path=spell(raw["whole_path"]),
        request_headers={name: spell(value) for name, value in {**data["request_headers"], **raw["headers"]}.items()},
        request=spell(json.dumps(raw["request"])).encode(),
        response_headers=[*response_headers, ("content-type", content_type)],
        frames=[_frame(framing, event, index) for index, event in enumerate(raw["stream"])],
        whole=spell(json.dumps(raw["whole"])).encode(),
        error=spell(json.dumps(raw["error"])).encode(),
        error_frame=_frame(framing, raw["error_event"], 1),
        error_page=spell(data["error_page"]).encode(),
        shows=raw["shows"],
    )


def _frame(framing: str, event: Any, index: int) -> bytes:
    """An event as it is on the wire."""
    name = event.get("event") if isinstance(event, dict) else None
    said = event["data"] if name is not None else event
    data = said if isinstance(said, str) else secrets().spell(json.dumps(said))
    is_exception = isinstance(event, dict) and "exception" in event
    if framing == "sse":
        return (f"event: {name}\n" if name else "").encode() + f"data: {data}\n\n".encode()
    if framing == "dashscope":
        head = f"id:{index + 1}\nevent:{name or 'result'}\n:HTTP_STATUS/{429 if name else 200}\n"
        return f"{head}data:{data}\n\n".encode()
    if framing == "lines":
        return f"{data}\n".encode()
    if framing == "array":
        return f"{',' if index else '['}{data}".encode()
    if framing == "aws_invoke" and not is_exception:
        name, data = "chunk", json.dumps({"bytes": base64.b64encode(data.encode()).decode(), "p": "abc"})
    return _aws_message(str(name), data.encode(), is_exception=is_exception)


def _aws_message(name: str, payload: bytes, *, is_exception: bool) -> bytes:
    kind = "exception" if is_exception else "event"
    headers = b""
    for header, value in ((f":{kind}-type", name), (":content-type", "application/json"), (":message-type", kind)):
        headers += bytes([len(header)]) + header.encode() + b"\x07" + len(value).to_bytes(2, "big") + value.encode()
    # Prelude and its checksum have 12 bytes, the checksum of the message 4.
    prelude = (12 + len(headers) + len(payload) + 4).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    message = prelude + zlib.crc32(prelude).to_bytes(4, "big") + headers + payload
    return message + zlib.crc32(message).to_bytes(4, "big")
