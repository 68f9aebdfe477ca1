//! Generates code and documentation: from `core/profiles.toml`, and from what the engine knows of protocols and makes of vectors.

mod metrics;

use core::fmt::Write as _;
use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

use crate::{definitions, limits, protocols};

/// Writes the tables of `core/src/names`, `core/src/metrics` and `core/src/spans` and the pages in `core/docs` below `root`;
/// with `check` compares them instead.
///
/// # Errors
///
/// When a file cannot be read or written, when the data is invalid, or, with `check`, when a committed file differs.
pub(crate) fn generate(root: &Path, check: bool) -> Result<(), String> {
    let source = root.join("core/profiles.toml");
    let text = fs::read_to_string(&source).map_err(|error| format!("{}: {error}", source.display()))?;
    let Data { profiles, bounds, metrics, spans } =
        load(&text).map_err(|error| format!("{}: {error}", source.display()))?;
    for (path, content) in [
        ("core/src/names/generated.rs", code(&profiles)),
        ("core/src/metrics/generated.rs", metrics::code(&metrics, &bounds)),
        ("core/src/spans/generated.rs", span_names(&spans)),
        ("core/docs/profiles.md", page(&profiles) + &page_of_spans(&spans)),
        ("core/docs/metrics.md", metrics::page(&metrics, &bounds)),
        ("core/docs/protocols.md", protocols::page()),
        ("core/docs/definitions.md", definitions::page(root)?),
        ("docs/limits.md", limits::page(root)?),
    ] {
        let path = root.join(path);
        if !check {
            path.parent().map_or(Ok(()), fs::create_dir_all).map_err(|error| format!("{}: {error}", path.display()))?;
            fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))?;
        } else if fs::read_to_string(&path).ok().as_deref() != Some(content.as_str()) {
            return Err(format!("{} is not what `cargo xtask generate` writes", path.display()));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    profile: Vec<Profile>,
    #[serde(default)]
    bounds: metrics::Bounds,
    #[serde(default)]
    metrics: Vec<metrics::Table>,
    #[serde(default)]
    spans: BTreeMap<String, String>,
}

/// What the file says, checked.
struct Data {
    profiles: Vec<Profile>,
    bounds: metrics::Bounds,
    metrics: Vec<metrics::Table>,
    spans: BTreeMap<String, String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    name: String,
    title: String,
    source: String,
    based_on: Option<String>,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    span: String,
    #[serde(default = "default_attempt_span")]
    attempt_span: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    call: Vec<Row>,
    #[serde(default)]
    attempt: Vec<Row>,
    #[serde(default)]
    inner: Vec<Row>,
}

fn default_attempt_span() -> String {
    "attempt".into()
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    value: Option<String>,
    constant: Option<String>,
    members: Option<Vec<Self>>,
    #[serde(rename = "type", default)]
    form: String,
    #[serde(default)]
    when: String,
    #[serde(default)]
    words: Vec<(String, String)>,
    #[serde(default)]
    otherwise: String,
    #[serde(default)]
    note: String,
}

/// Reads the data, puts inherited rows in place and checks every name.
fn load(text: &str) -> Result<Data, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut profiles: Vec<Profile> = Vec::new();
    for mut profile in file.profile {
        if let Some(base) = &profile.based_on {
            let base = profiles
                .iter()
                .find(|earlier| earlier.name == *base)
                .ok_or_else(|| format!("{}: no profile `{base}` before it", profile.name))?;
            let known =
                |name: &String| base.call.iter().chain(&base.attempt).chain(&base.inner).any(|row| row.name == *name);
            if let Some(name) = profile.without.iter().find(|name| !known(name)) {
                return Err(format!("{}: `{name}` is not a name of `{}`", profile.name, base.name));
            }
            profile.call = inherited(&base.call, &profile.without, profile.call);
            profile.attempt = inherited(&base.attempt, &profile.without, profile.attempt);
            profile.inner = inherited(&base.inner, &profile.without, profile.inner);
            if profile.span.is_empty() {
                profile.span.clone_from(&base.span);
                profile.kind.clone_from(&base.kind);
            }
        }
        validate(&profile).map_err(|error| format!("{}: {error}", profile.name))?;
        if profiles.iter().any(|earlier| earlier.name == profile.name) {
            return Err(format!("two profiles are called `{}`", profile.name));
        }
        profiles.push(profile);
    }
    let names: Vec<_> = profiles.iter().map(|profile| profile.name.as_str()).collect();
    let metrics = metrics::load(file.metrics, &file.bounds, &names)?;
    Ok(Data { profiles, bounds: file.bounds, metrics, spans: file.spans })
}

