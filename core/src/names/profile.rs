//! What a profile is: a table of attribute names.

use alloc::{string::String, vec::Vec};

use super::{generated::PROFILES, value::Value};
use crate::{
    error::{Error, ErrorKind},
    record::{AttemptRecord, Record},
};

/// The names of one dialect: which attributes a span has, in which unit, and when.
#[derive(Debug)]
pub struct Profile {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) span: &'static str,
    pub(super) attempt_span: &'static str,
    pub(super) kind: SpanKind,
    pub(super) call: &'static [Row],
    pub(super) attempt: &'static [Row],
    pub(super) inner: &'static [Row],
}

impl Profile {
    /// The profile used when none is asked for: `otel-1.41`.
    pub const DEFAULT: &'static str = "otel-1.41";

    /// Finds a profile by its name, such as `otel-1.41` or `langfuse`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnknownProfile`] when no profile has the name.
    pub fn by_name(name: &str) -> Result<&'static Self, Error> {
        PROFILES.iter().find(|profile| profile.name == name).ok_or_else(|| Error::new(ErrorKind::UnknownProfile, name))
    }

    /// Finds profiles by their names; the default one when none is named.
    ///
    /// ```
    /// use llmspan_core::names::Profile;
    ///
    /// let names = |names: &[&str]| -> Vec<_> { Profile::by_names(names).unwrap().iter().map(|found| found.name()).collect() };
    /// assert_eq!(names(&["langfuse", "ares"]), ["langfuse", "ares"]);
    /// assert_eq!(names(&[]), [Profile::DEFAULT]);
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnknownProfile`] for the first name that no profile has.
    pub fn by_names(names: impl IntoIterator<Item: AsRef<str>>) -> Result<Vec<&'static Self>, Error> {
        let mut profiles = names.into_iter().map(|name| Self::by_name(name.as_ref())).collect::<Result<Vec<_>, _>>()?;
        if profiles.is_empty() {
            profiles.push(Self::by_name(Self::DEFAULT)?);
        }
        Ok(profiles)
    }

    /// All profiles, the default one first.
    pub fn all() -> &'static [Self] {
        PROFILES
    }

    /// The name of the profile, in lower case.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the names are, in a few words for people.
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// The name of the call's span. Of `{operation} {model}` only the operation is left when no model is known.
    pub fn call_span_name(&self, record: &Record) -> String {
        self.span_name(record, record.model.as_deref())
    }

    /// The name of the span of an attempt that stands for itself: that of a call for the attempt's own model.
    pub fn lone_attempt_span_name(&self, record: &Record, attempt: &AttemptRecord) -> String {
        self.span_name(record, attempt.model.as_deref().or(record.model.as_deref()))
    }

    /// The name of an attempt's span, the same for every attempt so that it stays of low cardinality.
    pub fn attempt_span_name(&self) -> &'static str {
        self.attempt_span
    }

    /// The kind of the call's span. Attempts have the same.
    pub fn span_kind(&self) -> SpanKind {
        self.kind
    }

    /// The first name under which the profile writes a value on the call's span; absent when it has none for it.
    ///
    /// Values inside an attribute that holds JSON have no name of their own.
    pub fn call_name(&self, value: Value) -> Option<&'static str> {
        name_of(self.call, value)
    }

    /// The first name under which the profile writes a value on an attempt's span; absent when it has none for it.
    pub fn attempt_name(&self, value: Value) -> Option<&'static str> {
        name_of(self.attempt, value)
    }

    /// The value that a name stands for on the call's span; absent for a name that the profile does not write there.
    pub(crate) fn value_on_call(&self, name: &str) -> Option<Value> {
        value_of(self.call, name)
    }

    /// The value that a name stands for on an attempt's span; absent for a name that the profile does not write there.
    pub(crate) fn value_on_attempt(&self, name: &str) -> Option<Value> {
        value_of(self.attempt, name)
    }

    fn span_name(&self, record: &Record, model: Option<&str>) -> String {
        let operation = record.operation.as_deref().unwrap_or(Self::DEFAULT_OPERATION);
        let name = self.span.replace("{operation}", operation).replace("{model}", model.unwrap_or_default());
        String::from(name.trim_end())
    }

    /// `gen_ai.operation.name` of a call that does not say what it asks for.
    pub(crate) const DEFAULT_OPERATION: &'static str = "chat";
}

/// The kind of a span, in the words of OpenTelemetry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SpanKind {
    /// A request to a remote service.
    Client,
    /// Work inside the process.
    Internal,
}

/// One attribute of a profile, or one member of an attribute that holds JSON.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) source: Source,
    pub(super) when: When,
    pub(super) words: &'static [(&'static str, &'static str)],
    pub(super) otherwise: Otherwise,
}

impl Row {
    pub(super) const fn new(name: &'static str, value: Value, form: Form) -> Self {
        Self::from_source(name, Source::Value(value, form))
    }

    pub(super) const fn constant(name: &'static str, text: &'static str) -> Self {
        Self::from_source(name, Source::Constant(text))
    }

    pub(super) const fn json(name: &'static str, members: &'static [Self]) -> Self {
        Self::from_source(name, Source::Json(members))
    }

    pub(super) const fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    pub(super) const fn words(mut self, words: &'static [(&'static str, &'static str)], otherwise: Otherwise) -> Self {
        self.words = words;
        self.otherwise = otherwise;
        self
    }

    const fn from_source(name: &'static str, source: Source) -> Self {
        Self { name, source, when: When::Always, words: &[], otherwise: Otherwise::Keep }
    }
}

/// Where the text or number of a row comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Constant(&'static str),
    Json(&'static [Row]),
    Value(Value, Form),
}

/// Unit and type in which a value is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    Bool,
    Count,
    Float,
    Given,
    Iso8601,
    Millis,
    Seconds,
    Text,
    TextList,
    Usd,
}

/// The condition under which a row is written, beside the value not being absent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum When {
    Always,
    IfFalse,
    IfRetried,
    IfTrue,
    UnlessAuto,
    UnlessOne,
    UnlessZero,
}

/// What is written for a word that the row's list does not have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Otherwise {
    Drop,
    Keep,
    Write(&'static str),
}

fn name_of(rows: &[Row], value: Value) -> Option<&'static str> {
    rows.iter().find(|row| matches!(row.source, Source::Value(named, _) if named == value)).map(|row| row.name)
}

fn value_of(rows: &[Row], name: &str) -> Option<Value> {
    rows.iter().find(|row| row.name == name).and_then(|row| match row.source {
        Source::Value(value, _) => Some(value),
        _ => None,
    })
}
