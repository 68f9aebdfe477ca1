//! The protocols and their names.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::framing::Framing;

macro_rules! protocols {
    ($($(#[$meta:meta])* $variant:ident = $id:literal),* $(,)?) => {
        /// A wire protocol that providers speak.
        ///
        /// Servers compatible with OpenAI's chat completions, whoever runs them, speak [`Protocol::OpenAiChat`].
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Protocol { $($(#[$meta])* $variant),* }

        impl Protocol {
            /// Every protocol, in the order of the specification.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name used in event logs and configuration, such as `openai.chat`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }
        }

        impl FromStr for Protocol {
            type Err = UnknownProtocol;

            fn from_str(name: &str) -> Result<Self, UnknownProtocol> {
                match name {
                    $($id => Ok(Self::$variant),)*
                    _ => Err(UnknownProtocol(())),
                }
            }
        }
    };
}

protocols! {
    /// Chat completions of OpenAI and of every compatible server.
    OpenAiChat = "openai.chat",
    /// Text completions of OpenAI and compatible servers.
    OpenAiCompletions = "openai.completions",
    /// The Responses API of OpenAI and compatible servers.
    OpenAiResponses = "openai.responses",
    /// The Messages API of Anthropic.
    AnthropicMessages = "anthropic.messages",
    /// The older text completions of Anthropic.
    AnthropicComplete = "anthropic.complete",
    /// `generateContent` and `streamGenerateContent` of Gemini, at AI Studio and Vertex.
    GeminiGenerateContent = "gemini.generate_content",
    /// The Interactions API of Gemini.
    GeminiInteractions = "gemini.interactions",
    /// `Converse` and `ConverseStream` of AWS Bedrock.
    BedrockConverse = "bedrock.converse",
    /// `InvokeModel` and `InvokeModelWithResponseStream` of AWS Bedrock.
    BedrockInvoke = "bedrock.invoke",
    /// `/api/chat` and `/api/generate` of Ollama.
    OllamaChat = "ollama.chat",
    /// The chat API of Cohere.
    CohereChat = "cohere.chat",
    /// Chat completions of Mistral.
    MistralChat = "mistral.chat",
    /// The native generation API of `DashScope`.
    DashScopeGeneration = "dashscope.generation",
    /// Text generation of Hugging Face servers.
    HuggingFaceTextGen = "huggingface.textgen",
    /// The UI message stream of the Vercel AI SDK.
    VercelUiMessage = "vercel.ui_message",
}

impl Protocol {
    /// The protocol of that name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// Whether this build has every protocol: without, what only the others need is left out too.
    pub(in crate::provider) const ALL_ARE_DECODED: bool = cfg!(feature = "protocols");

    /// Whether this build decodes responses of the protocol. Without the feature `protocols` it decodes chat and text
    /// completions of OpenAI and of compatible servers, Mistral among them; every event of another protocol is then counted as not decodable.
    pub const fn is_decoded(self) -> bool {
        Self::ALL_ARE_DECODED || matches!(self, Self::MistralChat | Self::OpenAiChat | Self::OpenAiCompletions)
    }

    /// How the response bytes of this protocol are framed, unless their first bytes say otherwise.
    pub const fn framing(self) -> Framing {
        match self {
            #[cfg(feature = "protocols")]
            Self::BedrockConverse | Self::BedrockInvoke => Framing::EventStream,
            #[cfg(feature = "protocols")]
            Self::OllamaChat => Framing::Ndjson,
            _ => Framing::Sse,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Protocol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl de::Visitor<'_> for Name {
            type Value = Protocol;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a protocol")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Protocol, E> {
                name.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(name), &self))
            }
        }

        deserializer.deserialize_str(Name)
    }
}

/// The error of parsing a name that no protocol has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnknownProtocol(());

impl fmt::Display for UnknownProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown protocol")
    }
}

impl core::error::Error for UnknownProtocol {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        assert_eq!(Protocol::ALL.len(), 15);
        for &protocol in Protocol::ALL {
            assert_eq!(Protocol::parse(protocol.as_str()), Some(protocol));
            let json = serde_json::to_string(&protocol).unwrap();
            assert_eq!(serde_json::from_str::<Protocol>(&json).unwrap(), protocol);
        }
        assert_eq!(Protocol::parse("openai"), None);
    }
}
