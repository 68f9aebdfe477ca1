//! Attributes beside those of profiles, and attributes that profiles have too many.

use alloc::borrow::ToOwned;

use super::{caps::capped_value, generated as names};
use crate::{
    names::{Profile, Value},
    record::{AttributeValue, Attributes, WaitRecord},
};

/// Takes from the span of an attempt what its call has already: profiles of a convention with a span per attempt write
/// tokens and model on attempts, and a caller may set on an attempt what some dialect has only on calls.
pub(super) fn without_usage(mut attributes: Attributes, of_caller: &Attributes, profiles: &[&Profile]) -> Attributes {
    attributes.retain(|key, _| {
        let is_of_caller = of_caller.contains_key(key);
        let on_attempts = profiles.iter().filter_map(|profile| profile.value_on_attempt(key));
        let on_calls = Profile::all().iter().filter(|_| is_of_caller).filter_map(|known| known.value_on_call(key));
        !on_attempts.chain(on_calls).any(is_counted_once)
    });
    attributes
}

/// Attributes of the span of a wait.
pub(super) fn of_wait(wait: &WaitRecord) -> Attributes {
    let mut attributes = Attributes::new();
    insert_text(&mut attributes, names::WAIT_REASON, wait.reason.as_str());
    insert_count(&mut attributes, names::WAIT_PLANNED_DELAY, wait.planned_delay_ns.as_nanos());
    insert_count(&mut attributes, names::WAIT_AFTER_ATTEMPT, u64::from(wait.after_attempt));
    insert_flag(&mut attributes, names::WAIT_SERVER_REQUESTED, wait.server_requested);
    insert_flag(&mut attributes, names::WAIT_ABORTED, wait.aborted);
    attributes
}

/// Counts above `i64::MAX` are written as `i64::MAX`, as profiles do.
pub(super) fn insert_count(attributes: &mut Attributes, key: &str, count: u64) {
    attributes.insert(key.to_owned(), AttributeValue::Int(i64::try_from(count).unwrap_or(i64::MAX)));
}

/// Flags are written only as true.
pub(super) fn insert_flag(attributes: &mut Attributes, key: &str, flag: bool) {
    if flag {
        attributes.insert(key.to_owned(), AttributeValue::Bool(true));
    }
}

pub(super) fn insert_text(attributes: &mut Attributes, key: &str, text: &str) {
    attributes.insert(key.to_owned(), AttributeValue::Str(capped_value(text)));
}

/// Whether a value makes a span an LLM call in a backend, or is added up over spans.
fn is_counted_once(value: Value) -> bool {
    value.is_summed() || matches!(value, Value::RequestModel | Value::ResponseModel | Value::ResponseOrRequestModel)
}
