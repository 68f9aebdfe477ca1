//! Who answers at an address.

use crate::provider::{Protocol, detect::Address};

/// The provider at a host, by its OpenTelemetry name where there is one; of a host that is not known, the one whose protocol is
/// spoken there.
///
/// The names are those of `gen_ai.provider.name` in the OpenTelemetry semantic conventions. They have none for some: those have the
/// name that they go by themselves, in snake case.
pub(super) fn provider(address: &Address<'_>, protocol: Protocol) -> Option<&'static str> {
    let known = HOSTS.iter().find(|(host, _)| address.is_at(host)).map(|(_, provider)| *provider);
    // Regional hosts of Vertex are no names below its own: `europe-west4-aiplatform.googleapis.com`.
    let vertex = || address.host().ends_with("-aiplatform.googleapis.com").then_some("gcp.vertex_ai");
    known.or_else(vertex).or_else(|| author(protocol))
}

const HOSTS: &[(&str, &str)] = &[
    ("openai.azure.com", "azure.ai.openai"),
    ("cognitiveservices.azure.com", "azure.ai.openai"),
    ("services.ai.azure.com", "azure.ai.inference"),
    ("models.ai.azure.com", "azure.ai.inference"),
    ("inference.ai.azure.com", "azure.ai.inference"),
    ("openai.com", "openai"),
    ("anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("amazonaws.com", "aws.bedrock"),
    ("groq.com", "groq"),
    ("deepseek.com", "deepseek"),
    ("mistral.ai", "mistral_ai"),
    ("cohere.com", "cohere"),
    ("cohere.ai", "cohere"),
    ("perplexity.ai", "perplexity"),
    ("x.ai", "x_ai"),
    ("moonshot.ai", "moonshot_ai"),
    ("moonshot.cn", "moonshot_ai"),
    ("ml.cloud.ibm.com", "ibm.watsonx.ai"),
    ("openrouter.ai", "openrouter"),
    ("together.xyz", "together_ai"),
    ("together.ai", "together_ai"),
    ("fireworks.ai", "fireworks_ai"),
    ("cerebras.ai", "cerebras"),
    ("sambanova.ai", "sambanova"),
    ("dashscope.aliyuncs.com", "dashscope"),
    ("dashscope-intl.aliyuncs.com", "dashscope"),
    ("huggingface.co", "huggingface"),
    ("ollama.com", "ollama"),
];

/// Who made a protocol. Others that speak it at hosts of their own are not told apart.
fn author(protocol: Protocol) -> Option<&'static str> {
    Some(match protocol {
        Protocol::OpenAiChat | Protocol::OpenAiCompletions | Protocol::OpenAiResponses => "openai",
        Protocol::AnthropicMessages | Protocol::AnthropicComplete => "anthropic",
        Protocol::GeminiGenerateContent | Protocol::GeminiInteractions => "gcp.gemini",
        Protocol::BedrockConverse | Protocol::BedrockInvoke => "aws.bedrock",
        Protocol::OllamaChat => "ollama",
        Protocol::CohereChat => "cohere",
        Protocol::MistralChat => "mistral_ai",
        Protocol::DashScopeGeneration => "dashscope",
        Protocol::HuggingFaceTextGen => "huggingface",
        Protocol::VercelUiMessage => return None,
    })
}
