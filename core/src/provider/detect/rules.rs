//! What the path of an API tells.

use Verdict::{Firm, Not, Unknown, Weak, Whole};

use super::address::Address;
use crate::provider::Protocol::{
    self, AnthropicComplete, AnthropicMessages, BedrockConverse, BedrockInvoke, CohereChat, DashScopeGeneration,
    GeminiGenerateContent, GeminiInteractions, HuggingFaceTextGen, MistralChat, OllamaChat, OpenAiChat,
    OpenAiCompletions, OpenAiResponses,
};

/// What an address tells of its responses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// The protocol, streamed or not.
    Firm(Protocol),
    /// The protocol, in one JSON body.
    Whole(Protocol),
    /// The protocol, unless the body speaks for another.
    Weak(Protocol),
    /// Nothing.
    Unknown,
    /// No answer of a model.
    Not,
}

/// What the address tells. The first rule that fits decides.
pub(super) fn verdict(address: &Address<'_>) -> Verdict {
    if Protocol::ALL_ARE_DECODED
        && let Some(method) = address.method()
        && let Some((_, verdict)) = METHODS.iter().find(|(name, _)| *name == method)
    {
        return match verdict {
            Unknown => of_publisher(address),
            verdict => *verdict,
        };
    }
    let rules: &[&[Rule]] = if Protocol::ALL_ARE_DECODED { &[CHAT, OTHERS, NO_ANSWERS] } else { &[CHAT, NO_ANSWERS] };
    for rule in rules.iter().copied().flatten() {
        let is_host = rule.hosts.is_empty() || rule.hosts.iter().any(|host| address.is_at(host));
        if is_host && address.ends_with(rule.tail) {
            return match rule.verdict {
                Firm(protocol) => Firm(at_host(address, protocol)),
                verdict => verdict,
            };
        }
    }
    Unknown
}

/// Mistral's own servers speak its dialect of chat completions.
pub(super) fn at_host(address: &Address<'_>, protocol: Protocol) -> Protocol {
    if protocol == OpenAiChat && address.is_at("mistral.ai") { MistralChat } else { protocol }
}

/// Whether the path is one for streams, at the APIs that have a path of their own for them.
pub(super) fn streams(address: &Address<'_>) -> Option<bool> {
    let is_stream = match address.method() {
        Some(method) => ["streamGenerateContent", "streamRawPredict"].contains(&method),
        None => STREAMS.iter().any(|tail| address.ends_with(&[*tail])),
    };
    is_stream.then_some(true)
}

const STREAMS: &[&str] = &["converse-stream", "invoke-with-response-stream", "generate_stream", "chat_stream"];

/// The raw predictions of Vertex are in the protocol of the publisher.
fn of_publisher(address: &Address<'_>) -> Verdict {
    let is_count = address.segments().next().is_some_and(|model| model.starts_with("count-tokens"));
    if is_count {
        Not
    } else if address.is_of_publisher("anthropic") {
        Firm(AnthropicMessages)
    } else if address.is_of_publisher("mistralai") {
        Firm(MistralChat)
    } else {
        Unknown
    }
}

/// Custom methods of Google's APIs, and of Snowflake's; [`Unknown`] where the publisher decides.
const METHODS: &[(&str, Verdict)] = &[
    ("generateContent", Whole(GeminiGenerateContent)),
    ("streamGenerateContent", Firm(GeminiGenerateContent)),
    ("rawPredict", Unknown),
    ("streamRawPredict", Unknown),
    // Snowflake's `/api/v2/cortex/inference:complete`.
    ("complete", Firm(OpenAiChat)),
    ("batchEmbedContents", Not),
    ("batchGenerateContent", Not),
    ("countTokens", Not),
    ("computeTokens", Not),
    ("embedContent", Not),
    ("predict", Not),
    ("predictLongRunning", Not),
];

/// The end of a path, at some hosts or at any.
struct Rule {
    tail: &'static [&'static str],
    hosts: &'static [&'static str],
    verdict: Verdict,
}

const fn any(tail: &'static [&'static str], verdict: Verdict) -> Rule {
    Rule { tail, hosts: &[], verdict }
}

