//! The page about protocols, written from what the engine itself goes by.

use core::fmt::Write as _;

use llmspan_core::{
    framing::Framing,
    provider::{Accounting, Basis, Counted, Protocol},
};

/// The text of `core/docs/protocols.md`.
pub(crate) fn page() -> String {
    let mut out = String::from(HEAD);
    for &protocol in Protocol::ALL {
        let Accounting { cache, reasoning, tool_input, basis, .. } = protocol.accounting();
        let basis = match basis {
            Basis::Counted => "counted; billed beside it",
            _ => "counted",
        };
        let _ = writeln!(
            out,
            "| `{protocol}` | {} | {} | {} | {} | {} | {basis} |",
            framing(protocol.framing()),
            protocol.end_marker(),
            counted(cache),
            counted(reasoning),
            counted(tool_input),
        );
    }
    out.push_str(TAIL);
    out
}

fn framing(framing: Framing) -> &'static str {
    match framing {
        Framing::EventStream => "AWS event stream",
        Framing::Json => "JSON",
        Framing::JsonArray => "JSON array",
        Framing::Ndjson => "lines of JSON",
        _ => "server-sent events",
    }
}

fn counted(counted: Counted) -> &'static str {
    match counted {
        Counted::Apart => "apart, added",
        Counted::ByTotal => "by the total",
        Counted::Included => "included",
        _ => "-",
    }
}

const HEAD: &str = "\
<!-- Written by `cargo xtask generate` from what the engine goes by. -->
# Protocols

How each protocol is framed, what completes a stream of it, and which of the token counts that its servers report include which. The
normalized counts of a record always include everything: input has what came from the cache, what went there, and what tools of the provider
put in; output has reasoning.

| protocol | framing | complete with | cache in input | reasoning in output | tools in input | counts are |
|---|---|---|---|---|---|---|
";

const TAIL: &str = "
- **apart, added**: the provider reports it beside the other count, and the record has the sum.
- **by the total**: servers of one protocol differ. It is added where the reported total is the sum with it (xAI), else it is included.
- **included**: the provider's count has it already.
- **-**: no such count is reported.
- **counted; billed beside it**: the counts are what the model read and wrote; what is billed is kept as `raw.billed_input` and
  `raw.billed_output`, and stands in where it is all that is reported.

The provider's own numbers are in `usage.raw`, unchanged. Where they contradict each other, `usage.warnings` says how: `cache_exceeds_input`,
`reasoning_exceeds_output`, `total_is_not_the_sum`.

`bedrock.invoke` passes on the protocol of the model: its own counts go before those of Bedrock, which the row above is about. The first
bytes may say that a response is framed in another way: a JSON body where a stream was asked for, a JSON array of Gemini, lines of Cohere's
version 1.
";
