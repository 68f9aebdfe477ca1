//! The tables of metrics: how they are read, checked, written as code and as a page.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use llmspan_core::metrics::{Base, Measure};
use serde::Deserialize;

use super::{camel_case, line};

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    profile: String,
    source: String,
    based_on: Option<String>,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    overflow: String,
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(default)]
    rows: Vec<Row>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    name: String,
    value: String,
    #[serde(default)]
    words: Vec<(String, String)>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    measure: String,
    kind: String,
    unit: String,
    description: String,
    bounds: Option<String>,
    detail: Option<String>,
    #[serde(default)]
    details: Vec<Detail>,
    #[serde(default)]
    constants: Vec<(String, String)>,
    #[serde(default)]
    note: String,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Detail {
    Same(String),
    Renamed(String, String),
}

impl Detail {
    fn words(&self) -> (&str, &str) {
        match self {
            Self::Same(word) => (word, word),
            Self::Renamed(from, to) => (from, to),
        }
    }
}

/// Lists of bucket bounds by name, in the units of metrics.
pub(super) type Bounds = BTreeMap<String, Vec<f64>>;

/// Puts inherited rows in place and checks every name.
pub(super) fn load(tables: Vec<Table>, bounds: &Bounds, profiles: &[&str]) -> Result<Vec<Table>, String> {
    let mut loaded: Vec<Table> = Vec::new();
    for mut table in tables {
        let profile = table.profile.clone();
        if let Some(base) = &table.based_on {
            let base = loaded
                .iter()
                .find(|earlier| earlier.profile == *base)
                .ok_or_else(|| format!("metrics of {profile}: no table of `{base}` before it"))?;
            let known = |name: &String| {
                base.rows.iter().any(|row| row.name == *name) || base.labels.iter().any(|label| label.name == *name)
            };
            if let Some(name) = table.without.iter().find(|name| !known(name)) {
                return Err(format!("metrics of {profile}: `{name}` is not a name of `{}`", base.profile));
            }
            let left_out = &table.without;
            let rows = base.rows.iter().filter(|row| !left_out.contains(&row.name)).cloned();
            table.rows = rows.chain(table.rows).collect();
            let labels = base.labels.iter().filter(|label| !left_out.contains(&label.name)).cloned();
            table.labels = labels.chain(table.labels).collect();
            if table.overflow.is_empty() {
                table.overflow.clone_from(&base.overflow);
            }
        }
        validate(&table, bounds).map_err(|error| format!("metrics of {profile}: {error}"))?;
        if !profiles.contains(&profile.as_str()) || loaded.iter().any(|earlier| earlier.profile == profile) {
            return Err(format!("metrics of {profile}: no such profile, or two tables of it"));
        }
        loaded.push(table);
    }
    Ok(loaded)
}

fn validate(table: &Table, bounds: &Bounds) -> Result<(), String> {
    if table.overflow.is_empty() || table.rows.is_empty() {
        return Err("`overflow` and `rows` are needed".into());
    }
    let mut names: Vec<&str> = Vec::new();
    for label in &table.labels {
        if !LABEL_VALUES.contains(&label.value.as_str()) {
            return Err(format!("`{}` is no value of a label", label.value));
        }
        unique(&mut names, &label.name)?;
    }
    for row in &table.rows {
        unique(&mut names, &row.name)?;
        validate_row(row, bounds).map_err(|error| format!("`{}`: {error}", row.name))?;
    }
    Ok(())
}

fn unique<'a>(names: &mut Vec<&'a str>, name: &'a str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    if name.is_empty() || name == "le" || !name.bytes().all(plain) {
        return Err(format!("`{name}` is not made of a-z, 0-9, `.`, `_` and `-`, or is reserved"));
    }
    if names.contains(&name) {
        return Err(format!("`{name}` is written twice"));
    }
    names.push(name);
    Ok(())
}

fn validate_row(row: &Row, bounds: &Bounds) -> Result<(), String> {
    let measure = measure(row)?;
    let scale = scale(row)?;
    match (row.kind.as_str(), &row.bounds) {
        ("counter", None) => {}
        ("histogram", Some(list)) => {
            let list = bounds.get(list).ok_or_else(|| format!("no bounds `{list}`"))?;
            let list = list.iter().map(|bound| base_units(*bound, scale)).collect::<Result<Vec<_>, _>>()?;
            if list.is_empty() || !list.is_sorted_by(|low, high| low < high) {
                return Err("bounds do not rise".into());
            }
        }
        _ => return Err("`kind` is counter, or histogram with `bounds`".into()),
    }
    let details: Vec<_> = row.details.iter().map(|detail| detail.words().0).collect();
    if let Some(detail) = details.iter().find(|detail| !measure.details().contains(detail)) {
        return Err(format!("`{detail}` is no detail of `{}`", row.measure));
    }
    let several = if details.is_empty() { measure.details().len() } else { details.len() };
    if several > 1 && row.detail.is_none() {
        return Err("several details need a label".into());
    }
    if row.detail.is_some() && measure.details().is_empty() {
        return Err(format!("`{}` has no details", row.measure));
    }
    Ok(())
}

