//! What each provider sends: one file per family.
//!
//! A family turns an [`Answer`] into the events of a stream and into a whole body, and an error into the provider's error
//! body and its event. Framing, timing and faults are applied elsewhere.

mod answer;
mod anthropic;
mod bedrock;
mod cohere;
mod dashscope;
mod gemini;
mod huggingface;
mod interactions;
mod mistral;
mod ollama;
mod openai_chat;
mod openai_completions;
mod openai_responses;
mod vercel;

use serde_json::Value;

pub(crate) use self::answer::{Answer, Counts, Finish, Piece};
use crate::{framing::Framing, protocol::Protocol, schedule::Mark};

/// One event of a stream before it is framed.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// The name on the `event:` line, or the type of a message of AWS.
    pub(crate) name: Option<&'static str>,
    /// The payload; JSON but for markers such as `[DONE]`.
    pub(crate) data: String,
    /// What the event holds, the visible content first.
    pub(crate) marks: Vec<Mark>,
}

impl Event {
    fn new(mark: Mark, data: impl ToString) -> Self {
        Self { name: None, data: data.to_string(), marks: vec![mark] }
    }

    fn named(name: &'static str, mark: Mark, data: impl ToString) -> Self {
        Self { name: Some(name), ..Self::new(mark, data) }
    }

    fn and(mut self, mark: Mark) -> Self {
        self.marks.push(mark);
        self
    }

    pub(crate) fn holds(&self, mark: Mark) -> bool {
        self.marks.contains(&mark)
    }

    pub(crate) fn is_visible(&self) -> bool {
        self.marks.iter().any(|mark| mark.is_visible())
    }
}

/// An HTTP error as the provider says it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Seconds until the next try may succeed, where the body names them.
    pub(crate) retry_after: Option<f64>,
}

