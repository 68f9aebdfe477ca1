//! Token counts as a caller reports them.

use alloc::string::String;
use core::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de,
    ser::{SerializeMap as _, SerializeStruct as _},
};

use crate::{
    delta::{Provenance, UsageMode, UsageReport},
    fields::{Absent, Mismatch, Others, Read, ReadFields, Skips, Write, WriteFields, read_object, write_object},
    provider::{JsonNumber, JsonReader, JsonValue},
    time::MAX_SAFE_INTEGER,
};

/// Token counts of one report.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ReportedUsage {
    /// Input tokens, cache reads and writes included.
    pub input_tokens: ReportedCount,
    /// Output tokens, reasoning included.
    pub output_tokens: ReportedCount,
    /// Input tokens read from the provider's cache.
    pub cache_read_tokens: ReportedCount,
    /// Input tokens written to the provider's cache.
    pub cache_write_tokens: ReportedCount,
    /// Output tokens spent on reasoning.
    pub reasoning_tokens: ReportedCount,
    /// Whether the counts replace or add.
    pub mode: UsageMode,
    /// Where the counts come from.
    pub source: Provenance,
}

impl ReportedUsage {
    /// A report of input and output tokens.
    pub fn of(input_tokens: u64, output_tokens: u64) -> Self {
        Self { input_tokens: input_tokens.into(), output_tokens: output_tokens.into(), ..Self::default() }
    }

    /// Says that the caller estimated the counts.
    pub fn estimated(mut self) -> Self {
        self.source = Provenance::Estimated;
        self
    }

    /// The report as the machine takes it.
    pub fn to_report(&self) -> UsageReport {
        let mut report = UsageReport { mode: self.mode, source: self.source, ..UsageReport::default() };
        for (slot, count) in [
            (&mut report.input_tokens, self.input_tokens),
            (&mut report.output_tokens, self.output_tokens),
            (&mut report.cache_read_tokens, self.cache_read_tokens),
            (&mut report.cache_write_tokens, self.cache_write_tokens),
            (&mut report.reasoning_tokens, self.reasoning_tokens),
        ] {
            match count {
                ReportedCount::Absent => {}
                ReportedCount::Value(value) => *slot = Some(value),
                ReportedCount::Rejected => report.rejected = report.rejected.saturating_add(1),
            }
        }
        report
    }
}

/// JSON leaves out counts that are absent, the mode `cumulative` and the source `reported`.
impl Serialize for ReportedUsage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counts = [
            ("input_tokens", &self.input_tokens),
            ("output_tokens", &self.output_tokens),
            ("cache_read_tokens", &self.cache_read_tokens),
            ("cache_write_tokens", &self.cache_write_tokens),
            ("reasoning_tokens", &self.reasoning_tokens),
        ];
        if serializer.is_human_readable() {
            let mut map = serializer.serialize_map(None)?;
            for (name, count) in counts.into_iter().filter(|(_, count)| **count != ReportedCount::Absent) {
                map.serialize_entry(name, count)?;
            }
            if self.mode != UsageMode::default() {
                map.serialize_entry("mode", &self.mode)?;
            }
            if self.source != Provenance::default() {
                map.serialize_entry("source", &self.source)?;
            }
            return map.end();
        }
        let mut fields = serializer.serialize_struct("ReportedUsage", counts.len().saturating_add(2))?;
        for (name, count) in counts {
            fields.serialize_field(name, count)?;
        }
        fields.serialize_field("mode", &self.mode)?;
        fields.serialize_field("source", &self.source)?;
        fields.end()
    }
}

/// A count as it arrived: unusable ones are told from absent ones, so that they can be counted.
///
/// In JSON: an integer from 0 to 2^53 (12.0 is 12), `null` for absent; anything else is rejected, and a rejected count is
/// written as -1.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ReportedCount {
    /// Not reported.
    #[default]
    Absent,
    /// Reported, and usable.
    Value(u64),
    /// Reported as something that is no count.
    Rejected,
}

impl ReportedCount {
    fn of_float(value: f64) -> Self {
        // 2^53: every whole float up to it is an exact integer.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "range checked"
        )]
        if (0.0..=MAX_SAFE_INTEGER as f64).contains(&value) && value % 1.0 == 0.0 {
            Self::Value(value as u64)
        } else {
            Self::Rejected
        }
    }
}

