//! What a profile is: a table of attribute names.

use alloc::{string::String, vec::Vec};

use super::{generated::PROFILES, value::Value};
use crate::{
    error::{Error, ErrorKind},
    fields::line_of,
    record::{AttemptRecord, Record},
    search::replace,
};

/// The names of one dialect: which attributes a span has, in which unit, and when.
#[derive(Debug)]
pub struct Profile {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) span: &'static str,
    pub(super) attempt_span: &'static str,
    pub(super) kind: SpanKind,
    pub(super) call: Table,
    pub(super) attempt: Table,
    pub(super) inner: Table,
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
        self.call.name_of(value)
    }

    /// The first name under which the profile writes a value on an attempt's span; absent when it has none for it.
    pub fn attempt_name(&self, value: Value) -> Option<&'static str> {
        self.attempt.name_of(value)
    }

    /// The value that a name stands for on the call's span; absent for a name that the profile does not write there.
    pub(crate) fn value_on_call(&self, name: &str) -> Option<Value> {
        self.call.value_of(name)
    }

    /// The value that a name stands for on an attempt's span; absent for a name that the profile does not write there.
    pub(crate) fn value_on_attempt(&self, name: &str) -> Option<Value> {
        self.attempt.value_of(name)
    }

    fn span_name(&self, record: &Record, model: Option<&str>) -> String {
        let operation = record.operation.as_deref().unwrap_or(Self::DEFAULT_OPERATION);
        let name = replace(self.span, "{operation}", operation);
        let name = replace(&name, "{model}", model.unwrap_or_default());
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

/// The attributes of a span, or the members of an attribute that holds JSON.
///
/// There are hundreds of rows in the code that a browser loads, so that they hold no text of their own: the names are lines
/// of one text, in the order of the rows.
#[derive(Debug)]
pub(super) struct Table {
    names: &'static str,
    sources: &'static [Source],
}

impl Table {
    pub(super) const fn new(names: &'static str, sources: &'static [Source]) -> Self {
        Self { names, sources }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row> + use<> {
        self.names.split('\n').zip(self.sources).map(|(name, source)| Row { name, source: *source })
    }

    /// Whether a row is written from the value.
    pub(super) fn has(&self, value: impl Fn(Value) -> bool) -> bool {
        self.sources.iter().filter_map(|source| source.value()).any(value)
    }

    fn name_of(&self, value: Value) -> Option<&'static str> {
        let at = self.sources.iter().position(|source| source.value() == Some(value))?;
        self.names.split('\n').nth(at)
    }

    fn value_of(&self, name: &str) -> Option<Value> {
        line_of(self.names, name).and_then(|at| self.sources.get(at))?.value()
    }
}

/// One attribute of a profile, or one member of an attribute that holds JSON.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) source: Source,
}

/// Where the text or number of a row comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Constant(&'static &'static str),
    Json(&'static Table),
    Value(Value, Form, When),
    /// A text that dialects have their own words for.
    Words(Value, Form, When, &'static Words),
}

impl Source {
    /// The value that is written; `None` for what is none or holds several.
    pub(super) fn value(self) -> Option<Value> {
        match self {
            Self::Value(value, ..) | Self::Words(value, ..) => Some(value),
            Self::Constant(_) | Self::Json(_) => None,
        }
    }
}

/// The words of a dialect for those of records.
#[derive(Debug)]
pub(super) struct Words {
    pairs: &'static [(&'static str, &'static str)],
    otherwise: Otherwise,
}

impl Words {
    pub(super) const fn new(pairs: &'static [(&'static str, &'static str)], otherwise: Otherwise) -> Self {
        Self { pairs, otherwise }
    }

    pub(super) fn translate<'a>(&self, word: &'a str) -> Option<&'a str> {
        if let Some((_, translated)) = self.pairs.iter().find(|(from, _)| *from == word) {
            return Some(translated);
        }
        match self.otherwise {
            Otherwise::Drop => None,
            Otherwise::Keep => Some(word),
            Otherwise::Write(text) => Some(text),
        }
    }
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

/// What is written for a word that the list does not have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Otherwise {
    Drop,
    Keep,
    Write(&'static str),
}