/// Headers beside those of every response.
pub(crate) type Headers = Vec<(&'static str, String)>;

impl Protocol {
    /// The events of the answer as a stream.
    pub(crate) fn events(self, answer: &Answer) -> Vec<Event> {
        match self {
            Self::AnthropicComplete => anthropic::complete_events(answer),
            Self::AnthropicMessages => anthropic::events(answer),
            Self::BedrockConverse => bedrock::converse_events(answer),
            Self::BedrockInvoke => bedrock::invoke_events(answer),
            Self::CohereChat => cohere::events(answer),
            Self::DashscopeGeneration => dashscope::events(answer),
            Self::GeminiGenerateContent => gemini::events(answer),
            Self::GeminiInteractions => interactions::events(answer),
            Self::Groq | Self::OpenAiChat => openai_chat::events(answer, self == Self::Groq),
            Self::HuggingfaceTextgen => huggingface::events(answer),
            Self::MistralChat => mistral::events(answer),
            Self::OllamaChat => ollama::events(answer),
            Self::OpenAiCompletions => openai_completions::events(answer),
            Self::OpenAiResponses => openai_responses::events(answer),
            Self::VercelUiMessage => vercel::events(answer),
        }
    }

    /// The answer as one body.
    pub(crate) fn whole(self, answer: &Answer) -> Value {
        match self {
            Self::AnthropicComplete => anthropic::complete_whole(answer),
            Self::AnthropicMessages | Self::BedrockInvoke => anthropic::whole(answer),
            Self::BedrockConverse => bedrock::converse_whole(answer),
            Self::CohereChat => cohere::whole(answer),
            Self::DashscopeGeneration => dashscope::whole(answer),
            Self::GeminiGenerateContent => gemini::whole(answer),
            Self::GeminiInteractions => interactions::whole(answer),
            Self::Groq | Self::OpenAiChat => openai_chat::whole(answer, self == Self::Groq),
            Self::HuggingfaceTextgen => huggingface::whole(answer),
            Self::MistralChat => mistral::whole(answer),
            Self::OllamaChat => ollama::whole(answer),
            Self::OpenAiCompletions => openai_completions::whole(answer),
            Self::OpenAiResponses => openai_responses::whole(answer),
            Self::VercelUiMessage => vercel::whole(answer),
        }
    }

    /// The body of an HTTP error.
    pub(crate) fn error_body(self, refusal: Refusal) -> Value {
        match self {
            Self::AnthropicComplete | Self::AnthropicMessages => anthropic::error(refusal),
            Self::BedrockConverse | Self::BedrockInvoke => bedrock::error(refusal),
            Self::CohereChat => cohere::error(refusal),
            Self::DashscopeGeneration => dashscope::error(refusal),
            Self::GeminiGenerateContent | Self::GeminiInteractions => gemini::error(refusal),
            Self::Groq | Self::OpenAiChat | Self::OpenAiCompletions | Self::OpenAiResponses => {
                openai_chat::error(refusal)
            }
            Self::HuggingfaceTextgen => huggingface::error(refusal),
            Self::MistralChat => mistral::error(refusal),
            Self::OllamaChat => ollama::error(refusal),
            Self::VercelUiMessage => vercel::error(refusal),
        }
    }

    /// The events by which a stream that has begun reports an error.
    pub(crate) fn error_events(self, answer: &Answer) -> Vec<Event> {
        match self {
            Self::AnthropicComplete | Self::AnthropicMessages => vec![anthropic::error_event()],
            Self::BedrockConverse | Self::BedrockInvoke => vec![bedrock::error_event()],
            Self::CohereChat => vec![cohere::error_event(answer)],
            Self::DashscopeGeneration => vec![dashscope::error_event()],
            Self::GeminiGenerateContent => vec![gemini::error_event()],
            Self::GeminiInteractions => vec![interactions::error_event()],
            Self::Groq | Self::OpenAiChat | Self::OpenAiCompletions => vec![openai_chat::error_event()],
            Self::HuggingfaceTextgen => vec![huggingface::error_event()],
            Self::MistralChat => vec![mistral::error_event()],
            Self::OllamaChat => vec![ollama::error_event()],
            Self::OpenAiResponses => openai_responses::error_events(answer),
            Self::VercelUiMessage => vec![vercel::error_event()],
        }
    }

    /// What keeps an idle stream alive; `None` where the protocol has nothing of the kind.
    pub(crate) fn keep_alive(self, framing: Framing) -> Option<Vec<u8>> {
        match framing {
            Framing::Sse if self == Self::AnthropicMessages => Some(framing.frame(&anthropic::ping(), 0)),
            Framing::Dashscope | Framing::Sse => Some(b": keep-alive\n\n".to_vec()),
            Framing::Lines => Some(b"\n".to_vec()),
            Framing::Array | Framing::AwsEventStream => None,
        }
    }

    /// Headers of the provider: of an answer, or of an error with that status.
    pub(crate) fn headers(self, id: &str, status: u16) -> Headers {
        match self {
            Self::AnthropicComplete | Self::AnthropicMessages => vec![("request-id", format!("req_{id}"))],
            Self::BedrockConverse | Self::BedrockInvoke => bedrock::headers(id, status),
            Self::CohereChat => vec![("x-debug-trace-id", id.into())],
            Self::DashscopeGeneration => vec![("x-dashscope-call-gateway", "true".into())],
            Self::GeminiGenerateContent | Self::GeminiInteractions => vec![("server-timing", "gfet4t7; dur=3".into())],
            Self::HuggingfaceTextgen | Self::OllamaChat => Headers::new(),
            Self::VercelUiMessage => vec![("x-vercel-ai-ui-message-stream", "v1".into())],
            Self::MistralChat => vec![("mistral-correlation-id", id.into())],
            Self::Groq | Self::OpenAiChat | Self::OpenAiCompletions | Self::OpenAiResponses => {
                vec![("x-request-id", format!("req_{id}")), ("openai-processing-ms", "3".into())]
            }
        }
    }
}
