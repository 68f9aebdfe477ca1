//! What a caller says about its call: attributes and request parameters.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{attributes::Attributes, shape::record_struct};
use crate::{
    error::{Error, ErrorKind},
    fields::{list_to_json, read_value, to_json},
};

/// The value of an attribute: a string, boolean, integer, float or list of strings.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AttributeValue {
    /// A boolean.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// A float; never NaN or infinite on a wire.
    Float(f64),
    /// Text.
    Str(String),
    /// A list of texts.
    StrList(Vec<String>),
}

impl From<bool> for AttributeValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for AttributeValue {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for AttributeValue {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for AttributeValue {
    fn from(value: &str) -> Self {
        Self::Str(value.into())
    }
}

impl From<String> for AttributeValue {
    fn from(value: String) -> Self {
        Self::Str(value)
    }
}

impl From<Vec<String>> for AttributeValue {
    fn from(value: Vec<String>) -> Self {
        Self::StrList(value)
    }
}

/// The tagged form of formats that do not describe themselves.
#[derive(Deserialize, Serialize)]
enum Tagged {
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    StrList(Vec<String>),
}

impl Serialize for AttributeValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return match self {
                Self::Bool(value) => serializer.serialize_bool(*value),
                Self::Int(value) => serializer.serialize_i64(*value),
                Self::Float(value) => serializer.serialize_f64(*value),
                Self::Str(value) => serializer.serialize_str(value),
                Self::StrList(values) => values.serialize(serializer),
            };
        }
        match self.clone() {
            Self::Bool(value) => Tagged::Bool(value),
            Self::Int(value) => Tagged::Int(value),
            Self::Float(value) => Tagged::Float(value),
            Self::Str(value) => Tagged::Str(value),
            Self::StrList(values) => Tagged::StrList(values),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_any(Plain);
        }
        Ok(match Tagged::deserialize(deserializer)? {
            Tagged::Bool(value) => Self::Bool(value),
            Tagged::Int(value) => Self::Int(value),
            Tagged::Float(value) => Self::Float(value),
            Tagged::Str(value) => Self::Str(value),
            Tagged::StrList(values) => Self::StrList(values),
        })
    }
}

struct Plain;

impl<'de> de::Visitor<'de> for Plain {
    type Value = AttributeValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, boolean, integer, float or list of strings")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<AttributeValue, E> {
        // OpenTelemetry attributes have no unsigned integers; a larger one keeps its digits as text.
        Ok(i64::try_from(value).map_or_else(|_| AttributeValue::Str(alloc::format!("{value}")), AttributeValue::Int))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Str(value.into()))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<AttributeValue, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(AttributeValue::StrList(values))
    }
}

/// Attributes as a JSON object.
///
/// ```
/// use llmspan_core::record::{Attributes, attributes_to_json};
///
/// let attributes = Attributes::from([("tools".into(), 3_i64.into()), ("tenant".into(), "t-1".into())]);
/// assert_eq!(attributes_to_json(&attributes), r#"{"tenant":"t-1","tools":3}"#);
/// ```
pub fn attributes_to_json(attributes: &Attributes) -> String {
    to_json(attributes)
}

/// Attributes of several spans as a JSON list of objects.
pub fn attributes_of_each_to_json(attributes: &[Attributes]) -> String {
    list_to_json(attributes)
}

/// Reads attributes from a JSON object: texts, numbers, booleans and lists of texts.
///
/// # Errors
/// [`ErrorKind::InvalidConfig`] for text that is none, and for values of other types.
pub(crate) fn attributes_from_json(text: &str) -> Result<Attributes, Error> {
    let mut attributes = Attributes::new();
    read_value(&mut attributes, text).map_err(|mismatch| Error::new(ErrorKind::InvalidConfig, mismatch.into_text()))?;
    Ok(attributes)
}

record_struct! {
    /// Parameters of the request, as the caller gives them. Nothing here is derived.
    pub struct Request {
        /// Upper bound of generated tokens. Maps to `gen_ai.request.max_tokens`.
        pub max_tokens: Option<u64>,
        /// Sampling temperature. Maps to `gen_ai.request.temperature`.
        pub temperature: Option<f64>,
        /// Nucleus sampling bound. Maps to `gen_ai.request.top_p`.
        pub top_p: Option<f64>,
        /// Top-k sampling bound. Maps to `gen_ai.request.top_k`.
        pub top_k: Option<f64>,
        /// Sampling seed. Maps to `gen_ai.request.seed`.
        pub seed: Option<i64>,
        /// Frequency penalty. Maps to `gen_ai.request.frequency_penalty`.
        pub frequency_penalty: Option<f64>,
        /// Presence penalty. Maps to `gen_ai.request.presence_penalty`.
        pub presence_penalty: Option<f64>,
        /// Stop sequences. Maps to `gen_ai.request.stop_sequences`.
        pub stop_sequences: Vec<String>,
        /// Choices asked for. Maps to `gen_ai.request.choice.count`, which is not written for 1.
        pub choice_count: Option<u64>,
        /// Service tier asked for. Maps to `openai.request.service_tier`.
        pub service_tier: Option<String>,
        /// Reasoning effort asked for. Maps to `gen_ai.request.reasoning.level` (main).
        pub reasoning_level: Option<String>,
        /// Input tokens by part of the prompt, as the caller counted them.
        pub input_parts: InputParts,
    }
}

record_struct! {
    /// Size of the request by part, in input tokens as the caller counted them.
    pub struct InputParts {
        /// System message.
        pub system: Option<u64>,
        /// Conversation history.
        pub history: Option<u64>,
        /// Retrieved context.
        pub retrieved: Option<u64>,
        /// Results of tools.
        pub tool_results: Option<u64>,
    }
}

record_struct! {
    /// Facts about the response that are neither time nor tokens. Each is absent when nobody said it.
    pub struct Flags {
        /// Whether the model refused. Set by the caller, or true when refusal text was streamed.
        pub refusal: Option<bool>,
        /// Whether the answer parsed as the JSON that was asked for. Set by the caller.
        pub json_valid: Option<bool>,
        /// Whether a cache of the caller answered. Set by the caller.
        pub cache_hit: Option<bool>,
        /// Why the provider blocked the prompt, in its own word (Gemini `blockReason`).
        pub block_reason: Option<String>,
        /// Why the response is incomplete, in the provider's word (OpenAI Responses `incomplete_details.reason`).
        pub incomplete_reason: Option<String>,
    }
}
