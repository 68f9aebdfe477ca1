"""Percentiles of many times in little memory."""

from __future__ import annotations

from array import array

from llmspan._llmspan import Sketch

EXACT_UP_TO = 256
"""Values that are kept; past it a sketch counts them."""


class Times:
    """Counts times: exactly while they are few, then with percentiles within 1 %."""

    __slots__ = ("_few", "_sketch")

    def __init__(self) -> None:
        """Begin with none."""
        self._few = array("Q")
        self._sketch: Sketch | None = None

    def record(self, nanos: int) -> None:
        """Count a time."""
        if self._sketch is not None:
            self._sketch.record(nanos)
            return
        self._few.append(nanos)
        if len(self._few) > EXACT_UP_TO:
            self._sketch = Sketch()
            for value in self._few:
                self._sketch.record(value)
            self._few = array("Q")

    @property
    def count(self) -> int:
        """How many times were counted."""
        return len(self._few) if self._sketch is None else self._sketch.count

    @property
    def max(self) -> int | None:
        """The longest one, exactly; ``None`` without any."""
        return max(self._few, default=None) if self._sketch is None else self._sketch.max

    def percentiles(self) -> tuple[int, int, int] | None:
        """Give those at the nearest ranks of 50, 90 and 99 %; ``None`` without any."""
        if self._sketch is not None:
            return self._sketch.percentiles()
        if not self._few:
            return None
        ordered = sorted(self._few)

        def at(percent: int) -> int:
            return ordered[-(-len(ordered) * percent // 100) - 1]

        return at(50), at(90), at(99)
