//! From a record to attributes.

use alloc::{string::String, vec::Vec};

use super::{
    convert::{convert, passed_on},
    profile::{Profile, Row, Source, Table, When},
    read::{Reading, Subject},
    value::Value,
};
use crate::{
    fields::Members,
    record::{AttributeValue, Attributes, Record},
    time::UnixNanos,
};

/// Renders the attributes of the call's span under the names of the given profiles.
///
/// The result is the union of what each profile writes alone; where two write one name, the first one given wins. A
/// value that is absent gives no attribute. Without a profile there are no attributes of one.
pub fn call_attributes(record: &Record, profiles: &[&Profile]) -> Attributes {
    Renderer::new(record, profiles).call()
}

/// Renders the attributes of the spans of the attempts, in the order of [`Record::attempts`], as [`call_attributes`]
/// does for the call.
pub fn attempt_attributes(record: &Record, profiles: &[&Profile]) -> Vec<Attributes> {
    Renderer::new(record, profiles).attempts()
}

/// Renders the attributes of the attempts as if each had been a call without another attempt, for spans that stand for
/// the attempts alone: what [`call_attributes`] has, and what profiles write on attempts beside it.
///
/// Retry count and delays are those before the attempt. Facts that only the call has (request parameters, attributes)
/// are the call's; attributes of the attempt win over them.
pub fn lone_attempt_attributes(record: &Record, profiles: &[&Profile]) -> Vec<Attributes> {
    Renderer::new(record, profiles).lone_attempts()
}

/// Renders the attributes of a call's span around those of [`lone_attempt_attributes`]: how long it took, how it ended
/// and what the caller set on it, and nothing that marks an LLM call or is added up over spans.
pub fn outer_attributes(record: &Record, profiles: &[&Profile]) -> Attributes {
    Renderer::new(record, profiles).around()
}

/// Renders the attributes of the spans of waits and phases: what a dialect asks of every span, whatever it stands for.
pub fn inner_attributes(profiles: &[&Profile]) -> Attributes {
    let mut attributes = Attributes::new();
    for row in profiles.iter().flat_map(|profile| profile.inner.rows()) {
        if let Source::Constant(text) = row.source
            && !attributes.contains_key(row.name)
        {
            attributes.insert(row.name.into(), (*text).into());
        }
    }
    attributes
}

/// Renders the attributes of a record.
pub(crate) struct Renderer<'a> {
    record: &'a Record,
    profiles: &'a [&'a Profile],
    /// When the call began by the wall clock: attributes with a point in time need it.
    start_unix_ns: Option<UnixNanos>,
}