fn inherited(base: &[Row], without: &[String], own: Vec<Row>) -> Vec<Row> {
    base.iter().filter(|row| !without.contains(&row.name)).cloned().chain(own).collect()
}

fn validate(profile: &Profile) -> Result<(), String> {
    if profile.span.is_empty() || variant(SPAN_KINDS, &profile.kind).is_none() {
        return Err("`span` and `kind` are needed, `kind` one of client, internal".into());
    }
    for rows in [&profile.call, &profile.attempt, &profile.inner] {
        validate_rows(rows)?;
    }
    if let Some(row) = profile.inner.iter().find(|row| row.constant.is_none()) {
        return Err(format!("`{}` is in `inner` and no constant", row.name));
    }
    Ok(())
}

fn validate_rows(rows: &[Row]) -> Result<(), String> {
    for (index, row) in rows.iter().enumerate() {
        let name = &row.name;
        if rows.iter().take(index).any(|earlier| earlier.name == *name) {
            return Err(format!("`{name}` is written twice"));
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(format!("`{name}` is not made of a-z, 0-9, `.`, `_` and `-`"));
        }
        match (&row.value, &row.constant, &row.members) {
            (Some(_), None, None) if variant(FORMS, &row.form).is_some() => {}
            (None, Some(_), None) if row.form.is_empty() => {}
            (None, None, Some(members)) if row.form.is_empty() => validate_rows(members)?,
            _ => return Err(format!("`{name}` needs a `value` with a known `type`, a `constant` or `members`")),
        }
        if variant(CONDITIONS, &row.when).is_none() {
            return Err(format!("`{name}` has an unknown condition `{}`", row.when));
        }
        if !matches!(row.otherwise.as_str(), "" | "keep" | "drop") && !row.otherwise.starts_with('=') {
            return Err(format!("`{name}` has an unknown `otherwise`"));
        }
    }
    Ok(())
}

/// Word of the data, variant in the code, words of the page.
type Words = &'static [(&'static str, &'static str, &'static str)];

const FORMS: Words = &[
    ("bool", "Bool", "bool"),
    ("count", "Count", "int"),
    ("float", "Float", "float"),
    ("given", "Given", "as given"),
    ("iso8601", "Iso8601", "string, ISO 8601 UTC"),
    ("ms", "Millis", "int"),
    ("s", "Seconds", "float"),
    ("string", "Text", "string"),
    ("string_list", "TextList", "list of strings"),
    ("usd", "Usd", "float"),
];

const CONDITIONS: Words = &[
    ("", "", "value known"),
    ("always", "", "value known"),
    ("if_false", "IfFalse", "false"),
    ("if_retried", "IfRetried", "after a retry"),
    ("if_true", "IfTrue", "true"),
    ("unless_auto", "UnlessAuto", "known and not `auto`"),
    ("unless_one", "UnlessOne", "known and not 1"),
    ("unless_zero", "UnlessZero", "known and not 0"),
];

const SPAN_KINDS: Words = &[("client", "Client", "CLIENT"), ("internal", "Internal", "INTERNAL")];

fn variant(words: Words, word: &str) -> Option<(&'static str, &'static str)> {
    words.iter().find(|(known, ..)| *known == word).map(|(_, variant, page)| (*variant, *page))
}

