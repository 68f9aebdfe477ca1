"""Numbers for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspan._llmspan import readable
from llmspan.report.histogram import NANOS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from llmspan.report.times import Times

ABSENT = "\N{EN DASH}"
"""Stands where there is no value."""

_UNITS = ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k"))

_EXACT_BELOW = 10_000

_LEAST_PERCENT = 0.1

_MOST_NANOS = 2**64 - 1


def number(value: int) -> str:
    """Write all digits, in groups of three."""
    return f"{value:,}"


def short(value: int) -> str:
    """Write three digits where that is shorter: ``13.4 M``."""
    if value < _EXACT_BELOW:
        return number(value)
    size, unit = next((size, unit) for size, unit in _UNITS if value >= size)
    digits = max(0, 3 - len(str(value // size)))
    return f"{value / size:,.{digits}f} {unit}"


def share(part: int, whole: int) -> str:
    """Write a part of a whole: ``5.2 %``. What is there is not 0, and what is missing is not all."""
    if whole == 0:
        return ABSENT
    percent = 100 * part / whole
    if 0 < percent < _LEAST_PERCENT:
        return f"< {_LEAST_PERCENT} %"
    if percent > 100 - _LEAST_PERCENT and part < whole:
        return f"> {100 - _LEAST_PERCENT} %"
    return f"{percent:.1f} %" if part else "0 %"


def time(nanos: float | None) -> str:
    """Write a length of time with its unit."""
    return ABSENT if nanos is None else readable(min(round(nanos), _MOST_NANOS))


def seconds(value: float) -> str:
    """Write a length of time with its unit."""
    return time(value * NANOS_PER_SECOND)


def percentiles(times: Times) -> tuple[str, str, str]:
    """Write median, 90th and 99th percentile of times."""
    p50, p90, p99 = times.percentiles() or (None, None, None)
    return time(p50), time(p90), time(p99)


def money(sums: Mapping[str, Decimal]) -> str:
    """Write amounts, each with its currency."""
    return " + ".join(f"{currency} {_amount(value)}" for currency, value in sorted(sums.items())) or ABSENT


def _amount(value: Decimal) -> str:
    if value >= 1 or value == 0:
        return f"{value:,.2f}"
    # Three digits that count, without an exponent.
    return f"{value:.{2 - value.adjusted()}f}"
