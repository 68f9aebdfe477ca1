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
        match name {
            b"model" if depth == 0 => self.model = text(source)?,
            b"stream" if depth == 0 => self.stream = flag(source)?,
            b"generationConfig" | b"generation_config" | b"inferenceConfig" | b"options" | b"parameters"
            | b"thinkingConfig" | b"thinking_config" | b"reasoning" | b"output_config"
                if depth < DEPTH && source.peek() == Some(b'{') =>
            {
                return source.members(|source, name| self.member(source, name, depth.saturating_add(1)));
            }
            // DashScope keeps its messages in there; of OpenAI's it is the conversation itself.
            b"input" if depth == 0 && source.peek() == Some(b'{') => {
                return source.members(|source, name| self.member(source, name, depth.saturating_add(1)));
            }
            b"messages" | b"contents" | b"input" | b"chat_history" => {
                add(&mut self.messages, elements(source)?);
            }
            // The last message of Cohere's first API, or all that the model is given.
            b"message" | b"prompt" | b"inputText" | b"inputs" if depth < 2 => {
                source.skip_value()?;
                add(&mut self.messages, Some(1));
            }
            b"toolConfig" if depth == 0 && source.peek() == Some(b'{') => {
                return source.members(|source, name| self.member(source, name, depth.saturating_add(1)));
            }
            b"tools" => add(&mut self.tools, tools(source)?),
            b"max_tokens"
            | b"max_completion_tokens"
            | b"max_output_tokens"
            | b"maxOutputTokens"
            | b"maxTokens"
            | b"max_new_tokens"
            | b"num_predict"
            | b"max_tokens_to_sample"
            | b"max_gen_len"
            | b"maxTokenCount" => {
                put(&mut self.parameters.max_tokens, whole(source)?);
            }
            b"temperature" => put(&mut self.parameters.temperature, float(source)?),
            b"top_p" | b"topP" => put(&mut self.parameters.top_p, float(source)?),
            b"p" if self.is_cohere => put(&mut self.parameters.top_p, float(source)?),
            b"top_k" | b"topK" => put(&mut self.parameters.top_k, float(source)?),
            b"k" if self.is_cohere => put(&mut self.parameters.top_k, float(source)?),
            b"seed" | b"random_seed" => put(&mut self.parameters.seed, integer(source)?),
            b"frequency_penalty" | b"frequencyPenalty" => {
                put(&mut self.parameters.frequency_penalty, float(source)?);
            }
            b"presence_penalty" | b"presencePenalty" => put(&mut self.parameters.presence_penalty, float(source)?),
            b"stop" | b"stop_sequences" | b"stopSequences" => self.parameters.stop_sequences = texts(source)?,
            b"n" | b"candidateCount" | b"candidate_count" if !self.is_cohere => {
                put(&mut self.parameters.choice_count, whole(source)?);
            }
            b"service_tier" | b"serviceTier" => put(&mut self.parameters.service_tier, text(source)?),
            b"reasoning_effort" | b"effort" | b"thinkingLevel" | b"thinking_level" | b"think" => {
                put(&mut self.parameters.reasoning_level, text(source)?);
            }
            _ => source.skip_value()?,
        }
        Ok(())
    }
}

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
