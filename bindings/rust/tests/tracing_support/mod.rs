//! What the tests of spans share: an agent's turn in real time, and a layer that writes down what it sees.
#![allow(dead_code, reason = "each test file uses its part of it")]

use core::time::Duration;
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

use futures_util::{Stream, StreamExt as _, stream};
use llmspan::{CallStart, Failure, Memory, Nanos, Protocol, Recorder, Retry, WaitReason};
use tokio::time::sleep;
use tracing::{Instrument as _, info_span};
use tracing_core::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

pub(crate) const REFUSED_AFTER: Duration = Duration::from_millis(30);
pub(crate) const BACKOFF: Duration = Duration::from_millis(400);
pub(crate) const GAP: Duration = Duration::from_millis(30);
pub(crate) const CHUNKS: u32 = 10;

/// What the stream takes at least.
pub(crate) const STREAMING: Duration = GAP.saturating_mul(CHUNKS);

/// What the whole call takes at least.
pub(crate) const CALL: Duration = REFUSED_AFTER.saturating_add(BACKOFF).saturating_add(STREAMING);

pub(crate) fn recorder() -> (Recorder, Memory) {
    let records = Memory::default();
    let recorder = Recorder::builder().with_sink(records.clone()).with_tracing().build().unwrap();
    (recorder, records)
}

pub(crate) fn start() -> CallStart {
    CallStart::new("chat")
        .with_provider("anthropic")
        .with_model("claude-sonnet-4-5")
        .streamed()
        .with_attribute("task_id", "t-17")
        .with_attribute("tool_count", 4_i64)
        .with_attribute("message_count", 9_i64)
}

/// A turn of an agent: a call that is refused, waits, and streams with a pause before every chunk. Meanwhile another task
/// of the same thread has spans of its own.
pub(crate) async fn turn(recorder: &Recorder) {
    let other = async {
        for _ in 0..8 {
            let work = info_span!("other.work");
            sleep(GAP).instrument(work).await;
        }
    };
    let turn = async {
        let call = recorder.call(start());
        let first = call.attempt();
        sleep(REFUSED_AFTER).await;
        let headers = first.response(429, [("retry-after-ms", "400")]);
        assert_eq!(headers.retry_after_ns, Some(Nanos::from_millis(400)));
        first.failed(Failure::of_status(429));
        call.retry_scheduled(Retry::after(Nanos::from_millis(400), WaitReason::RateLimit).requested_by_server());
        sleep(BACKOFF).await;

        let second = call.attempt();
        second.response(200, []);
        let mut body = Box::pin(second.observe(body(), Protocol::AnthropicMessages).ending(call));
        while let Some(chunk) = body.next().await {
            chunk.unwrap();
        }
    };
    futures_util::join!(turn.instrument(info_span!("agent.turn")), other.instrument(info_span!("other.turn")));
}

/// An answer in as many parts as [`CHUNKS`], each after a pause.
pub(crate) fn body() -> impl Stream<Item = io::Result<String>> {
    stream::iter(0..CHUNKS).then(|number| async move {
        sleep(GAP).await;
        Ok(chunk(number))
    })
}

fn chunk(number: u32) -> String {
    let (kind, fields) = match number {
        0 => (
            "message_start",
            r#""message":{"id":"msg_1","usage":{"input_tokens":100,"cache_creation_input_tokens":20,"cache_read_input_tokens":3,"output_tokens":1}}"#,
        ),
        8 => ("message_delta", r#""delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":42}"#),
        9 => return "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".into(),
        _ => ("content_block_delta", r#""index":0,"delta":{"type":"text_delta","text":"Hi"}"#),
    };
    format!("event: {kind}\ndata: {{\"type\":\"{kind}\",{fields}}}\n\n")
}

/// Writes down spans in the order in which things happen to them. Clones share what they wrote.
#[derive(Clone, Default)]
pub(crate) struct Witness {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    log: Vec<String>,
    closed: Vec<Closed>,
}

/// A span that is closed.
#[derive(Clone, Debug)]
pub(crate) struct Closed {
    pub(crate) name: &'static str,
    pub(crate) parent: Option<&'static str>,
    pub(crate) at_start: BTreeMap<&'static str, String>,
    pub(crate) later: BTreeMap<&'static str, String>,
}

impl Witness {
    /// `+name<parent` for a span that opens, `-name` for one that closes, `>name` for one that is entered, and `!name<parent` for
    /// an event.
    pub(crate) fn log(&self) -> Vec<String> {
        self.seen.lock().unwrap().log.clone()
    }

    /// The closed spans of that name.
    pub(crate) fn closed(&self, name: &str) -> Vec<Closed> {
        self.seen.lock().unwrap().closed.iter().filter(|span| span.name == name).cloned().collect()
    }

    fn write(&self, line: String) {
        self.seen.lock().unwrap().log.push(line);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Witness {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let (name, parent) = (span.name(), span.parent().map(|parent| parent.name()));
        let mut closed = Closed { name, parent, at_start: BTreeMap::new(), later: BTreeMap::new() };
        attributes.record(&mut Texts(&mut closed.at_start));
        span.extensions_mut().insert(closed);
        self.write(format!("+{name}<{}", parent.unwrap_or_default()));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        values.record(&mut Texts(&mut span.extensions_mut().get_mut::<Closed>().unwrap().later));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.write(format!(">{}", context.span(id).unwrap().name()));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let span = context.event_span(event);
        let parent = span.as_ref().map(SpanRef::name).unwrap_or_default();
        let mut fields = BTreeMap::new();
        event.record(&mut Texts(&mut fields));
        self.write(format!("!{}<{parent} {fields:?}", event.metadata().name()));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        let closed = span.extensions().get::<Closed>().cloned().unwrap();
        self.write(format!("-{}", closed.name));
        self.seen.lock().unwrap().closed.push(closed);
    }
}

struct Texts<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Texts<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn core::fmt::Debug) {
        let known = self.0.insert(field.name(), format!("{value:?}"));
        assert_eq!(known, None, "{field} is recorded twice");
    }
}
