//! In a Chrome trace a streaming call is one slice as long as the call, within the turn that made it.
#![cfg(feature = "tracing")]

mod tracing_support;

use core::time::Duration;
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::time::Instant;
use tracing_chrome::{ChromeLayerBuilder, TraceStyle};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_support::{BACKOFF, CALL, CHUNKS, REFUSED_AFTER, STREAMING, recorder, turn};

#[tokio::test]
async fn a_call_is_one_slice_of_its_true_length() {
    let (trace, wall) = traced(TraceStyle::Async).await;
    let turn = only(slices(&trace, "agent.turn"));
    let call = only(slices(&trace, "llm.chat_stream"));
    let [refused, answered]: [Slice; 2] = slices(&trace, "llm.call").try_into().unwrap();

    assert!(call.duration() >= CALL && call.duration() <= wall, "{call:?}, {wall:?}");
    assert!(turn.start <= call.start && call.end <= turn.end, "{turn:?}, {call:?}");
    assert_eq!(turn.track, call.track);
    for attempt in [&refused, &answered] {
        assert!(call.start <= attempt.start && attempt.end <= call.end);
        assert_eq!(call.track, attempt.track);
    }

    // The wait is between the attempts, not in them.
    assert!(answered.start - refused.end >= micros(BACKOFF));
    assert!(refused.duration() >= REFUSED_AFTER && refused.duration() < BACKOFF);
    assert!(answered.duration() >= STREAMING && answered.duration() + BACKOFF + REFUSED_AFTER <= wall);

    assert_eq!(refused.fields["llm.error"], "\"429\"");
    assert_eq!((&answered.fields["llm.attempt"], &answered.fields["llm.output_tokens"]), (&"1".into(), &"42".into()));
    assert_eq!(call.fields["task.id"], "\"t-17\"");
}

#[tokio::test]
async fn slices_of_polls_are_not_taken_for_the_call() {
    let (trace, _) = traced(TraceStyle::Threaded).await;
    let drawn = |name: &str| trace.iter().filter(|event| event["name"] == name && event["ph"] == "B").count();
    // The turn shows why: it is there once for every poll.
    assert!(drawn("agent.turn") >= CHUNKS as usize);
    assert_eq!((drawn("llm.chat_stream"), drawn("llm.call")), (0, 0));
}

/// The events of the trace of a turn, and how long the turn took.
async fn traced(style: TraceStyle) -> (Vec<Value>, Duration) {
    let written = Written::default();
    let (layer, guard) =
        ChromeLayerBuilder::new().writer(written.clone()).trace_style(style).include_args(true).build();
    let scope = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let (recorder, _) = recorder();
    let began = Instant::now();
    turn(&recorder).await;
    let wall = began.elapsed();
    drop((scope, guard));
    let json = written.0.lock().unwrap().clone();
    (serde_json::from_slice(&json).unwrap(), wall)
}

#[derive(Debug)]
struct Slice {
    track: String,
    /// In microseconds of the trace.
    start: f64,
    end: f64,
    fields: Value,
}

impl Slice {
    fn duration(&self) -> Duration {
        // The trace is written to nanoseconds; a float may lose one.
        Duration::from_secs_f64((self.end - self.start) / 1e6 + 1e-8)
    }
}

/// The slices of that name, in order of their start. They do not overlap.
fn slices(trace: &[Value], name: &str) -> Vec<Slice> {
    let ends = |phase: &str| {
        let matching = trace.iter().filter(|event| event["name"] == name && event["ph"] == phase);
        matching.map(|event| (event["ts"].as_f64().unwrap(), event)).collect::<Vec<_>>()
    };
    let (starts, ends) = (ends("b"), ends("e"));
    assert_eq!(starts.len(), ends.len());
    let pairs = starts.into_iter().zip(ends);
    pairs
        .map(|((start, first), (end, last))| {
            assert_eq!(first["id"], last["id"]);
            Slice { track: first["id"].to_string(), start, end, fields: last["args"].clone() }
        })
        .collect()
}

fn only(mut slices: Vec<Slice>) -> Slice {
    assert_eq!(slices.len(), 1);
    slices.remove(0)
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
