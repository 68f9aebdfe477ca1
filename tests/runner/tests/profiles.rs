//! Every profile writes what `tests/goldens/profiles` says, no more and no less, for the event logs in
//! `tests/goldens/records`.
//!
//! The golden files are worked out from the logs and from the documents of each dialect, not from this code: a change
//! of a profile changes them by hand.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use llmspan_core::{
    config::Config,
    engine::Tracker,
    event::TimedEvent,
    names::{Profile, SpanKind, attempt_attributes, call_attributes},
    record::{AttributeValue, Attributes, Record},
};
use serde_json::{Map, Value, json};

#[test]
fn every_profile_writes_what_its_golden_file_says() {
    let records = records();
    let mut differences = Vec::new();
    for profile in Profile::all() {
        let path = goldens().join(format!("profiles/{}.json", profile.name()));
        let golden: Map<String, Value> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert!(golden.keys().eq(records.iter().map(|(name, _)| name)), "{}", path.display());
        for (name, record) in &records {
            differs(&format!("{} of {name}", profile.name()), &golden[name], &spans(profile, record), &mut differences);
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_golden_file_is_that_of_a_profile() {
    let names: BTreeSet<_> = Profile::all().iter().map(|profile| profile.name().to_owned()).collect();
    assert_eq!(stems("profiles", "json"), names);
}

#[test]
fn several_profiles_give_the_union_and_the_first_one_wins() {
    for_each_pair(|what, alone, together| {
        let names: BTreeSet<_> = alone.iter().flat_map(|attributes| attributes.keys()).collect();
        assert!(together.keys().eq(names), "{what}");
        for (name, value) in together {
            let first = alone.iter().find_map(|attributes| attributes.get(name));
            assert_eq!(Some(value), first, "{what}: {name}");
        }
    });
}

/// Names that two profiles share mean one thing, or the order of the profiles would change what a reader is told. The
/// exceptions are documented where profiles are.
#[test]
fn shared_names_carry_the_same_value() {
    let exceptions = ["gen_ai.provider.name", "gen_ai.request.top_k"];
    for_each_pair(|what, [one, other], _| {
        for (name, value) in one.iter().filter(|(name, _)| !exceptions.contains(&name.as_str())) {
            assert!(other.get(name).is_none_or(|other| other == value), "{what}: {name}");
        }
    });
}

/// Milliseconds and seconds of two dialects come from one measurement: they differ by less than the cut millisecond.
#[test]
fn two_dialects_tell_one_measurement() {
    let [otel, qwen, dual, vercel] =
        ["otel-1.41", "qwen-code", "qwen-code-4413", "vercel"].map(|name| Profile::by_name(name).unwrap());
    let mut compared = 0;
    for (name, record) in records() {
        let attributes = call_attributes(&record, &[otel, dual, qwen, vercel]);
        for (millis, seconds) in [
            ("ttft_ms", "gen_ai.server.time_to_first_token"),
            ("ttft_ms", "gen_ai.client.operation.time_to_first_chunk"),
            ("duration_ms", "gen_ai.client.operation.duration"),
        ] {
            match (attributes.get(millis), attributes.get(seconds)) {
                (Some(AttributeValue::Int(millis)), Some(AttributeValue::Float(seconds))) => {
                    let whole = ((seconds * 1e9).round() / 1e6).floor();
                    assert!((f64::from(i32::try_from(*millis).unwrap()) - whole).abs() < 0.5, "{millis} of {name}");
                    compared += 1;
                }
                (None, None) => {}
                other => panic!("{millis} and {seconds} of {name}: {other:?}"),
            }
        }
        for (native, standard) in [
            ("input_tokens", "gen_ai.usage.input_tokens"),
            ("output_tokens", "gen_ai.usage.output_tokens"),
            ("cached_input_tokens", "gen_ai.usage.cached_tokens"),
            ("cached_input_tokens", "gen_ai.usage.cache_read.input_tokens"),
            ("thoughts_token_count", "gen_ai.usage.reasoning.output_tokens"),
            ("qwen-code.model", "gen_ai.request.model"),
        ] {
            assert_eq!(attributes.get(native), attributes.get(standard), "{native} of {name}");
        }
    }
    assert!(compared > 8, "{compared}");
}

/// Where a duration becomes milliseconds or seconds of an attribute: in one file of the core.
#[test]
fn units_are_converted_in_one_place() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/src/names");
    let mut found = Vec::new();
    for path in files(&source) {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        if CONVERSIONS.iter().any(|conversion| code.contains(conversion))
            && path.file_name() != Some("tests.rs".as_ref())
        {
            found.push(path.file_name().unwrap().to_owned());
        }
    }
    assert_eq!(found, ["convert.rs"]);
}

/// What asking for another unit, or making one, looks like.
const CONVERSIONS: [&str; 8] = ["as_millis", "as_micros", "as_secs", "as_f64", "1e9", "1e6", "1e3", "_000"];

/// Gives what each of two profiles writes alone and what they write together, for every span of every log.
fn for_each_pair(check: impl Fn(&str, [&Attributes; 2], &Attributes)) {
    for (name, record) in records() {
        for one in Profile::all() {
            for other in Profile::all() {
                let what = format!("{} and {}, {name}", one.name(), other.name());
                let all = |profiles: &[&Profile]| {
                    let mut spans = attempt_attributes(&record, profiles);
                    spans.push(call_attributes(&record, profiles));
                    spans
                };
                for ((left, right), together) in all(&[one]).iter().zip(&all(&[other])).zip(&all(&[one, other])) {
                    check(&what, [left, right], together);
                }
            }
        }
    }
}

/// The spans that a profile makes of a record, in the form of the golden files.
fn spans(profile: &Profile, record: &Record) -> Value {
    let kind = match profile.span_kind() {
        SpanKind::Client => "CLIENT",
        SpanKind::Internal => "INTERNAL",
        other => panic!("{other:?}"),
    };
    let span = |name: &str, attributes: &Attributes| json!({"name": name, "kind": kind, "attributes": attributes});
    let attempts: Vec<_> = attempt_attributes(record, &[profile])
        .iter()
        .map(|attributes| span(profile.attempt_span_name(), attributes))
        .collect();
    json!({"call": span(&profile.call_span_name(record), &call_attributes(record, &[profile])), "attempts": attempts})
}

/// Lists what differs: every key on either side, integers apart from floats, floats within 1e-9. Text that holds JSON is
/// compared as what it holds where an object is expected.
fn differs(path: &str, expected: &Value, got: &Value, out: &mut Vec<String>) {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            for key in expected.keys().chain(got.keys().filter(|key| !expected.contains_key(*key))) {
                let below = format!("{path}, {key}");
                match (expected.get(key), got.get(key)) {
                    (Some(expected), Some(got)) => differs(&below, expected, got, out),
                    (Some(expected), None) => out.push(format!("{below}: missing, expected {expected}")),
                    (None, got) => out.push(format!("{below}: surplus, got {got:?}")),
                }
            }
        }
        (Value::Object(_), Value::String(text)) => match serde_json::from_str(text) {
            Ok(got @ Value::Object(_)) => differs(path, expected, &got, out),
            other => out.push(format!("{path}: no JSON object: {other:?}")),
        },
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            for (at, (expected, got)) in expected.iter().zip(got).enumerate() {
                differs(&format!("{path}[{at}]"), expected, got, out);
            }
        }
        (Value::Number(expected), Value::Number(got)) if expected.is_f64() && got.is_f64() => {
            if (expected.as_f64().unwrap() - got.as_f64().unwrap()).abs() > 1e-9 {
                out.push(format!("{path}: expected {expected}, got {got}"));
            }
        }
        _ if expected == got => {}
        _ => out.push(format!("{path}: expected {expected}, got {got}")),
    }
}

/// The record of each event log, by the name of its file.
fn records() -> Vec<(String, Record)> {
    let folder = goldens().join("records");
    let config = Config::from_json(&fs::read_to_string(folder.join("config.json")).unwrap()).unwrap();
    let names = stems("records", "jsonl");
    assert_eq!(names.len(), 6);
    names
        .into_iter()
        .map(|name| {
            let mut tracker = Tracker::new(config.clone()).unwrap();
            for line in fs::read_to_string(folder.join(format!("{name}.jsonl"))).unwrap().lines() {
                tracker.handle_event(&TimedEvent::from_json(line).unwrap());
            }
            let record = tracker.poll_record().unwrap();
            assert!(tracker.poll_record().is_none());
            (name, record)
        })
        .collect()
}

fn stems(folder: &str, extension: &str) -> BTreeSet<String> {
    files(&goldens().join(folder))
        .into_iter()
        .filter_map(|path| Some(path.file_name()?.to_str()?.strip_suffix(&format!(".{extension}"))?.to_owned()))
        .filter(|stem| stem != "config")
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../goldens")
}
