//! The runner of vectors fails on what it does not understand: a vector that tests nothing must not pass.

use std::{fs, path::PathBuf};

use llmspan_runner::vectors::{check, run};

fn vector(step: &str, expect: &str) -> String {
    format!(
        r#"{{"schema": "llmspan.vector/1", "name": "n", "why": "w", "config": {{}},
            "steps": [{{"at_ns": 0, "event": "call_started", "operation": "chat"}}, {step}], "expect": {expect}}}"#
    )
}

const END: &str = r#"{"at_ns": 5, "event": "call_ended"}"#;

#[test]
fn a_right_expectation_passes_and_a_wrong_one_is_named() {
    let right = r#"{"records": [{"outcome": "success", "duration_ns": 5, "ttft_ns": null}]}"#;
    assert_eq!(check(&vector(END, right)), Ok(Vec::new()));
    let differences =
        check(&vector(END, r#"{"records": [{"duration_ns": 6, "usage": {"input_tokens": 1}}]}"#)).unwrap();
    assert_eq!(
        differences,
        ["records[0].duration_ns: expected 6, got 5", "records[0].usage.input_tokens: expected 1, got nothing"]
    );
}

#[test]
fn an_unknown_field_fails_even_when_it_is_expected_to_be_absent() {
    for unknown in [r#"{"ttft_nss": null}"#, r#"{"usage": {"tokens": null}}"#, r#"{"marks": {"first": null}}"#] {
        let differences = check(&vector(END, &format!(r#"{{"records": [{unknown}]}}"#))).unwrap();
        assert_eq!(differences.len(), 1, "{unknown}");
        assert!(differences[0].ends_with("the record has no such field"), "{differences:?}");
    }
    assert!(check(&vector(END, r#"{"record": []}"#)).is_err(), "an unknown kind of expectation");
    assert!(check(&vector(END, "{}")).is_err(), "no expectation at all");
    assert!(check(&vector(END, r#"{"attributes": {"no-such-profile": {}}}"#)).is_err());
}

#[test]
fn an_unknown_event_or_field_of_a_step_fails() {
    for step in [
        r#"{"at_ns": 1, "event": "chunks"}"#,
        r#"{"at_ns": 1, "event": "chunk", "contents": "text"}"#,
        r#"{"at_ns": 1, "event": "call_ended", "content": "text"}"#,
        r#"{"at_ns": 1, "event": "bytes", "protocol": "no.such", "utf8": ""}"#,
        r#"{"at_ns": -1, "event": "call_ended"}"#,
        r#"{"event": "call_ended"}"#,
    ] {
        assert!(check(&vector(step, r#"{"records": [{}]}"#)).is_err(), "{step}");
    }
}

#[test]
fn another_number_of_records_fails() {
    let differences = check(&vector(END, r#"{"records": [{}, {}]}"#)).unwrap();
    assert_eq!(differences, ["records: expected 2 entries, got 1"]);
}

#[test]
fn no_vector_found_fails() {
    let empty: PathBuf = [env!("CARGO_TARGET_TMPDIR"), "no_vector_found"].iter().collect();
    fs::create_dir_all(&empty).unwrap();
    assert!(run(core::slice::from_ref(&empty)).failed());
    assert!(run(&[empty.join("not_there")]).failed());
    assert!(run(&[]).failed());
}
