//! What the caller said of its call, and of the response where it is asked for both.

use llmspan_core::{
    event::Event,
    limits::Limits,
    record::{AttributeValue, Attributes, Flags},
};

use crate::{
    attempt::Attempt,
    span_events,
    told::{Story, What},
};

/// Later values replace earlier ones. The well-known flags have fields of their own, where responses have a say too.
pub(crate) fn attributes(
    caps: &Limits,
    begin: &Attributes,
    story: &Story<'_>,
    attempts: &[Attempt<'_>],
) -> (Attributes, Flags, u64) {
    let mut all = Attributes::new();
    let mut flags = Flags::default();
    let mut dropped = 0;
    let mut set = |flags: &mut Flags, attributes: &Attributes| {
        for (key, value) in attributes {
            match (key.as_str(), value) {
                ("refusal", AttributeValue::Bool(value)) => flags.refusal = Some(*value),
                ("json_valid", AttributeValue::Bool(value)) => flags.json_valid = Some(*value),
                ("cache_hit", AttributeValue::Bool(value)) => flags.cache_hit = Some(*value),
                _ if all.len() >= caps.attributes && !all.contains_key(key) => dropped += 1,
                _ => {
                    let value = match value {
                        AttributeValue::Str(text) => cut(text, caps.attribute_bytes).into(),
                        other => other.clone(),
                    };
                    all.insert(key.clone(), value);
                }
            }
        }
    };
    set(&mut flags, begin);
    for (place, told) in story.told.iter().enumerate() {
        if let What::Event(Event::Attributes(more)) = &told.what {
            set(&mut flags, more);
        }
        let Some((_, taken)) = span_events::taken_at(attempts, place) else { continue };
        let delta = taken.delta;
        if span_events::refuses(delta) {
            flags.refusal = Some(true);
        }
        let text = |text: &Option<alloc::borrow::Cow<'static, str>>| text.as_ref().map(ToString::to_string);
        flags.block_reason = text(&delta.block_reason).or(flags.block_reason);
        flags.incomplete_reason = text(&delta.incomplete_reason).or(flags.incomplete_reason);
    }
    (all, flags, dropped)
}

/// As much of a text as fits, in whole characters.
fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}
