//! Tests through the public API: hand-written logs and records in, rows, text and markup out.

mod fold;
mod hostile;
mod html;
mod rows;
mod text;

use alloc::{string::String, vec::Vec};

use super::*;
use crate::{config::Config, engine::Tracker, event::read_log, record::Record};

/// The record of the one call of a log.
fn record(log: &str) -> Record {
    let mut tracker = Tracker::new(Config::default()).unwrap();
    for event in read_log(log).unwrap() {
        tracker.handle_event(&event);
    }
    tracker.poll_record().unwrap()
}

fn from_json(json: &str) -> Record {
    Record::from_json(json).unwrap()
}

fn narrow(columns: usize) -> TextStyle {
    TextStyle::default().with_width(columns)
}

/// The lines of the waterfall alone: between the head and the values.
fn bars(record: &Record, style: &TextStyle) -> String {
    let text = text(record, style);
    let parts: Vec<&str> = text.split("\n\n").collect();
    String::from(parts[1]) + "\n"
}

/// A call that is limited, waits a second, and streams with a stall. Four seconds: in 32 columns a column is 125 ms, half
/// of one 62.5 ms.
const RETRIED: &str = r#"
{"at_ns":0,"event":"call_started","model":"m","stream":true}
{"at_ns":0,"event":"phase_started","name":"prompt.build"}
{"at_ns":62500000,"event":"phase_started","name":"load"}
{"at_ns":62500000,"event":"phase_ended","name":"load"}
{"at_ns":125000000,"event":"phase_ended","name":"prompt.build"}
{"at_ns":125000000,"event":"attempt_started"}
{"at_ns":500000000,"event":"attempt_failed","error_type":"rate_limit","status_code":429}
{"at_ns":500000000,"event":"retry_scheduled","delay_ns":1000000000,"reason":"rate_limit"}
{"at_ns":1500000000,"event":"attempt_started"}
{"at_ns":1750000000,"event":"headers_received","status_code":200}
{"at_ns":2000000000,"event":"chunk","content":"text"}
{"at_ns":3875000000,"event":"chunk","content":"text"}
{"at_ns":4000000000,"event":"chunk","terminal":true}
{"at_ns":4000000000,"event":"call_ended"}
"#;