fn code(profiles: &[Profile]) -> String {
    let mut out = String::from(
        "// @generated by cargo xtask generate from core/profiles.toml; do not edit.\n\n\
         use super::{\n    profile::{Form, Otherwise, Profile, Source, SpanKind, Table, When, Words},\n    value::Value,\n};\n\n\
         #[rustfmt::skip]\npub(super) static PROFILES: &[Profile] = &[\n",
    );
    for profile in profiles {
        out.push_str("    Profile {\n");
        for (field, text) in [
            ("name", &profile.name),
            ("title", &profile.title),
            ("span", &profile.span),
            ("attempt_span", &profile.attempt_span),
        ] {
            line(&mut out, 2, &format!("{field}: {text:?},"));
        }
        let kind = variant(SPAN_KINDS, &profile.kind).unwrap_or_default().0;
        line(&mut out, 2, &format!("kind: SpanKind::{kind},"));
        for (field, rows) in [("call", &profile.call), ("attempt", &profile.attempt), ("inner", &profile.inner)] {
            line(&mut out, 2, &format!("{field}: {},", code_table(2, rows)));
        }
        line(&mut out, 1, "},");
    }
    out.push_str("];\n");
    out
}

/// One constant for each name of the data.
fn span_names(names: &BTreeMap<String, String>) -> String {
    let mut out = String::from("// @generated by cargo xtask generate from core/profiles.toml; do not edit.\n\n");
    for (key, name) in names {
        line(&mut out, 0, &format!("pub(crate) const {}: &str = {name:?};", key.to_ascii_uppercase()));
    }
    out
}

/// A table: the names, one a line, and what each of them stands for.
fn code_table(depth: usize, rows: &[Row]) -> String {
    let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
    // Each name on a line of its own, here as there.
    let separator = format!("\\n\\\n{:1$}", "", (depth + 1) * 4);
    let mut out = format!("Table::new(\"{}\", &[", names.join(&separator));
    if !rows.is_empty() {
        out.push('\n');
        for row in rows {
            line(&mut out, depth + 1, &format!("Source::{},", code_source(depth + 1, row)));
        }
        let _ = write!(out, "{:1$}", "", depth * 4);
    }
    out.push_str("])");
    out
}

fn code_source(depth: usize, row: &Row) -> String {
    let Some(value) = &row.value else {
        return match (&row.constant, &row.members) {
            (Some(text), _) => format!("Constant(&{text:?})"),
            (None, members) => format!("Json(&{})", code_table(depth, members.as_deref().unwrap_or_default())),
        };
    };
    let form = variant(FORMS, &row.form).unwrap_or_default().0;
    let when = match variant(CONDITIONS, &row.when).unwrap_or_default().0 {
        "" => "Always",
        when => when,
    };
    let value = format!("Value::{}, Form::{form}, When::{when}", camel_case(value));
    if row.words.is_empty() && !row.otherwise.starts_with('=') {
        return format!("Value({value})");
    }
    let words: Vec<_> = row.words.iter().map(|(from, to)| format!("({from:?}, {to:?})")).collect();
    let otherwise = match row.otherwise.as_str() {
        "drop" => "Drop".into(),
        other => other.strip_prefix('=').map_or_else(|| "Keep".into(), |word| format!("Write({word:?})")),
    };
    format!("Words({value}, &Words::new(&[{}], Otherwise::{otherwise}))", words.join(", "))
}

fn line(out: &mut String, depth: usize, text: &str) {
    let _ = writeln!(out, "{:1$}{text}", "", depth * 4);
}

fn camel_case(key: &str) -> String {
    key.split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}

fn page(profiles: &[Profile]) -> String {
    let mut out = String::from(
        "<!-- @generated by cargo xtask generate from core/profiles.toml; do not edit. -->\n\n# Profiles\n\n\
         One set of values, written under many names. A value that is absent from the record is never written,\n\
         nor is a time of zero whose clock stood still (`diagnostics.clock.frozen`).\n\
         Milliseconds are cut, seconds are nanoseconds / 1e9, dollars are written only when the cost is in USD.\n\
         \"As given\" is an attribute of the caller under its well-known key, with the caller's type.\n",
    );
    for profile in profiles {
        let kind = variant(SPAN_KINDS, &profile.kind).unwrap_or_default().1;
        let Profile { name, title, source, span, attempt_span, .. } = profile;
        let _ = write!(out, "\n## {name}\n\n{title}.\n\n");
        let _ = writeln!(out, "- Source: {source}");
        let _ = writeln!(out, "- Spans: call `{span}`, attempt `{attempt_span}`, kind {kind}");
        let tables = [
            ("On the span of the call", &profile.call),
            ("On the span of the attempt", &profile.attempt),
            ("On the spans of waits and phases", &profile.inner),
        ];
        for (heading, rows) in tables.into_iter().filter(|(_, rows)| !rows.is_empty()) {
            let _ = write!(out, "\n{heading}:\n\n");
            out.push_str("| value | name | unit | type | written when | note |\n|---|---|---|---|---|---|\n");
            for row in rows {
                page_row(&mut out, row, "");
            }
        }
    }
    out
}

