//! Runs vectors: JSON files with steps and what they are expected to give.

use std::{
    fs,
    path::{Path, PathBuf},
};

use llmspan_core::{
    config::Config,
    engine::Tracker,
    event::TimedEvent,
    names::{self, Profile},
    record::{Record, Value as _},
    time::Timestamp,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    compare::{compare, compare_attributes, compare_records},
    identities,
    report::Report,
};

/// One vector.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Vector {
    schema: String,
    /// What the vector is about.
    pub name: String,
    /// What it guards against.
    pub why: String,
    #[serde(default)]
    config: Value,
    steps: Vec<Value>,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    records: Option<Value>,
    attributes: Option<serde_json::Map<String, Value>>,
    attempt_attributes: Option<serde_json::Map<String, Value>>,
}

/// Runs every vector below each directory.
pub fn run(dirs: &[PathBuf]) -> Report {
    run_with(dirs, |_, text| check(text))
}

/// Runs every vector below each directory with a check of the caller's, which is given the file and its text.
pub fn run_with(dirs: &[PathBuf], mut check: impl FnMut(&Path, &str) -> Result<Vec<String>, String>) -> Report {
    let mut report = Report::default();
    for dir in dirs {
        let mut files = Vec::new();
        if let Err(error) = collect(dir, &mut files) {
            report.add(dir.clone(), vec![error.to_string()]);
        } else if files.is_empty() {
            report.add(dir.clone(), vec![String::from("no vector found")]);
        }
        files.sort();
        for file in files {
            let differences = match fs::read_to_string(&file) {
                Ok(text) => check(&file, &text).unwrap_or_else(|error| vec![error]),
                Err(error) => vec![error.to_string()],
            };
            report.add(file, differences);
        }
    }
    report
}

/// Runs one vector from its text and lists the differences.
///
/// # Errors
/// A message when the text is no vector, or a step is no event.
pub fn check(text: &str) -> Result<Vec<String>, String> {
    let vector = read(text)?;
    judge(&vector.expect, &replay(&vector)?)
}

/// Checks what another runtime made of a vector, as the JSON of its records: each has to be the JSON that this one writes, to
/// the byte, and what the vector expects.
///
/// # Errors
/// A message when the text is no vector, a step is no event, or a record is none.
pub fn check_foreign(text: &str, records: &[String]) -> Result<Vec<String>, String> {
    let vector = read(text)?;
    let own = replay(&vector)?;
    let mut out = Vec::new();
    if own.len() != records.len() {
        out.push(format!("{} records, of Rust {}", records.len(), own.len()));
    }
    let mut foreign = Vec::new();
    for (at, (own, json)) in own.iter().zip(records).enumerate() {
        let record = Record::from_json(json).map_err(|error| error.to_string())?;
        if own.to_json() != *json {
            compare_records(&format!("records[{at}]"), own, &record, &mut out);
            out.push(format!("records[{at}]: not the JSON of Rust"));
        }
        foreign.push(record);
    }
    out.extend(judge(&vector.expect, &foreign)?);
    Ok(out)
}

fn read(text: &str) -> Result<Vector, String> {
    let vector: Vector = serde_json::from_str(text).map_err(|error| format!("no vector: {error}"))?;
    if vector.schema != SCHEMA {
        return Err(format!("schema is `{}`, this runner knows `{SCHEMA}`", vector.schema));
    }
    let expect = &vector.expect;
    if expect.records.is_none() && expect.attributes.is_none() && expect.attempt_attributes.is_none() {
        return Err(String::from("expects nothing"));
    }
    Ok(vector)
}

/// Lists where records differ from what is expected.
fn judge(expect: &Expect, records: &[Record]) -> Result<Vec<String>, String> {
    let mut out: Vec<String> = records.iter().flat_map(identities::broken).collect();
    if let Some(expected) = &expect.records {
        let got = serde_json::to_value(records).map_err(|error| error.to_string())?;
        compare("records", <Vec<Record>>::SHAPE, expected, Some(&got), &mut out);
    }
    if let Some(first) = records.first() {
        check_attributes(expect, first, &mut out)?;
    } else if expect.records.is_none() {
        out.push(String::from("no record came out"));
    }
    Ok(out)
}

/// Replays the steps of a vector. What is still open after the last step is dropped.
fn replay(vector: &Vector) -> Result<Vec<Record>, String> {
    let config = if vector.config.is_null() {
        Config::default()
    } else {
        Config::from_json(&vector.config.to_string()).map_err(|error| error.to_string())?
    };
    let mut tracker = Tracker::new(config).map_err(|error| error.to_string())?;
    let mut last = Timestamp::default();
    for (at, step) in vector.steps.iter().enumerate() {
        let event = TimedEvent::from_json(&step.to_string()).map_err(|error| format!("step {at}: {error}"))?;
        last = last.max(event.at);
        tracker.handle_event(&event);
    }
    tracker.handle_shutdown(last);
    Ok(core::iter::from_fn(|| tracker.poll_record()).collect())
}

fn check_attributes(expect: &Expect, record: &Record, out: &mut Vec<String>) -> Result<(), String> {
    let to_json = |attributes| serde_json::to_value(attributes).map_err(|error: serde_json::Error| error.to_string());
    for (name, expected) in expect.attributes.iter().flatten() {
        let profile = Profile::by_name(name).map_err(|error| error.to_string())?;
        let got = to_json(names::call_attributes(record, &[profile]))?;
        compare_attributes(&format!("attributes.{name}"), expected, &got, out);
    }
    for (name, expected) in expect.attempt_attributes.iter().flatten() {
        let profile = Profile::by_name(name).map_err(|error| error.to_string())?;
        let got = names::attempt_attributes(record, &[profile]);
        let expected = expected.as_array().ok_or_else(|| format!("attempt_attributes.{name}: not a list"))?;
        if expected.len() != got.len() {
            out.push(format!("attempt_attributes.{name}: expected {} attempts, got {}", expected.len(), got.len()));
        }
        for (at, (expected, got)) in expected.iter().zip(got).enumerate() {
            compare_attributes(&format!("attempt_attributes.{name}[{at}]"), expected, &to_json(got)?, out);
        }
    }
    Ok(())
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

const SCHEMA: &str = "llmspan.vector/1";