impl<'a> Renderer<'a> {
    pub(crate) fn new(record: &'a Record, profiles: &'a [&'a Profile]) -> Self {
        Self { record, profiles, start_unix_ns: record.start_unix_ns }
    }

    /// Renders as if the call had begun then.
    pub(crate) fn begun(self, start_unix_ns: Option<UnixNanos>) -> Self {
        Self { start_unix_ns, ..self }
    }

    /// As [`call_attributes`].
    pub(crate) fn call(&self) -> Attributes {
        let tables = call_tables(self.profiles);
        self.attributes(Subject::Call(self.record), &tables, &tables, &[&self.record.attributes])
    }

    /// As [`attempt_attributes`].
    pub(crate) fn attempts(&self) -> Vec<Attributes> {
        let tables = attempt_tables(self.profiles);
        let attempts = self.record.attempts.iter();
        attempts
            .map(|attempt| {
                let subject = Subject::Attempt(self.record, attempt);
                self.attributes(subject, &tables, &tables, &[&attempt.attributes])
            })
            .collect()
    }

    /// As [`lone_attempt_attributes`].
    pub(crate) fn lone_attempts(&self) -> Vec<Attributes> {
        let of_calls = call_tables(self.profiles);
        let tables = [of_calls.as_slice(), &attempt_tables(self.profiles)].concat();
        let attempts = self.record.attempts.iter();
        attempts
            .map(|attempt| {
                let of_caller = [&attempt.attributes, &self.record.attributes];
                self.attributes(Subject::LoneAttempt(self.record, attempt), &tables, &of_calls, &of_caller)
            })
            .collect()
    }

    /// As [`outer_attributes`].
    pub(crate) fn around(&self) -> Attributes {
        let of_calls = call_tables(self.profiles);
        let subject = Subject::Around(self.record);
        let of_caller = [&self.record.attributes];
        let mut rendered = self.attributes(subject, &attempt_tables(self.profiles), &of_calls, &of_caller);
        for row in of_calls.iter().flat_map(|table| table.rows()) {
            if row.source.value().is_some_and(Value::is_caller_attribute) {
                self.insert(&mut rendered, subject, row);
            }
        }
        rendered
    }

    /// The names of all tables come first, so that a caller's attribute never hides a value of the record. `renaming` are the
    /// tables that may have names of their own for a caller's attributes.
    fn attributes(
        &self,
        subject: Subject<'_>,
        tables: &[&Table],
        renaming: &[&Table],
        of_caller: &[&Attributes],
    ) -> Attributes {
        let mut attributes = Attributes::new();
        for row in tables.iter().flat_map(|table| table.rows()) {
            self.insert(&mut attributes, subject, row);
        }
        for (key, value) in of_caller.iter().copied().flatten() {
            if !attributes.contains_key(key)
                && !renaming.iter().all(|table| is_renamed(table, key))
                && let Some(value) = passed_on(value)
            {
                attributes.insert(key.clone(), value);
            }
        }
        attributes
    }

    fn insert(&self, attributes: &mut Attributes, subject: Subject<'_>, row: Row) {
        if !attributes.contains_key(row.name)
            && let Some(value) = self.render(subject, row.source)
        {
            attributes.insert(row.name.into(), value);
        }
    }

    fn render(&self, subject: Subject<'_>, source: Source) -> Option<AttributeValue> {
        let (value, form, when, words) = match source {
            Source::Constant(text) => return Some((*text).into()),
            Source::Json(members) => return self.json(subject, members).map(AttributeValue::Str),
            Source::Value(value, form, when) => (value, form, when, None),
            Source::Words(value, form, when, words) => (value, form, when, Some(words)),
        };
        let reading = subject.read(value)?;
        if !holds(when, subject, reading) {
            return None;
        }
        let reading = match (reading, words) {
            (Reading::Text(word), Some(words)) => Reading::Text(words.translate(word)?),
            (Reading::SinceStart(time), _) => Reading::Moment(self.start_unix_ns?.saturating_add(time)),
            (other, _) => other,
        };
        convert(reading, form)
    }

    /// The members as compact JSON, in the order of the table; nothing when all are absent.
    fn json(&self, subject: Subject<'_>, table: &Table) -> Option<String> {
        let mut out = String::new();
        let mut members = Members::new(&mut out);
        for row in table.rows() {
            if let Some(value) = self.render(subject, row.source) {
                members.add(row.name, &value);
            }
        }
        members.end();
        (out != "{}").then_some(out)
    }
}

fn call_tables<'a>(profiles: &[&'a Profile]) -> Vec<&'a Table> {
    profiles.iter().map(|profile| &profile.call).collect()
}

fn attempt_tables<'a>(profiles: &[&'a Profile]) -> Vec<&'a Table> {
    profiles.iter().map(|profile| &profile.attempt).collect()
}

/// Whether the key is that of a well-known attribute which the table has a name for.
fn is_renamed(table: &Table, key: &str) -> bool {
    table.has(|value| value.is_caller_attribute() && value.key() == key)
}

fn holds(when: When, subject: Subject<'_>, reading: Reading<'_>) -> bool {
    match when {
        When::Always => true,
        When::IfFalse => matches!(reading, Reading::Flag(false)),
        When::IfRetried => subject.is_retried(),
        When::IfTrue => matches!(reading, Reading::Flag(true)),
        When::UnlessAuto => !matches!(reading, Reading::Text("auto")),
        When::UnlessOne => !matches!(reading, Reading::Count(1)),
        When::UnlessZero => !matches!(reading, Reading::Count(0)),
    }
}
