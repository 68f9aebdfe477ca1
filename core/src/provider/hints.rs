//! What is worth knowing about a protocol when its response lacks something, for explanations.

use super::Protocol;

/// Why a complete stream reports no token counts, and what to do about it.
pub(crate) fn missing_usage(protocol: Option<&str>) -> Option<&'static str> {
    Some(match protocol.and_then(Protocol::parse)? {
        Protocol::OpenAiChat | Protocol::OpenAiCompletions => "no usage chunk: ask for `stream_options.include_usage`",
        Protocol::VercelUiMessage => "the UI message stream has no usage: send it as `messageMetadata` of `finish`",
        Protocol::HuggingFaceTextGen => "no details in the last event: ask for `parameters.details`",
        _ => return None,
    })
}

/// The event that carries the final token counts.
pub(crate) fn usage_carrier(protocol: Option<&str>) -> Option<&'static str> {
    Some(match protocol.and_then(Protocol::parse)? {
        Protocol::AnthropicMessages => "message_delta",
        Protocol::BedrockConverse => "the metadata event",
        Protocol::BedrockInvoke => "the metrics of the last chunk",
        Protocol::CohereChat => "message-end",
        Protocol::GeminiInteractions => "interaction.completed",
        Protocol::HuggingFaceTextGen => "the details of the last event",
        Protocol::OllamaChat => "the object with `done`",
        Protocol::OpenAiResponses => "response.completed",
        Protocol::OpenAiChat | Protocol::OpenAiCompletions | Protocol::MistralChat => "the usage chunk",
        Protocol::VercelUiMessage => "the finish chunk",
        _ => return None,
    })
}

/// What marks the end of a complete stream.
pub(crate) fn end_marker(protocol: Option<&str>) -> Option<&'static str> {
    protocol.and_then(Protocol::parse).map(Protocol::end_marker)
}

impl Protocol {
    /// What completes a stream of this protocol, in words. A stream that ends without it was cut.
    pub const fn end_marker(self) -> &'static str {
        match self {
            Self::AnthropicComplete => "a stop reason",
            Self::AnthropicMessages => "message_stop",
            Self::BedrockConverse => "messageStop",
            Self::BedrockInvoke => "invocation metrics, the model's own end marker or a finish reason",
            Self::CohereChat => "message-end or stream-end",
            Self::DashScopeGeneration | Self::GeminiGenerateContent => "a finish reason of every choice",
            Self::GeminiInteractions => "interaction.completed",
            Self::HuggingFaceTextGen => "generated_text",
            Self::MistralChat | Self::OpenAiChat | Self::OpenAiCompletions => {
                "`[DONE]` or a finish reason of every choice"
            }
            Self::OllamaChat => "an object with `done`",
            Self::OpenAiResponses => "response.completed, incomplete or failed",
            Self::VercelUiMessage => "a finish chunk or `[DONE]`",
        }
    }
}

/// Whether a raw finish reason says that the token limit cut the answer.
pub(crate) fn is_token_limit(finish_reason: &str) -> bool {
    matches!(
        finish_reason,
        "length" | "max_tokens" | "MAX_TOKENS" | "max_output_tokens" | "model_length" | "model_context_window_exceeded"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_belongs_to_its_protocol() {
        assert!(missing_usage(Some("openai.chat")).is_some_and(|text| text.contains("include_usage")));
        assert_eq!(missing_usage(Some("anthropic.messages")), None);
        assert_eq!(usage_carrier(Some("anthropic.messages")), Some("message_delta"));
        assert_eq!(end_marker(None), None);
        assert_eq!(end_marker(Some("no protocol")), None);
        assert!(is_token_limit("length") && is_token_limit("model_context_window_exceeded"));
        assert!(!is_token_limit("stop"));
    }
}
