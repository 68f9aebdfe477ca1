//! Tools that the broker runs itself.

use std::time::Duration;

use llmspan_examples::message::ToolCall;
use serde_json::{Value, json};
use tokio::time::sleep;

/// Offers the tools of the broker, unless the client has its own. Gives whether it did.
pub(crate) fn offer(request: &mut Value) -> bool {
    let has_own = request.get("tools").is_some();
    if !has_own {
        request["tools"] = json!([{"type": "function", "function": {
            "name": "find_order",
            "description": "Says where an order is.",
            "parameters": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
        }}]);
    }
    !has_own
}

/// Runs a tool, and gives its result for the model.
pub(crate) async fn run(call: &ToolCall) -> String {
    let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
    match (call.name.as_str(), arguments["order"].as_str()) {
        ("find_order", Some(order)) => {
            // As long as a database might take.
            sleep(Duration::from_millis(40)).await;
            json!({"order": order, "place": "Hamburg"}).to_string()
        }
        _ => json!({"error": "unknown tool or arguments"}).to_string(),
    }
}
