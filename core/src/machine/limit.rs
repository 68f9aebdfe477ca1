//! What a caller says, cut to its caps.

use alloc::{boxed::Box, string::String};

use super::{
    attempt::shorten,
    call::{Machine, bump},
    input::Failure,
};
use crate::{
    config::Config,
    limits::{Limits, cut},
    record::{AttributeValue, Attributes, Request},
};

impl Machine {
    /// Adds attributes to the call. The flags that have fields of their own go there.
    pub(super) fn merge_attributes(&mut self, attributes: Attributes) {
        for (key, value) in attributes {
            let slot = match key.as_str() {
                "refusal" => Some(FlagSlot::Refusal),
                "json_valid" => Some(FlagSlot::JsonValid),
                "cache_hit" => Some(FlagSlot::CacheHit),
                _ => None,
            };
            if let (Some(slot), AttributeValue::Bool(value)) = (slot, &value) {
                let flags = self.flags.get_or_insert_default();
                match slot {
                    FlagSlot::Refusal => flags.refusal = Some(*value),
                    FlagSlot::JsonValid => flags.json_valid = Some(*value),
                    FlagSlot::CacheHit => flags.cache_hit = Some(*value),
                }
                continue;
            }
            let kept = if self.attributes.contains_key(&key) { 0 } else { self.attributes.len() };
            if let Some((key, value)) = self.limit_attribute(key, value, kept) {
                self.attributes.insert(key, value);
            }
        }
    }

    /// Cuts an attribute to its caps; `None` past the cap of their number.
    pub(super) fn limit_attribute(
        &mut self,
        key: String,
        value: AttributeValue,
        kept: usize,
    ) -> Option<(String, AttributeValue)> {
        let limits = &self.config.limits;
        if kept >= limits.attributes || key.is_empty() {
            bump(&mut self.counts.dropped_attributes);
            return None;
        }
        let key = if key.len() > limits.name_bytes { cut(&key, limits.name_bytes).into() } else { key };
        let short = |text: String| {
            if text.len() > limits.attribute_bytes { cut(&text, limits.attribute_bytes).into() } else { text }
        };
        let value = match value {
            AttributeValue::Str(text) => AttributeValue::Str(short(text)),
            AttributeValue::StrList(mut list) => {
                list.truncate(limits.attribute_list);
                AttributeValue::StrList(list.into_iter().map(short).collect())
            }
            other => other,
        };
        Some((key, value))
    }
}

enum FlagSlot {
    Refusal,
    JsonValid,
    CacheHit,
}

pub(super) fn limit_failure(mut failure: Failure, config: &Config) -> Failure {
    failure.error_type = failure.error_type.filter(|kind| !kind.is_empty()).map(|kind| shorten(kind, &config.limits));
    failure.message =
        failure.message.filter(|_| config.error_messages).map(|message| super::message::clean(&message).into());
    failure
}

pub(super) fn limit_request(mut request: Box<Request>, limits: &Limits) -> Box<Request> {
    request.stop_sequences.truncate(limits.attribute_list);
    for text in &mut request.stop_sequences {
        if text.len() > limits.attribute_bytes {
            *text = cut(text, limits.attribute_bytes).into();
        }
    }
    for text in [&mut request.service_tier, &mut request.reasoning_level].into_iter().flatten() {
        if text.len() > limits.name_bytes {
            *text = cut(text, limits.name_bytes).into();
        }
    }
    request
}
