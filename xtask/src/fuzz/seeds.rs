//! Seeds and dictionaries of the fuzz targets, out of the vectors.

use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt::Write as _;
use std::{
    fs,
    path::{Path, PathBuf},
};

use llmspan_core::{
    event::{Event, TimedEvent},
    framing::{Frame, Framer, Framing},
    provider::Protocol,
};
use llmspan_runner::fuzz::{Choices, Form};
use serde_json::Value;

use super::{
    Places,
    target::{About, Target},
};

/// What the vectors hold, by what it can be fed to. Each is there once.
#[derive(Debug, Default)]
pub(super) struct Seeds {
    /// The bytes of whole responses.
    bodies: BTreeMap<Protocol, BTreeSet<Vec<u8>>>,
    /// The events of responses, one per line.
    events: BTreeMap<Protocol, BTreeSet<String>>,
    /// Whole logs, one event per line.
    logs: BTreeSet<String>,
    /// A line for an address, then the headers of a response, one per line.
    heads: BTreeSet<String>,
}

/// Reads every vector below the directory.
pub(super) fn collect(dir: &Path) -> Result<Seeds, String> {
    let mut seeds = Seeds::default();
    let mut files = Vec::new();
    find(dir, &mut files).map_err(|error| format!("{}: {error}", dir.display()))?;
    for file in files {
        let fail = |error: &dyn core::fmt::Display| format!("{}: {error}", file.display());
        let text = fs::read_to_string(&file).map_err(|error| fail(&error))?;
        let vector: Value = serde_json::from_str(&text).map_err(|error| fail(&error))?;
        let steps = vector.get("steps").and_then(Value::as_array).ok_or_else(|| fail(&"no steps"))?;
        let lines: Vec<String> = steps.iter().map(ToString::to_string).collect();
        // Some vectors are about steps that are no events.
        let log: Vec<TimedEvent> = lines.iter().filter_map(|line| TimedEvent::from_json(line).ok()).collect();
        seeds.take(&log);
        seeds.heads.extend(steps.iter().filter_map(head_of));
        seeds.logs.insert(lines.join("\n"));
    }
    if seeds.bodies.is_empty() { Err(format!("{}: no vector has bytes", dir.display())) } else { Ok(seeds) }
}

