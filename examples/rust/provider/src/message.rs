//! What a model says in a chat completion: text, and tools that it asks for.

use serde_json::{Value, json};

/// The message of a completion of `openai.chat`, whole or as much of it as has streamed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Message {
    /// The text.
    pub text: String,
    /// The tools that the model asks for.
    pub tool_calls: Vec<ToolCall>,
    /// Bytes of the stream after its last line end.
    line: Vec<u8>,
}

/// A call of a tool that the model asks for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ToolCall {
    /// Id of the call, which its result has to name.
    pub id: String,
    /// Name of the tool.
    pub name: String,
    /// Arguments as JSON, as the model wrote them.
    pub arguments: String,
}

impl Message {
    /// The message of a completion that came whole. Anything else gives an empty one.
    pub fn of_completion(completion: &Value) -> Self {
        let mut message = Self::default();
        message.add(&completion["choices"][0]["message"]);
        message
    }

    /// Takes bytes of a stream of server-sent events, split anywhere.
    pub fn push(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend(part);
            if part.ends_with(b"\n") {
                let json = self.line.strip_prefix(b"data:").unwrap_or_default();
                let event: Value = serde_json::from_slice(json).unwrap_or_default();
                self.add(&event["choices"][0]["delta"]);
                self.line.clear();
            }
        }
    }

    /// The messages that continue the conversation: this one, and the results of its tools, in their order.
    pub fn with_results(&self, results: impl IntoIterator<Item = String>) -> Vec<Value> {
        let asked = self.tool_calls.iter().map(|ToolCall { id, name, arguments }| {
            json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
        });
        let text = (!self.text.is_empty()).then_some(&self.text);
        let message = json!({"role": "assistant", "content": text, "tool_calls": asked.collect::<Vec<_>>()});
        let results = self.tool_calls.iter().zip(results);
        let results = results.map(|(call, text)| json!({"role": "tool", "tool_call_id": call.id, "content": text}));
        std::iter::once(message).chain(results).collect()
    }

    fn add(&mut self, part: &Value) {
        self.text += part["content"].as_str().unwrap_or_default();
        for (place, part) in part["tool_calls"].as_array().into_iter().flatten().enumerate() {
            // Parts of one call have the same index; whole calls have none.
            let index = part["index"].as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(place);
            if index >= MAX_TOOL_CALLS {
                continue;
            }
            if index >= self.tool_calls.len() {
                self.tool_calls.resize_with(index + 1, ToolCall::default);
            }
            let call = &mut self.tool_calls[index];
            call.id += part["id"].as_str().unwrap_or_default();
            call.name += part["function"]["name"].as_str().unwrap_or_default();
            call.arguments += part["function"]["arguments"].as_str().unwrap_or_default();
        }
    }
}

const MAX_TOOL_CALLS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_may_be_split_anywhere() {
        let stream = concat!(
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"naïve\"}}]}\n\n",
            ": a comment\n\n",
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{\"}}]}}]}\r\n\r\n",
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"}\"}}]}}]}\n\n",
            "data: [DONE]\n\n",
        );
        for at in 0..stream.len() {
            let (head, tail) = stream.as_bytes().split_at(at);
            let mut message = Message::default();
            message.push(head);
            message.push(tail);
            assert_eq!(message.text, "naïve");
            let [_, call] = message.tool_calls.as_slice() else { panic!("{message:?}") };
            assert_eq!((call.id.as_str(), call.name.as_str(), call.arguments.as_str()), ("b", "g", "{}"));
        }
    }

    #[test]
    fn results_follow_what_was_asked() {
        let completion = json!({"choices": [{"message": {"content": null, "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        ]}}]});
        let messages = Message::of_completion(&completion).with_results(["done".to_owned()]);
        assert_eq!(messages[0]["content"], Value::Null);
        assert_eq!(messages[0]["tool_calls"], completion["choices"][0]["message"]["tool_calls"]);
        assert_eq!(messages[1], json!({"role": "tool", "tool_call_id": "a", "content": "done"}));
        assert_eq!(messages.len(), 2);
    }
}
