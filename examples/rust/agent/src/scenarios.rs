//! Calls worth a look, played against the local server in real time.

use std::{io, path::Path, time::Duration};

use futures_util::StreamExt as _;
use llmspan::{Call, CallStart, EventLog, Memory, Protocol, Record, Recorder, Request};
use llmspan_examples::{
    server::{Reply, Server},
    wire::{OpenAiChat, anthropic_event, quoted, short_gap},
};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::model::stream_with_retries;

/// One call that shows one thing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Scenario {
    /// The first attempt is rate limited; the second one streams after the delay that the server asked for.
    RateLimited,
    /// The stream ends in the middle, without a finish reason.
    CutStream,
    /// A model thinks, then asks for a tool; the prompt was read from the cache in part.
    ReasoningTool,
    /// Local work takes a while before the request, and the stream stands still in its middle.
    Stalled,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 4] = [Self::RateLimited, Self::CutStream, Self::ReasoningTool, Self::Stalled];

    /// Its name, which is also the id of its call.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RateLimited => "rate-limited",
            Self::CutStream => "cut-stream",
            Self::ReasoningTool => "reasoning-tool",
            Self::Stalled => "stalled",
        }
    }

    /// Plays the scenario, writes its events to `<name>.jsonl` in `directory`, and gives its record.
    ///
    /// # Errors
    /// Those of the local server and of the file; a scenario that gives no record is one too.
    pub async fn capture(self, directory: &Path) -> io::Result<Record> {
        let log = EventLog::create(directory.join(self.name()).with_extension("jsonl"))?;
        let server = Server::start(self.replies()).await?;
        let records = Memory::default();
        // The recorder comes last: its clock starts with it.
        let recorder = Recorder::builder().with_sink(records.clone()).with_event_log(log.clone());
        let recorder = recorder.build().map_err(io::Error::other)?;
        let call = recorder.call_with_id(self.name(), self.start());
        self.prepare(&call).await;
        let (path, protocol) = self.endpoint();
        let stream = stream_with_retries(&Client::new(), &server.url(path), &self.body(), protocol, call).await;
        if let Ok(stream) = stream {
            let mut stream = std::pin::pin!(stream);
            // What breaks the stream is in the record.
            while let Some(Ok(_)) = stream.next().await {}
        }
        recorder.flush();
        let stats = log.stats();
        if stats.dropped + stats.failed > 0 {
            return Err(io::Error::other("the event log is not complete"));
        }
        records.records().pop().ok_or_else(|| io::Error::other("the call gave no record"))
    }

    fn start(self) -> CallStart {
        let thinks = self == Self::ReasoningTool;
        let (provider, model) = if thinks { ("anthropic", "claude-sonnet-4-5") } else { ("openai", "gpt-4.1-mini") };
        let mut request = Request::default();
        if thinks {
            request.max_tokens = Some(16_000);
            request.reasoning_level = Some("medium".into());
        } else {
            request.max_tokens = Some(1_024);
            request.temperature = Some(0.2);
            request.top_p = Some(0.95);
        }
        request.input_parts.system = Some(412);
        request.input_parts.history = Some(533);
        request.input_parts.retrieved = Some(259);
        CallStart::new("chat")
            .with_provider(provider)
            .with_model(model)
            .streamed()
            .with_request(request)
            .with_attribute("prompt.version", "support-7")
            .with_attribute("tenant", "acme")
            .with_attribute("experiment", "B")
            .with_attribute("message_count", 9_i64)
    }

    fn endpoint(self) -> (&'static str, Protocol) {
        match self {
            Self::ReasoningTool => ("/v1/messages", Protocol::AnthropicMessages),
            _ => ("/v1/chat/completions", Protocol::OpenAiChat),
        }
    }

    fn body(self) -> Value {
        json!({"model": self.start().model.as_deref(), "stream": true, "messages": [{"role": "user", "content": "…"}]})
    }

    /// Local work before the first request.
    async fn prepare(self, call: &Call) {
        let prompt = call.phase("prompt.build");
        if self != Self::Stalled {
            sleep(Duration::from_millis(12)).await;
            return;
        }
        for (part, millis) in [("load.system_prompt", 6), ("attach.history", 18), ("inject.retrieved_docs", 164)] {
            let _part = call.phase(part);
            sleep(Duration::from_millis(millis)).await;
        }
        prompt.end();
        let _waiting = call.phase("key_pool.acquire");
        sleep(Duration::from_millis(430)).await;
    }

    fn replies(self) -> Vec<Reply> {
        let ids = |reply: Reply, id| reply.with_header("x-request-id", id).with_header("openai-processing-ms", "287");
        let streamed = |id| ids(Reply::stream(Duration::from_millis(310)), id);
        let answer = OpenAiChat { text: ANSWER, pause: first_after_half_a_second, cut_after: None };
        match self {
            Self::RateLimited => vec![
                Reply::rate_limited(Duration::from_millis(90))
                    .with_header("retry-after", "2")
                    .with_header("x-request-id", "req_6f1c"),
                answer.append_to(streamed("req_6f1d")),
            ],
            Self::CutStream => vec![OpenAiChat { cut_after: Some(34), ..answer }.append_to(streamed("req_7a20"))],
            Self::ReasoningTool => vec![reasoning_tool()],
            Self::Stalled => vec![OpenAiChat { pause: stall_in_the_middle, ..answer }.append_to(streamed("req_81be"))],
        }
    }
}

