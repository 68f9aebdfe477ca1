//! A strict reader of the text formats, written from their grammars and not from the writer.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{iter::Peekable, str::Chars};

#[derive(Debug, Default, PartialEq)]
pub(super) struct Family {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) unit: Option<String>,
    pub(super) help: Option<String>,
    pub(super) samples: Vec<Sample>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: String,
    pub(super) exemplar: Option<Exemplar>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exemplar {
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: String,
    pub(super) timestamp: Option<String>,
}

impl Sample {
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Format {
    OpenMetrics,
    Prometheus,
}

/// Reads an exposition, or says what is wrong with it.
pub(super) fn parse(text: &str, format: Format) -> Result<Vec<Family>, String> {
    let body = match format {
        Format::OpenMetrics => text.strip_suffix("# EOF\n").ok_or("no mark of the end")?,
        Format::Prometheus => text,
    };
    if !body.is_empty() && !body.ends_with('\n') {
        return Err("the last line does not end".into());
    }
    let mut families: Vec<Family> = Vec::new();
    for line in body.split_terminator('\n') {
        read_line(line, format, &mut families).map_err(|error| format!("{error}: {line}"))?;
    }
    let mut names = BTreeSet::new();
    for family in &families {
        check(family, format).map_err(|error| format!("{}: {error}", family.name))?;
        if !names.insert(family.name.clone()) {
            return Err(format!("{} comes twice", family.name));
        }
    }
    Ok(families)
}

fn read_line(line: &str, format: Format, families: &mut Vec<Family>) -> Result<(), String> {
    if let Some(metadata) = line.strip_prefix("# ") {
        let (keyword, rest) = metadata.split_once(' ').ok_or("no keyword")?;
        let mut chars = rest.chars().peekable();
        let name = if chars.peek() == Some(&'"') { quoted(&mut chars)? } else { word(&mut chars, is_metric_char)? };
        expect(&mut chars, ' ')?;
        let text = unescape(&chars.collect::<String>(), format)?;
        if families.last().is_none_or(|family| family.name != name) {
            families.push(Family { name, ..Family::default() });
        }
        let family = families.last_mut().ok_or("no family")?;
        if !family.samples.is_empty() {
            return Err("metadata behind samples".into());
        }
        match keyword {
            "TYPE" if family.kind.is_empty() => family.kind = text,
            "HELP" if family.help.is_none() => family.help = Some(text),
            "UNIT" if family.unit.is_none() && format == Format::OpenMetrics => family.unit = Some(text),
            _ => return Err("unknown or repeated keyword".into()),
        }
        return Ok(());
    }
    let sample = read_sample(line, format)?;
    let family = families.last_mut().ok_or("a sample before any family")?;
    let suffixes: &[&str] = match (family.kind.as_str(), format) {
        ("counter", Format::OpenMetrics) => &["_total", "_created"],
        ("counter", Format::Prometheus) => &[""],
        ("histogram", Format::OpenMetrics) => &["_bucket", "_count", "_sum", "_created"],
        ("histogram", Format::Prometheus) => &["_bucket", "_count", "_sum"],
        _ => return Err("unknown type".into()),
    };
    let suffix = sample.name.strip_prefix(family.name.as_str());
    if !suffixes.iter().any(|allowed| suffix == Some(*allowed)) {
        return Err(format!("not a sample of {}", family.name));
    }
    family.samples.push(sample);
    Ok(())
}

fn read_sample(line: &str, format: Format) -> Result<Sample, String> {
    let mut chars = line.chars().peekable();
    let mut name = String::new();
    if chars.peek() != Some(&'{') {
        name = word(&mut chars, is_metric_char)?;
    }
    let mut labels = Vec::new();
    if chars.peek() == Some(&'{') {
        labels = read_labels(&mut chars, &mut name)?;
    }
    expect(&mut chars, ' ')?;
    let value = word(&mut chars, is_number_char)?;
    let mut exemplar = None;
    if chars.peek().is_some() {
        for char in " # ".chars() {
            expect(&mut chars, char)?;
        }
        let mut no_name = "unused".to_string();
        let labels = read_labels(&mut chars, &mut no_name)?;
        expect(&mut chars, ' ')?;
        let value = word(&mut chars, is_number_char)?;
        let mut timestamp = None;
        if chars.peek().is_some() {
            expect(&mut chars, ' ')?;
            timestamp = Some(word(&mut chars, is_number_char)?);
        }
        let runes: usize = labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
        if format == Format::Prometheus || runes > 128 || chars.peek().is_some() {
            return Err("an exemplar that must not be".into());
        }
        exemplar = Some(Exemplar { labels, value, timestamp });
    }
    if name.is_empty() {
        return Err("no name".into());
    }
    Ok(Sample { name, labels, value, exemplar })
}

fn read_labels(chars: &mut Peekable<Chars<'_>>, name: &mut String) -> Result<Vec<(String, String)>, String> {
    let mut labels: Vec<(String, String)> = Vec::new();
    expect(chars, '{')?;
    loop {
        let key = if chars.peek() == Some(&'"') { quoted(chars)? } else { word(chars, is_label_char)? };
        if chars.peek() == Some(&'=') {
            expect(chars, '=')?;
            let value = quoted(chars)?;
            if labels.iter().any(|(known, _)| *known == key) {
                return Err(format!("label {key} comes twice"));
            }
            labels.push((key, value));
        } else if name.is_empty() && labels.is_empty() {
            *name = key;
        } else {
            return Err("a label without a value".into());
        }
        match chars.next() {
            Some(',') => {}
            Some('}') => return Ok(labels),
            other => return Err(format!("{other:?} behind a label")),
        }
    }
}

fn check(family: &Family, format: Format) -> Result<(), String> {
    if family.kind.is_empty() || family.help.is_none() || family.samples.is_empty() {
        return Err("without type, help or samples".into());
    }
    if let Some(unit) = &family.unit
        && !family.name.ends_with(&format!("_{unit}"))
    {
        return Err("the name does not end with the unit".into());
    }
    if format == Format::Prometheus && family.kind == "counter" && !family.name.ends_with("_total") {
        return Err("a counter without _total".into());
    }
    let mut seen = BTreeSet::new();
    for sample in &family.samples {
        let mut labels = sample.labels.clone();
        labels.sort();
        if !seen.insert((sample.name.clone(), labels)) {
            return Err(format!("{sample:?} comes twice"));
        }
        number(&sample.value)?;
        let is_bucket = sample.name.len() == family.name.len() + "_bucket".len() && sample.name.ends_with("_bucket");
        if sample.exemplar.is_some() && !is_bucket {
            return Err("an exemplar outside of buckets".into());
        }
    }
    if family.kind == "histogram" { check_histogram(family) } else { Ok(()) }
}

fn check_histogram(family: &Family) -> Result<(), String> {
    let own = |sample: &Sample| {
        let labels = sample.labels.iter().filter(|(name, _)| name != "le").cloned();
        labels.collect::<Vec<_>>()
    };
    let mut rest = &family.samples[..];
    while let [first, ..] = rest {
        let labels = own(first);
        let length = rest.iter().take_while(|sample| own(sample) == labels).count();
        let (series, others) = rest.split_at(length);
        rest = others;
        let (mut bound, mut below) = (f64::NEG_INFINITY, 0.0);
        let buckets: Vec<_> = series.iter().take_while(|sample| sample.name.ends_with("_bucket")).collect();
        for bucket in &buckets {
            let text = bucket.label("le").ok_or("a bucket without le")?;
            let upper = if text == "+Inf" { f64::INFINITY } else { number(text)? };
            if text != "+Inf" && !text.contains(['.', 'e']) {
                return Err(format!("le {text} is not canonical"));
            }
            let count = number(&bucket.value)?;
            if upper <= bound || count < below {
                return Err("buckets do not rise".into());
            }
            if let Some(exemplar) = &bucket.exemplar {
                let value = number(&exemplar.value)?;
                if value > upper || value <= bound && bound > 0.0 || count <= below {
                    return Err("an exemplar outside of its bucket".into());
                }
            }
            (bound, below) = (upper, count);
        }
        let at = |suffix: &str| series.iter().find(|sample| sample.name == format!("{}{suffix}", family.name));
        let count = number(&at("_count").ok_or("no count")?.value)?;
        at("_sum").ok_or("no sum")?;
        let last = buckets.last().ok_or("no buckets")?;
        #[expect(clippy::float_cmp, reason = "both are the same integer")]
        let same = number(&last.value)? == count;
        if last.label("le") != Some("+Inf") || !same {
            return Err("the last bucket is not the count".into());
        }
    }
    Ok(())
}

fn number(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
    if value.is_finite() { Ok(value) } else { Err(format!("{text} is not finite")) }
}

fn word(chars: &mut Peekable<Chars<'_>>, allowed: fn(char) -> bool) -> Result<String, String> {
    let mut word = String::new();
    while let Some(char) = chars.next_if(|char| allowed(*char)) {
        word.push(char);
    }
    let numeric = allowed('-');
    if word.is_empty() || !numeric && word.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(format!("`{word}` is no name or number"));
    }
    Ok(word)
}

