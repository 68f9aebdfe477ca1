//! What a waterfall shows, as data.

use alloc::{string::String, vec::Vec};

use serde::{Serialize, Serializer};

use super::{
    axis::Axis,
    brief::{self, Brief},
    rows,
    words::{clean, sentence},
};
use crate::{
    explain::{
        Explanation,
        Value::{Label, Text},
        readable, said,
    },
    fields::{self, to_json, write_string, written},
    record::{Outcome, Record},
    time::Nanos,
};

/// A record as a waterfall: what was asked, rows of bars on one time axis, values and explanations. Every renderer draws
/// this, and a page that draws for itself reads it as JSON.
///
/// Texts hold no control characters and are cut to the caps of [`limits`](crate::limits); they are not escaped for any
/// markup. The JSON is described in the [module](super).
///
/// # Examples
/// ```
/// use llmspan_core::{record::Record, time::Nanos, waterfall::{RowKind, Waterfall}};
///
/// let record = Record::from_json(
///     r#"{"duration_ns": 3000000000, "waits": [{"reason": "rate_limit", "server_requested": true,
///         "planned_delay_ns": 2000000000, "actual_delay_ns": 2000000000, "start_ns": 500000000}]}"#,
/// )?;
/// let waterfall = Waterfall::new(&record);
/// let wait = &waterfall.rows[0];
/// assert_eq!((wait.kind, wait.label.as_str()), (RowKind::Wait, "wait rate_limit"));
/// assert_eq!((wait.start_ns, wait.duration_ns), (Nanos::from_millis(500), Nanos::from_secs(2)));
/// assert_eq!(wait.note.as_deref(), Some("the server asked for 2 s"));
/// # Ok::<(), llmspan_core::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Waterfall {
    /// What was asked of whom, and how it ended.
    pub head: Head,
    /// Length of the call, which is that of the axis.
    pub duration_ns: Nanos,
    /// Round times along the call, at most [`Axis::TICKS`] steps.
    pub axis: Axis,
    /// The rows from top to bottom: in the order of their start, what is inside of something below it.
    pub rows: Vec<Row>,
    /// The values of the record that readers look for first.
    pub brief: Brief,
    /// [`Record::explain`] of the record.
    pub explanations: Vec<Explanation>,
}

written! { Waterfall, skips None { head, duration_ns, axis, rows, brief, explanations } }

impl Waterfall {
    /// Lays a record out.
    pub fn new(record: &Record) -> Self {
        let mut explanations = record.explain();
        for explanation in &mut explanations {
            explanation.text = sentence(&explanation.text);
        }
        Self {
            head: Head::new(record),
            duration_ns: record.duration_ns,
            axis: Axis::new(record.duration_ns, Axis::TICKS),
            rows: rows::rows(record),
            brief: brief::brief(record),
            explanations,
        }
    }
}

/// Writes the waterfall of a record as JSON, in the shape that the [module](super) describes.
pub fn json(record: &Record) -> String {
    to_json(&Waterfall::new(record))
}

/// The line above a waterfall.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Head {
    /// Operation, model and provider: `chat gpt-4.1-mini @ openai`, with `?` for what is unknown.
    pub what: String,
    /// How the call ended.
    pub outcome: Outcome,
    /// The outcome in words, with the error where there is one: `error: rate_limit 429`.
    pub ending: String,
    /// Length of the call with its unit.
    pub duration: String,
}

written! { Head, skips None { what, outcome, ending, duration } }

impl Head {
    fn new(record: &Record) -> Self {
        let model = record.model.as_deref().unwrap_or("?");
        let provider = record.provider.as_deref().unwrap_or("?");
        let operation = record.operation.as_deref().unwrap_or("call");
        let outcome = record.outcome.as_str();
        let ending = match &record.error {
            Some(error) => clean(&said("{}: {}", &[Text(outcome), Label(error)])),
            None => outcome.into(),
        };
        let (operation, model, provider) = (clean(operation), clean(model), clean(provider));
        Self {
            what: said("{} {} @ {}", &[Text(&operation), Text(&model), Text(&provider)]),
            outcome: record.outcome,
            ending,
            duration: readable(record.duration_ns),
        }
    }
}

