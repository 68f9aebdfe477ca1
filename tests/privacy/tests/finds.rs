//! The search finds what it is for: a leak that is planted, in every spelling and in parts.

mod support;

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use llmspan::{CallStart, Memory, Recorder};
use llmspan_privacy::{Exchange, Output, Search, Secrets, exchanges};

use crate::support::everything_of;

fn leaks(search: &Search<'_>, outlet: &str, bytes: &[u8]) -> usize {
    let output = Output { outlet: outlet.into(), with_messages: false, bytes: bytes.into() };
    search.leaks(&output, &mut BTreeSet::new()).len()
}

#[test]
fn a_secret_is_found_in_every_spelling() {
    let secrets = Secrets::load();
    let search = Search::new(&secrets);
    let value = secrets.value("prompt");
    let hex = value.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat();
    for spelled in [
        format!("<p>{value}</p>"),
        value.to_uppercase(),
        secrets.spell("{{prompt|1}}"),
        secrets.spell("{{prompt|2}}"),
        secrets.spell("{{prompt|percent}}"),
        secrets.spell("{{prompt|percent}}").to_lowercase(),
        secrets.spell("{{prompt|base64}}"),
        BASE64.encode(format!("a{value}")),
        BASE64.encode(format!("ab{value}c")),
        value.bytes().map(|byte| format!("\\u{byte:04X}")).collect::<Vec<_>>().concat(),
        hex,
        format!("{:?}", value.as_bytes()),
        format!("{:#?}", value.as_bytes()).replace("    ", ""),
        serde_json::to_string(value.as_bytes()).unwrap(),
    ] {
        assert!(leaks(&search, "anything", spelled.as_bytes()) > 0, "not found: {spelled}");
    }
    assert_eq!(leaks(&search, "anything", b"nothing to see"), 0);
}

/// The same pipe as in the tests of records, with a record that a leaking host has made.
#[test]
fn a_planted_leak_is_found_wherever_it_comes_out() {
    let secrets = Secrets::load();
    let search = Search::new(&secrets);
    let records = Memory::default();
    let start = CallStart::new("chat").with_attribute("prompt", secrets.value("prompt"));
    let start = start.with_trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", None);
    Recorder::new(records.clone()).call(start).end();
    let mut found = BTreeSet::new();
    everything_of(&records.records()[0], &mut |outlet, bytes| {
        if leaks(&search, outlet, &bytes) > 0 {
            found.insert(outlet);
        }
    });
    for outlet in [
        "record as JSON",
        "record in the compact form",
        "debug of Record",
        "attributes",
        "spans",
        "OTLP traces as JSON",
        "OTLP traces as protobuf",
        "OTLP logs as JSON",
        "OTLP logs as protobuf",
        "Chrome trace",
    ] {
        assert!(found.contains(outlet), "a leak in {outlet} goes unseen");
    }
}

/// A model is a label of metrics and stands in every heading: a secret in its place has to be found there.
#[test]
fn a_leak_in_a_name_is_found_in_views_and_metrics() {
    let secrets = Secrets::load();
    let search = Search::new(&secrets);
    let records = Memory::default();
    let start = CallStart::new("chat").with_model(secrets.value("prompt"));
    let start = start.with_trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", None);
    Recorder::new(records.clone()).call(start).end();
    let mut found = BTreeSet::new();
    everything_of(&records.records()[0], &mut |outlet, bytes| {
        if leaks(&search, outlet, &bytes) > 0 {
            found.insert(outlet);
        }
    });
    for outlet in [
        "waterfall as text",
        "waterfall as HTML",
        "waterfall as JSON",
        "debug of Waterfall",
        "names of spans",
        "Prometheus text",
        "OpenMetrics text",
        "OTLP metrics as JSON",
        "OTLP metrics as protobuf",
        "debug of Aggregator",
    ] {
        assert!(found.contains(outlet), "a leak in {outlet} goes unseen");
    }
}

#[test]
fn the_exchanges_hold_every_secret() {
    let secrets = Secrets::load();
    let search = Search::new(&secrets);
    let mut found = BTreeSet::new();
    for exchange in exchanges(&secrets) {
        let held = held(&exchange);
        let names = search.found(&held);
        for name in ["answer", "prompt", "error_message", "authorization", "url_query", "set_cookie"] {
            // The UI stream of Vercel has no prompt of its own in errors; each exchange has one somewhere.
            assert!(names.contains(name), "{} has no {name}", exchange.protocol);
        }
        found.extend(names);
    }
    // What the application itself writes is in no request.
    let written = ["attribute", "phase"];
    let lacking: Vec<_> = search
        .found(secrets_of(&secrets).as_bytes())
        .into_iter()
        .filter(|name| !found.contains(name) && !written.contains(name))
        .collect();
    assert_eq!(lacking, [""; 0]);
}

fn held(exchange: &Exchange) -> Vec<u8> {
    let mut held = exchange.frames.concat();
    for text in [&exchange.url, &exchange.request, &exchange.whole, &exchange.error, &exchange.error_page] {
        held.extend(text.as_bytes());
    }
    for (_, value) in exchange.request_headers().chain(exchange.response_headers()) {
        held.extend(value.as_bytes());
    }
    held.extend(&exchange.error_frame);
    exchange.events.iter().for_each(|event| held.extend(event.as_bytes()));
    held
}

/// All values, as they stand in the file.
fn secrets_of(_: &Secrets) -> &'static str {
    include_str!("../secrets.json")
}
