//! What a caller says, cut to its caps.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::{
    call::{Machine, bump},
    input::Failure,
};
use crate::{
    config::Config,
    limits::{Limits, cut},
    record::{AttributeValue, Attributes, Flags, Request},
};

impl Machine {
    /// Adds attributes to the call. The flags that have fields of their own go there.
    pub(super) fn merge_attributes(&mut self, attributes: Attributes) {
        for (key, value) in attributes {
            if let (Some(slot), &AttributeValue::Bool(value)) = (flag(&key), &value) {
                *slot(self.flags.get_or_insert_default()) = Some(value);
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
        mut key: String,
        mut value: AttributeValue,
        kept: usize,
    ) -> Option<(String, AttributeValue)> {
        let limits = &self.config.limits;
        if kept >= limits.attributes || key.is_empty() {
            bump(&mut self.counts.dropped_attributes);
            return None;
        }
        shorten_string(&mut key, limits.name_bytes);
        match &mut value {
            AttributeValue::Str(text) => shorten_string(text, limits.attribute_bytes),
            AttributeValue::StrList(list) => limit_list(list, limits),
            _ => {}
        }
        Some((key, value))
    }
}

/// Where the flag of a name has its field.
fn flag(name: &str) -> Option<fn(&mut Flags) -> &mut Option<bool>> {
    match name {
        "refusal" => Some(|flags| &mut flags.refusal),
        "json_valid" => Some(|flags| &mut flags.json_valid),
        "cache_hit" => Some(|flags| &mut flags.cache_hit),
        _ => None,
    }
}

pub(super) fn limit_failure(failure: &mut Failure, config: &Config) {
    failure.error_type.take_if(|kind| kind.is_empty());
    shorten(&mut failure.error_type, config.limits.name_bytes);
    failure.message = match failure.message.take() {
        Some(message) if config.error_messages => Some(super::message::clean(&message).into()),
        _ => None,
    };
}

/// Cuts a text to its cap.
pub(super) fn shorten(text: &mut Option<Box<str>>, most: usize) {
    if let Some(text) = text
        && text.len() > most
    {
        *text = cut(text, most).into();
    }
}

fn shorten_string(text: &mut String, most: usize) {
    if text.len() > most {
        *text = cut(text, most).into();
    }
}

pub(super) fn limit_request(request: &mut Request, limits: &Limits) {
    limit_list(&mut request.stop_sequences, limits);
    for text in [&mut request.service_tier, &mut request.reasoning_level].into_iter().flatten() {
        shorten_string(text, limits.name_bytes);
    }
}

fn limit_list(list: &mut Vec<String>, limits: &Limits) {
    list.truncate(limits.attribute_list);
    for text in list {
        shorten_string(text, limits.attribute_bytes);
    }
}