fn measure(row: &Row) -> Result<Measure, String> {
    let known = Measure::ALL.iter().find(|measure| measure.key() == row.measure);
    known.copied().ok_or_else(|| format!("unknown measure `{}`", row.measure))
}

/// How many base units of the measure make one of the metric.
fn scale(row: &Row) -> Result<u64, String> {
    match (measure(row)?.base(), row.unit.as_str()) {
        (Base::Time, "s") | (Base::Money, "USD") => Ok(1_000_000_000),
        (Base::Time, "ms") => Ok(1_000_000),
        (Base::Count, unit) if !matches!(unit, "" | "s" | "ms" | "USD") => Ok(1),
        (_, unit) => Err(format!("`{}` cannot be in `{unit}`", row.measure)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "powers of ten")]
fn base_units(bound: f64, scale: u64) -> Result<u64, String> {
    let text = format!("{:.0}", bound * scale as f64);
    let units: u64 = text.parse().map_err(|_| format!("bound {bound}"))?;
    if (units as f64 / scale as f64).to_bits() == bound.to_bits() {
        Ok(units)
    } else {
        Err(format!("bound {bound} is no whole number of base units"))
    }
}

/// What a label can say of a call.
const LABEL_VALUES: &[&str] = &["error_type", "operation", "outcome", "provider", "request_model", "response_model"];

pub(super) fn code(tables: &[Table], bounds: &Bounds) -> String {
    let mut out = String::from(
        "// @generated by cargo xtask generate from core/profiles.toml; do not edit.\n\n\
         use super::{\n    labels::{LabelRow, LabelValue},\n    measure::Measure,\n    \
         names::{Metric, MetricKind, MetricNames},\n};\n\n\
         #[rustfmt::skip]\npub(super) static TABLES: &[MetricNames] = &[\n",
    );
    for table in tables {
        line(&mut out, 1, "MetricNames {");
        line(&mut out, 2, &format!("profile: {:?},", table.profile));
        line(&mut out, 2, &format!("overflow: {:?},", table.overflow));
        line(&mut out, 2, "labels: &[");
        for Label { name, value, words } in &table.labels {
            let (value, words) = (camel_case(value), pairs(words.iter().map(|(from, to)| (from, to))));
            line(
                &mut out,
                3,
                &format!("LabelRow {{ name: {name:?}, value: LabelValue::{value}, words: &[{words}] }},"),
            );
        }
        line(&mut out, 2, "],");
        line(&mut out, 2, "metrics: &[");
        for row in &table.rows {
            code_row(&mut out, row, bounds);
        }
        line(&mut out, 2, "],");
        line(&mut out, 1, "},");
    }
    out.push_str("];\n");
    out
}

fn code_row(out: &mut String, row: &Row, bounds: &Bounds) {
    let scale = scale(row).unwrap_or(1);
    let list = row.bounds.as_ref().and_then(|list| bounds.get(list)).into_iter().flatten();
    let list: Vec<_> = list.filter_map(|bound| base_units(*bound, scale).ok()).map(grouped).collect();
    let (measure, kind) = (camel_case(&row.measure), camel_case(&row.kind));
    let (details, constants) = (details(row), &row.constants);
    let details = pairs(details.iter().map(|(from, to)| (from, to)));
    let constants = pairs(constants.iter().map(|(name, value)| (name, value)));
    line(out, 3, "Metric {");
    line(out, 4, &format!("name: {:?}, unit: {:?}, scale: {},", row.name, row.unit, grouped(scale)));
    line(out, 4, &format!("measure: Measure::{measure}, kind: MetricKind::{kind},"));
    line(out, 4, &format!("description: {:?},", row.description));
    line(out, 4, &format!("bounds: &[{}],", list.join(", ")));
    line(out, 4, &format!("detail: {:?}, details: &[{details}],", row.detail));
    line(out, 4, &format!("constants: &[{constants}],"));
    line(out, 3, "},");
}

/// The details that a row counts with the words of the dialect: all of the measure, unless it lists some.
fn details(row: &Row) -> Vec<(String, String)> {
    if row.details.is_empty() {
        let all = measure(row).map(Measure::details).unwrap_or_default();
        return all.iter().map(|word| ((*word).into(), (*word).into())).collect();
    }
    row.details.iter().map(Detail::words).map(|(from, to)| (from.into(), to.into())).collect()
}

fn pairs<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    pairs.map(|(from, to)| format!("({from:?}, {to:?})")).collect::<Vec<_>>().join(", ")
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

pub(super) fn page(tables: &[Table], bounds: &Bounds) -> String {
    let mut out = String::from(
        "<!-- @generated by cargo xtask generate from core/profiles.toml; do not edit. -->\n\n# Metrics\n\n\
         What an aggregator counts of every finalized record, and under which names. Every series has the labels of its profile;\n\
         a label whose value is unknown is left out. The response model is a label only on request. Past the cap of label sets\n\
         calls are counted in one series with the overflow label.\n\n## Measures\n\n\
         | measure | details | what is observed |\n|---|---|---|\n",
    );
    for measure in Measure::ALL {
        let details: Vec<_> = measure.details().iter().map(|detail| format!("`{detail}`")).collect();
        let _ = writeln!(out, "| `{}` | {} | {} |", measure.key(), details.join(", "), measure.meaning());
    }
    out.push_str("\n## Buckets\n\n| bounds | upper bounds, inclusive |\n|---|---|\n");
    for (name, list) in bounds {
        let list: Vec<_> = list.iter().map(f64::to_string).collect();
        let _ = writeln!(out, "| {name} | {} |", list.join(", "));
    }
    for table in tables {
        let _ = write!(out, "\n## {}\n\nSource: {}\n\n", table.profile, table.source);
        let labels: Vec<_> = table.labels.iter().map(|label| format!("`{}` ({})", label.name, label.value)).collect();
        let _ = write!(out, "Labels: {}; overflow `{}`\n\n", labels.join(", "), table.overflow);
        out.push_str(
            "| measure | name | kind | unit | bounds | label of details | note |\n|---|---|---|---|---|---|---|\n",
        );
        for row in &table.rows {
            let Row { name, measure, kind, unit, .. } = row;
            let list = row.bounds.as_deref().unwrap_or_default();
            let mut notes: Vec<String> = Some(row.note.clone()).filter(|note| !note.is_empty()).into_iter().collect();
            notes.extend(row.constants.iter().map(|(name, value)| format!("always `{name}` = `{value}`")));
            let note = notes.join("; ");
            let _ =
                writeln!(out, "| `{measure}` | `{name}` | {kind} | {unit} | {list} | {} | {note} |", page_details(row));
        }
    }
    out
}

fn page_details(row: &Row) -> String {
    let words = |(from, to): &(String, String)| if from == to { from.clone() } else { format!("{from} as {to}") };
    let words = details(row).iter().map(words).collect::<Vec<_>>().join(", ");
    match &row.detail {
        Some(label) => format!("`{label}`: {words}"),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        bounds: Bounds,
        metrics: Vec<Table>,
    }

    fn read(rows: &str) -> Result<Vec<Table>, String> {
        let text = format!(
            "[bounds]\nb = [0.5, 1]\nfalling = [2, 1]\nfine = [0.1234567891234]\n\
             [[metrics]]\nprofile = 'p'\nsource = 's'\noverflow = 'o'\n{rows}"
        );
        let file: File = toml::from_str(&text).map_err(|error| error.to_string())?;
        load(file.metrics, &file.bounds, &["p"])
    }

    #[test]
    fn mistakes_in_the_data_are_named() {
        let row = "name = 'a', description = 'd'";
        for (rows, message) in [
            (format!("rows = [{{ {row}, measure = 'x', kind = 'counter', unit = 's' }}]"), "unknown measure `x`"),
            (format!("rows = [{{ {row}, measure = 'calls', kind = 'counter', unit = 's' }}]"), "cannot be in `s`"),
            (format!("rows = [{{ {row}, measure = 'duration', kind = 'histogram', unit = 's' }}]"), "with `bounds`"),
            (
                format!(
                    "rows = [{{ {row}, measure = 'duration', kind = 'histogram', unit = 's', bounds = 'falling' }}]"
                ),
                "do not rise",
            ),
            (
                format!("rows = [{{ {row}, measure = 'duration', kind = 'histogram', unit = 's', bounds = 'fine' }}]"),
                "no whole number",
            ),
            (format!("rows = [{{ {row}, measure = 'tokens', kind = 'counter', unit = 't' }}]"), "need a label"),
            (
                format!("rows = [{{ {row}, measure = 'tokens', kind = 'counter', unit = 't', details = ['x'] }}]"),
                "`x` is no detail",
            ),
            (
                format!("rows = [{{ {row}, measure = 'calls', kind = 'counter', unit = 't', detail = 'x' }}]"),
                "no details",
            ),
            ("labels = []\nrows = []".into(), "`rows` are needed"),
            (
                format!(
                    "labels = [{{ name = 'b', value = 'x' }}]\nrows = [{{ {row}, measure = 'calls', kind = 'counter', unit = 'c' }}]"
                ),
                "`x` is no value",
            ),
            (
                format!(
                    "labels = [{{ name = 'le', value = 'outcome' }}]\nrows = [{{ {row}, measure = 'calls', kind = 'counter', unit = 'c' }}]"
                ),
                "reserved",
            ),
            ("based_on = 'q'".into(), "no table of `q` before it"),
        ] {
            let error = read(&rows).err().unwrap_or_default();
            assert!(error.contains(message), "{rows}: {error}");
        }
    }

    #[test]
    fn bounds_become_base_units() {
        assert_eq!(base_units(0.01, 1_000_000_000), Ok(10_000_000));
        assert_eq!(base_units(67_108_864.0, 1), Ok(67_108_864));
        assert_eq!(grouped(81_920_000_000), "81_920_000_000");
    }
}
