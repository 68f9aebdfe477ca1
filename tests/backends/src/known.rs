//! What is known of the calls, worked out by hand from the event logs.

use crate::calls::HOSTED;

/// What a backend has to show of a call.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Known {
    /// Name of the call, as in [`crate::calls::all`].
    pub call: &'static str,
    /// Name of its span under conventions that have operation and requested model in it.
    pub span: &'static str,
    /// Model that answered, or was asked for when none did.
    pub model: &'static str,
    /// Length in nanoseconds.
    pub duration_ns: u64,
    /// Whether the call has the status ERROR.
    pub failed: bool,
    /// Tokens of the final attempt; `None` when no attempt reported any.
    pub tokens: Option<Tokens>,
    /// Spans below that of the call, in order of their starts.
    pub inner: &'static [Inner],
}

/// Tokens of a call.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Tokens {
    /// Tokens of the prompt, cached ones included.
    pub input: u64,
    /// Tokens of the answer, reasoning included.
    pub output: u64,
    /// Tokens of the prompt that came from a cache.
    pub cache_read: Option<u64>,
    /// Tokens of the prompt that went into a cache.
    pub cache_write: Option<u64>,
}

/// A span inside a call.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Inner {
    /// Its name.
    pub name: &'static str,
    /// Name of the span around it; `None` for the call's.
    pub parent: Option<&'static str>,
    /// Start from the start of the call, in milliseconds.
    pub start_ms: u64,
    /// End from the start of the call, in milliseconds.
    pub end_ms: u64,
    /// Whether it has the status ERROR.
    pub failed: bool,
}

/// Every call.
pub const CALLS: [Known; 7] = [
    Known {
        call: "streamed_success",
        span: "chat gpt-4.1-mini",
        model: "gpt-4.1-mini-2025-04-14",
        duration_ns: 1_300_000_000,
        failed: false,
        tokens: Some(Tokens { input: 400, output: 125, cache_read: Some(300), cache_write: Some(50) }),
        inner: &[inner("attempt", 10, 1_250)],
    },
    Known {
        call: "retry_then_success",
        span: "chat grok-4",
        model: "grok-4-0709",
        duration_ns: 3_300_000_000,
        failed: false,
        tokens: Some(Tokens { input: 10, output: 500, cache_read: None, cache_write: None }),
        inner: &[inner("attempt", 0, 50).failed(), inner("wait rate_limit", 50, 2_100), inner("attempt", 2_100, 3_300)],
    },
    Known {
        call: "error_with_status",
        span: "generate_content gemini-2.5-flash",
        model: "gemini-2.5-flash",
        duration_ns: 200_500_000,
        failed: true,
        tokens: None,
        inner: &[inner("attempt", 0, 200).failed()],
    },
    Known {
        call: "cancelled",
        span: "chat gpt-4.1-mini",
        model: "gpt-4.1-mini",
        duration_ns: 510_000_000,
        failed: false,
        tokens: None,
        inner: &[inner("attempt", 0, 500)],
    },
    Known {
        call: "fallback_to_another_model",
        span: "chat claude-sonnet-4-5",
        model: "gpt-4.1-mini-2025-04-14",
        duration_ns: 1_031_999_999,
        failed: false,
        tokens: Some(Tokens { input: 1_000, output: 50, cache_read: Some(0), cache_write: None }),
        inner: &[inner("attempt", 20, 320).failed(), inner("wait fallback", 320, 330), inner("attempt", 330, 1_030)],
    },
    Known {
        call: "tool_call_not_streamed",
        span: "chat anthropic.claude-sonnet-4-5",
        model: "anthropic.claude-sonnet-4-5",
        duration_ns: 901_234_567,
        failed: false,
        tokens: Some(Tokens { input: 11, output: 23, cache_read: None, cache_write: None }),
        inner: &[inner("attempt", 0, 900)],
    },
    Known {
        call: HOSTED,
        span: "chat gpt-4.1-mini",
        model: "gpt-4.1-mini-2025-04-14",
        duration_ns: 550_000_000,
        failed: false,
        tokens: Some(Tokens { input: 12, output: 3, cache_read: None, cache_write: None }),
        inner: &[
            inner("prompt.build", 0, 20),
            Inner { parent: Some("prompt.build"), ..inner("attach.history", 15, 20) },
            inner("attempt", 20, 50).failed(),
            inner("wait server_error", 50, 150),
            inner("attempt", 150, 550),
        ],
    },
];

/// Input and output tokens of all calls: 400 + 10 + 1000 + 11 + 12, and 125 + 500 + 50 + 23 + 3.
pub const ALL_TOKENS: (u64, u64) = (1_433, 701);

/// Spans of all calls: seven of calls, ten of attempts, three of waits, two of phases.
pub const ALL_SPANS: usize = 22;

impl Inner {
    const fn failed(mut self) -> Self {
        self.failed = true;
        self
    }
}

const fn inner(name: &'static str, start_ms: u64, end_ms: u64) -> Inner {
    Inner { name, parent: None, start_ms, end_ms, failed: false }
}
