"""One finalized span record per LLM call: retries, waits, time to first token, usage and cost.

Configure where records go once, then tell calls what happens to them::

    import llmspan

    llmspan.configure(sinks=[llmspan.sinks.JsonLines("calls.jsonl")])

    with llmspan.Call("chat", provider="openai", model="gpt-4.1-mini", stream=True) as call:
        with call.phase("prompt.build"):
            ...
        with call.attempt() as attempt:
            for chunk in client.chat.completions.create(..., stream=True):
                attempt.payload("openai.chat", chunk)
"""

from llmspan import errors, sinks
from llmspan._context import current_call
from llmspan._llmspan import (
    METRIC_PROFILES,
    PROFILES,
    PROTOCOLS,
    ChromeTraceLog,
    Metrics,
    Record,
    __version__,
    chrome_trace,
    detect,
    otlp_traces,
    read_headers,
    read_request,
    spans,
)
from llmspan.call import Attempt, Call, Phase
from llmspan.errors import Error
from llmspan.recorder import Recorder, RecorderStats, configure, default_recorder, flush, replay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from llmspan._instrument import instrument, is_instrumented, uninstrument
    from llmspan._observe import observe
else:
    # What most programs need one of is imported when it is asked for.
    _LAZY = {
        "instrument": "llmspan._instrument",
        "is_instrumented": "llmspan._instrument",
        "uninstrument": "llmspan._instrument",
        "observe": "llmspan._observe",
    }

    def __getattr__(name: str) -> object:
        module = _LAZY.get(name)
        if module is None:
            raise AttributeError(f"module `llmspan` has no attribute `{name}`")
        import importlib  # noqa: PLC0415 - only where there is something to import

        value = getattr(importlib.import_module(module), name)
        globals()[name] = value
        return value


call = Call

__all__ = [
    "METRIC_PROFILES",
    "PROFILES",
    "PROTOCOLS",
    "Attempt",
    "Call",
    "ChromeTraceLog",
    "Error",
    "Metrics",
    "Phase",
    "Record",
    "Recorder",
    "RecorderStats",
    "__version__",
    "call",
    "chrome_trace",
    "configure",
    "current_call",
    "default_recorder",
    "detect",
    "errors",
    "flush",
    "instrument",
    "is_instrumented",
    "observe",
    "otlp_traces",
    "read_headers",
    "read_request",
    "replay",
    "sinks",
    "spans",
    "uninstrument",
]
