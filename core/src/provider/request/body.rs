//! Parameters and counts of a request body.
//!
//! The APIs agree on what can be asked for and differ in spelling and in where it stands: at the top, in
//! `generationConfig`, `inferenceConfig`, `options`, `parameters`. One table of names serves them all.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use crate::{
    limits::cut,
    provider::{
        Protocol,
        json::{Malformed, Number, Value},
        lenient::Fill,
        source::Source,
    },
    record::Request,
};

/// What is read of a body.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// The two APIs of Cohere have one-letter names, which mean other things elsewhere.
    is_cohere: bool,
    pub(super) model: Option<String>,
    pub(super) stream: Option<bool>,
    pub(super) parameters: Request,
    pub(super) messages: Option<u64>,
    pub(super) tools: Option<u64>,
}

impl Body {
    pub(super) fn of(protocol: Protocol) -> Self {
        Self { is_cohere: protocol == Protocol::CohereChat, ..Self::default() }
    }

    fn member<'de, S: Source<'de>>(&mut self, source: &mut S, name: &[u8], depth: u32) -> Result<(), Malformed> {
        let Some((_, member)) = MEMBERS.iter().find(|(known, _)| known.as_bytes() == name) else {
            return source.skip_value();
        };
        let is_object = source.peek() == Some(b'{');
        match member {
            Member::Model if depth == 0 => self.model = text(source)?,
            Member::Stream if depth == 0 => self.stream = flag(source)?,
            Member::Parameters if depth < DEPTH && is_object => return self.members(source, depth),
            // DashScope keeps its messages in there; of OpenAI's it is the conversation itself.
            Member::Input | Member::ToolConfig if depth == 0 && is_object => return self.members(source, depth),
            Member::Input | Member::Messages => add(&mut self.messages, elements(source)?),
            Member::Message if depth < 2 => {
                source.skip_value()?;
                add(&mut self.messages, Some(1));
            }
            Member::Tools => add(&mut self.tools, tools(source)?),
            Member::MaxTokens => put(&mut self.parameters.max_tokens, whole(source)?),
            Member::Temperature => put(&mut self.parameters.temperature, float(source)?),
            Member::TopP => put(&mut self.parameters.top_p, float(source)?),
            Member::CohereP if self.is_cohere => put(&mut self.parameters.top_p, float(source)?),
            Member::TopK => put(&mut self.parameters.top_k, float(source)?),
            Member::CohereK if self.is_cohere => put(&mut self.parameters.top_k, float(source)?),
            Member::Seed => put(&mut self.parameters.seed, integer(source)?),
            Member::FrequencyPenalty => put(&mut self.parameters.frequency_penalty, float(source)?),
            Member::PresencePenalty => put(&mut self.parameters.presence_penalty, float(source)?),
            Member::Stop => self.parameters.stop_sequences = texts(source)?,
            Member::Choices if !self.is_cohere => put(&mut self.parameters.choice_count, whole(source)?),
            Member::ServiceTier => put(&mut self.parameters.service_tier, text(source)?),
            Member::Effort => put(&mut self.parameters.reasoning_level, text(source)?),
            _ => source.skip_value()?,
        }
        Ok(())
    }

    fn members<'de, S: Source<'de>>(&mut self, source: &mut S, depth: u32) -> Result<(), Malformed> {
        source.members(|source, name| self.member(source, name, depth.saturating_add(1)))
    }
}

/// What a member says, whatever its name.
#[derive(Clone, Copy, Debug)]
enum Member {
    Choices,
    CohereK,
    CohereP,
    Effort,
    FrequencyPenalty,
    Input,
    MaxTokens,
    /// The last message of Cohere's first API, or all that the model is given.
    Message,
    Messages,
    Model,
    /// An object that parameters are in.
    Parameters,
    PresencePenalty,
    Seed,
    ServiceTier,
    Stop,
    Stream,
    Temperature,
    ToolConfig,
    Tools,
    TopK,
    TopP,
}

const MEMBERS: &[(&str, Member)] = &[
    ("model", Member::Model),
    ("stream", Member::Stream),
    ("messages", Member::Messages),
    ("contents", Member::Messages),
    ("chat_history", Member::Messages),
    ("input", Member::Input),
    ("message", Member::Message),
    ("prompt", Member::Message),
    ("inputText", Member::Message),
    ("inputs", Member::Message),
    ("tools", Member::Tools),
    ("toolConfig", Member::ToolConfig),
    ("generationConfig", Member::Parameters),
    ("generation_config", Member::Parameters),
    ("inferenceConfig", Member::Parameters),
    ("options", Member::Parameters),
    ("parameters", Member::Parameters),
    ("thinkingConfig", Member::Parameters),
    ("thinking_config", Member::Parameters),
    ("reasoning", Member::Parameters),
    ("output_config", Member::Parameters),
    ("max_tokens", Member::MaxTokens),
    ("max_completion_tokens", Member::MaxTokens),
    ("max_output_tokens", Member::MaxTokens),
    ("maxOutputTokens", Member::MaxTokens),
    ("maxTokens", Member::MaxTokens),
    ("max_new_tokens", Member::MaxTokens),
    ("num_predict", Member::MaxTokens),
    ("max_tokens_to_sample", Member::MaxTokens),
    ("max_gen_len", Member::MaxTokens),
    ("maxTokenCount", Member::MaxTokens),
    ("temperature", Member::Temperature),
    ("top_p", Member::TopP),
    ("topP", Member::TopP),
    ("p", Member::CohereP),
    ("top_k", Member::TopK),
    ("topK", Member::TopK),
    ("k", Member::CohereK),
    ("seed", Member::Seed),
    ("random_seed", Member::Seed),
    ("frequency_penalty", Member::FrequencyPenalty),
    ("frequencyPenalty", Member::FrequencyPenalty),
    ("presence_penalty", Member::PresencePenalty),
    ("presencePenalty", Member::PresencePenalty),
    ("stop", Member::Stop),
    ("stop_sequences", Member::Stop),
    ("stopSequences", Member::Stop),
    ("n", Member::Choices),
    ("candidateCount", Member::Choices),
    ("candidate_count", Member::Choices),
    ("service_tier", Member::ServiceTier),
    ("serviceTier", Member::ServiceTier),
    ("reasoning_effort", Member::Effort),
    ("effort", Member::Effort),
    ("thinkingLevel", Member::Effort),
    ("thinking_level", Member::Effort),
    ("think", Member::Effort),
];

