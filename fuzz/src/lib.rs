//! What the fuzz targets do with an input.
//!
//! An input is a head of choices and the data, as [`llmspan_runner::fuzz::Choices`] has them. A target panics when a rule is
//! broken: what a server sends never panics, grows memory past a cap, or gives something else when it comes in other pieces.
//!
//! `cargo xtask fuzz` runs the targets with seeds from the vectors; `cargo fuzz run --sanitizer none <target>` works too.

mod frames;
mod head;
mod log;
mod machine;
mod messages;
mod payloads;
mod responses;

use llmspan_core::{framing::Framing, provider::Protocol};
use llmspan_model::ops::Scenario;
use llmspan_runner::fuzz::{Choices, Form};

/// Cuts the input into frames, in many pieces and in one.
pub fn framing(framing: Framing, input: &[u8]) {
    let Some((choices, data)) = Choices::split(input) else { return };
    if framing == Framing::EventStream && choices.form == Form::Parts {
        messages::check(choices, data);
    } else {
        frames::check(framing, choices, data);
    }
}

/// Decodes the input as the bytes of a response, or line by line as its events.
pub fn decoder(protocol: Protocol, input: &[u8]) {
    let Some((choices, data)) = Choices::split(input) else { return };
    match choices.form {
        Form::Raw => responses::check(protocol, choices, data),
        Form::Parts => payloads::check(protocol, choices, data),
    }
}

/// Replays the input as an event log: lines of JSON, or the compact form.
pub fn event_log(input: &[u8]) {
    let Some((choices, data)) = Choices::split(input) else { return };
    match choices.form {
        Form::Raw => log::check_compact(data),
        Form::Parts => log::check_lines(data),
    }
}

/// Compares the engine with the reference model over whatever happens to a few calls. The input is an encoded scenario and has no
/// head of choices.
pub fn machine(scenario: Scenario) {
    machine::check(scenario);
}

/// Reads the input as the head of a response: its address, its headers and the begin of its body.
pub fn response_head(input: &[u8]) {
    if let Some((choices, data)) = Choices::split(input) {
        head::check(choices, data);
    }
}
