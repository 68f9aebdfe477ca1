//! A slow and obvious second implementation of what a record says, for the engine to be compared with.
//!
//! The engine decides with every event and keeps nothing; this model keeps every event and decides at the end. It is written from
//! the definitions and has nothing in common with `llmspan_core::machine`: no sketch, no bounded union of intervals, no short way
//! for plain content, only lists that are filtered, sorted and folded. Where both say the same over random events, a mistake would
//! have to be made twice.
//!
//! [`records`] gives the records of a log, [`compare::differences`] tells where the engine gives others, and [`ops`] are events that
//! tests and the fuzzer make up.
//!
//! | module | what of a record it computes |
//! |---|---|
//! | `calls` | which events are of which call, how each ends, deadlines |
//! | `told` | one list per call: clamped times, decoded bytes, the number of the attempt |
//! | `attempt` | which of that counts for an attempt, and the evidence of its end |
//! | `outcome` | the decision order |
//! | `timing` | marks, the values that follow from them, gaps |
//! | `tokens`, `cost` | counts, sums, money |
//! | `local` | phases, waits, time that nothing covers |
//! | `span_events` | moments of the span, tool calls |
//! | `said` | attributes and flags |
//! | `odd` | diagnostics, caps |
//! | `attempt_record`, `record` | the record out of all of it, objectives |
//!
//! # What it shares with the engine
//! The types of events, configurations and records; [`Chunk::to_delta`], the decoders and the reading of headers, which are tested
//! on their own: what bytes mean is taken as given, what follows from it is not.
//!
//! # What is approximate
//! Percentiles of the engine may be 1 % off, and lie anywhere between the smallest and the largest gap when these are eleven powers of
//! two apart; an objective for such a percentile may then be judged either way. Past 32 intervals the engine may take
//! covered time for time that nothing covers.
//!
//! # What is out of its scope
//! - Messages of errors (`error.message`): they are cleaned by rules of their own, and left out of the comparison.
//! - Texts are cut at a cap only as values of attributes, not as names, keys, ids or elements of lists; the caps of finish reasons and of
//!   attributes of attempts are not modelled. The scenarios stay below those.
//! - More decoders than are kept alive at the same time, and the caps of a tracker: open calls, waiting records, remembered ids. The
//!   scenarios stay below those too.
//! - What comes for an attempt that is not kept in detail any more, also what its call learns later of its streaming, and races of
//!   more attempts than are kept. Scenarios with a low cap of attempts have none of it.
//!
//! Every other value of a record is compared, and has to be equal.
//!
//! [`Chunk::to_delta`]: llmspan_core::event::Chunk::to_delta

extern crate alloc;

mod attempt;
mod attempt_record;
mod calls;
pub mod compare;
mod cost;
mod local;
mod odd;
pub mod ops;
mod outcome;
mod record;
mod said;
mod span_events;
mod timing;
mod tokens;
mod told;

pub use calls::records;
