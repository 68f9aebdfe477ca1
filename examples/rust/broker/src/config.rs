//! What the broker is told by its environment.

use std::{env, error::Error, path::PathBuf, time::Duration};

use serde::Deserialize;

/// The whole configuration.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests build it field by field")]
pub struct Config {
    /// Where to listen, such as `127.0.0.1:8080`; port 0 takes a free one.
    pub address: String,
    /// Providers in the order in which they are asked.
    pub upstreams: Vec<Upstream>,
    /// The OTLP receiver, such as `http://127.0.0.1:4318`; none exports nothing.
    pub otlp: Option<String>,
    /// A file to draw every call in, for Perfetto; none draws nothing.
    pub trace: Option<PathBuf>,
    /// How long open requests may go on after the signal to stop.
    pub grace: Duration,
}

/// A provider, or one model of it.
#[derive(Clone, Debug, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "tests build it field by field")]
pub struct Upstream {
    /// Its OpenTelemetry name: `openai`, `groq`, …
    pub provider: String,
    /// The model that is asked for there.
    pub model: String,
    /// The URL of its chat completions.
    pub url: String,
    /// API keys; none for a server that asks for none.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Requests that one key is used for at the same time.
    #[serde(default = "one")]
    pub requests_per_key: usize,
}

impl Config {
    /// Reads the environment. Without `BROKER_UPSTREAMS` there are none: the example then starts providers of its own.
    ///
    /// # Errors
    /// A variable that cannot be read as what it should be.
    pub fn from_env() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let or = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.into());
        let upstreams = serde_json::from_str(&or("BROKER_UPSTREAMS", "[]"));
        let grace = or("BROKER_GRACE_SECONDS", "10").parse();
        Ok(Self {
            address: or("BROKER_ADDRESS", "127.0.0.1:8080"),
            upstreams: upstreams.map_err(|error| format!("BROKER_UPSTREAMS: {error}"))?,
            otlp: env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok().filter(|url| !url.is_empty()),
            trace: env::var_os("BROKER_TRACE").map(PathBuf::from),
            grace: Duration::from_secs(grace.map_err(|error| format!("BROKER_GRACE_SECONDS: {error}"))?),
        })
    }
}

fn one() -> usize {
    1
}
