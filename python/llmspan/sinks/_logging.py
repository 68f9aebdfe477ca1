"""A sink that logs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from llmspan.sinks._base import Sink

if TYPE_CHECKING:
    from llmspan._llmspan import Record


class Logging(Sink):
    """Logs a line for each call: what it was, how it ended, and where the time went.

    The record itself is the attribute ``llmspan`` of the :class:`logging.LogRecord`, for formatters and handlers. The
    name of the logger is ``llmspan.calls`` unless another one is given.
    """

    def __init__(
        self,
        logger: logging.Logger | str | None = None,
        level: int = logging.INFO,
        *,
        error_level: int = logging.WARNING,
    ) -> None:
        """Log to a logger.

        :param logger: the logger, or its name.
        :param level: level of calls that succeeded, or that the application gave up.
        :param error_level: level of calls that failed or timed out.
        """
        self._logger = logger if isinstance(logger, logging.Logger) else logging.getLogger(logger or "llmspan.calls")
        self._level = level
        self._error_level = error_level

    def record(self, record: Record) -> None:
        """Log the line."""
        level = self._error_level if record.otel_status == "ERROR" else self._level
        if self._logger.isEnabledFor(level):
            operation, model = record.operation or "chat", record.model or record.provider or "?"
            outcome = record.outcome if record.error is None else f"{record.outcome} ({record.error.type})"
            # The first line of an explanation is its summary.
            summary = next(iter(record.explain()), "")
            self._logger.log(level, "%s %s: %s, %s", operation, model, outcome, summary, extra={"llmspan": record})
