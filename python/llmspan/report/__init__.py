"""One HTML page about many calls.

- ``summary`` counts records in bounded memory, however many there are; ``groups`` counts those that belong together,
  and ``times`` has their percentiles.
- ``histogram`` brings the exponential buckets of the engine to the columns of a chart.
- ``markup`` writes escaped HTML, ``charts`` draws with it, ``page`` puts the parts together, ``report.css`` has the
  looks.
"""

from __future__ import annotations

from llmspan.report.page import page
from llmspan.report.summary import Summary

__all__ = ["Summary", "page"]
