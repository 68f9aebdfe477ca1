"""A call in an environment that has nothing but the package."""

import llmspan

records = llmspan.sinks.Memory()
llmspan.configure(sinks=[records])
with llmspan.Call("chat", model="m") as call, call.attempt() as attempt:
    attempt.chunk("text")
    attempt.chunk(terminal=True)
if not llmspan.flush() or [record.outcome for record in records.records] != ["success"]:
    raise SystemExit(f"not one success: {records.records}")