/// One row: a stretch of the call, and what it is made of.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// What the stretch is.
    pub kind: RowKind,
    /// Name of the row, such as `attempt 1`, `wait rate_limit`, or the name of a phase.
    pub label: String,
    /// Rows around it: 0 is top level.
    pub depth: u32,
    /// Number of the attempt that the row belongs to; absent for phases, waits and folded rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Start, from the start of the call.
    pub start_ns: Nanos,
    /// Length of the stretch.
    pub duration_ns: Nanos,
    /// What there is to say beside the bar: an error, what the server asked for, a rate. Absent when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether it ended with an error or a timeout.
    pub failed: bool,
    /// What the bar is made of, in drawing order: a later one covers an earlier one. One without length is an instant.
    pub segments: Vec<Segment>,
}

written! { Row, skips None { kind, label, depth, attempt, start_ns, duration_ns, note, failed, segments } }

impl Row {
    /// End of the stretch, from the start of the call.
    pub fn end_ns(&self) -> Nanos {
        self.start_ns.saturating_add(self.duration_ns)
    }
}

/// A stretch of a bar.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Segment {
    /// What happened meanwhile.
    pub kind: SegmentKind,
    /// Start, from the start of the call.
    pub start_ns: Nanos,
    /// Length of the stretch.
    pub duration_ns: Nanos,
    /// Whether it belongs to an attempt whose response was lost to an error or a timeout.
    pub failed: bool,
}

written! { Segment, skips None { kind, start_ns, duration_ns, failed } }

impl Segment {
    /// End of the stretch, from the start of the call.
    pub fn end_ns(&self) -> Nanos {
        self.start_ns.saturating_add(self.duration_ns)
    }

    pub(super) fn between(kind: SegmentKind, start: Nanos, end: Nanos) -> Self {
        Self { kind, start_ns: start, duration_ns: end.saturating_sub(start), failed: false }
    }
}

macro_rules! keys {
    ($(#[$type_meta:meta])* $name:ident { $($(#[$meta:meta])* $variant:ident = $key:literal, $words:literal;)* }) => {
        $(#[$type_meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$meta])* $variant,)*
        }

        impl $name {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable key, in snake case: the value in JSON.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$variant => $key,)*
                }
            }

            /// The kind in words.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$variant => $words,)*
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.key())
            }
        }

        impl fields::Write for $name {
            fn write(&self, out: &mut String) {
                write_string(out, self.key());
            }
        }
    };
}

keys! {
    /// What a [`Row`] is.
    RowKind {
        /// From the first visible chunk that is not reasoning to the end of the attempt; only after reasoning.
        Answer = "answer", "answer";
        /// A physical request.
        Attempt = "attempt", "attempt";
        /// From the request to the first chunk of any kind.
        FirstChunk = "first_chunk", "first chunk";
        /// From the start of the attempt to the first visible chunk: the time to first token.
        FirstToken = "first_token", "first token";
        /// Rows that are not drawn: its label says how many of what.
        Folded = "folded", "folded";
        /// From the request to the response headers.
        Headers = "headers", "headers";
        /// A named stretch of local work.
        Phase = "phase", "phase";
        /// From the first visible reasoning to the first answer, or to the end without one.
        Reasoning = "reasoning", "reasoning";
        /// From the first visible chunk to the end of the attempt.
        Sampling = "sampling", "sampling";
        /// A gap between visible chunks that was longer than the configured bound.
        Stall = "stall", "stall";
        /// A pause between attempts, or before the first one.
        Wait = "wait", "wait";
    }
}

keys! {
    /// What happens in a [`Segment`].
    SegmentKind {
        /// Visible content comes.
        Content = "content", "content";
        /// Rows that are not drawn were here.
        Folded = "folded", "not drawn";
        /// Local work is done.
        Local = "local", "local work";
        /// A pause between requests.
        Pause = "pause", "pause";
        /// The server answers, and nothing is visible yet.
        Pending = "pending", "nothing visible yet";
        /// Nothing comes, in the middle of content.
        Stalled = "stalled", "stalled";
        /// Nothing comes back yet.
        Waiting = "waiting", "waiting for the server";
    }
}
