//! What a call in flight shows of itself: `Debug` texts, snapshots, and the errors of reading what is no event.

mod support;

use std::{collections::BTreeSet, sync::Arc};

use llmspan::core::{
    config::Config,
    engine::{Call, Correlator, Tracker},
    event::{Event, TimedEvent},
    framing::Framing,
    machine::{AttemptStart, CallStart, Failure},
    provider::{Protocol, StreamDecoder, Tape, request},
    record::Record,
    time::Timestamp,
};
use llmspan_privacy::{Exchange, Output, Search, Secrets, exchanges};

use crate::support::{has_events, nothing_leaks};

#[test]
fn a_call_in_flight_shows_no_content() {
    let secrets = Secrets::load();
    let search = Search::new(&secrets);
    let mut used = BTreeSet::new();
    let mut inside = 0;
    for exchange in exchanges(&secrets) {
        let mut outputs = Vec::new();
        let mut keep = |outlet: &str, bytes: Vec<u8>| {
            outputs.push(Output { outlet: outlet.into(), with_messages: false, bytes });
        };
        // Events whole, and each in two reads: the second way goes through the buffers.
        for cuts in [1, 2] {
            in_flight(&exchange, cuts, &mut keep);
        }
        inside += outputs
            .iter()
            .filter(|output| output.outlet == "snapshot inside an event" && !search.found(&output.bytes).is_empty())
            .count();
        nothing_leaks(&search, &outputs, &mut used);
    }
    assert!(inside > 50, "the snapshots inside events hold parts of them: {inside}");
}

fn in_flight(exchange: &Exchange, cuts: usize, out: &mut impl FnMut(&'static str, Vec<u8>)) {
    let protocol = exchange.protocol;
    let mut call = Call::new(Arc::new(Config::default()), Timestamp::default(), CallStart::new("chat").streamed());
    call.handle_attempt_started(Timestamp::default(), AttemptStart::default());
    let mut tracker = Tracker::new(Config::default()).unwrap();
    let mut decoder = StreamDecoder::new(protocol, 1 << 20, 1 << 20);
    let bodies =
        [exchange.whole.as_bytes().to_vec(), exchange.error.clone().into(), exchange.error_page.clone().into()];
    for (at, frame) in (1..).zip(exchange.frames.iter().chain(&bodies)) {
        let at = Timestamp::from_millis(at);
        let pieces = frame.chunks(frame.len().div_ceil(cuts)).collect::<Vec<_>>();
        for (number, piece) in (1..).zip(&pieces) {
            call.handle_bytes(at, None, protocol, piece);
            tracker.handle_event(&TimedEvent::new(at, Event::Bytes(protocol, piece.to_vec())));
            let mut input = *piece;
            while decoder.next_delta(&mut input).is_some() {}
            // The end of a JSON value shows with what follows it, and a body ends with the stream.
            let is_between = number == pieces.len()
                && (1..=exchange.frames.len()).contains(&usize::try_from(at.as_nanos() / 1_000_000).unwrap());
            let outlet = if is_between { "snapshot between events" } else { "snapshot inside an event" };
            out(outlet, call.snapshot().expect("the call is open"));
            out(outlet, serde_json::to_vec(&decoder).unwrap());
            out("debug of Call", format!("{call:?} {call:#?}").into());
            out("debug of Tracker", format!("{tracker:?}").into());
            out("debug of StreamDecoder", format!("{decoder:?}").into());
        }
    }
    call.handle_call_ended(Timestamp::from_millis(900), Failure::default());
    out("debug of Call", format!("{call:?}").into());
    if !has_events(protocol) {
        return;
    }
    let mut tape = Tape::default();
    for event in &exchange.events {
        let value: serde_json::Value = serde_json::from_str(event).unwrap();
        tape.take_down(protocol, &value);
        out("debug of Tape", format!("{tape:?} {tape:#?}").into());
    }
}

#[test]
fn a_correlator_knows_requests_and_no_content() {
    let secrets = Secrets::load();
    let search = Search::new(&secrets);
    let mut outputs = Vec::new();
    let mut used = BTreeSet::new();
    for exchange in exchanges(&secrets) {
        let mut correlator = Correlator::default();
        let asked = request::read(&exchange.url, exchange.request_headers(), exchange.request.as_bytes()).unwrap();
        correlator.handle_request(Timestamp::default(), Some(1), &asked);
        let failure = Failure::of_status(429).with_message(&exchange.error);
        correlator.handle_failure(Timestamp::default(), 1, Some(1), &asked, &failure);
        outputs.push(("debug of Correlator", format!("{correlator:?}")));
        outputs.push(("debug of ModelRequest", format!("{asked:?}")));
        outputs.push(("debug of CallStart", format!("{:?}", CallStart::from(&asked))));
    }
    let outputs: Vec<_> = outputs
        .into_iter()
        .map(|(outlet, text)| Output { outlet: outlet.into(), with_messages: false, bytes: text.into() })
        .collect();
    nothing_leaks(&search, &outputs, &mut used);
}

/// What cannot be read is not quoted: a log that was cut or spoilt holds content.
#[test]
fn errors_do_not_quote_what_could_not_be_read() {
    let secrets = Secrets::load();
    let search = Search::new(&secrets);
    let mut outputs = Vec::new();
    let mut keep = |error: llmspan::Error| {
        let text = format!("{error} {error:?} {error:#?}");
        outputs.push(Output { outlet: "errors".into(), with_messages: false, bytes: text.into() });
    };
    for exchange in exchanges(&secrets) {
        let events = [
            Event::Bytes(exchange.protocol, exchange.frames.concat()),
            Event::Bytes(exchange.protocol, exchange.whole.clone().into()),
            Event::Payload(exchange.protocol, exchange.events[0].as_str().into()),
            Event::AttemptFailed(Box::new(Failure::of_status(400).with_message(&exchange.error))),
        ];
        for event in events {
            let line = TimedEvent::new(Timestamp::default(), event).to_json().unwrap();
            for cut in (0..line.len()).step_by(97).filter(|cut| line.is_char_boundary(*cut)) {
                TimedEvent::from_json(&line[..cut]).map_err(&mut keep).unwrap_err();
            }
            for (from, to) in [("\"at_ns\":0", "\"at_ns\":-1"), ("\"event\"", "\"events\""), ("\"utf8\"", "\"base64\"")]
            {
                TimedEvent::from_json(&line.replace(from, to)).map_err(&mut keep).ok();
            }
        }
        for text in [&exchange.whole, &exchange.error, &exchange.request, &exchange.error_page] {
            TimedEvent::from_json(text).map_err(&mut keep).unwrap_err();
            Record::from_json(text).map_err(&mut keep).ok();
            Config::from_json(text).map_err(&mut keep).unwrap_err();
            Record::from_bytes(text.as_bytes()).map_err(&mut keep).unwrap_err();
            Call::resume(Arc::new(Config::default()), text.as_bytes()).map_err(&mut keep).unwrap_err();
        }
    }
    assert!(outputs.len() > 500);
    nothing_leaks(&search, &outputs, &mut BTreeSet::new());
}

/// The framings that the exchanges go through are all of them.
#[test]
fn every_framing_is_there() {
    let mut framings: Vec<Framing> = Protocol::ALL.iter().map(|protocol| protocol.framing()).collect();
    // Gemini without `alt=sse`, and answers that do not stream.
    framings.extend([Framing::JsonArray, Framing::Json]);
    for framing in [Framing::EventStream, Framing::Json, Framing::JsonArray, Framing::Ndjson, Framing::Sse] {
        assert!(framings.contains(&framing), "{framing:?}");
    }
}