fn quoted(chars: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    expect(chars, '"')?;
    let mut text = String::new();
    loop {
        match chars.next().ok_or("quotes are not closed")? {
            '"' => return Ok(text),
            '\\' => match chars.next() {
                Some('n') => text.push('\n'),
                Some(char @ ('"' | '\\')) => text.push(char),
                other => return Err(format!("unknown escape {other:?}")),
            },
            char if char.is_control() => return Err("a control character".into()),
            char => text.push(char),
        }
    }
}

fn unescape(text: &str, format: Format) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, format) {
            ('\\', _) => match (chars.next(), format) {
                (Some('n'), _) => out.push('\n'),
                (Some('\\'), _) => out.push('\\'),
                (Some('"'), Format::OpenMetrics) => out.push('"'),
                (other, _) => return Err(format!("unknown escape {other:?}")),
            },
            ('"', Format::OpenMetrics) => return Err("a bare quote".into()),
            (char, _) => out.push(char),
        }
    }
    Ok(out)
}

fn expect(chars: &mut Peekable<Chars<'_>>, wanted: char) -> Result<(), String> {
    match chars.next() {
        Some(char) if char == wanted => Ok(()),
        other => Err(format!("{other:?} where {wanted:?} belongs")),
    }
}

fn is_metric_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_' || char == ':'
}

