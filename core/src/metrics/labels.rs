//! The labels that tell series apart.

use alloc::{borrow::Cow, boxed::Box, string::String};
use core::cmp::Ordering;

use super::{names::MetricNames, options::Options};
use crate::{
    limits::{LABEL_BYTES, cut},
    names::Profile,
    record::Record,
};

/// One label of a profile.
#[derive(Clone, Copy, Debug)]
pub(super) struct LabelRow {
    pub(super) name: &'static str,
    pub(super) value: LabelValue,
    pub(super) words: &'static [(&'static str, &'static str)],
}

/// What a label says of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LabelValue {
    ErrorType,
    Operation,
    Outcome,
    Provider,
    RequestModel,
    /// Absent unless the options ask for it.
    ResponseModel,
}

impl LabelValue {
    fn of<'a>(self, record: &'a Record, options: &Options) -> Option<&'a str> {
        match self {
            Self::ErrorType => record.error.as_ref().map(|error| error.error_type.as_str()),
            Self::Operation => Some(record.operation.as_deref().unwrap_or(Profile::DEFAULT_OPERATION)),
            Self::Outcome => Some(record.outcome.as_str()),
            Self::Provider => record.provider.as_deref(),
            Self::RequestModel => record.model.as_deref(),
            Self::ResponseModel if options.keeps_response_model() => record.response_model.as_deref(),
            Self::ResponseModel => None,
        }
    }
}

/// The label values of a record, borrowed from it where they need no cleaning.
#[derive(Debug)]
pub(super) struct Values<'a> {
    /// As many as the profile has; the places behind them are empty.
    values: [Option<Cow<'a, str>>; MOST_LABELS],
    len: usize,
}

/// The most labels that a profile has.
const MOST_LABELS: usize = 8;

impl<'a> Values<'a> {
    pub(super) fn of(record: &'a Record, names: &MetricNames, options: &Options) -> Self {
        let mut values = [const { None }; MOST_LABELS];
        for (value, row) in values.iter_mut().zip(names.labels) {
            *value = row.value.of(record, options).and_then(|text| clean(text, row.words));
        }
        Self { values, len: names.labels.len() }
    }

    /// The values, in the order of the profile's labels.
    pub(super) fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        self.values.iter().take(self.len).map(Option::as_deref)
    }

    pub(super) fn compare(&self, set: &LabelSet) -> Ordering {
        set.values().cmp(self.iter())
    }

    pub(super) fn to_set(&self) -> LabelSet {
        LabelSet(self.iter().map(|value| value.map(Box::from)).collect())
    }
}

/// The label values of a series, in the order of the profile's labels.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct LabelSet(Box<[Option<Box<str>>]>);

impl LabelSet {
    pub(super) fn values(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter().map(Option::as_deref)
    }
}

/// The word of the profile, or the text without what not every reader of a text format takes: control characters are
/// replaced, long text is cut. An empty label is none at all to Prometheus, so it is left out.
fn clean<'a>(text: &'a str, words: &[(&str, &'static str)]) -> Option<Cow<'a, str>> {
    if let Some((_, word)) = words.iter().find(|(from, _)| *from == text) {
        return Some(Cow::Borrowed(word));
    }
    let text = cut(text, LABEL_BYTES);
    if text.is_empty() {
        return None;
    }
    if !text.chars().any(char::is_control) {
        return Some(Cow::Borrowed(text));
    }
    let replaced: String = text.chars().map(|char| if char.is_control() { '_' } else { char }).collect();
    Some(Cow::Owned(replaced))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_profile_has_more_labels_than_there_is_room_for() {
        assert!(MetricNames::all().iter().all(|names| names.labels.len() <= MOST_LABELS));
    }
}
