//! What happens once per call: its end, and its attributes.

use core::hint::black_box;

use llmspan_core::{
    engine::Call,
    machine::Failure,
    names::{Profile, call_attributes},
    provider::Protocol,
    record::{Attributes, Record},
    time::Timestamp,
};

use crate::{
    CALL_OPS,
    chunks::{Clock, feed, open_call},
    streams,
};

/// Calls that have streamed an answer with token counts, with room for their records.
#[derive(Debug)]
#[non_exhaustive]
pub struct FinishInput {
    calls: Vec<Call>,
    records: Vec<Record>,
}

/// Calls that are complete and wait for their end.
pub fn finish_input() -> FinishInput {
    FinishInput { calls: (0..CALL_OPS).map(|_| complete_call()).collect(), records: Vec::with_capacity(CALL_OPS) }
}

/// Ends each call and takes its record.
pub fn finish(mut input: FinishInput) -> FinishInput {
    for call in &mut input.calls {
        call.handle_call_ended(END, Failure::default());
        input.records.extend(call.poll_record());
    }
    input
}

/// A record, with room for what is written of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct AttributesInput {
    record: Record,
    profile: &'static Profile,
    attributes: Vec<Attributes>,
}

/// The record of a call that is complete.
///
/// # Panics
/// When the default profile does not exist.
pub fn attributes_input() -> AttributesInput {
    let mut call = complete_call();
    call.handle_call_ended(END, Failure::default());
    AttributesInput {
        record: call.poll_record().unwrap_or_default(),
        profile: Profile::by_name("otel-1.41").expect("the default profile exists"),
        attributes: Vec::with_capacity(CALL_OPS),
    }
}

/// Writes the record under the names of OpenTelemetry.
pub fn attributes(mut input: AttributesInput) -> AttributesInput {
    for _ in 0..CALL_OPS {
        input.attributes.push(call_attributes(black_box(&input.record), &[input.profile]));
    }
    input
}

fn complete_call() -> Call {
    let mut clock = Clock::default();
    let mut call = open_call(&mut clock);
    feed(&mut call, &mut clock, 500);
    for read in streams::openai_chat_end() {
        call.handle_bytes(END, None, Protocol::OpenAiChat, &read);
    }
    call
}

const END: Timestamp = Timestamp::from_millis(60_000_000);
