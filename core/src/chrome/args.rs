//! The arguments of a slice: values of the record under their own names.

use alloc::{string::String, vec::Vec};

use crate::{
    fields::{Members, OBJECT_BYTES, Write as _, write_list, write_string},
    limits::{Limits, cut},
    record::{AttributeValue, Attributes, InterChunk, RecordError, Usage},
    time::{MAX_SAFE_INTEGER, Nanos},
};

/// Arguments in the order in which they are added; what is absent is not added.
#[derive(Default)]
pub(super) struct Args<'a>(Vec<(&'static str, Arg<'a>)>);

enum Arg<'a> {
    Attributes(&'a Attributes),
    Count(u64),
    Flag(bool),
    Rate(f64),
    Text(&'a str),
    Texts(&'a [String]),
}

impl<'a> Args<'a> {
    pub(super) fn count(&mut self, key: &'static str, count: impl Into<Option<u64>>) -> &mut Self {
        self.push(key, count.into().map(Arg::Count))
    }

    pub(super) fn flag(&mut self, key: &'static str, flag: impl Into<Option<bool>>) -> &mut Self {
        self.push(key, flag.into().map(Arg::Flag))
    }

    pub(super) fn rate(&mut self, key: &'static str, rate: Option<f64>) -> &mut Self {
        self.push(key, rate.filter(|rate| rate.is_finite()).map(Arg::Rate))
    }

    pub(super) fn text(&mut self, key: &'static str, text: Option<&'a str>) -> &mut Self {
        self.push(key, text.map(Arg::Text))
    }

    pub(super) fn texts(&mut self, key: &'static str, texts: &'a [String]) -> &mut Self {
        self.push(key, (!texts.is_empty()).then_some(Arg::Texts(texts)))
    }

    pub(super) fn time(&mut self, key: &'static str, time: impl Into<Option<Nanos>>) -> &mut Self {
        self.push(key, time.into().map(|time| Arg::Count(time.as_nanos())))
    }

    pub(super) fn attributes(&mut self, attributes: &'a Attributes) -> &mut Self {
        self.push("attributes", (!attributes.is_empty()).then_some(Arg::Attributes(attributes)))
    }

    pub(super) fn error(&mut self, status_code: Option<u16>, error: Option<&'a RecordError>) -> &mut Self {
        let status = status_code.or(error.and_then(|error| error.status_code));
        self.count("status_code", status.map(u64::from))
            .text("error_type", error.map(|error| error.error_type.as_str()))
            .text("error_message", error.and_then(|error| error.message.as_deref()))
    }

    pub(super) fn gaps(&mut self, gaps: Option<&InterChunk>) -> &mut Self {
        self.time("inter_chunk_p50_ns", gaps.map(|gaps| gaps.p50_ns))
            .time("inter_chunk_p99_ns", gaps.map(|gaps| gaps.p99_ns))
            .time("inter_chunk_max_ns", gaps.map(|gaps| gaps.max_ns))
            .count("stalls", gaps.map(|gaps| gaps.stalls))
            .time("stalled_ns", gaps.map(|gaps| gaps.stalled_ns))
    }

    pub(super) fn usage(&mut self, usage: Option<&Usage>) -> &mut Self {
        let count = |of: fn(&Usage) -> Option<u64>| usage.and_then(of);
        self.count("input_tokens", count(|usage| usage.input_tokens))
            .count("output_tokens", count(|usage| usage.output_tokens))
            .count("cache_read_tokens", count(|usage| usage.cache_read_tokens))
            .count("cache_write_tokens", count(|usage| usage.cache_write_tokens))
            .count("reasoning_tokens", count(|usage| usage.reasoning_tokens))
    }

    /// The arguments as a JSON object.
    pub(super) fn to_json(&self) -> String {
        let mut out = String::with_capacity(OBJECT_BYTES);
        write_members(&mut out, self.0.iter().map(|(key, arg)| (*key, arg)), |out, arg| arg.write(out));
        out
    }

    fn push(&mut self, key: &'static str, arg: Option<Arg<'a>>) -> &mut Self {
        self.0.extend(arg.map(|arg| (key, arg)));
        self
    }
}

impl Arg<'_> {
    fn write(&self, out: &mut String) {
        let limits = Limits::default();
        match self {
            Self::Attributes(attributes) => write_attributes(out, attributes, &limits),
            Self::Count(count) => Nanos::from_nanos(*count).write(out),
            Self::Flag(flag) => flag.write(out),
            Self::Rate(rate) => rate.write(out),
            Self::Text(text) => write_string(out, cut(text, limits.attribute_bytes)),
            Self::Texts(texts) => write_texts(out, texts, limits.finish_reasons, limits.name_bytes),
        }
    }
}

/// Writes attributes within the caps that the engine has for them: a record that was read from elsewhere may hold any.
fn write_attributes(out: &mut String, attributes: &Attributes, limits: &Limits) {
    let kept = attributes.iter().take(limits.attributes).filter(|(_, value)| match value {
        AttributeValue::Float(number) => number.is_finite(),
        _ => true,
    });
    write_members(out, kept.map(|(key, value)| (cut(key, limits.name_bytes), value)), |out, value| match value {
        AttributeValue::Int(number) if number.unsigned_abs() > MAX_SAFE_INTEGER => {
            out.push('"');
            number.write(out);
            out.push('"');
        }
        AttributeValue::Str(text) => write_string(out, cut(text, limits.attribute_bytes)),
        AttributeValue::StrList(texts) => write_texts(out, texts, limits.attribute_list, limits.attribute_bytes),
        other => other.write(out),
    });
}

fn write_members<'k, V>(out: &mut String, members: impl Iterator<Item = (&'k str, V)>, write: impl Fn(&mut String, V)) {
    let mut object = Members::new(out);
    for (key, value) in members {
        write(object.escaped(key), value);
    }
    object.end();
}

fn write_texts(out: &mut String, texts: &[String], most: usize, bytes: usize) {
    write_list(out, texts.get(..most).unwrap_or(texts).iter(), &mut |out, text| write_string(out, cut(text, bytes)));
}
