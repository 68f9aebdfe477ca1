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
    replay,
    spans,
)
from llmspan.call import Attempt, Call, Phase
from llmspan.errors import Error
from llmspan.recorder import Recorder, RecorderStats, configure, default_recorder, flush

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
    "chrome_trace",
    "configure",
    "default_recorder",
    "detect",
    "errors",
    "flush",
    "otlp_traces",
    "read_headers",
    "replay",
    "sinks",
    "spans",
]