fn find(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

impl Seeds {
    /// Takes the bytes and the events of each attempt.
    fn take(&mut self, log: &[TimedEvent]) {
        let mut bodies: BTreeMap<(&str, u32, Protocol), Vec<u8>> = BTreeMap::new();
        let mut events: BTreeMap<(&str, u32, Protocol), Vec<&str>> = BTreeMap::new();
        let mut attempts: BTreeMap<&str, u32> = BTreeMap::new();
        for timed in log {
            let latest = attempts.entry(timed.call_id()).or_default();
            let attempt = timed.attempt.unwrap_or(*latest);
            match &timed.event {
                Event::AttemptStarted(_) => *latest += 1,
                Event::Bytes(protocol, bytes) => {
                    bodies.entry((timed.call_id(), attempt, *protocol)).or_default().extend_from_slice(bytes);
                }
                Event::Payload(protocol, json) => {
                    events.entry((timed.call_id(), attempt, *protocol)).or_default().push(json);
                }
                _ => {}
            }
        }
        for ((_, _, protocol), body) in bodies {
            let (_, lines) = frames(protocol.framing(), &body);
            self.events.entry(protocol).or_default().insert(lines);
            self.bodies.entry(protocol).or_default().insert(body);
        }
        for ((_, _, protocol), lines) in events {
            if let Some(body) = body_of(protocol.framing(), &lines) {
                self.bodies.entry(protocol).or_default().insert(body);
            }
            self.events.entry(protocol).or_default().insert(lines.join("\n"));
        }
    }

    /// Writes the seeds and the dictionary of a target in place of those of the last run.
    pub(super) fn write(&self, target: &Target, places: &Places) -> Result<(), String> {
        let inputs = self.inputs(target.about);
        write_inputs(&places.corpus, &inputs)
            .and_then(|()| fs::write(&places.dictionary, self.dictionary(target.about)))
            .map_err(|error| format!("{}: {error}", places.corpus.display()))
    }

    fn inputs(&self, about: About) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        match about {
            About::Framing(framing) => {
                let bodies = self.bodies.iter().flat_map(|(protocol, bodies)| {
                    bodies.iter().filter(move |body| frames(protocol.framing(), body).0 == framing)
                });
                for body in bodies {
                    for caps in [LARGE_CAPS, SMALL_CAPS] {
                        out.push(Choices { caps, read_bytes: 7, ..Choices::default() }.input(body));
                    }
                    // What a target builds of such data nobody knows, but it is not nothing.
                    out.push(Choices { caps: LARGE_CAPS, form: Form::Parts, ..Choices::default() }.input(body));
                }
            }
            About::Decoder(protocol) => {
                for body in of(protocol, &self.bodies) {
                    out.push(Choices { read_bytes: 7, ..Choices::default() }.input(body));
                }
                for lines in of(protocol, &self.events) {
                    out.push(Choices { form: Form::Parts, ..Choices::default() }.input(lines.as_bytes()));
                }
            }
            About::ResponseHead => {
                let status = [503, 0];
                for head in &self.heads {
                    out.push(Choices { cuts: status, ..Choices::default() }.input(head.as_bytes()));
                }
                for request in REQUESTS {
                    out.push(Choices { cuts: status, ..Choices::default() }.input(request));
                }
                for body in self.bodies.values().filter_map(BTreeSet::first) {
                    let data = [b"https://host.example/\n\n", body.as_slice()].concat();
                    out.push(Choices { cuts: status, ..Choices::default() }.input(&data));
                }
            }
            // Its inputs are encoded scenarios, which nothing is written as.
            About::Machine => {}
            About::EventLog => {
                for log in &self.logs {
                    out.push(Choices { form: Form::Parts, ..Choices::default() }.input(log.as_bytes()));
                }
            }
        }
        out
    }

    /// The names of members and the short words in what the target is fed, in the form that libFuzzer reads.
    fn dictionary(&self, about: About) -> String {
        let mut words = BTreeSet::new();
        let mut take = |lines: &str| {
            for value in lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
                words_of(&value, &mut words);
            }
        };
        match about {
            About::Framing(_) | About::Machine => {}
            About::ResponseHead => {
                let names =
                    self.heads.iter().flat_map(|head| head.lines().skip(1)).filter_map(|line| line.split_once(": "));
                words.extend(names.map(|(name, _)| format!("\n{name}: ")));
            }
            About::Decoder(protocol) => of(protocol, &self.events).for_each(|lines| take(lines)),
            About::EventLog => self.logs.iter().for_each(|log| take(log)),
        }
        words.iter().map(|word| quoted(word)).collect()
    }
}

/// Addresses, headers and bodies of requests.
const REQUESTS: [&[u8]; 3] = [
    b"https://api.openai.com/v1/chat/completions\nx-stainless-retry-count: 1\nidempotency-key: k\n\n\
        {\"model\":\"gpt-4.1\",\"stream\":true,\"messages\":[{}],\"tools\":[{}],\"stop\":[\"a\"],\"top_p\":0.5}",
    b"/v1beta/models/gemini-3:streamGenerateContent?alt=sse\n\n\
        {\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":9,\"thinkingConfig\":{\"thinkingLevel\":\"low\"}}}",
    b"/model/arn%3Aaws%3Ax/y/converse-stream\namz-sdk-request: attempt=2; max=3\n\n\
        {\"inferenceConfig\":{\"maxTokens\":7},\"toolConfig\":{\"tools\":[{}]}}",
];

