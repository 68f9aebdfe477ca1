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
        end(reply.then(short_gap(3), chunk("{}", r#""stop""#)), output)
    }
}

/// A tool call that `OpenAI` asks for, as it streams: its name, its arguments in two parts, a finish reason, and the rest as
/// for an answer.
pub fn streamed_tool_call(mut reply: Reply, name: &str, arguments: &str) -> Reply {
    let part = |call: String| chunk(&format!(r#"{{"tool_calls":[{{"index":0,{call}}}]}}"#), "null");
    let arguments_part = |text: &str| format!(r#""function":{{"arguments":{}}}"#, quoted(text));
    let (head, tail) = arguments.split_at(arguments.len() / 2);
    let first = format!(r#""id":"call_9f2c","type":"function","function":{{"name":{},"arguments":""}}"#, quoted(name));
    reply = reply.then(Duration::ZERO, chunk(r#"{"role":"assistant","content":null}"#, "null"));
    reply = reply.then(short_gap(0), part(first));
    for text in [head, tail] {
        reply = reply.then(short_gap(1), part(arguments_part(text)));
    }
    end(reply.then(short_gap(2), chunk("{}", r#""tool_calls""#)), 18)
}

/// A chat completion of `OpenAI` as one body.
pub fn completion(text: &str) -> String {
    let message = format!(r#"{{"role":"assistant","content":{},"refusal":null}}"#, quoted(text));
    whole(&message, "stop", text.split(' ').count())
}

/// A tool call that `OpenAI` asks for, as one body.
pub fn tool_call(name: &str, arguments: &str) -> String {
    let [name, arguments] = [name, arguments].map(quoted);
    let call =
        format!(r#"{{"id":"call_9f2c","type":"function","function":{{"name":{name},"arguments":{arguments}}}}}"#);
    whole(&format!(r#"{{"role":"assistant","content":null,"tool_calls":[{call}]}}"#), "tool_calls", 18)
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

/// A chat completion that comes whole.
fn whole(message: &str, finish_reason: &str, output: usize) -> String {
    let head = HEAD.replace("chat.completion.chunk", "chat.completion");
    let choice = format!(r#"{{"index":0,"message":{message},"logprobs":null,"finish_reason":"{finish_reason}"}}"#);
    format!(r#"{head},"choices":[{choice}],"usage":{}}}"#, usage(output))
}

/// Usage and the end marker of a stream.
fn end(reply: Reply, output: usize) -> Reply {
    reply.then(Duration::from_millis(1), event("[]", &usage(output))).then(Duration::ZERO, "data: [DONE]\n\n")
}

fn usage(output: usize) -> String {
    format!(
        r#"{{"prompt_tokens":1204,"completion_tokens":{output},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":1024,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0}}}}"#,
        1204 + output
    )
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
