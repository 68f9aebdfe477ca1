//! The bytes of a response give the same record however they come, and a right one.

use std::sync::Arc;

use llmspan_core::{
    config::{Config, KeepMessages},
    engine::Call,
    limits::Limits,
    machine::{AttemptStart, CallStart, Failure, Headers},
    names::{self, Profile},
    provider::Protocol,
    record::Record,
    time::Timestamp,
};
use llmspan_runner::{compare::compare_records, fuzz::Choices, identities};

pub(crate) fn check(protocol: Protocol, choices: Choices, data: &[u8]) {
    let replay = Replay { protocol, choices, config: Arc::new(config(choices)) };
    // Whatever comes first, it is only looked at.
    let _ = Protocol::detect("", [], data);
    let whole = replay.record(&[data], Way::AtOnce);
    check_record(&whole);
    let pieces = choices.pieces(data);
    let mut differences = Vec::new();
    compare_records("in pieces", &whole, &replay.record(&pieces, Way::AtOnce), &mut differences);
    compare_records("through snapshots", &whole, &replay.record(&pieces, Way::Snapshots), &mut differences);
    if (1..=SHORT).contains(&data.len()) {
        let bytes: Vec<&[u8]> = data.chunks(1).collect();
        compare_records("one byte at a time", &whole, &replay.record(&bytes, Way::AtOnce), &mut differences);
    }
    assert!(differences.is_empty(), "{differences:#?}");
    check_record(&replay.record(&pieces, Way::Timed));
}

/// Checks what holds for every record.
pub(crate) fn check_record(record: &Record) {
    let broken = identities::broken(record);
    assert!(broken.is_empty(), "{broken:#?} of {record:#?}");
    for profile in Profile::all() {
        names::call_attributes(record, &[profile]);
        names::attempt_attributes(record, &[profile]);
    }
    record.explain();
}

/// A configuration with the caps that the input chooses.
pub(crate) fn config(choices: Choices) -> Config {
    let config = Config::default().with_error_messages(KeepMessages::Cleaned);
    if choices.caps == 0 {
        return config;
    }
    let few = usize::from(choices.caps >> 6);
    config.with_limits(Limits {
        frame_bytes: 16 << (choices.caps & 7),
        body_bytes: 16 << (choices.caps >> 3 & 7),
        tool_calls: few,
        finish_reasons: few,
        name_bytes: 4 << few,
        ..Limits::default()
    })
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    AtOnce,
    /// The call goes on as a copy behind some of the pieces.
    Snapshots,
    /// Each piece comes later than the one before.
    Timed,
}

struct Replay {
    protocol: Protocol,
    choices: Choices,
    config: Arc<Config>,
}

impl Replay {
    fn record(&self, pieces: &[&[u8]], way: Way) -> Record {
        let start = CallStart::new("chat").with_model("asked");
        let start = if self.choices.flags & 1 == 0 { start.streamed() } else { start.not_streamed() };
        let mut call = Call::new(Arc::clone(&self.config), Timestamp::default(), start);
        call.handle_attempt_started(Timestamp::default(), AttemptStart::default());
        if self.choices.flags & 2 != 0 {
            call.handle_headers(Timestamp::default(), None, Headers::of_status(500));
        }
        let mut now = MOMENT;
        let every = pieces.len().div_ceil(SNAPSHOTS);
        for (at, (piece, nanos)) in pieces.iter().zip(1..).enumerate() {
            if way == Way::Timed {
                now = Timestamp::from_nanos(nanos);
            }
            call.handle_bytes(now, None, self.protocol, piece);
            if way == Way::Snapshots && at % every == 0 {
                let snapshot = call.snapshot().expect("an open call");
                call = Call::resume(Arc::clone(&self.config), &snapshot).expect("a snapshot");
            }
        }
        if self.choices.flags & 4 == 0 {
            call.handle_stream_ended(now, None);
        }
        call.handle_call_ended(now, Failure::default());
        call.poll_record().expect("an ended call")
    }
}

/// When the bytes come, in the ways that are compared with each other.
const MOMENT: Timestamp = Timestamp::from_nanos(1_000);

/// Copies of one call; more would only take time.
const SNAPSHOTS: usize = 8;

/// Inputs that are also fed byte by byte.
const SHORT: usize = 512;