impl From<u64> for ReportedCount {
    fn from(value: u64) -> Self {
        if value <= MAX_SAFE_INTEGER { Self::Value(value) } else { Self::Rejected }
    }
}

impl Serialize for ReportedCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Value(value) if serializer.is_human_readable() => serializer.serialize_u64(*value),
            Self::Rejected if serializer.is_human_readable() => serializer.serialize_i64(-1),
            Self::Value(value) => serializer.serialize_some(value),
            Self::Rejected => serializer.serialize_some(&u64::MAX),
        }
    }
}

impl<'de> Deserialize<'de> for ReportedCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Lenient)
        } else {
            Ok(Option::<u64>::deserialize(deserializer)?.map_or(Self::Absent, Self::from))
        }
    }
}

impl Write for ReportedCount {
    fn is_empty(&self) -> bool {
        *self == Self::Absent
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Absent => out.push_str("null"),
            Self::Value(value) => value.write(out),
            Self::Rejected => out.push_str("-1"),
        }
    }
}

impl Read for ReportedCount {
    fn read(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
        *self = match reader.value()? {
            JsonValue::Null => Self::Absent,
            JsonValue::Number(JsonNumber::Unsigned(value)) => value.into(),
            JsonValue::Number(JsonNumber::Float(value)) => Self::of_float(value),
            _ => Self::Rejected,
        };
        Ok(())
    }
}

/// The mode `cumulative` and the source `reported` are not written.
impl WriteFields for ReportedUsage {
    fn names(&self) -> &'static str {
        NAMES
    }

    fn field(&self, number: usize) -> Option<&dyn Write> {
        Some(match number {
            0 => &self.input_tokens,
            1 => &self.output_tokens,
            2 => &self.cache_read_tokens,
            3 => &self.cache_write_tokens,
            4 => &self.reasoning_tokens,
            5 if self.mode != UsageMode::default() => &self.mode,
            6 if self.source != Provenance::default() => &self.source,
            5 | 6 => &Absent,
            _ => return None,
        })
    }

    fn skips(&self) -> Skips {
        Skips::Empty
    }
}

impl ReadFields for ReportedUsage {
    fn names(&self) -> &'static str {
        NAMES
    }

    fn field_mut(&mut self, number: usize) -> Option<&mut dyn Read> {
        Some(match number {
            0 => &mut self.input_tokens,
            1 => &mut self.output_tokens,
            2 => &mut self.cache_read_tokens,
            3 => &mut self.cache_write_tokens,
            4 => &mut self.reasoning_tokens,
            5 => &mut self.mode,
            6 => &mut self.source,
            _ => return None,
        })
    }

    fn others(&self) -> Others {
        Others::Refused
    }
}

const NAMES: &str =
    "input_tokens\noutput_tokens\ncache_read_tokens\ncache_write_tokens\nreasoning_tokens\nmode\nsource\n";

impl Write for ReportedUsage {
    fn write(&self, out: &mut String) {
        write_object(self, out);
    }
}

impl Read for ReportedUsage {
    fn read(&mut self, reader: &mut JsonReader<'_>) -> Result<(), Mismatch> {
        read_object(self, reader)
    }
}

struct Lenient;

impl<'de> de::Visitor<'de> for Lenient {
    type Value = ReportedCount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token count")
    }

    fn visit_unit<E: de::Error>(self) -> Result<ReportedCount, E> {
        Ok(ReportedCount::Absent)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<ReportedCount, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<ReportedCount, E> {
        Ok(ReportedCount::Rejected)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<ReportedCount, E> {
        Ok(ReportedCount::of_float(value))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<ReportedCount, E> {
        Ok(ReportedCount::Rejected)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<ReportedCount, E> {
        Ok(ReportedCount::Rejected)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<ReportedCount, A::Error> {
        while seq.next_element::<de::IgnoredAny>()?.is_some() {}
        Ok(ReportedCount::Rejected)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<ReportedCount, A::Error> {
        while map.next_entry::<de::IgnoredAny, de::IgnoredAny>()?.is_some() {}
        Ok(ReportedCount::Rejected)
    }
}
