"""Distributions: the exponential buckets of the engine as the columns of a chart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

MOST_COLUMNS = 32

LEAST_COLUMNS = 8
"""Empty ones stand beside those of values that lie close together."""

FINEST_SCALE = 3
"""A column is 9 % wide at least: finer ones would be hardly told apart."""

NANOS_PER_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Column:
    """Values above ``low`` up to ``high``, in seconds."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Columns that are equally wide on a logarithmic axis, without a gap between them."""

    columns: list[Column]
    zeros: int
    """Values of zero, which have no place on the axis."""
    count: int
    percentiles: tuple[float, float, float]
    """Upper bounds of the 50th, 90th and 99th percentile, in seconds."""

    @classmethod
    def of(cls, series: dict[str, Any]) -> Histogram:
        """Read a series of ``Metrics.series`` with exponential buckets.

        Bucket ``i`` holds the values above ``b ** i`` up to ``b ** (i + 1)`` with ``b = 2 ** (2 ** -scale)``. A bucket
        of the next coarser scale is two neighbours of this one, so that columns are exact however few there are.
        """
        buckets = series["exponential"]
        scale, offset, counts = buckets["scale"], buckets["offset"], list(buckets["counts"])
        percentiles = _upper_bounds(buckets, series["count"])
        while counts and (len(counts) > MOST_COLUMNS or scale > FINEST_SCALE):
            if offset % 2:
                counts.insert(0, 0)
                offset -= 1
            if len(counts) % 2:
                counts.append(0)
            counts = [one + other for one, other in zip(counts[::2], counts[1::2], strict=True)]
            scale, offset = scale - 1, offset // 2
        missing = max(LEAST_COLUMNS - len(counts), 0) if counts else 0
        counts = [0] * (missing // 2) + counts + [0] * (missing - missing // 2)
        offset -= missing // 2
        bound = 2.0**-scale
        columns = [
            Column(2.0 ** (bound * index), 2.0 ** (bound * (index + 1)), count)
            for index, count in enumerate(counts, offset)
        ]
        return cls(columns, buckets["zero_count"], series["count"], percentiles)

    @property
    def highest(self) -> int:
        """The count of the highest column."""
        return max((column.count for column in self.columns), default=0)

    def place(self, seconds: float) -> float | None:
        """Where a value is on the axis, from 0 to 1; ``None`` where it is not on it."""
        if not self.columns or seconds <= 0:
            return None
        low, high = math.log(self.columns[0].low), math.log(self.columns[-1].high)
        place = (math.log(seconds) - low) / (high - low)
        return place if 0 <= place <= 1 else None

    def ticks(self) -> list[float]:
        """Round values on the axis, in seconds: 1, 2 and 5 of each power of ten, or fewer where that is many."""
        for digits in ((1, 2, 5), (1, 3), (1,)):
            ticks = [digit * 10.0**power for power in range(-9, 7) for digit in digits]
            shown = [tick for tick in ticks if self.place(tick) is not None]
            if len(shown) <= _MOST_TICKS:
                return shown
        return shown[:: len(shown) // _MOST_TICKS + 1]


_MOST_TICKS = 8


def _upper_bounds(buckets: dict[str, Any], count: int) -> tuple[float, float, float]:
    def bound(percent: int) -> float:
        rank = -(-count * percent // 100)
        seen = buckets["zero_count"]
        if seen >= rank:
            return 0.0
        for end, found in enumerate(buckets["counts"], buckets["offset"] + 1):
            seen += found
            if seen >= rank:
                return float(2.0 ** (end * 2.0 ** -buckets["scale"]))
        return math.inf

    return bound(50), bound(90), bound(99)
