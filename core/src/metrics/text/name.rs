//! Names as Prometheus has them.
//!
//! The rules are those of OpenTelemetry's "Prometheus and OpenMetrics compatibility", metric metadata.

use alloc::{borrow::Cow, format, string::String};

use super::NameStyle;
use crate::metrics::names::{Metric, MetricKind};

/// The name of a family and its unit, both as Prometheus has them.
#[derive(Debug)]
pub(super) struct FamilyName {
    /// Without the suffixes of samples, such as `_total` and `_bucket`.
    pub(super) family: String,
    /// The unit, if the name ends with it: OpenMetrics allows no other.
    pub(super) unit: Option<Cow<'static, str>>,
}

impl FamilyName {
    pub(super) fn of(metric: &Metric, style: NameStyle) -> Self {
        let mut family = match style {
            NameStyle::Underscores => metric_name(metric.name()),
            NameStyle::Utf8 => String::from(metric.name()),
        };
        if metric.kind() == MetricKind::Counter
            && let Some(short) = family.strip_suffix("_total").map(str::len)
        {
            family.truncate(short);
        }
        let unit = unit_word(metric.unit());
        if let Some(unit) = &unit
            && !family.split(|char: char| !char.is_ascii_alphanumeric()).any(|word| word == &**unit)
        {
            family.push('_');
            family.push_str(unit);
        }
        let unit = unit.filter(|unit| family.strip_suffix(&**unit).is_some_and(|rest| rest.ends_with('_')));
        Self { family, unit }
    }
}

/// Other characters than `[a-zA-Z0-9_:]` become underscores, runs of them one, and a digit does not come first.
fn metric_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        out.push('_');
    }
    for char in name.chars() {
        if char.is_ascii_alphanumeric() || char == ':' {
            out.push(char);
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    out
}

/// Other characters than `[a-zA-Z0-9_]` become underscores, and a digit does not come first.
pub(super) fn label_name(name: &str) -> Cow<'_, str> {
    if is_label_name(name) {
        return Cow::Borrowed(name);
    }
    let replaced: String = name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect();
    if replaced.starts_with(|first: char| first.is_ascii_digit()) {
        return Cow::Owned(format!("key_{replaced}"));
    }
    Cow::Owned(replaced)
}

/// Whether a label can be written without quotes.
pub(super) fn is_label_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a metric can be written without quotes.
pub(super) fn is_metric_name(name: &str) -> bool {
    is_label_name(name.trim_start_matches(':').split(':').next().unwrap_or_default())
        && name.split(':').all(|part| part.is_empty() || is_label_name(part))
}

/// The word for a unit; `None` for things that are counted (`{token}`) and for `1`.
fn unit_word(unit: &str) -> Option<Cow<'static, str>> {
    let (unit, per) = unit.split_once('/').map_or((unit, None), |(unit, per)| (unit, Some(per)));
    let main = UNITS.iter().find(|(short, _)| *short == unit).map(|(_, word)| Cow::Borrowed(*word));
    let main = main.or_else(|| plain_unit(unit));
    let Some(per) = per else { return main };
    let per = PER_UNITS.iter().find(|(short, _)| *short == per).map(|(_, word)| Cow::Borrowed(*word));
    match (main, per) {
        (Some(main), Some(per)) => Some(Cow::Owned(format!("{main}_per_{per}"))),
        (None, Some(per)) => Some(Cow::Owned(format!("per_{per}"))),
        (main, None) => main,
    }
}

/// A unit that has no other word. Annotations in braces say what is counted and are no unit.
fn plain_unit(unit: &str) -> Option<Cow<'static, str>> {
    if unit.contains(['{', '}']) || unit == "1" {
        return None;
    }
    let word = metric_name(unit);
    let word = word.trim_matches('_');
    (!word.is_empty()).then(|| Cow::Owned(word.into()))
}

const UNITS: &[(&str, &str)] = &[
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("min", "minutes"),
    ("h", "hours"),
    ("d", "days"),
    ("By", "bytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("%", "percent"),
];

const PER_UNITS: &[(&str, &str)] = &[("s", "second"), ("min", "minute"), ("h", "hour"), ("d", "day")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_have_words() {
        for (unit, word) in [
            ("s", Some("seconds")),
            ("ms", Some("milliseconds")),
            ("By", Some("bytes")),
            ("{token}", None),
            ("1", None),
            ("", None),
            ("{token}/s", Some("per_second")),
            ("By/min", Some("bytes_per_minute")),
            ("USD", Some("USD")),
            ("{USD}", None),
        ] {
            assert_eq!(unit_word(unit).as_deref(), word, "{unit}");
        }
    }

    #[test]
    fn names_are_what_prometheus_takes() {
        assert_eq!(metric_name("qwen-code.api.request.breakdown"), "qwen_code_api_request_breakdown");
        assert_eq!(metric_name("a..b--c"), "a_b_c");
        assert_eq!(metric_name("2xx"), "_2xx");
        assert_eq!(metric_name("größe"), "gr_e");
        assert_eq!(label_name("gen_ai.request.model"), "gen_ai_request_model");
        assert_eq!(label_name("4xx.model"), "key_4xx_model");
        assert!(is_metric_name("a:b_c"));
        assert!(!is_metric_name("a.b"));
        assert!(!is_metric_name(""));
        assert!(!is_label_name("a:b"));
    }
}
