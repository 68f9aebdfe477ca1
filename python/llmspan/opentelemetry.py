"""What ``opentelemetry-instrument`` finds.

::

    pip install llmspan[otel] opentelemetry-distro opentelemetry-exporter-otlp
    opentelemetry-instrument python app.py

Calls of SDKs are then seen at the wire, and go to the tracer and the meter that ``opentelemetry-instrument`` sets up.
To leave it out there, name it in ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=llmspan``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]  # it comes without types

import llmspan
from llmspan.recorder import configure, is_configured
from llmspan.sinks import OpenTelemetry

if TYPE_CHECKING:
    from collections.abc import Collection


class LlmspanInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # it comes without types
    """Sees model calls at the wire, and writes them with OpenTelemetry.

    Arguments of :meth:`instrument` are those of :class:`llmspan.sinks.OpenTelemetry`: ``tracer_provider``,
    ``meter_provider`` and so on. A recorder that was configured before stays, if none are given.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """Give what must be installed: nothing, for libraries are hooked when they are imported."""
        return ()

    def _instrument(self, **options: Any) -> None:
        if options or not is_configured():
            configure(sinks=[OpenTelemetry(**options)])
        llmspan.instrument()

    def _uninstrument(self, **_: Any) -> None:
        llmspan.uninstrument()
