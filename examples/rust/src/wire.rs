//! What providers send: the events of a streamed answer, as text.

use std::time::Duration;

use serde_json::Value;

use crate::server::Reply;

/// A chat completion of `OpenAI` as it streams: the role, a chunk per word, a finish reason, usage, and the end marker.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "scripts build it field by field")]
pub struct OpenAiChat<'a> {
    /// The answer.
    pub text: &'a str,
    /// Pause before the first word, and before each later one by its number.
    pub pause: fn(usize) -> Duration,
    /// Words to send before the connection ends without another word; `None` sends them all.
    pub cut_after: Option<usize>,
}

impl OpenAiChat<'_> {
    /// Adds the answer to a reply.
    pub fn append_to(self, mut reply: Reply) -> Reply {
        reply = reply.then(Duration::ZERO, chunk(r#"{"role":"assistant","content":"","refusal":null}"#, "null"));
        let words = self.text.split_inclusive(' ');
        for (number, word) in words.take(self.cut_after.unwrap_or(usize::MAX)).enumerate() {
            reply = reply.then((self.pause)(number), chunk(&format!(r#"{{"content":{}}}"#, quoted(word)), "null"));
        }
        if self.cut_after.is_some() {
            return reply;
        }
        // About as many tokens as words and signs.
        let output = self.text.split(' ').count() + self.text.matches([',', '.', ':', '-']).count();
        let usage = format!(
            r#"{{"prompt_tokens":1204,"completion_tokens":{output},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":1024,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0}}}}"#,
            1204 + output
        );
        reply
            .then(short_gap(3), chunk("{}", r#""stop""#))
            .then(Duration::from_millis(1), event("[]", &usage))
            .then(Duration::ZERO, "data: [DONE]\n\n")
    }
}

/// A pause of 20 to 60 ms that looks irregular.
pub fn short_gap(number: usize) -> Duration {
    Duration::from_millis(20 + (number as u64).wrapping_mul(37) % 41)
}

/// An event of `anthropic.messages`: `fields` is the JSON after the type.
pub fn anthropic_event(kind: &str, fields: &str) -> String {
    let comma = if fields.is_empty() { "" } else { "," };
    format!("event: {kind}\ndata: {{\"type\":\"{kind}\"{comma}{fields}}}\n\n")
}

/// Text as a JSON string.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn chunk(delta: &str, finish_reason: &str) -> String {
    let choice = format!(r#"[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish_reason}}}]"#);
    event(&choice, "null")
}

fn event(choices: &str, usage: &str) -> String {
    format!("data: {HEAD},\"choices\":{choices},\"usage\":{usage}}}\n\n")
}

/// What every chunk begins with.
const HEAD: &str = r#"{"id":"chatcmpl-CkT2mV0q","object":"chat.completion.chunk","created":1764547200,"model":"gpt-4.1-mini-2025-04-14","service_tier":"default","system_fingerprint":"fp_4c2851f862""#;
