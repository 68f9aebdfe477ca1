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
        lenient::{Fill, kinds},
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

    fn member<'de, S: Source<'de> + ?Sized>(
        &mut self,
        source: &mut S,
        name: &[u8],
        depth: u32,
    ) -> Result<(), Malformed> {
        let Some(member) = Member::of(name) else { return source.skip_value() };
        let is_object = source.begins(b'{');
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

    fn members<'de, S: Source<'de> + ?Sized>(&mut self, source: &mut S, depth: u32) -> Result<(), Malformed> {
        source.members(|source, name| self.member(source, name, depth.saturating_add(1)))
    }
}

kinds! {
    /// What a member says, whatever its name.
    enum Member {
        Choices = "n" | "candidateCount" | "candidate_count",
        CohereK = "k",
        CohereP = "p",
        Effort = "reasoning_effort" | "effort" | "thinkingLevel" | "thinking_level" | "think",
        FrequencyPenalty = "frequency_penalty" | "frequencyPenalty",
        Input = "input",
        MaxTokens = "max_tokens"
            | "max_completion_tokens"
            | "max_output_tokens"
            | "maxOutputTokens"
            | "maxTokens"
            | "max_new_tokens"
            | "num_predict"
            | "max_tokens_to_sample"
            | "max_gen_len"
            | "maxTokenCount",
        /// The last message of Cohere's first API, or all that the model is given.
        Message = "message" | "prompt" | "inputText" | "inputs",
        Messages = "messages" | "contents" | "chat_history",
        Model = "model",
        /// An object that parameters are in.
        Parameters = "generationConfig"
            | "generation_config"
            | "inferenceConfig"
            | "options"
            | "parameters"
            | "thinkingConfig"
            | "thinking_config"
            | "reasoning"
            | "output_config",
        PresencePenalty = "presence_penalty" | "presencePenalty",
        Seed = "seed" | "random_seed",
        ServiceTier = "service_tier" | "serviceTier",
        Stop = "stop" | "stop_sequences" | "stopSequences",
        Stream = "stream",
        Temperature = "temperature",
        ToolConfig = "toolConfig",
        Tools = "tools",
        TopK = "top_k" | "topK",
        TopP = "top_p" | "topP",
    }
}

impl<'de> Fill<'de> for Body {
    fn fill<S: Source<'de> + ?Sized>(&mut self, source: &mut S) -> Result<(), Malformed> {
        if !source.begins(b'{') {
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

fn text<'de, S: Source<'de> + ?Sized>(source: &mut S) -> Result<Option<String>, Malformed> {
    let text = source.text()?.text();
    Ok(Some(cut(&text, TEXT_BYTES).to_owned()).filter(|text| !text.is_empty()))
}

/// One string or a list of them.
fn texts<'de, S: Source<'de> + ?Sized>(source: &mut S) -> Result<Vec<String>, Malformed> {
    let mut texts = Vec::new();
    if source.begins(b'[') {
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

fn flag<'de, S: Source<'de> + ?Sized>(source: &mut S) -> Result<Option<bool>, Malformed> {
    Ok(match source.value()? {
        Value::Bool(flag) => Some(flag),
        _ => None,
    })
}

fn number<'de, S: Source<'de> + ?Sized>(source: &mut S) -> Result<Option<Number>, Malformed> {
    Ok(match source.value()? {
        Value::Number(number) => Some(number),
        _ => None,
    })
}

fn whole<'de, S: Source<'de> + ?Sized>(source: &mut S) -> Result<Option<u64>, Malformed> {
    Ok(integer(source)?.and_then(|value| u64::try_from(value).ok()))
}

fn integer<'de, S: Source<'de> + ?Sized>(source: &mut S) -> Result<Option<i64>, Malformed> {
    Ok(match number(source)? {
        Some(Number::Unsigned(value)) => i64::try_from(value).ok(),
        Some(Number::Negative(value)) => Some(value),
        Some(Number::Float(_)) | None => None,
    })
}

#[expect(clippy::cast_precision_loss, reason = "no parameter comes near 2^53")]
fn float<'de, S: Source<'de> + ?Sized>(source: &mut S) -> Result<Option<f64>, Malformed> {
    let value = match number(source)? {
        Some(Number::Unsigned(value)) => Some(value as f64),
        Some(Number::Negative(value)) => Some(value as f64),
        Some(Number::Float(value)) => Some(value),
        None => None,
    };
    Ok(value.filter(|value| value.is_finite()))
}

/// Number of elements; a text counts as one.
fn elements<'de, S: Source<'de> + ?Sized>(source: &mut S) -> Result<Option<u64>, Malformed> {
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
fn tools<'de, S: Source<'de> + ?Sized>(source: &mut S) -> Result<Option<u64>, Malformed> {
    if !source.begins(b'[') {
        source.skip_value()?;
        return Ok(None);
    }
    let mut count: u64 = 0;
    source.elements(|source| {
        let mut declared = None;
        if source.begins(b'{') {
            source.members(|source, name| {
                if [&b"functionDeclarations"[..], b"function_declarations"].contains(&name) {
                    add(&mut declared, elements(source)?);
                    return Ok(());
                }
                source.skip_value()
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
