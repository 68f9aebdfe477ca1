//! A task of several turns under `tracing`: what a Chrome trace shows of it.
#![allow(clippy::std_instead_of_core, reason = "examples are written as applications are")]

use std::{
    io::{self, Write},
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use llmspan::{Memory, Outcome, Recorder};
use llmspan_example_agent::{agent::Agent, slowest::Slowest};
use llmspan_examples::{
    demo::{ARGUMENTS, FOUND, TOOL},
    server::{Reply, Server},
    wire::{OpenAiChat, completion, streamed_tool_call},
};
use serde_json::Value;
use tracing_chrome::{ChromeLayerBuilder, TraceStyle};
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt as _};

const LATENCY: Duration = Duration::from_millis(20);
const BACKOFF: Duration = Duration::from_millis(700);
const PAUSE: Duration = Duration::from_millis(30);
const TOOL_TIME: Duration = Duration::from_millis(80);

/// A rate limit, a tool, the answer, a title.
async fn server() -> Server {
    let limited = Reply::rate_limited(LATENCY).with_header("retry-after-ms", "700");
    let asked = streamed_tool_call(Reply::stream(LATENCY), TOOL, ARGUMENTS);
    let answer = OpenAiChat { text: FOUND, pause: |_| PAUSE, cut_after: None }.append_to(Reply::stream(LATENCY));
    let title = Reply::json(LATENCY, completion("An order"));
    Server::start([limited, asked, answer, title]).await.unwrap()
}

#[tokio::test]
async fn spans_are_as_long_as_what_they_stand_for() {
    let written = Written::default();
    let builder = ChromeLayerBuilder::new().writer(written.clone()).trace_style(TraceStyle::Async).include_args(true);
    let (layer, guard) = builder.build();
    let scope = tracing::subscriber::set_default(tracing_subscriber::registry().with(LevelFilter::INFO).with(layer));

    let server = server().await;
    let (records, slowest) = (Memory::default(), Slowest::default());
    let recorder = Recorder::builder().with_sink(records.clone()).with_sink(slowest.clone()).with_tracing();
    let agent = Agent::new(server.url("/v1/chat/completions"), recorder.build().unwrap());
    let (title, answer) = agent.run("t-17", "Where is order 4711?").await.unwrap();
    drop((scope, guard));
    assert_eq!((title.as_str(), answer.as_str()), ("An order", FOUND));
    assert_eq!(server.requests()[2]["messages"][2]["content"], r#"{"order":"4711","place":"Hamburg"}"#);

    let trace = serde_json::from_slice::<Vec<Value>>(&written.0.lock().unwrap()).unwrap();
    let slices = |name: &str| slices(&trace, name);
    let [asking, answering]: [Slice; 2] = slices("llm.chat_stream").try_into().unwrap();
    let [refused, asked, answered, titled]: [Slice; 4] = slices("llm.call").try_into().unwrap();
    let [tool]: [Slice; 1] = slices("agent.tool").try_into().unwrap();
    let [naming]: [Slice; 1] = slices("llm.chat").try_into().unwrap();
    let [first, second]: [Slice; 2] = slices("agent.turn").try_into().unwrap();

    assert!(first.contains(&asking) && first.contains(&tool) && second.contains(&answering));
    assert!(asking.contains(&refused) && asking.contains(&asked));
    assert!(answering.contains(&answered) && naming.contains(&titled));
    assert!(tool.start >= asking.end && tool.duration() >= TOOL_TIME, "a tool is no part of a call");

    // The wait is between the attempts: it is in the call, and in none of them.
    assert!(asked.start - refused.end >= BACKOFF.as_secs_f64() * 1e6);
    assert!(refused.duration() >= LATENCY && asked.duration() >= LATENCY);
    let attempts = refused.duration() + asked.duration();
    assert!(attempts + BACKOFF <= asking.duration() + Duration::from_millis(1), "{attempts:?} of {asking:?}");

    // A stream lasts until its last chunk, however short each poll was.
    let words = u32::try_from(FOUND.split(' ').count()).unwrap();
    assert!(answering.duration() >= words * PAUSE && answered.duration() >= words * PAUSE);

    let [one, two, three] = records.records().try_into().unwrap();
    for (slice, record) in [(&asking, &one), (&answering, &two), (&naming, &three)] {
        assert_eq!(record.outcome, Outcome::Success);
        let of_record = Duration::from_nanos(record.duration_ns.as_nanos());
        assert!(slice.duration().abs_diff(of_record) < Duration::from_millis(200), "{slice:?}, {of_record:?}");
    }
    assert_eq!((&asking.fields["task.id"], &asking.fields["llm.tool_count"]), (&"\"t-17\"".into(), &"1".into()));
    // The type of the error is the one in its body.
    assert_eq!((&refused.fields["llm.error"], &asked.fields["llm.attempt"]), (&"\"requests\"".into(), &"1".into()));

    assert_eq!(slowest.record().unwrap(), one, "the call that had to wait");
    assert!(slowest.explain()[1].contains("wait"), "{:?}", slowest.explain());
}

#[test]
fn the_binary_writes_its_trace() {
    let path = std::env::temp_dir().join(format!("llmspan-agent-{}.json", std::process::id()));
    let ran = Command::new(env!("CARGO_BIN_EXE_agent")).arg(&path).output().unwrap();
    let trace: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(ran.status.success());
    assert!(String::from_utf8(ran.stdout).unwrap().contains(FOUND));
    assert_eq!(slices(&trace, "llm.chat_stream").len(), 2);
    assert_eq!(slices(&trace, "llm.chat").len(), 1);
}

#[derive(Debug)]
struct Slice {
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

    fn contains(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// The slices of that name, in order of their start. They do not overlap.
fn slices(trace: &[Value], name: &str) -> Vec<Slice> {
    let events = |phase: &'static str| trace.iter().filter(move |event| event["name"] == name && event["ph"] == phase);
    let (starts, ends) = (events("b"), events("e"));
    let slices = starts.zip(ends).map(|(start, end)| Slice {
        start: start["ts"].as_f64().unwrap(),
        end: end["ts"].as_f64().unwrap(),
        fields: end["args"].clone(),
    });
    slices.collect()
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
