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
        Protocol::CohereChat => "message-end",
        Protocol::GeminiInteractions => "interaction.completed",
        Protocol::OllamaChat => "the object with `done`",
        Protocol::OpenAiResponses => "response.completed",
        Protocol::OpenAiChat | Protocol::OpenAiCompletions | Protocol::MistralChat => "the usage chunk",
        _ => return None,
    })
}

/// What marks the end of a complete stream.
pub(crate) fn end_marker(protocol: Option<&str>) -> Option<&'static str> {
    Some(match protocol.and_then(Protocol::parse)? {
        Protocol::AnthropicMessages => "message_stop",
        Protocol::BedrockConverse => "messageStop",
        Protocol::CohereChat => "message-end",
        Protocol::DashScopeGeneration | Protocol::GeminiGenerateContent => "a finish reason",
        Protocol::GeminiInteractions => "interaction.completed",
        Protocol::OllamaChat => "an object with `done`",
        Protocol::OpenAiChat | Protocol::OpenAiCompletions | Protocol::MistralChat => "a finish reason or `[DONE]`",
        Protocol::OpenAiResponses => "response.completed",
        _ => return None,
    })
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
