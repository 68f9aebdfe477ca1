//! How an exchange is played through the host layer, and what comes of a record.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::collections::BTreeSet;

use llmspan::{
    AttemptStart, CallStart, Config, Failure, ManualClock, Nanos, Protocol, Record, Recorder, RecorderBuilder, Retry,
    WaitReason,
    core::{
        chrome::{ChromeTrace, ChromeTraceLog},
        config::KeepMessages,
        metrics::{Aggregator, Buckets, Exposition, Labels, MetricNames, Options, Window},
        names::{self, Profile},
        otlp::{
            LogEvents, Resource, logs_to_json, logs_to_protobuf, metrics_to_json, metrics_to_protobuf, traces_to_json,
            traces_to_protobuf,
        },
        provider::request,
        spans::{Context, Layout, Shape, SpanTree},
        time::UnixNanos,
        waterfall::{self, HtmlStyle, TextStyle, Waterfall},
    },
};
use llmspan_privacy::{Exchange, Output, Search};

/// What happens to the answer of an exchange.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Play {
    /// It is cut off in the middle of an event, and the connection fails.
    Cut,
    /// It is read as the objects of an SDK.
    Events,
    /// It has an error after some events.
    Failed,
    /// It is a page of HTML with a status of 502.
    Page,
    /// The first attempt is refused with an error body, the second one streams.
    Refused,
    /// It comes in pieces of seven bytes.
    Split,
    /// It comes an event at a time.
    Streamed,
    /// It comes as one body.
    Whole,
}

impl Play {
    pub(crate) const ALL: [Self; 8] =
        [Self::Cut, Self::Events, Self::Failed, Self::Page, Self::Refused, Self::Split, Self::Streamed, Self::Whole];
}

pub(crate) fn config(with_messages: bool) -> Config {
    Config::default().with_error_messages(if with_messages { KeepMessages::Cleaned } else { KeepMessages::Off })
}

/// A builder whose clock stands still until it is moved.
pub(crate) fn builder(with_messages: bool) -> (RecorderBuilder, ManualClock) {
    let clock = ManualClock::default();
    (Recorder::builder().with_clock(clock.clone()).with_config(config(with_messages)), clock)
}

