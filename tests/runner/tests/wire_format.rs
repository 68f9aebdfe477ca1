//! The byte examples of the wire-format page are what the library writes and reads.

use llmspan_core::{
    encode::{events_from_bytes, events_to_bytes},
    event::TimedEvent,
};

const PAGE: &str = include_str!("../../../core/docs/wire-format.md");

/// An example: an indented JSON event, then indented lines that begin with hex bytes.
fn examples() -> Vec<(String, Vec<u8>)> {
    let mut examples: Vec<(String, Vec<u8>)> = Vec::new();
    for line in PAGE.lines().filter_map(|line| line.strip_prefix("    ")) {
        if line.starts_with("{\"at_ns\"") {
            examples.push((line.to_owned(), Vec::new()));
        } else if let Some((_, bytes)) = examples.last_mut() {
            let hex = line.split_whitespace().take_while(|word| word.len() == 2);
            bytes.extend(hex.map_while(|word| u8::from_str_radix(word, 16).ok()));
        }
    }
    examples
}

#[test]
fn the_page_tells_the_truth() {
    let examples = examples();
    assert_eq!(examples.len(), 4);
    for (json, bytes) in examples {
        let event = TimedEvent::from_json(&json).unwrap();
        assert_eq!(events_to_bytes(core::slice::from_ref(&event)).unwrap(), bytes, "{json}");
        assert_eq!(events_from_bytes(&bytes).unwrap(), [event]);
    }
}
