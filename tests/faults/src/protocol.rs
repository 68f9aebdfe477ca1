//! The protocols, and the paths by which they are told apart.

use serde_json::Value;

use crate::{framing::Framing, request::Request};

/// A protocol that the server speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Protocol {
    AnthropicComplete,
    AnthropicMessages,
    BedrockConverse,
    BedrockInvoke,
    CohereChat,
    DashscopeGeneration,
    GeminiGenerateContent,
    GeminiInteractions,
    /// `openai.chat` with the fields of Groq.
    Groq,
    HuggingfaceTextgen,
    MistralChat,
    OllamaChat,
    OpenAiChat,
    OpenAiCompletions,
    OpenAiResponses,
    VercelUiMessage,
}

impl Protocol {
    /// The name of the protocol in an event log of llmspan.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AnthropicComplete => "anthropic.complete",
            Self::AnthropicMessages => "anthropic.messages",
            Self::BedrockConverse => "bedrock.converse",
            Self::BedrockInvoke => "bedrock.invoke",
            Self::CohereChat => "cohere.chat",
            Self::DashscopeGeneration => "dashscope.generation",
            Self::GeminiGenerateContent => "gemini.generate_content",
            Self::GeminiInteractions => "gemini.interactions",
            Self::Groq | Self::OpenAiChat => "openai.chat",
            Self::HuggingfaceTextgen => "huggingface.textgen",
            Self::MistralChat => "mistral.chat",
            Self::OllamaChat => "ollama.chat",
            Self::OpenAiCompletions => "openai.completions",
            Self::OpenAiResponses => "openai.responses",
            Self::VercelUiMessage => "vercel.ui_message",
        }
    }
}

/// What a request is for.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) protocol: Protocol,
    pub(crate) is_stream: bool,
    /// Of the stream, if it is one.
    pub(crate) framing: Framing,
    pub(crate) model: String,
}

impl Route {
    /// Finds the protocol by path, query, body and headers, as each provider tells its requests apart.
    ///
    /// The SDKs of Mistral and Groq are told by their user agent. `wanted` decides where that is not enough.
    ///
    /// # Errors
    /// When the path belongs to no protocol, or `wanted` is none.
    pub(crate) fn of(path: &str, request: &Request, wanted: Option<&str>) -> Result<Self, String> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let body = request.json();
        let asks_to_stream = body["stream"].as_bool();
        let (protocol, is_stream) = by_path(path, request, &body, asks_to_stream)?;
        let protocol = match wanted {
            None => protocol,
            Some("groq") => Protocol::Groq,
            Some("mistral.chat") => Protocol::MistralChat,
            Some("openai.chat") => Protocol::OpenAiChat,
            Some("ollama.chat") => Protocol::OllamaChat,
            Some("vercel.ui_message") => Protocol::VercelUiMessage,
            Some(other) => {
                return Err(format!(
                    "`protocol` takes groq, mistral.chat, openai.chat, ollama.chat or vercel.ui_message, not `{other}`"
                ));
            }
        };
        let framing = match protocol {
            Protocol::BedrockConverse | Protocol::BedrockInvoke => Framing::AwsEventStream,
            Protocol::DashscopeGeneration => Framing::Dashscope,
            Protocol::GeminiGenerateContent if !query.split('&').any(|pair| pair == "alt=sse") => Framing::Array,
            Protocol::OllamaChat => Framing::Lines,
            _ => Framing::Sse,
        };
        let model = body["model"].as_str().map(String::from).or_else(|| model_in(path));
        Ok(Self { protocol, is_stream, framing, model: model.unwrap_or_else(|| "faults-1".into()) })
    }
}

fn by_path(
    path: &str,
    request: &Request,
    body: &Value,
    asks_to_stream: Option<bool>,
) -> Result<(Protocol, bool), String> {
    let header = |name| request.header(name).unwrap_or_default();
    let streams = asks_to_stream.unwrap_or(false);
    let ends = |ending: &str| path.ends_with(ending);
    Ok(if ends("/chat/completions") {
        let agent = header("user-agent");
        if agent.starts_with("mistral-client") {
            (Protocol::MistralChat, streams)
        } else if agent.starts_with("Groq/") {
            (Protocol::Groq, streams)
        } else {
            (Protocol::OpenAiChat, streams)
        }
    } else if ends("/completions") {
        (Protocol::OpenAiCompletions, streams)
    } else if ends("/responses") {
        (Protocol::OpenAiResponses, streams)
    } else if ends("/messages") || ends(":rawPredict") || ends(":streamRawPredict") {
        (Protocol::AnthropicMessages, streams)
    } else if ends("/complete") {
        (Protocol::AnthropicComplete, streams)
    } else if ends(":generateContent") {
        (Protocol::GeminiGenerateContent, false)
    } else if ends(":streamGenerateContent") {
        (Protocol::GeminiGenerateContent, true)
    } else if ends("/interactions") {
        (Protocol::GeminiInteractions, streams)
    } else if ends("/converse") {
        (Protocol::BedrockConverse, false)
    } else if ends("/converse-stream") {
        (Protocol::BedrockConverse, true)
    } else if ends("/invoke") {
        (Protocol::BedrockInvoke, false)
    } else if ends("/invoke-with-response-stream") {
        (Protocol::BedrockInvoke, true)
    } else if ends("/v2/chat") {
        (Protocol::CohereChat, streams)
    } else if ends("/api/chat") {
        // A request to Ollama names its model and streams unless told otherwise; one of `useChat` names none.
        if body["model"].is_string() {
            (Protocol::OllamaChat, asks_to_stream.unwrap_or(true))
        } else {
            (Protocol::VercelUiMessage, asks_to_stream.unwrap_or(true))
        }
    } else if ends("/generation") {
        let streams = header("x-dashscope-sse").eq_ignore_ascii_case("enable")
            || header("accept").starts_with("text/event-stream");
        (Protocol::DashscopeGeneration, streams)
    } else if ends("/generate_stream") {
        (Protocol::HuggingfaceTextgen, true)
    } else if ends("/generate") || body["inputs"].is_string() {
        (Protocol::HuggingfaceTextgen, streams)
    } else {
        return Err(format!("`{path}` is the path of no protocol; the README of the fault server lists them"));
    })
}

/// The model that a path of Google or AWS names.
fn model_in(path: &str) -> Option<String> {
    let (_, rest) = path.rsplit_once("/models/").or_else(|| path.rsplit_once("/model/"))?;
    let model = rest.split([':', '/']).next().filter(|model| !model.is_empty())?;
    // AWS writes the colon of a model id as `%3A`.
    Some(percent_encoding::percent_decode_str(model).decode_utf8_lossy().into_owned())
}
