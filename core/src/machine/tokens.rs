//! Token counts of one attempt as its reports come in.

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::{
    delta::{Provenance, RawUsage, UsageMode, UsageReport},
    record::{Usage, Value as _},
    time::MAX_SAFE_INTEGER,
};

/// One count and where it comes from.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Count {
    value: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
enum State {
    #[default]
    Unknown,
    /// Reported by the headers: the body's own count takes its place.
    InHeaders,
    Known(Provenance),
}

impl Count {
    fn apply(&mut self, value: Option<u64>, mode: UsageMode, source: Provenance) {
        let Some(value) = value else { return };
        let value = value.min(MAX_SAFE_INTEGER);
        let is_estimate = source == Provenance::Estimated;
        let replaces_estimate = self.state == State::Known(Provenance::Estimated) && !is_estimate;
        match self.state {
            // A reported value always wins over an estimate, whichever comes first.
            State::Known(known) if is_estimate && known != Provenance::Estimated => return,
            State::InHeaders if is_estimate => return,
            State::Known(_) if mode == UsageMode::Delta && !replaces_estimate => {
                self.value = self.value.saturating_add(value).min(MAX_SAFE_INTEGER);
            }
            _ => self.value = value,
        }
        self.state = State::Known(source);
    }

    fn apply_header(&mut self, value: Option<u64>) {
        if let (Some(value), State::Unknown | State::Known(Provenance::Estimated)) = (value, self.state) {
            *self = Self { value: value.min(MAX_SAFE_INTEGER), state: State::InHeaders };
        }
    }

    fn get(self) -> Option<u64> {
        (self.state != State::Unknown).then_some(self.value)
    }

    /// Writes the count and where it comes from into the record.
    fn fill(self, cut: Cut, value: &mut Option<u64>, provenance: &mut Option<Provenance>) {
        *value = self.get();
        *provenance = self.provenance(cut);
    }

    fn provenance(self, cut: Cut) -> Option<Provenance> {
        match self.state {
            State::Unknown => None,
            State::InHeaders => Some(Provenance::Reported),
            State::Known(Provenance::Reported) if cut == Cut::Yes => Some(Provenance::Partial),
            State::Known(provenance) => Some(provenance),
        }
    }
}

/// Whether the stream was cut after the last report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cut {
    No,
    Yes,
}

/// The five normalized counts, and the provider's own numbers.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Tokens {
    input: Count,
    output: Count,
    cache_read: Count,
    cache_write: Count,
    reasoning: Count,
    raw: Option<Box<RawUsage>>,
}

impl Tokens {
    pub(crate) fn apply(&mut self, report: &UsageReport) {
        let UsageReport { mode, source, .. } = *report;
        let output_source = if report.output_is_placeholder { Provenance::Placeholder } else { source };
        self.input.apply(report.input_tokens, mode, source);
        self.output.apply(report.output_tokens, mode, output_source);
        self.cache_read.apply(report.cache_read_tokens, mode, source);
        self.cache_write.apply(report.cache_write_tokens, mode, source);
        self.reasoning.apply(report.reasoning_tokens, mode, source);
        if let Some(raw) = report.raw.filter(|raw| !raw.is_empty()) {
            self.raw.get_or_insert_default().merge(&raw);
        }
    }

    /// Takes the counts of the headers, where nobody has reported one yet.
    pub(crate) fn apply_headers(&mut self, report: &UsageReport) {
        self.input.apply_header(report.input_tokens);
        self.output.apply_header(report.output_tokens);
        self.cache_read.apply_header(report.cache_read_tokens);
        self.cache_write.apply_header(report.cache_write_tokens);
        if let Some(mut raw) = report.raw {
            if let Some(known) = self.raw.as_deref() {
                raw.merge(known);
            }
            self.raw = Some(Box::new(raw));
        }
    }

    /// Output tokens that a rate may be computed from: not a placeholder.
    pub(crate) fn output_for_rates(&self) -> Option<u64> {
        if self.output.state == State::Known(Provenance::Placeholder) { None } else { self.output.get() }
    }

    pub(crate) fn reasoning(&self) -> Option<u64> {
        self.reasoning.get()
    }

    /// The counts for the record; `None` when nobody reported any.
    pub(crate) fn to_usage(&self, cut: Cut) -> Option<Usage> {
        let mut usage = Usage::default();
        let of = &mut usage.provenance;
        self.input.fill(Cut::No, &mut usage.input_tokens, &mut of.input_tokens);
        self.cache_read.fill(Cut::No, &mut usage.cache_read_tokens, &mut of.cache_read_tokens);
        self.cache_write.fill(Cut::No, &mut usage.cache_write_tokens, &mut of.cache_write_tokens);
        // Only what the model was still producing can have grown after the cut.
        self.output.fill(cut, &mut usage.output_tokens, &mut of.output_tokens);
        self.reasoning.fill(cut, &mut usage.reasoning_tokens, &mut of.reasoning_tokens);
        if let Some(raw) = self.raw.as_deref() {
            usage.raw = (*raw).into();
        }
        usage.warnings = usage.contradictions();
        (!usage.is_absent() || self.raw.is_some()).then_some(usage)
    }
}

/// Adds the counts of `more` to `total`. A count that one side lacks is the other's; provenance is the weaker one.
pub(crate) fn add_usage(total: &mut Usage, more: &Usage) {
    fn add(total: &mut Option<u64>, more: Option<u64>) {
        *total = match (*total, more) {
            (Some(a), Some(b)) => Some(a.saturating_add(b).min(MAX_SAFE_INTEGER)),
            (a, b) => a.or(b),
        };
    }
    fn weaken(total: &mut Option<Provenance>, more: Option<Provenance>) {
        *total = (*total).max(more);
    }
    add(&mut total.input_tokens, more.input_tokens);
    add(&mut total.output_tokens, more.output_tokens);
    add(&mut total.cache_read_tokens, more.cache_read_tokens);
    add(&mut total.cache_write_tokens, more.cache_write_tokens);
    add(&mut total.reasoning_tokens, more.reasoning_tokens);
    let (ours, theirs) = (&mut total.provenance, &more.provenance);
    weaken(&mut ours.input_tokens, theirs.input_tokens);
    weaken(&mut ours.output_tokens, theirs.output_tokens);
    weaken(&mut ours.cache_read_tokens, theirs.cache_read_tokens);
    weaken(&mut ours.cache_write_tokens, theirs.cache_write_tokens);
    weaken(&mut ours.reasoning_tokens, theirs.reasoning_tokens);
}
