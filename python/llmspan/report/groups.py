"""Calls that have something in common, counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from llmspan.report.times import Times

if TYPE_CHECKING:
    from llmspan import Record

MOST_CURRENCIES = 8

FAILED = frozenset({"error", "timed_out"})
"""Outcomes that nobody wanted; a call that was cancelled did what it was told."""


@dataclass(slots=True)
class Facts:
    """What is counted of a call, read from its record once."""

    outcome: str
    duration_ns: int
    ttft_ns: int | None
    retries: int
    has_usage: bool
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    wasted_tokens: int = 0
    currency: str | None = None
    cost: Decimal | None = None
    wasted_cost: Decimal | None = None

    @classmethod
    def of(cls, record: Record) -> Facts:
        """Read a record."""
        # Integers above 2^53 are text.
        usage, wasted, cost = record.total_usage, record.wasted_usage, record.cost
        facts = cls(record.outcome, record.duration_ns, record.ttft_ns, int(record.retry_count), usage is not None)
        if usage is not None:
            facts.input_tokens = int(usage.input_tokens or 0)
            facts.cached_tokens = int(usage.cache_read_tokens or 0)
            facts.output_tokens = int(usage.output_tokens or 0)
            facts.reasoning_tokens = int(usage.reasoning_tokens or 0)
        if wasted is not None:
            facts.wasted_tokens = int(wasted.input_tokens or 0) + int(wasted.output_tokens or 0)
        if cost is not None and (amount := cost.all_attempts or cost.total) is not None:
            facts.currency, facts.cost = cost.currency, Decimal(amount)
            facts.wasted_cost = Decimal(cost.wasted) if cost.wasted else None
        return facts


@dataclass(slots=True)
class Group:
    """Calls that have something in common: all, those of a model, those of an hour."""

    calls: int = 0
    failed: int = 0
    retried: int = 0
    retries: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    wasted_tokens: int = 0
    without_usage: int = 0
    costs: dict[str, Decimal] = field(default_factory=dict)
    wasted_costs: dict[str, Decimal] = field(default_factory=dict)
    without_cost: int = 0
    ttft: Times = field(default_factory=Times)
    duration: Times = field(default_factory=Times)

    def add(self, facts: Facts) -> None:
        """Count a call."""
        self.calls += 1
        self.failed += facts.outcome in FAILED
        self.retried += facts.retries > 0
        self.retries += facts.retries
        self.input_tokens += facts.input_tokens
        self.cached_tokens += facts.cached_tokens
        self.output_tokens += facts.output_tokens
        self.reasoning_tokens += facts.reasoning_tokens
        self.wasted_tokens += facts.wasted_tokens
        self.without_usage += not facts.has_usage
        self.duration.record(facts.duration_ns)
        if facts.ttft_ns is not None:
            self.ttft.record(facts.ttft_ns)
        if facts.currency is None or facts.cost is None:
            self.without_cost += 1
            return
        add_money(self.costs, facts.currency, facts.cost)
        if facts.wasted_cost:
            add_money(self.wasted_costs, facts.currency, facts.wasted_cost)


def add_money(sums: dict[str, Decimal], currency: str, amount: Decimal) -> None:
    """Add an amount, exactly; amounts in currencies past the cap are left out."""
    if currency in sums:
        sums[currency] += amount
    elif len(sums) < MOST_CURRENCIES:
        sums[currency] = amount