const fn at(hosts: &'static [&'static str], tail: &'static [&'static str], verdict: Verdict) -> Rule {
    Rule { tail, hosts, verdict }
}

const COHERE: &[&str] = &["cohere.ai", "cohere.com", "models.ai.azure.com"];
const HUGGING_FACE: &[&str] = &["huggingface.co", "hf.co"];

/// Chat and text completions.
const CHAT: &[Rule] = &[
    // Perplexity's answer to this is a job.
    any(&["async", "chat", "completions"], Not),
    any(&["chat", "completions"], Firm(OpenAiChat)),
    any(&["chat", "completions", "*"], Not),
    any(&["chat", "completions", "*", "messages"], Not),
    any(&["fim", "completions"], Firm(MistralChat)),
    any(&["agents", "completions"], Firm(MistralChat)),
    any(&["completions"], Firm(OpenAiCompletions)),
    at(&["writer.com"], &["v1", "chat"], Firm(OpenAiChat)),
    // IBM watsonx, MiniMax and Snowflake.
    any(&["text", "chat"], Firm(OpenAiChat)),
    any(&["text", "chat_stream"], Firm(OpenAiChat)),
    any(&["text", "chatcompletion_v2"], Firm(OpenAiChat)),
    any(&["inference:complete"], Firm(OpenAiChat)),
];

/// All other protocols.
const OTHERS: &[Rule] = &[
    any(&["responses"], Weak(OpenAiResponses)),
    any(&["responses", "*"], Not),
    any(&["responses", "*", "*"], Not),
    any(&["v1", "messages"], Firm(AnthropicMessages)),
    any(&["v1", "complete"], Firm(AnthropicComplete)),
    any(&["v1beta", "interactions"], Firm(GeminiInteractions)),
    at(&["generativelanguage.googleapis.com"], &["interactions"], Firm(GeminiInteractions)),
    // A model may be an ARN, with a slash that not every client encodes.
    any(&["model", "*", "converse"], Whole(BedrockConverse)),
    any(&["model", "*", "*", "converse"], Whole(BedrockConverse)),
    any(&["model", "*", "converse-stream"], Firm(BedrockConverse)),
    any(&["model", "*", "*", "converse-stream"], Firm(BedrockConverse)),
    any(&["model", "*", "invoke"], Whole(BedrockInvoke)),
    any(&["model", "*", "*", "invoke"], Whole(BedrockInvoke)),
    any(&["model", "*", "invoke-with-response-stream"], Firm(BedrockInvoke)),
    any(&["model", "*", "*", "invoke-with-response-stream"], Firm(BedrockInvoke)),
    any(&["api", "chat"], Weak(OllamaChat)),
    any(&["api", "generate"], Weak(OllamaChat)),
    any(&["v2", "chat"], Firm(CohereChat)),
    at(COHERE, &["v1", "chat"], Firm(CohereChat)),
    any(&["cohere", "v1", "chat"], Firm(CohereChat)),
    any(&["v1", "generate"], Weak(CohereChat)),
    any(&["services", "aigc", "text-generation", "generation"], Firm(DashScopeGeneration)),
    any(&["services", "aigc", "multimodal-generation", "generation"], Firm(DashScopeGeneration)),
    any(&["generate"], Weak(HuggingFaceTextGen)),
    any(&["generate_stream"], Firm(HuggingFaceTextGen)),
    at(HUGGING_FACE, &["models", "*", "*"], Weak(HuggingFaceTextGen)),
    at(HUGGING_FACE, &["models", "*"], Weak(HuggingFaceTextGen)),
];

const NO_ANSWERS: &[Rule] = &[
    any(&["batches"], Not),
    any(&["batches", "*", "results"], Not),
    any(&["count_tokens"], Not),
    any(&["embeddings"], Not),
    any(&["files"], Not),
    any(&["files", "*", "content"], Not),
    any(&["models"], Not),
    any(&["moderations"], Not),
    any(&["audio", "*"], Not),
    any(&["images", "*"], Not),
];