fn page_of_spans(names: &BTreeMap<String, String>) -> String {
    let mut out = String::from(
        "\n## Names inside the tree of spans\n\n\
         Names of spans, events and their attributes that no dialect has, the same under every profile; see otlp.md.\n\n\
         | key | name |\n|---|---|\n",
    );
    for (key, name) in names {
        let _ = writeln!(out, "| `{key}` | `{name}` |");
    }
    out
}

fn page_row(out: &mut String, row: &Row, parent: &str) {
    let name = if parent.is_empty() { format!("`{}`", row.name) } else { format!("`{parent}` → `{}`", row.name) };
    let (value, form) = match (&row.value, &row.constant) {
        (Some(value), _) => (format!("`{value}`"), variant(FORMS, &row.form).unwrap_or_default().1),
        (None, Some(text)) => (format!("always `{text}`"), "string"),
        (None, None) => ("(below)".into(), "string, JSON object"),
    };
    let when = match (&row.constant, &row.members) {
        (Some(_), _) => "always",
        (_, Some(_)) => "a member known",
        _ => variant(CONDITIONS, &row.when).unwrap_or_default().1,
    };
    let mut notes: Vec<String> = row.words.iter().map(|(from, to)| format!("`{from}` as `{to}`")).collect();
    match row.otherwise.as_str() {
        "drop" => notes.push("other words not written".into()),
        other => notes.extend(other.strip_prefix('=').map(|word| format!("other words as `{word}`"))),
    }
    let words = notes.join(", ");
    let note = [row.note.as_str(), &words].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
    let unit = unit(row);
    let _ = writeln!(out, "| {value} | {name} | {unit} | {form} | {when} | {note} |");
    for member in row.members.iter().flatten() {
        page_row(out, member, &row.name);
    }
}

fn unit(row: &Row) -> &'static str {
    let value = row.value.as_deref().unwrap_or_default();
    match row.form.as_str() {
        "ms" => "ms",
        "s" => "s",
        "usd" => "USD",
        "count" if value.ends_with("_tokens") => "{token}",
        "float" if value.ends_with("_tokens_per_second") => "{token}/s",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_files_are_those_of_the_data() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        generate(&root, true).unwrap();
    }

    #[test]
    fn mistakes_in_the_data_are_named() {
        let head = "[[profile]]\nname = 'p'\ntitle = 't'\nsource = 's'\nspan = 'x'\nkind = 'client'\n";
        for (rows, message) in [
            ("call = [{ name = 'a', value = 'ttft', type = 'hours' }]", "known `type`"),
            ("call = [{ name = 'a', constant = 'x' }, { name = 'a', constant = 'y' }]", "written twice"),
            ("call = [{ name = 'A b', constant = 'x' }]", "is not made of"),
            ("call = [{ name = 'a', value = 'ttft', type = 'ms', when = 'never' }]", "unknown condition"),
            ("based_on = 'q'", "no profile `q` before it"),
            ("extra = 1", "unknown field"),
        ] {
            let error = load(&format!("{head}{rows}")).err().unwrap();
            assert!(error.contains(message), "{error}");
        }
        assert!(load(&format!("{head}{head}")).is_err());
    }

    #[test]
    fn keys_become_variants() {
        assert_eq!(camel_case("inter_chunk_p50"), "InterChunkP50");
        assert_eq!(camel_case("ttft"), "Ttft");
    }
}
