//! What a span may carry at most, whoever made the record.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::tree::Link;
use crate::{
    limits::{EXPORT_ATTRIBUTES, EXPORT_LINKS, EXPORT_LIST, EXPORT_NAME_BYTES, EXPORT_VALUE_BYTES, cut},
    record::{AttributeValue, Attributes},
};

pub(super) fn capped_name(name: &str) -> String {
    cut(name, EXPORT_NAME_BYTES).to_owned()
}

pub(super) fn capped_value(text: &str) -> String {
    cut(text, EXPORT_VALUE_BYTES).to_owned()
}

/// Brings attributes below their caps, and counts those left out. Of too many, the caller's own go first, the last keys
/// first.
pub(crate) fn capped_attributes(mut attributes: Attributes, of_caller: &Attributes) -> (Attributes, u64) {
    let before = attributes.len();
    attributes.retain(|key, value| make_sendable(key, value));
    if attributes.len() > EXPORT_ATTRIBUTES {
        let of_profiles = attributes.keys().filter(|key| !of_caller.contains_key(key)).count();
        let mut room_of_profiles = EXPORT_ATTRIBUTES;
        let mut room_of_caller = EXPORT_ATTRIBUTES.saturating_sub(of_profiles);
        attributes.retain(|key, _| {
            let room = if of_caller.contains_key(key) { &mut room_of_caller } else { &mut room_of_profiles };
            let fits = *room > 0;
            *room = room.saturating_sub(1);
            fits
        });
    }
    let dropped = before.saturating_sub(attributes.len());
    (attributes, u64::try_from(dropped).unwrap_or(u64::MAX))
}

pub(super) fn capped_links(links: &[Link]) -> (Vec<Link>, u64) {
    let kept = links.iter().take(EXPORT_LINKS).map(|link| {
        let (attributes, _) = capped_attributes(link.attributes.clone(), &link.attributes);
        Link { trace_id: link.trace_id, span_id: link.span_id, attributes }
    });
    (kept.collect(), u64::try_from(links.len().saturating_sub(EXPORT_LINKS)).unwrap_or(u64::MAX))
}

/// Cuts an attribute to what is sent; false for a key that is empty or too long, and for a number that no wire has.
fn make_sendable(key: &str, value: &mut AttributeValue) -> bool {
    match value {
        AttributeValue::Float(number) if !number.is_finite() => return false,
        AttributeValue::Str(text) => cut_in_place(text, EXPORT_VALUE_BYTES),
        AttributeValue::StrList(texts) => cut_list(texts),
        _ => {}
    }
    !key.is_empty() && key.len() <= EXPORT_NAME_BYTES
}

/// Keeps the first texts, as many as fit; the last of them may be cut.
fn cut_list(texts: &mut Vec<String>) {
    let mut left = EXPORT_VALUE_BYTES;
    let mut kept = 0_usize;
    for text in texts.iter_mut().take(EXPORT_LIST) {
        if left == 0 {
            break;
        }
        let whole = text.len();
        cut_in_place(text, left);
        left = left.saturating_sub(whole);
        kept = kept.saturating_add(1);
    }
    texts.truncate(kept);
}

fn cut_in_place(text: &mut String, max: usize) {
    let end = cut(text, max).len();
    text.truncate(end);
}
