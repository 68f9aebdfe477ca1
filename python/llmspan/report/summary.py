"""What a page says about many records, counted one by one in bounded memory."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from llmspan._llmspan import Metrics
from llmspan.report.groups import FAILED, Facts, Group
from llmspan.report.histogram import Histogram
from llmspan.report.times import Times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llmspan import Record

MOST_MODELS = 200
MOST_ERRORS = 200
MOST_HOURS = 24 * 14
MOST_DAYS = 366

OTHERS = "(others)"
"""Stands for what is past a cap."""

UNKNOWN = "(unknown)"

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS

_EXAMPLES_PER_ERROR = 3

K = TypeVar("K")
V = TypeVar("V")


class Capped(dict[K, V], Generic[K, V]):
    """Values by key, at most so many; what comes later shares the value of one more key."""

    def __init__(self, make: Callable[[], V], most: int, overflow: K) -> None:
        """Take what makes a value, the cap, and the key that is shared past it."""
        super().__init__()
        self._make = make
        self._most = most
        self._overflow = overflow

    def at(self, key: K) -> V:
        """Give the value of a key, made if it is not there."""
        if (value := self.get(key)) is not None:
            return value
        if len(self) >= self._most:
            key = self._overflow
            if (value := self.get(key)) is not None:
                return value
        value = self[key] = self._make()
        return value


@dataclass(slots=True)
class ErrorCount:
    """How often something went wrong."""

    calls: int = 0
    """Calls that ended with it."""
    attempts: int = 0
    """Attempts that ended with it, those of calls that went on included."""


@dataclass(slots=True)
class Stretch:
    """A part of the time of calls."""

    total_ns: int = 0
    calls: int = 0

    def add(self, length: int) -> None:
        """Count the part of one call."""
        if length > 0:
            self.total_ns += length
            self.calls += 1


class Summary:
    """Counts calls, and keeps the records of the slowest and of some that failed."""

    def __init__(self, *, details: int = 20) -> None:
        """Keep at most ``details`` records of each of the two."""
        self.all = Group()
        self.outcomes: dict[str, int] = {}
        self.models: Capped[tuple[str, str], Group] = Capped(Group, MOST_MODELS, (OTHERS, ""))
        self.errors: Capped[str, ErrorCount] = Capped(ErrorCount, MOST_ERRORS, OTHERS)
        self.hours: dict[int, Group] = {}
        self.days: dict[int, Group] = {}
        self.stretches = {name: Stretch() for name in STRETCHES}
        self.call_ttft = Times()
        self.output_rate = Times()
        """In thousandths of a token per second."""
        self.first_unix_ns: int | None = None
        self.last_unix_ns: int | None = None
        self.later_days = 0
        """Calls past the cap of the days."""
        self._details = details
        self._slowest: list[tuple[int, int, Record]] = []
        self._failed: Capped[str, deque[Record]] = Capped(_examples, max(details, 1), OTHERS)
        # One series for all calls, whatever their labels.
        self._metrics = Metrics(label_sets=0, exponential=True, exemplars=False)

    def add(self, record: Record) -> None:
        """Count a call."""
        facts = Facts.of(record)
        self.all.add(facts)
        self.outcomes[facts.outcome] = self.outcomes.get(facts.outcome, 0) + 1
        self.models.at((record.model or UNKNOWN, record.provider or "")).add(facts)
        self._metrics.observe(record)
        if (felt := record.call_ttft_ns) is not None:
            self.call_ttft.record(felt)
        if (rate := record.output_tokens_per_second) is not None:
            self.output_rate.record(round(rate * 1000))
        self._add_errors(record)
        self._add_time(record.start_unix_ns, facts)
        self._add_stretches(record, facts)
        self._keep(record, facts)

    @property
    def slowest(self) -> list[Record]:
        """The calls that took longest of those that did not fail, slowest first: timeouts would hide them."""
        return [record for _, _, record in sorted(self._slowest, key=lambda entry: entry[:2], reverse=True)]

    @property
    def failed(self) -> list[Record]:
        """Calls that failed: the latest of each type of error, then those before them."""
        return list(_round_robin(list(self._failed.values()), self._details))

    def histogram(self, metric: str) -> Histogram | None:
        """How the values of a metric of the profile ``otel-1.41`` are distributed; ``None`` without any."""
        for series in self._metrics.series():
            if series["name"] == metric and "exponential" in series:
                return Histogram.of(series)
        return None

    def _add_errors(self, record: Record) -> None:
        if (error := record.error) is not None:
            self.errors.at(error.type).calls += 1
        for attempt in record.attempts:
            if (error := attempt.error) is not None:
                self.errors.at(error.type).attempts += 1

    def _add_time(self, start: int | None, facts: Facts) -> None:
        if start is None:
            return
        self.first_unix_ns = start if self.first_unix_ns is None else min(start, self.first_unix_ns)
        self.last_unix_ns = start if self.last_unix_ns is None else max(start, self.last_unix_ns)
        if not _add_to(self.days, start // DAY_NS, facts, MOST_DAYS):
            self.later_days += 1
        # Past their cap hours are not shown at all.
        _add_to(self.hours, start // HOUR_NS, facts, MOST_HOURS)

    def _add_stretches(self, record: Record, facts: Facts) -> None:
        rest = facts.duration_ns
        waits = record.retry_actual_delay_ns
        setup = max((record.request_setup_ns or 0) - waits, 0)
        parts = {
            "waits": waits,
            "setup": setup,
            "ttft": facts.ttft_ns or 0,
            "sampling": record.sampling_ns or 0,
            "tail": record.tail_ns or 0,
        }
        for name, length in parts.items():
            length = min(length, rest)  # noqa: PLW2901 - the parts never exceed the whole
            rest -= length
            self.stretches[name].add(length)
        self.stretches["rest"].add(rest)

    def _keep(self, record: Record, facts: Facts) -> None:
        if self._details == 0:
            return
        if facts.outcome in FAILED:
            error = record.error
            self._failed.at(facts.outcome if error is None else error.type).append(record)
            return
        # The number of a record settles ties, so that records are not compared.
        entry = (facts.duration_ns, -self.all.calls, record)
        if len(self._slowest) < self._details:
            heapq.heappush(self._slowest, entry)
        elif entry[:2] > self._slowest[0][:2]:
            heapq.heapreplace(self._slowest, entry)


STRETCHES = {
    "waits": "waiting for retries",
    "setup": "local work and earlier attempts",
    "ttft": "to the first token",
    "sampling": "streaming",
    "rest": "answers not streamed, failures before a token",
    "tail": "after the last attempt",
}
"""The parts that the time of calls divides into, in words."""


def _add_to(groups: dict[int, Group], key: int, facts: Facts, most: int) -> bool:
    group = groups.get(key)
    if group is None:
        if len(groups) >= most:
            return False
        group = groups[key] = Group()
    group.add(facts)
    return True


def _examples() -> deque[Record]:
    return deque(maxlen=_EXAMPLES_PER_ERROR)


def _round_robin(queues: list[deque[Record]], most: int) -> Iterator[Record]:
    for depth in range(_EXAMPLES_PER_ERROR):
        for queue in queues:
            if depth < len(queue) and most > 0:
                most -= 1
                yield queue[-1 - depth]