fn first_after_half_a_second(word: usize) -> Duration {
    if word == 0 { Duration::from_millis(330) } else { short_gap(word) }
}

fn stall_in_the_middle(word: usize) -> Duration {
    if word == 29 { Duration::from_millis(1_870) } else { first_after_half_a_second(word) }
}

/// A thinking model that asks for a tool, as `anthropic.messages` streams it.
fn reasoning_tool() -> Reply {
    const MESSAGE: &str = r#""message":{"id":"msg_01Y7hTq","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":148,"cache_creation_input_tokens":512,"cache_read_input_tokens":6144,"output_tokens":2,"service_tier":"standard"}}"#;
    const END: &str = r#""delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":148,"cache_creation_input_tokens":512,"cache_read_input_tokens":6144,"output_tokens":213,"output_tokens_details":{"thinking_tokens":121}}"#;
    const ARGUMENTS: [&str; 5] =
        ["{\"customer", "_id\": \"c_", "4711\", \"since\"", ": \"2025-11-01\"", ", \"limit\": 20}"];

    let mut reply = Reply::stream(Duration::from_millis(420)).with_header("request-id", "req_011CVb3kQ");
    let mut send = |pause: Duration, kind: &str, fields: &str| reply.push(pause, anthropic_event(kind, fields));
    let now = Duration::ZERO;
    let start = |index: u32, block: &str| format!(r#""index":{index},"content_block":{block}"#);
    let delta = |index: u32, kind: &str, field: &str, text: &str| {
        format!(r#""index":{index},"delta":{{"type":"{kind}","{field}":{}}}"#, quoted(text))
    };
    let stop = |index: u32| format!(r#""index":{index}"#);

    send(now, "message_start", MESSAGE);
    let thinking = start(0, r#"{"type":"thinking","thinking":"","signature":""}"#);
    send(Duration::from_millis(140), "content_block_start", &thinking);
    send(now, "ping", "");
    for (at, words) in groups(THINKING, 2).into_iter().enumerate() {
        send(short_gap(at), "content_block_delta", &delta(0, "thinking_delta", "thinking", &words));
    }
    let signature = delta(0, "signature_delta", "signature", "EqMDCkYICBgCKkDR0m1x");
    send(short_gap(2), "content_block_delta", &signature);
    send(now, "content_block_stop", &stop(0));

    send(Duration::from_millis(70), "content_block_start", &start(1, r#"{"type":"text","text":""}"#));
    for (at, words) in groups(TOOL_INTRO, 3).into_iter().enumerate() {
        send(short_gap(at), "content_block_delta", &delta(1, "text_delta", "text", &words));
    }
    send(now, "content_block_stop", &stop(1));
    send(Duration::from_millis(410), "ping", "");

    let tool = start(2, r#"{"type":"tool_use","id":"toolu_01F9","name":"search_orders","input":{}}"#);
    send(Duration::from_millis(120), "content_block_start", &tool);
    for (at, part) in ARGUMENTS.into_iter().enumerate() {
        send(short_gap(at), "content_block_delta", &delta(2, "input_json_delta", "partial_json", part));
    }
    send(now, "content_block_stop", &stop(2));
    send(short_gap(1), "message_delta", END);
    send(now, "message_stop", "");
    reply
}

/// The text in groups of words.
fn groups(text: &str, words: usize) -> Vec<String> {
    text.split_inclusive(' ').collect::<Vec<_>>().chunks(words).map(<[_]>::concat).collect()
}

const ANSWER: &str = "Your order left the warehouse on Tuesday and is with the carrier now. The tracking page shows it \
    in Hamburg, one stop before your depot, so delivery tomorrow between nine and noon is likely. If it has not arrived \
    by Thursday evening, reply to this message: we then send a replacement the same day, and you need not wait for the \
    first parcel to be found. I have noted on your account that the courier should ring twice, as the bell is quiet.";

const THINKING: &str = "The customer asks where the order is. I do not know which order is meant: there may be several \
    since the last message. The account id is in the system prompt, so I can look the orders up instead of asking \
    back. The tool search_orders takes a customer id and a start date; the first of November covers the period they \
    mention. Twenty results are plenty. I should say in one line what I am doing, then call the tool.";

const TOOL_INTRO: &str = "Let me look up your recent orders first, so that I can tell you where the parcel is.";
