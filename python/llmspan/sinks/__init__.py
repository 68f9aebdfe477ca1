"""Where finished records go.

========================  ==================================================================================
:class:`OpenTelemetry`    spans and metrics of the application's OpenTelemetry SDK; the default beside one
:class:`Prometheus`       metrics for a scraper, served by the application
:class:`Logging`          a line for each call, through :mod:`logging`
:class:`JsonLines`        records, as they are, in a file
:class:`OtlpJsonLines`    spans in a file that OpenTelemetry collectors read
:class:`ChromeTrace`      a trace for Perfetto and ``chrome://tracing``
:class:`Memory`           records in memory, for tests and notebooks
:class:`Callback`         whatever a function does; functions may be given for sinks without it
========================  ==================================================================================

Subclass :class:`Sink` for others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspan.sinks._base import Callback, Memory, Sink

if TYPE_CHECKING:
    from llmspan.sinks._files import ChromeTrace, JsonLines, OtlpJsonLines
    from llmspan.sinks._logging import Logging
    from llmspan.sinks._opentelemetry import OpenTelemetry
    from llmspan.sinks._prometheus import Prometheus

__all__ = [
    "Callback",
    "ChromeTrace",
    "JsonLines",
    "Logging",
    "Memory",
    "OpenTelemetry",
    "OtlpJsonLines",
    "Prometheus",
    "Sink",
]


def __getattr__(name: str) -> object:
    """Import sinks when they are asked for: most applications use one."""
    module = _MODULES.get(name)
    if module is None:
        error = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(error)
    from importlib import import_module  # noqa: PLC0415 - not at every import

    sink = globals()[name] = getattr(import_module(module), name)
    return sink


def __dir__() -> list[str]:
    """Name all sinks, imported or not."""
    return sorted({*globals(), *__all__})


_MODULES = {
    "ChromeTrace": "llmspan.sinks._files",
    "JsonLines": "llmspan.sinks._files",
    "Logging": "llmspan.sinks._logging",
    "OpenTelemetry": "llmspan.sinks._opentelemetry",
    "OtlpJsonLines": "llmspan.sinks._files",
    "Prometheus": "llmspan.sinks._prometheus",
}
