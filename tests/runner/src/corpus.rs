//! Replays recorded responses of real providers as raw bytes, and compares the records with what was expected of them.
//!
//! A corpus is a directory with `index.jsonl` (a line per case: its file, protocol, status), `expected.jsonl` (the facts
//! that the response states, found apart from this engine) and the bodies. A body is fed whole, and cut in many ways: each
//! way has to give the same record.

mod expect;
mod frames;
mod sequences;
mod splits;

use alloc::{collections::BTreeMap, sync::Arc};
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use llmspan_core::{
    config::{Config, KeepMessages},
    engine::{Call, Tracker},
    event::{Event, TimedEvent},
    machine::{AttemptStart, CallStart, Failure, Headers},
    provider::{Protocol, headers},
    record::Record,
    time::Timestamp,
};
use serde::{Deserialize, de::DeserializeOwned};

use self::{expect::Expected, frames::Events};
use crate::{compare::compare_records, identities, report::Report};

/// One line of `index.jsonl`, as far as a replay needs it.
#[derive(Debug, Deserialize)]
struct Case {
    id: String,
    file: PathBuf,
    wire: String,
    framing: String,
    kind: Kind,
    http_status: Option<u16>,
    endpoint: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    transport_headers: Option<BTreeMap<String, String>>,
    request_model: Option<Box<str>>,
    chunk_lens: Option<Vec<usize>>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Error,
    Json,
    Stream,
}

impl Case {
    /// The headers of the response, as far as they were kept.
    fn header_pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let recorded = [&self.headers, &self.transport_headers].into_iter().flatten().flatten();
        recorded.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Replays every case of the corpora in `dirs`. A directory is a corpus, or holds corpora.
pub fn run(dirs: &[PathBuf]) -> Report {
    let mut report = Report::default();
    for dir in dirs {
        match corpora(dir) {
            Ok(corpora) => corpora.iter().for_each(|corpus| report.merge(run_corpus(corpus))),
            Err(error) => report.add(dir.clone(), vec![error]),
        }
    }
    report
}

fn corpora(dir: &Path) -> Result<Vec<PathBuf>, String> {
    if dir.join(INDEX).is_file() {
        return Ok(vec![dir.into()]);
    }
    let entries = fs::read_dir(dir).map_err(|error| format!("no corpus: {error}"))?;
    let mut found: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.join(INDEX).is_file()).collect();
    found.sort();
    if found.is_empty() { Err(format!("no corpus: there is no {INDEX}")) } else { Ok(found) }
}

fn run_corpus(dir: &Path) -> Report {
    let mut report = Report::default();
    let loaded = lines::<Case>(&dir.join(INDEX)).and_then(|cases| {
        let expected = lines::<Expected>(&dir.join("expected.jsonl"))?;
        Ok((cases, expected.into_iter().map(|expected| (expected.id.clone(), expected)).collect()))
    });
    let (cases, expected): (Vec<Case>, BTreeMap<String, Expected>) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            report.add(dir.into(), vec![error]);
            return report;
        }
    };
    if cases.is_empty() {
        report.add(dir.into(), vec![String::from("the corpus has no case")]);
        return report;
    }
    let share = cases.len().div_ceil(thread::available_parallelism().map_or(1, usize::from));
    let (cases, expected) = (&cases, &expected);
    thread::scope(|scope| {
        let workers: Vec<_> = cases
            .chunks(share)
            .map(|cases| {
                scope.spawn(move || {
                    let mut report = Report::default();
                    for case in cases {
                        run_case(dir, case, expected.get(&case.id), &mut report);
                    }
                    report
                })
            })
            .collect();
        for worker in workers {
            match worker.join() {
                Ok(own) => report.merge(own),
                Err(_) => report.add(dir.into(), vec![String::from("a replay panicked")]),
            }
        }
    });
    report.merge(sequences::run(dir, cases));
    report
}

fn run_case(dir: &Path, case: &Case, expected: Option<&Expected>, report: &mut Report) {
    let path = dir.join(&case.file);
    let Some(protocol) = protocol_of(&case.wire) else {
        report.add(path, vec![format!("wire `{}` stands for no protocol", case.wire)]);
        return;
    };
    let Some(expected) = expected else {
        report.add(path, vec![String::from("expected.jsonl says nothing of this case")]);
        return;
    };
    let body = fs::read(&path).map_err(|error| error.to_string());
    let differences = body.and_then(|body| Replay::new(case, protocol, &body)?.check(expected));
    report.add(path, differences.unwrap_or_else(|error| vec![error]));
}

/// One case with its body.
struct Replay<'a> {
    case: &'a Case,
    protocol: Protocol,
    body: &'a [u8],
    events: Events,
    config: Arc<Config>,
}

impl<'a> Replay<'a> {
    fn new(case: &'a Case, protocol: Protocol, body: &'a [u8]) -> Result<Self, String> {
        let config = Config::default().with_error_messages(KeepMessages::Cleaned);
        Ok(Self { case, protocol, body, events: frames::events(&case.framing, body)?, config: Arc::new(config) })
    }

    fn check(&self, expected: &Expected) -> Result<Vec<String>, String> {
        let mut out = Vec::new();
        let timed = self.record_by_event();
        expected.compare(self.case, self.protocol, &timed, self.events.count, &mut out);

        self.check_detection(&mut out);

        out.extend(identities::broken(&timed));

        let whole = self.record_of_cuts(&[]);
        for (way, cuts) in splits::ways(self.body, &self.events, self.case.chunk_lens.as_deref())? {
            compare_records(&way, &whole, &self.record_of_cuts(&cuts), &mut out);
            if out.len() >= MANY_DIFFERENCES {
                break;
            }
        }
        compare_records("through a tracker", &whole, &self.record_of_tracker()?, &mut out);
        compare_records("through a snapshot", &whole, &self.record_of_snapshot()?, &mut out);
        Ok(out)
    }

