//! The calls that are sent: golden event logs, and a call of the host layer.

use std::{
    fs,
    path::{Path, PathBuf},
};

use llmspan::{
    CallStart, Clock as _, Config, Event, Failure, ManualClock, Memory, Nanos, Profile, Protocol, Record, Recorder,
    Retry, SystemClock, UnixNanos, WaitReason,
    core::{
        engine::Tracker,
        event::read_log,
        spans::{Context, Layout, Shape, SpanId, SpanTree, TraceId},
    },
};
use serde_json::Value;

use crate::Result;

/// A call with a trace of its own.
#[derive(Debug)]
#[non_exhaustive]
pub struct Call {
    /// Name of its golden event log, or [`HOSTED`].
    pub name: &'static str,
    /// What the engine made of it.
    pub record: Record,
    ids: (TraceId, SpanId),
}

/// The golden event logs (`tests/goldens`): streamed with reasoning and cached tokens, retried, failed, cancelled, answered
/// by another model, not streamed.
pub const GOLDENS: [&str; 6] = [
    "streamed_success",
    "retry_then_success",
    "error_with_status",
    "cancelled",
    "fallback_to_another_model",
    "tool_call_not_streamed",
];

/// A call that goes through the host layer, with phases around a retry: 20 ms of `prompt.build` with 5 ms of
/// `attach.history` in it, 30 ms up to a 503, 100 ms of waiting, 400 ms up to the end of the stream.
pub const HOSTED: &str = "hosted";

/// All calls. They started one minute before `now`, one second apart: backends put aside what is old.
///
/// # Errors
/// A file that is not there, or cannot be read.
pub fn all(now: UnixNanos) -> Result<Vec<Call>> {
    let minute_ago = now.as_nanos().saturating_sub(60_000_000_000);
    let start = |place: u64| UnixNanos::from_nanos(minute_ago + place * 1_000_000_000);
    let mut calls = Vec::new();
    for (place, name) in (0..).zip(GOLDENS) {
        calls.push(Call { name, record: replayed(name, start(place))?, ids: ids(now, place)? });
    }
    let place = 6;
    calls.push(Call { name: HOSTED, record: hosted(start(place))?, ids: ids(now, place)? });
    Ok(calls)
}

/// The time, in whole milliseconds: some backends keep times in microseconds.
pub fn now() -> UnixNanos {
    let now = SystemClock::new().unix_now().unwrap_or_default().as_nanos();
    UnixNanos::from_nanos(now - now % 1_000_000)
}

impl Call {
    /// The spans of the call under the names of some profiles, one GenAI span for the call.
    ///
    /// # Errors
    /// A profile that does not exist.
    pub fn tree(&self, profiles: &[&str]) -> Result<SpanTree> {
        let profiles =
            profiles.iter().map(|name| Profile::by_name(name)).collect::<core::result::Result<Vec<_>, _>>()?;
        let (trace_id, span_id) = self.ids;
        let context = Context::default().with_ids(trace_id, span_id, None).with_trace(1, "");
        Ok(SpanTree::new(&self.record, &Layout::new(Shape::Call, &profiles), &context).ok_or("a call without ids")?)
    }

    /// Trace id in hex digits.
    pub fn trace_id(&self) -> String {
        self.ids.0.to_string()
    }

    /// Span id of the call in hex digits.
    pub fn span_id(&self) -> String {
        self.ids.1.to_string()
    }
}

/// What the golden file of a profile says about a call: `call` and `attempts`, each with `name`, `kind`, `attributes`.
///
/// # Errors
/// A profile or call that has no golden file.
pub fn golden(profile: &str, name: &str) -> Result<Value> {
    let text = fs::read_to_string(goldens().join(format!("profiles/{profile}.json")))?;
    let golden: Value = serde_json::from_str(&text)?;
    Ok(golden.get(name).cloned().ok_or_else(|| format!("{profile} has no {name}"))?)
}

fn replayed(name: &str, start: UnixNanos) -> Result<Record> {
    let config: Config = serde_json::from_str(&fs::read_to_string(goldens().join("records/config.json"))?)?;
    let log = fs::read_to_string(goldens().join(format!("records/{name}.jsonl")))?;
    let mut tracker = Tracker::new(config)?;
    for mut event in read_log(&log)? {
        if let Event::CallStarted(call) = &mut event.event {
            call.unix_ns = Some(start);
        }
        tracker.handle_event(&event);
    }
    Ok(tracker.poll_record().ok_or_else(|| format!("{name}: the call has not ended"))?)
}

fn hosted(start: UnixNanos) -> Result<Record> {
    let clock = ManualClock::anchored(start);
    let records = Memory::default();
    let recorder = Recorder::builder().with_clock(clock.clone()).with_sink(records.clone()).build()?;

    let call = recorder.call(CallStart::new("chat").with_provider("openai").with_model("gpt-4.1-mini").streamed());
    let prompt = call.phase("prompt.build");
    clock.advance(Nanos::from_millis(15));
    let history = call.phase("attach.history");
    clock.advance(Nanos::from_millis(5));
    drop(history);
    drop(prompt);

    let first = call.attempt();
    clock.advance(Nanos::from_millis(30));
    first.response(503, []);
    first.failed(Failure::of_status(503));
    call.retry_scheduled(Retry::after(Nanos::from_millis(100), WaitReason::ServerError));
    clock.advance(Nanos::from_millis(100));

    let second = call.attempt();
    clock.advance(Nanos::from_millis(300));
    second.bytes(
        Protocol::OpenAiChat,
        b"data: {\"model\":\"gpt-4.1-mini-2025-04-14\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n",
    );
    clock.advance(Nanos::from_millis(100));
    second.bytes(
        Protocol::OpenAiChat,
        b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
        data: {\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":3,\"total_tokens\":15}}\n\n\
        data: [DONE]\n\n",
    );
    call.end();
    Ok(records.records().pop().ok_or("the call has not ended")?)
}

/// Ids that no other run has: a backend may keep what it was sent before.
fn ids(now: UnixNanos, place: u64) -> Result<(TraceId, SpanId)> {
    let [time, place] = [now.as_nanos(), place + 1].map(u64::to_be_bytes);
    let trace = TraceId::from_bytes([time, place].concat().try_into().map_err(|_| "16 bytes")?);
    Ok(trace.zip(SpanId::from_bytes(place)).ok_or("an id of zeros")?)
}

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../goldens")
}
