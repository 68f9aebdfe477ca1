//! Token counts of one attempt as its reports come in.

use alloc::{boxed::Box, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    delta::{Provenance, RawUsage, UsageMode, UsageReport},
    record::{ProvenanceOf, Usage},
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
        let mut usage = Usage {
            input_tokens: self.input.get(),
            output_tokens: self.output.get(),
            cache_read_tokens: self.cache_read.get(),
            cache_write_tokens: self.cache_write.get(),
            reasoning_tokens: self.reasoning.get(),
            // Only what the model was still producing can have grown after the cut.
            provenance: ProvenanceOf {
                input_tokens: self.input.provenance(Cut::No),
                output_tokens: self.output.provenance(cut),
                cache_read_tokens: self.cache_read.provenance(Cut::No),
                cache_write_tokens: self.cache_write.provenance(Cut::No),
                reasoning_tokens: self.reasoning.provenance(cut),
            },
            raw: self.raw.as_deref().copied().unwrap_or_default().into(),
            warnings: Vec::new(),
        };
        usage.warnings = usage.contradictions();
        let known = [
            &usage.input_tokens,
            &usage.output_tokens,
            &usage.cache_read_tokens,
            &usage.cache_write_tokens,
            &usage.reasoning_tokens,
        ]
        .iter()
        .any(|count| count.is_some());
        (known || self.raw.is_some()).then_some(usage)
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
    add(&mut total.input_tokens, more.input_tokens);
    add(&mut total.output_tokens, more.output_tokens);
    add(&mut total.cache_read_tokens, more.cache_read_tokens);
    add(&mut total.cache_write_tokens, more.cache_write_tokens);
    add(&mut total.reasoning_tokens, more.reasoning_tokens);
    let (ours, theirs) = (&mut total.provenance, &more.provenance);
    ours.input_tokens = ours.input_tokens.max(theirs.input_tokens);
    ours.output_tokens = ours.output_tokens.max(theirs.output_tokens);
    ours.cache_read_tokens = ours.cache_read_tokens.max(theirs.cache_read_tokens);
    ours.cache_write_tokens = ours.cache_write_tokens.max(theirs.cache_write_tokens);
    ours.reasoning_tokens = ours.reasoning_tokens.max(theirs.reasoning_tokens);
}