fn is_label_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

fn is_number_char(char: char) -> bool {
    char.is_ascii_digit() || matches!(char, '.' | '-' | '+' | 'e')
}

#[test]
fn mistakes_are_found() {
    let histogram = "# TYPE a histogram\n# HELP a x\n";
    for (text, message) in [
        ("# TYPE a counter\n# HELP a x\na_total 1\n", "no mark of the end"),
        ("# TYPE a counter\n# HELP a x\na 1\n# EOF\n", "not a sample"),
        ("# TYPE a counter\n# HELP a x\na_total NaN\n# EOF\n", "no name or number"),
        ("# TYPE a counter\n# HELP a x\na_total{b=\"x\ty\"} 1\n# EOF\n", "control"),
        ("# TYPE a counter\n# HELP a x\na_total{b=\"x\",b=\"y\"} 1\n# EOF\n", "comes twice"),
        ("# TYPE a counter\n# HELP a x\na_total 1\na_total 1\n# EOF\n", "comes twice"),
        ("# TYPE a counter\n# UNIT a seconds\n# HELP a x\na_total 1\n# EOF\n", "unit"),
        (&format!("{histogram}a_bucket{{le=\"+Inf\"}} 1\na_count 2\na_sum 1\n# EOF\n"), "not the count"),
        (&format!("{histogram}a_bucket{{le=\"1\"}} 1\na_count 1\na_sum 1\n# EOF\n"), "canonical"),
        (
            &format!("{histogram}a_bucket{{le=\"1.0\"}} 2\na_bucket{{le=\"+Inf\"}} 1\na_count 1\na_sum 1\n# EOF\n"),
            "do not rise",
        ),
        (
            &format!(
                "{histogram}a_bucket{{le=\"1.0\"}} 1 # {{t=\"x\"}} 2\na_bucket{{le=\"+Inf\"}} 1\na_count 1\na_sum 2\n# EOF\n"
            ),
            "outside of its bucket",
        ),
    ] {
        let error = parse(text, Format::OpenMetrics).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
}
