//! The engine of llmspan: events of an LLM call in, one finalized span record out.
//!
//! It answers one question: **why was this call slow, dear or broken?** A host tells the engine what happens to a call,
//! with the time of each event: phases of local work, attempts, waits, raw response bytes, token counts, ends. When the call
//! ends the engine gives a [`record::Record`] with the time to first token, the setup before it, every retry and wait, the
//! gaps between chunks, tokens, cost and outcome. [`names`] writes a record under the attribute names of OpenTelemetry and
//! of other tools, [`mod@explain`] says in plain words where the time went, [`metrics`] folds records into histograms.
//!
//! # How it is driven
//! **All progress comes from method calls with a time: the engine reads no clock, does no I/O, starts nothing, logs nothing
//! and calls nobody back.** The same events give the same record, bit for bit, on every platform.
//!
//! 1. Make an [`engine::Call`] (one call) or an [`engine::Tracker`] (many, by id).
//! 2. Hand over events in time order with the `handle_` methods. Late, duplicate and backwards events are normal input: they
//!    are clamped, counted in [`record::Diagnostics`], and change nothing else.
//! 3. Ask `poll_timeout` for the next deadline, and call `handle_timeout` when it has come.
//! 4. End the call, and take the record with `poll_record`.
//!
//! ```
//! use llmspan_core::{config::Config, engine::Tracker, event::read_log, names, time::Nanos};
//!
//! let log = r#"
//! {"at_ns": 0, "event": "call_started", "operation": "chat", "provider": "openai", "model": "gpt-4.1-mini", "stream": true}
//! {"at_ns": 0, "event": "attempt_started"}
//! {"at_ns": 50000000, "event": "attempt_failed", "status_code": 429}
//! {"at_ns": 50000000, "event": "retry_scheduled", "delay_ns": 2000000000, "reason": "rate_limit", "server_requested": true}
//! {"at_ns": 2050000000, "event": "attempt_started"}
//! {"at_ns": 2250000000, "event": "chunk", "content": "text"}
//! {"at_ns": 3250000000, "event": "chunk", "usage": {"input_tokens": 10, "output_tokens": 500}, "terminal": true}
//! {"at_ns": 3250000000, "event": "call_ended"}
//! "#;
//! let mut tracker = Tracker::new(Config::default())?;
//! for event in read_log(log)? {
//!     tracker.handle_event(&event);
//! }
//! let record = tracker.poll_record().expect("the call has ended");
//! assert_eq!(record.attempt_count, 2);
//! assert_eq!(record.request_setup_ns, Some(Nanos::from_millis(2050)));
//! assert_eq!(record.ttft_ns, Some(Nanos::from_millis(200)));
//! assert_eq!(record.output_tokens_per_second, Some(500.0));
//!
//! let attributes = names::call_attributes(&record, &[names::Profile::by_name("otel-1.41")?]);
//! assert_eq!(attributes["gen_ai.usage.output_tokens"], 500_i64.into());
//! # Ok::<(), llmspan_core::error::Error>(())
//! ```
//!
//! # What it does not do
//! It keeps no content: of text and media there are byte counts, and error messages only on request. It never fails a host:
//! [`error::Error`] is for misuse of the API, whatever a server sends is a count in the diagnostics. It grows with nothing
//! that a server or caller controls: every cap is in [`limits`].
//!
//! # Features
//! All but `std` are on by default; without one of them the engine is smaller, as it is for browsers. Records are the same.
//!
//! | feature | with it |
//! |---|---|
//! | `compact` | the compact form of records and events, and snapshots of calls ([`mod@encode`]) |
//! | `fast-decode` | events of providers are read by code that is made for each kind of object: several times faster, and without allocations; without it one piece of code reads all of them |
//! | `logs` | log events of OTLP |
//! | `metrics` | records folded into counters and histograms: [`metrics`], and their OTLP form |
//! | `protobuf` | OTLP as protobuf, next to JSON |
//! | `protocols` | every protocol is decoded; without it those of [`provider::Protocol::is_decoded`] |
//! | `std` | the standard library is linked; the engine needs none |
//!
//! # Modules
//! Arrows go one way: [`framing`] → [`provider`] → [`delta`] → [`machine`] → [`record`] → [`encode`], [`names`],
//! [`mod@explain`], [`metrics`], [`definitions`] and [`chrome`]; [`mod@explain`] → [`waterfall`]; [`record`] → [`server_timing`]; [`names`] → [`spans`] →
//! [`otlp`] ← [`metrics`]; [`engine`] joins them and [`event`] is the log that drives it.
#![no_std]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod chrome;
pub mod config;
pub mod definitions;
pub mod delta;
pub mod encode;
pub mod engine;
pub mod error;
pub mod event;
pub mod explain;
mod fields;
pub mod framing;
pub mod limits;
pub mod machine;
#[cfg(feature = "metrics")]
pub mod metrics;
pub mod names;
pub mod otlp;
pub mod price;
#[cfg_attr(not(feature = "protocols"), allow(dead_code, reason = "shared by all protocols, used by few"))]
pub mod provider;
#[cfg(test)]
mod random;
pub mod record;
mod search;
pub mod server_timing;
mod sorted;
pub mod spans;
pub mod stats;
pub mod time;
pub mod waterfall;
mod wide;
