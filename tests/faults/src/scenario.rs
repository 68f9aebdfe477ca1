//! The table of scenarios: `scenarios.json`, which holds for every telemetry library.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::Value;

/// The table as text.
pub(crate) const TABLE: &str = include_str!("../scenarios.json");

static PARSED: LazyLock<Result<Table, String>> =
    LazyLock::new(|| serde_json::from_str(TABLE).map_err(|error| format!("scenarios.json: {error}")));

/// Requests and scenarios. The README of this crate says how a library is run against them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Table {
    /// `llmspan.scenarios/1`.
    pub schema: String,
    /// How much later than the server a client may be, in milliseconds.
    pub tolerance_ms: u64,
    /// What is sent, by the name that scenarios use.
    pub requests: BTreeMap<String, Request>,
    /// The rows.
    pub scenarios: Vec<Scenario>,
}

impl Table {
    /// The table of this version.
    ///
    /// # Errors
    /// When `scenarios.json` has another form, with what is wrong.
    pub fn load() -> Result<&'static Self, String> {
        PARSED.as_ref().map_err(Clone::clone)
    }
}

/// A request of a protocol.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Request {
    /// The protocol of the response, by its name in an event log.
    pub protocol: String,
    /// The request that asks for a stream.
    pub stream: Option<Post>,
    /// The one that does not.
    pub whole: Option<Post>,
}

/// What is posted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Post {
    /// Path and query, behind the base URL.
    pub path: String,
    /// Headers beside `content-type: application/json`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The JSON body.
    pub body: Value,
}

/// One row: what to ask of the server, what the client does, and the record that has to come out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Scenario {
    /// Name, unique in the table; `/s/{name}` asks for its faults.
    pub name: String,
    /// What it is about, in a sentence.
    pub why: String,
    /// Name of the request.
    pub request: String,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// Requests that the server has to see.
    pub requests: usize,
    /// What is asked of the server; `run` is added by the one who runs it.
    pub faults: String,
    /// What the client does.
    #[serde(default)]
    pub client: Client,
    /// The configuration of the recorder, where the row needs one of its own.
    pub config: Option<Value>,
    /// The tolerance of this row, where it is not that of the table.
    pub tolerance_ms: Option<u64>,
    /// The record, as a subset.
    pub expect: Value,
}

/// What the client does where a scenario leaves it a choice.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Client {
    /// Requests that it makes at most.
    pub attempts: usize,
    /// What it does after a silence.
    pub on_silence: Option<OnSilence>,
    /// Milliseconds without a byte that are such a silence.
    pub silence_ms: u64,
}

impl Default for Client {
    fn default() -> Self {
        Self { attempts: 1, on_silence: None, silence_ms: 0 }
    }
}

/// What a client does when nothing comes any more.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnSilence {
    /// The application aborts the call.
    Cancel,
    /// The consumer of the stream stops reading.
    Close,
    /// The application gives up waiting.
    TimeOut,
}

/// What the scenario of that name asks of the server.
pub(crate) fn faults_of(name: &str) -> Result<&'static str, String> {
    Table::load()?
        .scenarios
        .iter()
        .find(|row| row.name == name)
        .map(|row| row.faults.as_str())
        .ok_or_else(|| format!("there is no scenario `{name}`; parameters are `key=value`"))
}
