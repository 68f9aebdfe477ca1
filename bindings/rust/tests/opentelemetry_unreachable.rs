//! An endpoint that never answers costs the application nothing.
#![cfg(feature = "opentelemetry")]

mod opentelemetry_support;

use core::net::Ipv4Addr;
use std::net::TcpListener;

use llmspan::{Clock as _, Nanos, Protocol, SystemClock};
use opentelemetry_support::{
    FINISH, WORD,
    otlp::{Application, is_child, run},
    start,
};

/// How long the exporter waits for an answer, in milliseconds.
const TIMEOUT: &str = "3000";

/// No call may take as long as one export.
const LONGEST: Nanos = Nanos::from_millis(1500);

/// What the process does: more spans than the queue of the exporter takes, while an export is waiting all the time.
#[test]
fn application() {
    if !is_child() {
        return;
    }
    let application = Application::new();
    let (clock, mut longest) = (SystemClock::new(), Nanos::ZERO);
    for _ in 0..1500 {
        let began = clock.now();
        let call = application.recorder.call(start());
        let attempt = call.attempt();
        attempt.bytes(Protocol::OpenAiChat, WORD.as_bytes());
        attempt.bytes(Protocol::OpenAiChat, FINISH.as_bytes());
        call.end();
        longest = longest.max(clock.now().saturating_since(began));
    }
    assert!(longest < LONGEST, "{longest:?}");
    let stats = application.recorder.stats();
    assert_eq!((stats.records, stats.open_calls, stats.sink_panics), (1500, 0, 0));
    assert_eq!((application.spans.stats().exported, application.instruments.stats().records), (1500, 1500));
    application.tracers.shutdown().ok();
    application.meters.shutdown().ok();
}

#[test]
fn nobody_accepts_the_connection() {
    // The kernel takes connections, the process behind it never reads.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    runs_at(&format!("http://{}", listener.local_addr().unwrap()));
}

#[test]
fn nobody_listens() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    runs_at(&format!("http://{address}"));
}

fn runs_at(endpoint: &str) {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", TIMEOUT),
        // Exports all the time, also while calls run.
        ("OTEL_BSP_SCHEDULE_DELAY", "1"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "10"),
    ];
    run("application", &variables);
}
