//! The APIs that models on Bedrock have of their own.

use serde::{Deserialize, Serialize};

use super::text;
use crate::delta::{Delta, Terminal};
use crate::provider::anthropic_messages::AnthropicMessages;
use crate::provider::cohere_v1::CohereV1;
use crate::provider::lenient::{List, Seen, Str, object};
use crate::provider::openai_chat::OpenAiChat;
use crate::provider::source::Input;
use crate::provider::{anthropic_complete, bedrock_converse};

/// The API of a model, with what its decoder remembers.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) enum Family {
    /// Claude before the Messages API.
    AnthropicComplete,
    /// Claude.
    AnthropicMessages(AnthropicMessages),
    /// Command, and Command R with the events of version 1 of Cohere's chat.
    Cohere(CohereV1),
    /// Nova, which speaks as `Converse` does.
    Nova,
    /// Jamba, gpt-oss, Qwen, imported models and the chat models of Mistral; `DeepSeek` with text completions.
    OpenAi(OpenAiChat),
    /// Titan, Llama, Mistral and Jurassic.
    Text,
}

object! {
    /// The members that tell one API from the next.
    struct Shape<'a> {
        "type" => kind: Str<'a>,
        "completion" => completion: Seen,
        "event_type" => event_type: Seen,
        "is_finished" | "generations" | "generation_id" => cohere: Seen,
        "messageStart" | "contentBlockStart" | "contentBlockDelta" | "contentBlockStop" | "messageStop" | "metadata" | "output" => nova: Seen,
        "choices" => choices: Seen,
        "outputText" | "results" | "generation" | "outputs" | "completions" => text: Seen,
    }
}

impl Family {
    /// The API that an event or an answer shows; none for an error.
    pub(super) fn of(json: Input<'_>) -> Option<Self> {
        let mut shape = Shape::default();
        json.fill(&mut shape)?;
        Some(match shape {
            Shape { choices: Seen(true), .. } => Self::OpenAi(OpenAiChat::default()),
            Shape { nova: Seen(true), .. } => Self::Nova,
            Shape { text: Seen(true), .. } => Self::Text,
            Shape { event_type: Seen(true), .. } | Shape { cohere: Seen(true), .. } => {
                Self::Cohere(CohereV1::default())
            }
            Shape { completion: Seen(true), .. } => Self::AnthropicComplete,
            Shape { kind, .. } if !kind.is_empty() => Self::AnthropicMessages(AnthropicMessages::default()),
            _ => return None,
        })
    }

    pub(super) fn decode<'a>(&mut self, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
        match self {
            Self::AnthropicComplete => anthropic_complete::decode(delta, json, body),
            Self::AnthropicMessages(state) => state.decode(delta, json, body),
            Self::Cohere(state) => state.decode(delta, json, body),
            Self::Nova => bedrock_converse::decode(delta, json),
            Self::OpenAi(state) => chat(state, delta, json, body),
            Self::Text => text::decode(delta, json, body),
        }
    }
}

/// Reads a chat or text completion. Those of Mistral and `DeepSeek` have `stop_reason` where the others have `finish_reason`.
fn chat<'a>(state: &mut OpenAiChat, delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
    state.decode(delta, json, body);
    if delta.choices.iter().any(|choice| choice.finish_reason.is_some()) {
        return;
    }
    let mut event = Stopped::default();
    if json.fill(&mut event).is_some() {
        for (choice, stopped) in delta.choices.iter_mut().zip(&mut event.choices.0) {
            choice.finish_reason = stopped.reason.take();
        }
    }
    if body && delta.error.is_none() {
        delta.terminal = Terminal::Yes;
    }
}

object! {
    struct Stopped<'a> { "choices" => choices: List<StoppedChoice<'a>, 1> }
}

object! {
    struct StoppedChoice<'a> { "stop_reason" => reason: Str<'a> }
}