/// The seeds of a protocol; those of all protocols where it has none, and for Bedrock, which passes on what the models say.
fn of<T>(protocol: Protocol, seeds: &BTreeMap<Protocol, BTreeSet<T>>) -> impl Iterator<Item = &T> {
    let takes_all = protocol == Protocol::BedrockInvoke || !seeds.contains_key(&protocol);
    seeds.iter().filter(move |(owner, _)| takes_all || **owner == protocol).flat_map(|(_, seeds)| seeds)
}

/// The framing that a body turns out to have, and its events, one per line.
fn frames(framing: Framing, body: &[u8]) -> (Framing, String) {
    let mut framer = Framer::new(framing, body.len(), body.len());
    let mut lines = Vec::new();
    let mut take = |frame: &Frame<'_>| match *frame {
        Frame::Event { name: Some(name), data } if framing == Framing::EventStream && name != b"chunk" => {
            lines.push(format!("{{\"{}\":{}}}", on_one_line(name), on_one_line(data)));
        }
        Frame::Exception { name, data } => lines.push(format!("{{\"{name}\":{}}}", on_one_line(data))),
        Frame::Body { data } | Frame::Event { data, .. } => lines.push(on_one_line(data)),
        _ => {}
    };
    let mut read = body;
    while let Some(frame) = framer.next_frame(&mut read) {
        take(&frame);
    }
    while let Some(frame) = framer.finish() {
        take(&frame);
    }
    (framer.framing(), lines.join("\n"))
}

fn on_one_line(json: &[u8]) -> String {
    String::from_utf8_lossy(json).replace(['\n', '\r'], " ")
}

/// The headers that a step has as they came, behind the address of some request.
fn head_of(step: &Value) -> Option<String> {
    let pairs = step.get("headers")?.as_array()?.iter();
    let text = |pair: &Value, at: usize| pair.get(at).and_then(Value::as_str).map(String::from);
    let lines = pairs.filter_map(|pair| Some(format!("\n{}: {}", text(pair, 0)?, text(pair, 1)?)));
    Some(lines.fold(String::from("https://host.example/v1/chat/completions"), |head, line| head + &line))
}

/// A body with these events, where one is easily written.
fn body_of(framing: Framing, lines: &[&str]) -> Option<Vec<u8>> {
    let (before, after) = match framing {
        Framing::Sse => ("data: ", "\n\n"),
        Framing::Ndjson => ("", "\n"),
        _ => return None,
    };
    let body = lines.iter().flat_map(|line| [before, *line, after]).collect::<String>();
    Some(body.into_bytes())
}

/// A line of a dictionary.
fn quoted(word: &str) -> String {
    let mut out = String::from("\"");
    for byte in word.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02X}");
            }
        }
    }
    out + "\"\n"
}

fn words_of(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| words_of(element, words)),
        Value::Object(members) => {
            for (name, value) in members {
                words.insert(format!("\"{name}\":"));
                words_of(value, words);
            }
        }
        Value::String(text)
            if text.len() <= LONGEST_WORD && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') =>
        {
            words.insert(format!("\"{text}\""));
        }
        _ => {}
    }
}

fn write_inputs(dir: &Path, inputs: &[Vec<u8>]) -> std::io::Result<()> {
    fs::create_dir_all(dir)?;
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(SEED)) {
            fs::remove_file(path)?;
        }
    }
    for (at, input) in inputs.iter().enumerate() {
        fs::write(dir.join(format!("{SEED}{at:04}")), input)?;
    }
    Ok(())
}

/// Begin of the names of seeds, by which they are told from what a run found.
const SEED: &str = "seed-";

/// Caps of framers, as the targets read them: 1,024 bytes, and 32.
const LARGE_CAPS: u8 = 0b11_1111;
const SMALL_CAPS: u8 = 0b01_0010;

/// Bytes of the longest text that is a word and no content.
const LONGEST_WORD: usize = 32;
