//! Every cap of the engine, in one place.
//!
//! Whatever a caller or a server can grow has a cap here. Past a cap the engine keeps counting and drops the detail,
//! and the record's `diagnostics.dropped` says how much. Caps that a vector or a deployment may want to change are
//! fields of [`Limits`]; the rest are constants.

use serde::{Deserialize, Serialize};

use crate::fields::fields;

/// The adjustable caps of one call, given with the configuration as `limits`.
///
/// A cap of 0 keeps no detail of that kind; the counts go on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a plain table; `..Limits::default()` keeps callers working when it grows"
)]
pub struct Limits {
    /// Attempts kept in detail; the final one is always kept beside them. Default 32.
    pub attempts: usize,
    /// Waits kept in detail. Default 64.
    pub waits: usize,
    /// Phases kept in detail. Default 64.
    pub phases: usize,
    /// Phases open at the same time; deeper ones are dropped. Default 16.
    pub phase_depth: usize,
    /// Span events kept. Default 64.
    pub events: usize,
    /// Stalls kept as span events: they come with a slow stream and not with what it says. All of them are counted.
    /// Default 8.
    pub stall_events: usize,
    /// Tool calls told apart by index within one attempt; past it each new id or name counts. Default 64.
    pub tool_calls: usize,
    /// Choices whose finish reason is kept. Default 128.
    pub finish_reasons: usize,
    /// Caller attributes kept, on the call and on each attempt. Default 128.
    pub attributes: usize,
    /// Elements kept of a list attribute. Default 64.
    pub attribute_list: usize,
    /// Bytes kept of an attribute's text value. Default 4,096.
    pub attribute_bytes: usize,
    /// Bytes kept of names and ids: provider, model, operation, response id, error type, phase and tool names, keys of
    /// attributes. Default 256.
    pub name_bytes: usize,
    /// Bytes of an incomplete frame that are buffered; a longer frame is skipped and counted. Default 1 MiB for events
    /// of a stream.
    pub frame_bytes: usize,
    /// Bytes buffered of a whole JSON body; a longer body is skipped and counted. Default 16 MiB.
    pub body_bytes: usize,
    /// Open calls in a tracker; the oldest is finalized as abandoned when one more starts. Default 10,000.
    pub open_calls: usize,
    /// Finalized records that wait in a tracker to be polled; past it the oldest is dropped and counted. Default 10,000.
    pub pending_records: usize,
    /// Ids of finished calls that a tracker remembers, so that stragglers are told from new calls. Default 1,024.
    pub finished_calls: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempts: 32,
            waits: 64,
            phases: 64,
            phase_depth: 16,
            events: 64,
            stall_events: 8,
            tool_calls: 64,
            finish_reasons: 128,
            attributes: 128,
            attribute_list: 64,
            attribute_bytes: 4096,
            name_bytes: 256,
            frame_bytes: 1 << 20,
            body_bytes: 16 << 20,
            open_calls: 10_000,
            pending_records: 10_000,
            finished_calls: 1024,
        }
    }
}

fields! {
    Limits, skips None, others Refused {
        attempts,
        waits,
        phases,
        phase_depth,
        events,
        stall_events,
        tool_calls,
        finish_reasons,
        attributes,
        attribute_list,
        attribute_bytes,
        name_bytes,
        frame_bytes,
        body_bytes,
        open_calls,
        pending_records,
        finished_calls,
    }
}

/// Bytes kept of an error message, when messages are turned on.
pub const MESSAGE_BYTES: usize = 1024;

/// Powers of two that the inter-chunk sketch tells apart at the same time.
pub const SKETCH_BLOCKS: usize = 11;

/// Disjoint covered intervals held while the uncovered rest of a call is computed.
pub const COVERAGE_INTERVALS: usize = 32;

/// Attempts of one call whose stream decoders are alive at the same time (hedged attempts and stragglers).
pub const DECODERS: usize = 4;

/// Label sets with series of their own in an aggregator of metrics, unless its options say otherwise; calls with other labels
/// share one overflow series.
pub const LABEL_SETS: usize = 512;

/// Bytes kept of the value of a metric's label.
pub const LABEL_BYTES: usize = 256;

/// Buckets of an exponential histogram; when values need more, buckets are joined in pairs.
pub const EXPONENTIAL_BUCKETS: usize = 160;

/// Attempts, waits, phases and events of one call that are drawn in a trace, of each kind.
pub const TRACE_ENTRIES: usize = 1024;

/// Calls that a correlator keeps open for a retry; past it the one that has waited longest is over.
pub const CORRELATED_CALLS: usize = 1024;

/// Ids of responses that a correlator knows; past it the one that came first is forgotten.
pub const CORRELATED_RESPONSES: usize = 256;

/// Bytes of a request's body that are read for parameters and counts; of a longer one only the address tells. It is as much as the
/// largest providers accept.
pub const REQUEST_BYTES: usize = 32 << 20;

/// Rows of one waterfall; past it the middle is folded into a row that says how much it stands for.
pub const WATERFALL_ROWS: usize = 48;

/// Rows of one group of a waterfall: a phase with those inside it.
pub const WATERFALL_GROUP_ROWS: usize = 12;

/// Stalls drawn inside the bar of an attempt.
pub const WATERFALL_STALLS: usize = 64;

/// Stalls of a waterfall with a row of their own.
pub const WATERFALL_STALL_ROWS: usize = 4;

/// Levels of nesting that a waterfall tells apart.
pub const WATERFALL_DEPTH: u32 = 16;

/// Characters kept of a label, a note or a value of a waterfall.
pub const WATERFALL_LABEL_CHARS: usize = 120;

/// Characters kept of a sentence below a waterfall.
pub const WATERFALL_SENTENCE_CHARS: usize = 2048;

/// Bytes of an event log line or of a snapshot that are read; longer input is an error.
pub const WIRE_BYTES: usize = 64 << 20;

/// Spans exported of one call: the call's, then attempts, waits and phases.
pub const EXPORT_SPANS: usize = 1024;

/// Attributes exported of one span, of a resource or of a link. Past it the caller's own go first.
pub const EXPORT_ATTRIBUTES: usize = 512;

/// Events exported of one call, on all its spans together.
pub const EXPORT_EVENTS: usize = 256;

/// Links exported of one span.
pub const EXPORT_LINKS: usize = 128;

/// Elements exported of a list attribute.
pub const EXPORT_LIST: usize = 256;

/// Bytes exported of the name of a span or event; attributes with a longer key are left out.
pub const EXPORT_NAME_BYTES: usize = 256;

/// Bytes exported of an attribute's text, of all texts of a list together, and of a status message.
pub const EXPORT_VALUE_BYTES: usize = 16 << 10;

/// Bytes of a `tracestate` that is passed on (W3C Trace Context, 3.3.1.5: at least 512 have to be).
pub const TRACE_STATE_BYTES: usize = 512;

/// Cuts text to at most `max` bytes, on a character boundary.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_on_a_character_boundary() {
        assert_eq!(cut("naïve", 3), "na");
        assert_eq!(cut("naïve", 4), "naï");
        assert_eq!(cut("abc", 10), "abc");
        assert_eq!(cut("é", 1), "");
    }
}
