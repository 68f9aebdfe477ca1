//! A provider that goes on answering, for whoever wants to try an example by hand.

use std::time::Duration;

use serde_json::Value;

use crate::{
    server::Reply,
    wire::{OpenAiChat, completion, short_gap, streamed_tool_call, tool_call},
};

/// Answers requests of `openai.chat`, for [`Server::answering`](crate::server::Server::answering).
///
/// The second of every three is turned away with `Retry-After: 1`. A question about an order asks for the tool `find_order` first,
/// if the request offers it. The rest is answered, as a stream if that is asked for.
pub fn provider() -> impl FnMut(&Value) -> Reply + Send + 'static {
    let mut requests = 0_u64;
    move |request| {
        requests += 1;
        reply(requests, request)
    }
}

fn reply(number: u64, request: &Value) -> Reply {
    if number % 3 == 2 {
        return Reply::rate_limited(Duration::from_millis(20)).with_header("retry-after", "1");
    }
    let latency = Duration::from_millis(120);
    let messages = request["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let last = messages.last().unwrap_or(&Value::Null);
    let about_order = last["role"] == "user" && last["content"].as_str().is_some_and(|text| text.contains("order"));
    let is_offered = request["tools"].as_array().is_some_and(|tools| tools.iter().any(is_find_order));
    let text = if last["role"] == "tool" { FOUND } else { ANSWER };
    match (request["stream"] == true, about_order && is_offered) {
        (true, true) => streamed_tool_call(Reply::stream(latency), TOOL, ARGUMENTS),
        (true, false) => OpenAiChat { text, pause: short_gap, cut_after: None }.append_to(Reply::stream(latency)),
        (false, true) => Reply::json(latency, tool_call(TOOL, ARGUMENTS)),
        (false, false) => Reply::json(latency, completion(text)),
    }
}

fn is_find_order(tool: &Value) -> bool {
    tool["function"]["name"] == TOOL
}

/// The tool that is asked for.
pub const TOOL: &str = "find_order";

/// The arguments of the tool, as JSON.
pub const ARGUMENTS: &str = r#"{"order":"4711"}"#;

/// What is said without a tool.
pub const ANSWER: &str = "Retries hide in totals, so count them apart.";

/// What is said with the result of the tool.
pub const FOUND: &str = "Your order is in Hamburg, so expect it tomorrow.";
