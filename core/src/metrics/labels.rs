//! The labels that tell series apart.

use alloc::{borrow::Cow, boxed::Box, string::String};
use core::cmp::Ordering;

use smallvec::SmallVec;

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
pub(super) struct Values<'a>(SmallVec<[Option<Cow<'a, str>>; 8]>);

impl<'a> Values<'a> {
    pub(super) fn of(record: &'a Record, names: &MetricNames, options: &Options) -> Self {
        Self(names.labels.iter().map(|row| clean(row.value.of(record, options)?, row.words)).collect())
    }

    /// The values, in the order of the profile's labels.
    pub(super) fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter().map(Option::as_deref)
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
