//! Live spans of calls, for an application that uses `tracing`. Needs the feature `tracing`.
//!
//! A recorder made with [`with_tracing`](crate::RecorderBuilder::with_tracing) opens a span for every call under the span
//! that is current at that moment, and a child of it for every attempt:
//!
//! | span | from | to | fields at its start | fields at its end |
//! |---|---|---|---|---|
//! | `llm.chat_stream`, `llm.chat`, `llm.{operation}`, with `_stream` if the call is streamed | [`Recorder::call`](crate::Recorder::call) | the end of the call | `task.id`, `llm.model`, `llm.tool_count`, `llm.message_count` | `llm.attempt` (of the final attempt), `llm.stop_reason`, `llm.error` |
//! | `llm.call` | the start of the attempt | its end: waits lie outside | as above, and `llm.attempt` (from 0) | `llm.input_tokens`, `llm.output_tokens`, `llm.cache_read_tokens`, `llm.cache_creation_tokens`, `llm.duration_ms`, `llm.stop_reason`, `llm.error` |
//!
//! The names are those of the profile `ares`, and the values are rendered from records, so that a span says what the record
//! of the call says. What is unknown is not recorded. Task, tools and messages come from the attributes `task_id`,
//! `tool_count` and `message_count` of the call, or of an attempt. Tokens are on attempts only: a sum over spans counts them
//! once. Both spans have `otel.kind` and, if they failed, `otel.status_code`, which `tracing-opentelemetry` reads. Target and
//! level are `llmspan` and INFO. Every retry is an event in the span of the call, with its `reason` and `delay_ms`; first tokens,
//! stalls and tool calls are in the record. A process has at most 64 names of spans; operations past that are `llm.other`.
//!
//! # Time
//! A span is open from its start to its end, however often the future around it is polled, and whichever threads poll it.
//! It is **never entered**: the spans that the application opens meanwhile stay where they are, and the time between polls is
//! not cut out.
//!
//! - `tracing-opentelemetry` exports the true start and end. Its `busy_ns` is 0: the application waits.
//! - `tracing-chrome` draws one slice per span with [`TraceStyle::Async`]. Its default, `TraceStyle::Threaded`, draws a slice for
//!   every time a span is entered, which for work that awaits shows the polls and not the waiting; these spans are not in it.
//!
//! An attempt ends with what ended it. Where nothing says so, as for a response that was told in one piece, its span
//! lasts until the next phase, attempt or wait of the call, or the end of the call. What is reported after that, such as token
//! counts, is in the record only.
//!
//! Without a subscriber nothing happens. With one, a call costs a copy of its state when it starts, when an attempt starts or
//! ends, and nothing per chunk. A subscriber that comes later sees the calls that start after it.
//!
//! # Examples
//! ```
//! use llmspan::{CallStart, Failure, Memory, Recorder};
//!
//! // An application adds its layers, and makes the subscriber that of all threads.
//! let _scope = tracing::subscriber::set_default(tracing_subscriber::registry());
//!
//! let records = Memory::default();
//! let recorder = Recorder::builder().with_sink(records.clone()).with_tracing().build()?;
//!
//! let turn = tracing::info_span!("agent.turn").entered();
//! let start = CallStart::new("chat").with_model("gpt-4.1-mini").streamed();
//! let call = recorder.call(start.with_attribute("task_id", "t-17").with_attribute("tool_count", 4_i64));
//! let attempt = call.attempt(); // agent.turn > llm.chat_stream > llm.call
//! attempt.failed(Failure::of_status(429)); // closes `llm.call`, with `llm.error`
//! call.end(); // closes `llm.chat_stream`
//! drop(turn);
//!
//! assert_eq!(records.records().len(), 1);
//! # Ok::<(), llmspan::Error>(())
//! ```
//!
//! [`TraceStyle::Async`]: https://docs.rs/tracing-chrome/latest/tracing_chrome/enum.TraceStyle.html

mod callsite;
mod fields;
mod span;
mod spans;

pub(crate) use spans::Spans;