    /// Feeds event by event: what belongs to the event with the index `n` comes at `n + 1` nanoseconds, so that a mark tells
    /// the event that set it.
    fn record_by_event(&self) -> Record {
        let mut call = self.begin();
        let mut now = Timestamp::default();
        for (range, at) in self.events.ranges.iter().zip(1..) {
            now = Timestamp::from_nanos(at);
            call.handle_bytes(now, None, self.protocol, &self.body[range.clone()]);
        }
        self.end(call, now)
    }

    /// Feeds the pieces between the cuts, all at one time.
    fn record_of_cuts(&self, cuts: &[usize]) -> Record {
        let mut call = self.begin();
        let mut start = 0;
        for end in cuts.iter().copied().chain([self.body.len()]) {
            call.handle_bytes(MOMENT, None, self.protocol, &self.body[start..end]);
            start = end;
        }
        self.end(call, MOMENT)
    }

    /// Goes on with a copy of the call, as another process would, in the middle of the body and behind it.
    fn record_of_snapshot(&self) -> Result<Record, String> {
        let mut call = self.begin();
        let (first, second) = self.body.split_at(self.body.len() / 2);
        for piece in [first, second] {
            call.handle_bytes(MOMENT, None, self.protocol, piece);
            let snapshot = call.snapshot().ok_or("an open call gave no snapshot")?;
            call = Call::resume(Arc::clone(&self.config), &snapshot).map_err(|error| error.to_string())?;
        }
        Ok(self.end(call, MOMENT))
    }

    fn record_of_tracker(&self) -> Result<Record, String> {
        let mut tracker = Tracker::new(Config::clone(&self.config)).map_err(|error| error.to_string())?;
        let mut handle = |at, event| tracker.handle_event(&TimedEvent::new(at, event));
        let start = Timestamp::default();
        handle(start, Event::CallStarted(Box::new(self.call_start())));
        handle(start, Event::AttemptStarted(Box::default()));
        handle(start, Event::HeadersReceived(Box::new(self.headers())));
        handle(MOMENT, Event::Bytes(self.protocol, self.body.to_vec()));
        if self.is_stream() {
            handle(MOMENT, Event::StreamEnded);
        }
        handle(MOMENT, Event::CallEnded(Box::default()));
        tracker.poll_record().ok_or_else(|| String::from("the tracker gave no record"))
    }

    fn begin(&self) -> Call {
        let start = Timestamp::default();
        let mut call = Call::new(Arc::clone(&self.config), start, self.call_start());
        call.handle_attempt_started(start, AttemptStart::default());
        call.handle_headers(start, None, self.headers());
        call
    }

    fn end(&self, mut call: Call, now: Timestamp) -> Record {
        if self.is_stream() {
            call.handle_stream_ended(now, None);
        }
        call.handle_call_ended(now, Failure::default());
        call.poll_record().unwrap_or_default()
    }

    fn call_start(&self) -> CallStart {
        let mut start = CallStart::new("chat");
        start.model.clone_from(&self.case.request_model);
        if self.is_stream() { start.streamed() } else { start.not_streamed() }
    }

    fn headers(&self) -> Headers {
        let mut headers = headers::read(self.case.http_status.unwrap_or_default(), self.case.header_pairs());
        headers.status_code = self.case.http_status;
        headers
    }

    /// Compares the protocol with what address, headers and first bytes tell of it. An error may say nothing of its protocol
    /// where it takes the host, which the corpus does not keep, to understand the path.
    fn check_detection(&self, out: &mut Vec<String>) {
        let Some(endpoint) = self.case.endpoint.as_deref() else { return };
        let found = Protocol::detect(endpoint, self.case.header_pairs(), self.body).map(|found| found.protocol);
        let is_silent = found.is_none() && self.case.kind == Kind::Error;
        if found != Some(self.protocol) && !is_silent {
            out.push(format!("detected as {}", found.map_or("nothing", Protocol::as_str)));
        }
    }

    fn is_stream(&self) -> bool {
        self.case.kind == Kind::Stream
    }
}

/// When the bytes come, in the ways of cutting that are compared with each other.
const MOMENT: Timestamp = Timestamp::from_nanos(1_000);

/// Differences after which no further way of cutting is tried.
const MANY_DIFFERENCES: usize = 8;

/// The protocol that a corpus means by its own name for it.
fn protocol_of(wire: &str) -> Option<Protocol> {
    Some(match wire {
        "openai-chat" => Protocol::OpenAiChat,
        "openai-completions" => Protocol::OpenAiCompletions,
        "openai-responses" => Protocol::OpenAiResponses,
        "anthropic-messages" => Protocol::AnthropicMessages,
        "anthropic-complete" => Protocol::AnthropicComplete,
        "gemini" => Protocol::GeminiGenerateContent,
        "gemini-interactions" => Protocol::GeminiInteractions,
        "bedrock-converse" => Protocol::BedrockConverse,
        "bedrock-invoke" => Protocol::BedrockInvoke,
        "ollama" => Protocol::OllamaChat,
        "cohere-v1" | "cohere-v2" => Protocol::CohereChat,
        "dashscope" => Protocol::DashScopeGeneration,
        "huggingface-textgen" => Protocol::HuggingFaceTextGen,
        other => return Protocol::parse(other),
    })
}

fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            serde_json::from_str(line).map_err(|error| format!("{}, line {}: {error}", path.display(), at + 1))
        })
        .collect()
}

const INDEX: &str = "index.jsonl";
