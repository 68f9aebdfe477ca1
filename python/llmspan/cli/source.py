"""The records of inputs, whatever form they have.

An input is a file of records as JSON lines, an event log as JSON lines, one record as a JSON document over any number
of lines, or an array of records. Its first line tells which. Records come one after the other, in the memory of one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmspan import Error, Record
from llmspan._llmspan import Replay
from llmspan.cli.errors import CommandError
from llmspan.cli.lines import Lines
from llmspan.cli.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_EVENT_KEYS = ("event", "at_ns")
_RECORD_KEY = "duration_ns"
"""Every record has it, and no event does."""

_SHOWN_BAD_LINES = 3


@dataclass(slots=True)
class Account:
    """What one input was, and what came out of it."""

    name: str
    is_log: bool = False
    lines: int = 0
    records: int = 0
    bad: int = 0

    def __str__(self) -> str:
        """One line for people."""
        records = counted(self.records, "record")
        what = (
            f"event log of {counted(self.lines - self.bad, 'event')}, replayed to {records}" if self.is_log else records
        )
        bad = f", {counted(self.bad, 'bad line')} skipped" if self.bad else ""
        return f"{self.name}: {what}{bad}"


class Source:
    """The records of some inputs, in their order."""

    def __init__(self, paths: Sequence[str], *, skip_bad: bool = False, config: str | None = None) -> None:
        """Take paths (``-`` is standard input), and the JSON of a configuration that event logs are replayed with."""
        self.accounts: list[Account] = []
        self.complaints: list[str] = []
        """The first bad lines of each input, with file and line number."""
        self._paths = paths
        self._skip_bad = skip_bad
        self._config = config
        self._progress = Progress()

    def __iter__(self) -> Iterator[Record]:
        """Give record after record.

        Raises a ``CommandError`` for what cannot be read, and for the first bad line unless those are skipped.
        """
        try:
            for path in self._paths:
                yield from self._records(path)
        finally:
            self._progress.clear()

    def _records(self, path: str) -> Iterator[Record]:
        lines = Lines(path)
        account = Account(lines.name)
        self.accounts.append(account)
        total = 0
        try:
            for record in self._read(lines, account):
                account.records += 1
                total += 1
                self._progress.update(lines.name, total, lines.part())
                yield record
        finally:
            lines.close()
        if not account.lines:
            raise CommandError(f"{account.name}: there is nothing in it")

    def _read(self, lines: Lines, account: Account) -> Iterator[Record]:
        replay: Replay | None = None
        for line in lines:
            text = line.strip()
            if not text:
                continue
            account.lines += 1
            if account.lines == 1:
                if text == b"{" or text.startswith(b"["):
                    yield from self._document(text + b"\n" + lines.rest(), account)
                    return
                if _is_event(text):
                    account.is_log = True
                    replay = self._replay()
            try:
                if replay is None:
                    yield _record(text)
                else:
                    yield from replay.feed(text.decode())
            except (Error, ValueError) as error:
                self._complain(f"{account.name}:{lines.number}: {_why(error)}", account)
        if replay is not None:
            yield from replay.finish()

    def _document(self, text: bytes, account: Account) -> Iterator[Record]:
        try:
            document = json.loads(text)
        except ValueError as error:
            line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            raise CommandError(f"{account.name}{line}: {_why(error)}") from error
        items = document if isinstance(document, list) else [document]
        account.lines = len(items)
        replay: Replay | None = None
        for number, item in enumerate(items, 1):
            if number == 1 and _has_event_keys(item):
                account.is_log = True
                replay = self._replay()
            try:
                one = json.dumps(item)
                if replay is None:
                    yield _record(one.encode())
                else:
                    yield from replay.feed(one)
            except (Error, ValueError) as error:
                self._complain(f"{account.name}: entry {number}: {_why(error)}", account)
        if replay is not None:
            yield from replay.finish()

    def _replay(self) -> Replay:
        try:
            return Replay(self._config)
        except Error as error:
            raise CommandError(f"the configuration: {error}") from error

    def _complain(self, message: str, account: Account) -> None:
        if not self._skip_bad:
            raise CommandError(f"{message} (--skip-bad goes on)")
        account.bad += 1
        if account.bad <= _SHOWN_BAD_LINES:
            self.complaints.append(message)


def counted(count: int, what: str) -> str:
    """Name a number of things, such as ``1 record`` and ``1,204 records``."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _record(text: bytes) -> Record:
    line = text.decode()
    if f'"{_RECORD_KEY}"' not in line:
        found: Any = json.loads(line)
        if _has_event_keys(found):
            raise ValueError("an event among records; keep the two in files of their own")
        raise ValueError(f"not a record: it has no `{_RECORD_KEY}`")
    return Record.from_json(line)


def _is_event(text: bytes) -> bool:
    try:
        return _has_event_keys(json.loads(text))
    except ValueError:
        return False


def _has_event_keys(value: object) -> bool:
    return isinstance(value, dict) and all(key in value for key in _EVENT_KEYS)


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        # Some messages end with the word already.
        return f"not JSON: {error.msg.removesuffix(' at')} at column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: byte 0x{error.object[error.start]:02x} at column {error.start + 1}"
    return str(error)