/// Plays an exchange as an application does that reads its own requests and responses. `look` sees the open call often.
pub(crate) fn play(
    recorder: &Recorder,
    clock: &ManualClock,
    exchange: &Exchange,
    play: Play,
    secrets: &llmspan_privacy::Secrets,
    mut look: impl FnMut(&'static str, String),
) {
    let tick = || clock.advance(Nanos::from_millis(3));
    let asked = request::read(&exchange.url, exchange.request_headers(), exchange.request.as_bytes());
    let asked = asked.unwrap_or_else(|| panic!("no model is at {}", exchange.url));
    look("debug of ModelRequest", format!("{asked:?}"));
    let start = CallStart::from(&asked)
        .with_attribute("note", secrets.value("attribute"))
        .with_unix(UnixNanos::from_nanos(1_763_713_224_000_000_000))
        .with_trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", Some("00f067aa0ba902b7"));
    look("debug of CallStart", format!("{start:?}"));
    let start = if play == Play::Whole { start.not_streamed() } else { start.streamed() };
    let call = recorder.call(start);
    let phase = call.phase(secrets.value("phase"));
    tick();
    drop(phase);
    // What an HTTP client says of a request that failed.
    let said = format!("error sending request for url ({}): connection reset", exchange.url);
    let mut attempt = call.attempt_with(AttemptStart::from(&asked));
    if play == Play::Refused {
        tick();
        attempt.response(429, exchange.response_headers());
        attempt.bytes(exchange.protocol, exchange.error.as_bytes());
        attempt.failed(Failure::of_status(429).with_message(&exchange.error));
        call.retry_scheduled(Retry::after(Nanos::from_millis(5), WaitReason::RateLimit));
        tick();
        attempt = call.attempt_with(AttemptStart::from(&asked));
    }
    attempt.request_sent();
    tick();
    attempt.response(if play == Play::Page { 502 } else { 200 }, exchange.response_headers());
    look("debug of Recorder", format!("{recorder:?}"));
    let mut feed = |bytes: &[u8]| {
        tick();
        attempt.bytes(exchange.protocol, bytes);
        look("debug of Call", format!("{call:?} {attempt:?}"));
    };
    match play {
        Play::Cut => {
            let stream = exchange.frames.concat();
            feed(&stream[..stream.len() / 2]);
            let failure = Failure::of_type("network").with_message(&said);
            look("debug of Failure", format!("{:?}", Failure::of_type("network")));
            attempt.failed(failure.clone());
            return call.fail(failure);
        }
        Play::Events => exchange.events.iter().for_each(|event| {
            tick();
            attempt.payload(exchange.protocol, event);
        }),
        Play::Failed => {
            exchange.frames[..2].iter().for_each(|frame| feed(frame));
            feed(&exchange.error_frame);
        }
        Play::Page => {
            feed(exchange.error_page.as_bytes());
            attempt.failed(Failure::of_status(502).with_message(&exchange.error_page));
        }
        Play::Split => exchange.frames.concat().chunks(7).for_each(feed),
        Play::Refused | Play::Streamed => exchange.frames.iter().for_each(|frame| feed(frame)),
        Play::Whole => feed(exchange.whole.as_bytes()),
    }
    attempt.stream_ended();
    tick();
    call.end();
}

/// Everything that the core writes of a record.
pub(crate) fn everything_of(record: &Record, out: &mut impl FnMut(&'static str, Vec<u8>)) {
    out("record as JSON", record.to_json().into());
    out("record in the compact form", record.to_bytes().unwrap());
    out("debug of Record", format!("{record:?} {record:#?}").into());
    let explained = record.explain();
    out("explain", format!("{explained:?}").into());
    for explanation in &explained {
        out("explain", explanation.text.clone().into());
    }
    out("definitions", format!("{:?}", record.definitions()).into());
    out("waterfall as text", waterfall::text(record, &TextStyle::default()).into());
    let html = waterfall::html(record, &HtmlStyle::default());
    out("waterfall as HTML", waterfall::page("calls", &[html]).into());
    out("waterfall as JSON", waterfall::json(record).into());
    out("debug of Waterfall", format!("{:?}", Waterfall::new(record)).into());
    for profile in Profile::all() {
        let profiles = [profile];
        out("attributes", format!("{:?}", names::call_attributes(record, &profiles)).into());
        out("attributes", format!("{:?}", names::attempt_attributes(record, &profiles)).into());
        out("attributes", format!("{:?}", names::lone_attempt_attributes(record, &profiles)).into());
        out("attributes", format!("{:?}", names::outer_attributes(record, &profiles)).into());
        out("names of spans", profile.call_span_name(record).into());
        for shape in [Shape::Call, Shape::Attempt] {
            let tree = SpanTree::new(record, &Layout::new(shape, &profiles), &Context::default());
            let tree = tree.expect("the record has ids");
            out("spans", format!("{tree:?}").into());
            exported(&tree, out);
        }
    }
    let mut trace = ChromeTrace::new();
    trace.add(record);
    out("Chrome trace", trace.finish().into());
    out("Chrome trace", ChromeTraceLog::new().append(record).into());
    for names in MetricNames::all() {
        let options = Options::default().with_buckets(Buckets::ExplicitAndExponential);
        let mut aggregator = Aggregator::new(names, options.with_labels(Labels::WithResponseModel));
        aggregator.observe(record);
        out("debug of Aggregator", format!("{aggregator:?}").into());
        let window = Window::cumulative(UnixNanos::from_nanos(1), UnixNanos::from_nanos(2));
        let view = aggregator.view(window);
        out("Prometheus text", Exposition::prometheus().render(&view).into());
        // With an exemplar where a bucket remembers the call.
        out("OpenMetrics text", Exposition::open_metrics().with_utf8_names().render(&view).into());
        let mut body = Vec::new();
        metrics_to_json(&view, &resource(), &mut body);
        out("OTLP metrics as JSON", core::mem::take(&mut body));
        metrics_to_protobuf(&view, &resource(), &mut body);
        out("OTLP metrics as protobuf", body);
    }
}

fn exported(tree: &SpanTree, out: &mut impl FnMut(&'static str, Vec<u8>)) {
    let mut body = Vec::new();
    traces_to_json([tree], &resource(), &mut body);
    out("OTLP traces as JSON", core::mem::take(&mut body));
    traces_to_protobuf([tree], &resource(), &mut body);
    out("OTLP traces as protobuf", core::mem::take(&mut body));
    logs_to_json([tree], LogEvents::ExceptionsAndDetails, &resource(), &mut body);
    out("OTLP logs as JSON", core::mem::take(&mut body));
    logs_to_protobuf([tree], LogEvents::ExceptionsAndDetails, &resource(), &mut body);
    out("OTLP logs as protobuf", body);
}

fn resource() -> Resource {
    Resource::of_service("assistant")
}

/// Fails with what leaked, a line for each secret and outlet.
pub(crate) fn nothing_leaks(search: &Search<'_>, outputs: &[Output], used: &mut BTreeSet<usize>) {
    let mut leaks = BTreeSet::new();
    for output in outputs {
        leaks.extend(search.leaks(output, used));
    }
    let mut told = BTreeSet::new();
    leaks.retain(|leak| told.insert((leak.secret.clone(), leak.outlet.clone())));
    let lines: Vec<String> = leaks
        .iter()
        .map(|leak| format!("`{}` ({}) in {}: …{}…", leak.secret, leak.spelling, leak.outlet, leak.around))
        .collect();
    assert!(lines.is_empty(), "{} secrets came out:\n{}", lines.len(), lines.join("\n"));
}

/// Protocols that SDKs hand out as JSON objects of one event each.
pub(crate) fn has_events(protocol: Protocol) -> bool {
    protocol != Protocol::BedrockInvoke
}
