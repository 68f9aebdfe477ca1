//! One open span of a subscriber.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use llmspan_core::record::AttributeValue;
use tracing_core::{
    Dispatch, Event, Field, Metadata, dispatcher,
    field::{DebugValue, Value, ValueSet, debug},
    span::{Attributes, Id, Record},
};

use super::{callsite::Site, fields::Values};

/// A span that is open until it is dropped, on whichever thread that is. Nobody enters it.
#[derive(Debug)]
pub(super) struct Span {
    dispatch: Dispatch,
    id: Id,
    site: &'static Site,
}

impl Span {
    /// Opens a span under the one that is current on this thread; `None` when the subscriber does not want it.
    pub(super) fn open(dispatch: &Dispatch, site: &'static Site, values: &Values) -> Option<Self> {
        Self::start(dispatch, site, values, |metadata, values| dispatch.new_span(&Attributes::new(metadata, values)))
    }

    /// Opens a span under this one.
    pub(super) fn open_child(&self, site: &'static Site, values: &Values) -> Option<Self> {
        Self::start(&self.dispatch, site, values, |metadata, values| {
            self.dispatch.new_span(&Attributes::child_of(self.id.clone(), metadata, values))
        })
    }

    /// Records fields that were not known before.
    pub(super) fn record(&self, values: &Values) {
        if !values.is_empty() {
            with_values(self.site, values, |values| self.dispatch.record(&self.id, &Record::new(values)));
        }
    }

    /// Sends an event that happens in this span.
    pub(super) fn event(&self, site: &'static Site, values: &Values) {
        if site.is_enabled(&self.dispatch) {
            with_values(site, values, |values| {
                self.dispatch.event(&Event::new_child_of(self.id.clone(), site.metadata(), values));
            });
        }
    }

    fn start(
        dispatch: &Dispatch,
        site: &'static Site,
        values: &Values,
        new_span: impl FnOnce(&'static Metadata<'static>, &ValueSet<'_>) -> Id,
    ) -> Option<Self> {
        if !site.is_enabled(dispatch) {
            return None;
        }
        let id = with_values(site, values, |values| new_span(site.metadata(), values));
        Some(Self { dispatch: dispatch.clone(), id, site })
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        // A registry lets go of the parent through the default subscriber of the thread, which may have none.
        let close = || dispatcher::with_default(&self.dispatch, || self.dispatch.try_close(self.id.clone()));
        // A second panic, while that of another span unwinds, would end the process.
        catch_unwind(AssertUnwindSafe(close)).ok();
    }
}

/// Gives fields and values in the form that subscribers visit.
fn with_values<T>(site: &'static Site, values: &Values, give: impl FnOnce(&ValueSet<'_>) -> T) -> T {
    let fields = site.metadata().fields();
    let held: Vec<_> =
        values.iter().take(FIELDS).filter_map(|(name, value)| Some((fields.field(*name)?, Held::of(value)))).collect();
    let Some(any) = fields.iter().next() else { return give(&fields.value_set(&[])) };
    let mut entries: [(&Field, Option<&dyn Value>); FIELDS] = [(&any, None); FIELDS];
    for (entry, (field, value)) in entries.iter_mut().zip(&held) {
        *entry = (field, Some(value.as_value()));
    }
    give(&fields.value_set(&entries))
}

/// Room for the fields of any site. Value sets come in fixed sizes; what is not filled in is skipped.
const FIELDS: usize = 16;

/// A value of an attribute as subscribers take it.
enum Held<'a> {
    Plain(&'a dyn Value),
    List(DebugValue<&'a [String]>),
    /// Of a kind that came to be later.
    Other(DebugValue<&'a AttributeValue>),
}

impl<'a> Held<'a> {
    fn of(value: &'a AttributeValue) -> Self {
        match value {
            AttributeValue::Bool(value) => Self::Plain(value),
            AttributeValue::Int(value) => Self::Plain(value),
            AttributeValue::Float(value) => Self::Plain(value),
            AttributeValue::Str(value) => Self::Plain(value),
            AttributeValue::StrList(values) => Self::List(debug(values)),
            other => Self::Other(debug(other)),
        }
    }

    fn as_value(&self) -> &dyn Value {
        match self {
            Self::Plain(value) => *value,
            Self::List(value) => value,
            Self::Other(value) => value,
        }
    }
}
