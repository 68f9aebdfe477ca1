//! A record as a waterfall: where the time of a call went, on one time axis.
//!
//! A call is drawn as the network panel of a browser draws a page: a row for each phase, attempt and wait, below the final
//! attempt a row for each step of its response, and beside every bar what is worth a word. Above it is what was asked and
//! how it ended, below it are the values that readers look for first and the sentences of [`mod@explain`](crate::explain).
//!
//! | to draw | call | gives |
//! |---|---|---|
//! | in a terminal or a log | [`text()`] | lines of at most so many columns, in Unicode or ASCII, with or without colours |
//! | in a notebook or a report | [`html()`] | one `<figure>` that needs nothing else: no script, no file, no network |
//! | as a file for a browser | [`page`] | a whole document around such figures |
//! | with code of your own | [`json`] or [`Waterfall::new`] | the rows, the axis, the values and the sentences as data |
//!
//! All of them show the same rows in the same words and units, because they draw one [`Waterfall`]. It is bounded: past
//! [`WATERFALL_ROWS`](crate::limits::WATERFALL_ROWS) the middle of a call with many attempts is folded into a row such as
//! `… 37 more attempts`.
//!
//! # JSON
//! What [`json`] writes, here of a call that was limited after 50 ms and with the first entries of the longer lists. Times
//! are nanoseconds from the start of the call, lengths are nanoseconds; integers above 2^53 are decimal strings. Keys and
//! kinds may be added; what is there keeps its meaning.
//!
//! ```json
//! {
//!   "head": {"what": "chat gpt-4.1-mini @ openai", "outcome": "error", "ending": "error: rate_limit 429", "duration": "50 ms"},
//!   "duration_ns": 50000000,
//!   "axis": {"step_ns": 10000000, "ticks": [{"at_ns": 0, "label": "0"}, {"at_ns": 10000000, "label": "10 ms"}]},
//!   "rows": [{
//!     "kind": "attempt", "label": "attempt 1", "depth": 0, "attempt": 1, "start_ns": 0, "duration_ns": 50000000,
//!     "note": "rate_limit 429", "failed": true,
//!     "segments": [{"kind": "waiting", "start_ns": 0, "duration_ns": 50000000, "failed": true}]
//!   }],
//!   "brief": {
//!     "timing": [{"key": "duration_ns", "label": "duration", "value": "50 ms"}],
//!     "result": [{"key": "attempt_count", "label": "attempts", "value": "1 (0 retried)"}]
//!   },
//!   "explanations": [{"topic": "duration_ns", "text": "50 ms in all: 100 % in attempt 1 without a visible chunk"}]
//! }
//! ```
//!
//! - `kind` of a row is a [`RowKind::key`], of a segment a [`SegmentKind::key`].
//! - `attempt` and `note` are absent when there is none; every other key is there.
//! - Segments come in drawing order: a later one covers an earlier one.
//! - Texts are as a provider or caller wrote them, without control characters: escape them for your markup.
//!
//! # Calls in flight
//! A [`Call`](crate::engine::Call) gives its record only at its end. To draw it before, end a copy of it:
//!
//! ```
//! use llmspan_core::{config::Config, engine::Call, machine::{AttemptStart, CallStart}, time::{Nanos, Timestamp}, waterfall::Waterfall};
//! # extern crate alloc;
//! use alloc::sync::Arc;
//!
//! let config = Arc::new(Config::default());
//! let mut call = Call::new(config.clone(), Timestamp::from_millis(0), CallStart::default());
//! call.handle_attempt_started(Timestamp::from_millis(10), AttemptStart::default());
//!
//! let mut copy = Call::resume(config, &call.snapshot().expect("the call is open"))?;
//! copy.handle_dropped(Timestamp::from_millis(40));
//! let record = copy.poll_record().expect("the copy has ended");
//! let attempt = &Waterfall::new(&record).rows[0];
//! assert_eq!(attempt.duration_ns, Nanos::from_millis(30));
//! assert!(call.is_open());
//! # Ok::<(), llmspan_core::error::Error>(())
//! ```
//!
//! Its outcome is `abandoned`, and its open attempt says so.

mod axis;
mod bars;
mod brief;
mod fold;
mod html;
mod model;
mod rows;
mod terminal;
mod text;
mod words;

pub use axis::{Axis, Tick};
pub use brief::{Brief, Fact};
pub use html::{HtmlStyle, Scheme, html, page};
pub use model::{Head, Row, RowKind, Segment, SegmentKind, Waterfall, json};
pub use terminal::{Glyphs, Palette, TextStyle, Tone, display_width, wrap};
pub use text::{legend, text};

#[cfg(test)]
mod tests;
