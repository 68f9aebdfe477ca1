//! The turn loop.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use llmspan::{Failure, Recorder};
use llmspan_examples::message::{Message, ToolCall};
use serde_json::{Value, json};
use tokio::time::sleep;
use tracing::{Instrument as _, info_span};

use crate::model::{Model, classify};

/// An agent that works on tasks.
#[derive(Clone, Debug)]
pub struct Agent {
    model: Model,
}

impl Agent {
    /// An agent that asks the model at `url`, the URL of chat completions.
    pub fn new(url: String, recorder: Recorder) -> Self {
        Self { model: Model::new(url, recorder) }
    }

    /// Works on a task until the model has an answer, and gives it with a title.
    ///
    /// # Errors
    /// The failure of a call after all of its retries; `too_many_turns` for a model that asks for tools without end.
    pub async fn run(&self, id: &str, task: &str) -> Result<(String, String), Failure> {
        let mut messages = vec![json!({"role": "user", "content": task})];
        for turn in 1..=MAX_TURNS {
            let answer = self.turn(id, &mut messages).instrument(info_span!("agent.turn", turn)).await?;
            if let Some(answer) = answer {
                messages.push(json!({"role": "assistant", "content": answer}));
                messages.push(json!({"role": "user", "content": "A title for this conversation, please."}));
                let title = self.model.complete(id, &messages).instrument(info_span!("agent.title")).await?;
                return Ok((title.text, answer));
            }
        }
        Err(Failure::of_type("too_many_turns"))
    }

    /// Asks once. Gives the answer, or runs the tools that the model asks for and gives nothing.
    async fn turn(&self, id: &str, messages: &mut Vec<Value>) -> Result<Option<String>, Failure> {
        let mut stream = std::pin::pin!(self.model.stream(id, messages, &tools()).await?);
        let mut message = Message::default();
        while let Some(chunk) = stream.try_next().await.map_err(|error| classify(&error))? {
            message.push(&chunk);
        }
        if message.tool_calls.is_empty() {
            return Ok(Some(message.text));
        }
        let mut results = Vec::new();
        for call in &message.tool_calls {
            results.push(run_tool(call).instrument(info_span!("agent.tool", name = call.name)).await);
        }
        messages.extend(message.with_results(results));
        Ok(None)
    }
}

const MAX_TURNS: u32 = 10;

fn tools() -> Value {
    json!([{"type": "function", "function": {
        "name": "find_order",
        "description": "Says where an order is.",
        "parameters": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
    }}])
}

/// Runs a tool. What goes wrong is a result too: the model may try something else.
async fn run_tool(call: &ToolCall) -> String {
    let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
    match (call.name.as_str(), arguments["order"].as_str()) {
        ("find_order", Some(order)) => {
            // As long as a database might take.
            sleep(Duration::from_millis(80)).await;
            json!({"order": order, "place": "Hamburg"}).to_string()
        }
        _ => json!({"error": "unknown tool or arguments"}).to_string(),
    }
}
