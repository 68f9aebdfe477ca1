//! Finalized calls as a trace for Perfetto and `chrome://tracing`.
//!
//! [`ChromeTrace`] gathers records and writes one file, [`ChromeTraceLog`] gives the pieces of a file that grows call by
//! call. Both write the JSON of the Trace Event Format: complete events (`X`) for stretches of time, instants (`i`) for
//! moments, metadata (`M`) for the names of tracks.
//!
//! A tracer that draws one slice per poll of an asynchronous span shows how long the process worked on a call and not how
//! long the call took. A record knows the whole of it.
//!
//! # What is drawn
//! | slice | stretch | length |
//! |---|---|---|
//! | `llm.chat_stream`, `llm.chat` | the call, streamed or not; `llm.` and the operation for others, `_stream` where streamed | `duration_ns` |
//! | `attempt 1` | an attempt | its `duration_ns` |
//! | `headers` | in an attempt: from `request_sent`, else its start, to the headers | `time_to_headers_ns` |
//! | `first_token` | in an attempt: from its start to the first visible chunk | `ttft_ns` |
//! | `sampling` | in an attempt: from the first visible chunk to its end | `sampling_ns` |
//! | `wait: rate_limit` | a wait, with its reason | `actual_delay_ns` |
//! | `prompt.build` | a phase under its own name | its `duration_ns` |
//!
//! Instants are `stall`, `tool_call: name`, `refusal` and `finish: reason`. The arguments of a slice are values of the
//! record under the names that they have there, so `ttft_ns` is the `ttft_ns` of [`Record`](crate::record::Record);
//! attributes of the caller are in `attributes`. Integers above 2^53 are decimal strings, NaN and infinities are left out.
//!
//! # Tracks
//! On a track slices nest or are apart, never in between: viewers drop a slice that crosses the end of another. Calls that
//! overlap are on different tracks, and so are attempts of one call that overlap (hedged ones) and phases that cross the
//! end of an attempt; the tracks `calls 1, beside 1` and so on belong to the calls of `calls 1`. The same records in the
//! same order give the same tracks.
//!
//! # Time
//! `ts` and `dur` are microseconds with three decimals, so that every nanosecond is there. Viewers read them as floats,
//! which keep every nanosecond up to 26 days after the origin.
//!
//! - Records with a wall-clock anchor are in the process `llmspan`, where 0 is the start of the earliest of them. In a
//!   [`ChromeTraceLog`], which cannot know the earliest, 0 is a day before the first one, or what
//!   [`ChromeTraceLog::with_origin`] says; viewers begin at the first event either way.
//! - Records without an anchor are in the process `llmspan, monotonic clock`. Where their caller knows when they started,
//!   `add_at` and `append_at` take that time, and 0 is the zero of its clock. A record does not hold the time itself, so
//!   without it the call starts at 0.

mod args;
mod event;
mod layout;
mod slices;
mod trace;
mod tracks;

pub use trace::{ChromeTrace, ChromeTraceLog};