impl<'de> Fill<'de> for Body {
    fn fill<S: Source<'de>>(&mut self, source: &mut S) -> Result<(), Malformed> {
        if source.peek() != Some(b'{') {
            return Err(Malformed);
        }
        source.members(|source, name| self.member(source, name, 0))
    }
}

/// Objects in one another that may hold parameters.
const DEPTH: u32 = 3;

/// Keeps what a later name does not say.
fn put<T>(slot: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *slot = value;
    }
}

fn add(count: &mut Option<u64>, more: Option<u64>) {
    if let Some(more) = more {
        *count = Some(count.unwrap_or_default().saturating_add(more));
    }
}

fn text<'de, S: Source<'de>>(source: &mut S) -> Result<Option<String>, Malformed> {
    let text = source.text()?.text();
    Ok(Some(cut(&text, TEXT_BYTES).to_owned()).filter(|text| !text.is_empty()))
}

/// One string or a list of them.
fn texts<'de, S: Source<'de>>(source: &mut S) -> Result<Vec<String>, Malformed> {
    let mut texts = Vec::new();
    if source.peek() == Some(b'[') {
        source.elements(|source| {
            let next = text(source)?;
            if texts.len() < LIST {
                texts.extend(next);
            }
            Ok(())
        })?;
    } else {
        texts.extend(text(source)?);
    }
    Ok(texts)
}

fn flag<'de, S: Source<'de>>(source: &mut S) -> Result<Option<bool>, Malformed> {
    Ok(match source.value()? {
        Value::Bool(flag) => Some(flag),
        _ => None,
    })
}

fn number<'de, S: Source<'de>>(source: &mut S) -> Result<Option<Number>, Malformed> {
    Ok(match source.value()? {
        Value::Number(number) => Some(number),
        _ => None,
    })
}

fn whole<'de, S: Source<'de>>(source: &mut S) -> Result<Option<u64>, Malformed> {
    Ok(integer(source)?.and_then(|value| u64::try_from(value).ok()))
}

fn integer<'de, S: Source<'de>>(source: &mut S) -> Result<Option<i64>, Malformed> {
    Ok(match number(source)? {
        Some(Number::Unsigned(value)) => i64::try_from(value).ok(),
        Some(Number::Negative(value)) => Some(value),
        Some(Number::Float(_)) | None => None,
    })
}

#[expect(clippy::cast_precision_loss, reason = "no parameter comes near 2^53")]
fn float<'de, S: Source<'de>>(source: &mut S) -> Result<Option<f64>, Malformed> {
    let value = match number(source)? {
        Some(Number::Unsigned(value)) => Some(value as f64),
        Some(Number::Negative(value)) => Some(value as f64),
        Some(Number::Float(value)) => Some(value),
        None => None,
    };
    Ok(value.filter(|value| value.is_finite()))
}

/// Number of elements; a text counts as one.
fn elements<'de, S: Source<'de>>(source: &mut S) -> Result<Option<u64>, Malformed> {
    let mut count: u64 = 0;
    match source.peek() {
        Some(b'[') => source.elements(|source| {
            count = count.saturating_add(1);
            source.skip_value()
        })?,
        Some(b'"') => {
            count = 1;
            source.skip_value()?;
        }
        _ => {
            source.skip_value()?;
            return Ok(None);
        }
    }
    Ok(Some(count))
}

/// Number of tools: Gemini declares several in one element.
fn tools<'de, S: Source<'de>>(source: &mut S) -> Result<Option<u64>, Malformed> {
    if source.peek() != Some(b'[') {
        source.skip_value()?;
        return Ok(None);
    }
    let mut count: u64 = 0;
    source.elements(|source| {
        let mut declared = None;
        if source.peek() == Some(b'{') {
            source.members(|source, name| match name {
                b"functionDeclarations" | b"function_declarations" => {
                    add(&mut declared, elements(source)?);
                    Ok(())
                }
                _ => source.skip_value(),
            })?;
        } else {
            source.skip_value()?;
        }
        count = count.saturating_add(declared.unwrap_or(1));
        Ok(())
    })?;
    Ok(Some(count))
}

/// Bytes kept of a text.
const TEXT_BYTES: usize = 256;

/// Stop sequences kept.
const LIST: usize = 64;
