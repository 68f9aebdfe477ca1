//! The types of records in TypeScript and Python, from the structs of `core/src/record` and their comments.

use core::fmt::Write as _;
use std::{fs, path::Path};

/// The structs of records, the parts first and the record at the end.
pub(crate) struct Structs(Vec<Struct>);

struct Struct {
    name: String,
    about: String,
    fields: Vec<Field>,
}

struct Field {
    /// The key in JSON.
    name: String,
    about: String,
    /// The type as Rust writes it.
    kind: String,
}

/// Where the structs are, in the order in which they are listed.
const FILES: [&str; 5] = ["call.rs", "attempt.rs", "stats.rs", "usage.rs", "value.rs"];

impl Structs {
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let mut structs = Vec::new();
        for file in FILES {
            let path = root.join("core/src/record").join(file);
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            structs.extend(structs_of(&text).map_err(|line| format!("{}: `{line}`", path.display()))?);
        }
        structs.sort_by_key(|found| found.name == "Record");
        match structs.last() {
            Some(last) if last.name == "Record" => Ok(Self(structs)),
            _ => Err("core/src/record has no Record".into()),
        }
    }

    /// Whether a value of the type may be left out of JSON: what is optional, lists, and objects of nothing else.
    fn may_be_absent(&self, kind: &str) -> bool {
        let inner = within("Box", kind).unwrap_or(kind);
        if within("Option", inner).or(within("Vec", inner)).is_some() || inner == "Attributes" {
            return true;
        }
        let object = self.0.iter().find(|found| found.name == inner);
        object.is_some_and(|found| found.fields.iter().all(|field| self.may_be_absent(&field.kind)))
    }
}

/// The structs that stand in `record_struct!`; an error is the line that is none of theirs.
fn structs_of(source: &str) -> Result<Vec<Struct>, String> {
    let mut structs = Vec::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if line != "record_struct! {" {
            continue;
        }
        let mut about = String::new();
        let mut open: Option<Struct> = None;
        for line in lines.by_ref().take_while(|line| *line != "}").map(str::trim) {
            if let Some(comment) = line.strip_prefix("///") {
                about += comment;
            } else if let Some(name) = line.strip_prefix("pub struct ").and_then(|rest| rest.strip_suffix(" {")) {
                open = Some(Struct { name: name.into(), about: plain(&about), fields: Vec::new() });
                about.clear();
            } else if let (Some(field), Some(open)) = (line.strip_prefix("pub "), &mut open) {
                let (name, kind) = field.trim_end_matches(',').split_once(": ").ok_or(line)?;
                let name = name.split_once(" as ").map_or(name, |(_, key)| key.trim_matches('"'));
                open.fields.push(Field { name: name.into(), about: plain(&about), kind: kind.into() });
                about.clear();
            } else if line != "}" {
                return Err(line.into());
            }
        }
        structs.extend(open);
    }
    Ok(structs)
}

/// A comment as one line without links: [`Record::attempts`] becomes `attempts`.
fn plain(comment: &str) -> String {
    let mut text = String::new();
    let mut rest = comment.trim();
    while let Some((before, link)) = rest.split_once("[`") {
        let Some((path, after)) = link.split_once("`]") else { break };
        let name = path.rsplit("::").next().unwrap_or(path);
        let _ = write!(text, "{before}`{name}`");
        rest = after;
    }
    text + rest
}

/// The words that stand for scalars and enumerations in one language, around which optional values and lists are built.
fn inner_of(kind: &str) -> (&str, bool) {
    let kind = within("Option", kind).unwrap_or(kind);
    let kind = within("Box", kind).unwrap_or(kind);
    within("Vec", kind).map_or((kind, false), |inner| (inner, true))
}

/// What a generic type is of: `T` of `Option<T>`.
fn within<'a>(generic: &str, kind: &'a str) -> Option<&'a str> {
    kind.strip_prefix(generic)?.strip_prefix('<')?.strip_suffix('>')
}

/// `js/record-data.ts`.
pub(crate) fn typescript(structs: &Structs) -> String {
    let mut out = String::from(TYPESCRIPT_HEAD);
    for found in &structs.0 {
        let name = if found.name == "Record" { "RecordData" } else { &found.name };
        let _ = write!(out, "\n/** {} */\nexport interface {name} {{\n", found.about);
        for field in &found.fields {
            let (inner, is_list) = inner_of(&field.kind);
            let inner = match inner {
                "Attributes" => "{ [key: string]: AttributeValue }",
                "bool" => "boolean",
                "f64" | "i64" | "u16" | "u32" | "u64" => "number",
                "Money" | "String" | "UnixNanos" => "string",
                other => other,
            };
            let absent = if structs.may_be_absent(&field.kind) { "?" } else { "" };
            let list = if is_list { "[]" } else { "" };
            let _ = write!(out, "  /** {} */\n  {}{absent}: {inner}{list}\n", field.about, field.name);
        }
        out += "}\n";
    }
    out
}

const TYPESCRIPT_HEAD: &str = "\
// Written by `cargo xtask generate` from core/src/record.
import type { AttributeValue, CostSource, EventKind, OtelStatus, Outcome, Provenance, TimeoutKind, UsageWarning, WaitReason } from './types.js'

/** Nanoseconds; as decimal text above 2^53. */
export type Nanos = number | string
";

/// `python/llmspan/_llmspan.pyi` with the parts of records and the values of the record written anew between their marks.
pub(crate) fn python(structs: &Structs, stub: &str) -> Result<String, String> {
    let (record, parts) = structs.0.split_last().ok_or("no structs")?;
    let mut classes = String::new();
    for part in parts {
        let _ = write!(classes, "@type_check_only\nclass {}:\n{}\n", part.name, docstring(&part.about, 4));
        classes += "    def to_dict(self) -> dict[str, Any]:\n";
        classes += "        \"\"\"The part as dicts and lists, without absent values.\"\"\"\n";
        part.fields.iter().for_each(|field| classes += &property(structs, field));
        classes.push('\n');
    }
    // `attributes` of a record is its method, and `caller_attributes` gives these.
    let values = record.fields.iter().filter(|field| field.name != "attributes");
    let values: String = values.map(|field| property(structs, field)).collect();
    let stub = between_marks(stub, "", "parts", &classes)?;
    between_marks(&stub, "    ", "values", &values)
}

fn property(structs: &Structs, field: &Field) -> String {
    let (inner, is_list) = inner_of(&field.kind);
    let inner = match inner {
        "Attributes" => "dict[str, AttributeValue]",
        "f64" => "float",
        "i64" | "u16" | "u32" | "u64" | "Nanos" | "UnixNanos" => "int",
        "Money" | "String" => "str",
        other => other,
    };
    let kind = if is_list {
        format!("list[{inner}]")
    } else if structs.may_be_absent(&field.kind) && inner != "dict[str, AttributeValue]" {
        format!("{inner} | None")
    } else {
        inner.to_owned()
    };
    format!("    @property\n    def {}(self) -> {kind}:\n{}", field.name, docstring(&field.about, 8))
}

/// A docstring, in lines of at most 120 columns.
fn docstring(text: &str, indent: usize) -> String {
    const COLUMNS: usize = 120;
    let margin = " ".repeat(indent);
    let whole = format!("{margin}\"\"\"{text}\"\"\"\n");
    if whole.trim_end().len() <= COLUMNS {
        return whole;
    }
    // What fits with its quotes is one line, above: the lines of what does not are as long without.
    let columns = COLUMNS - 3;
    let mut out = format!("{margin}\"\"\"");
    let mut column = out.len();
    for word in text.split(' ') {
        if column + word.len() > columns {
            out.truncate(out.trim_end().len());
            let _ = write!(out, "\n{margin}");
            column = indent;
        }
        let _ = write!(out, "{word} ");
        column += word.len() + 1;
    }
    format!("{}\n{margin}\"\"\"\n", out.trim_end())
}

fn between_marks(text: &str, margin: &str, what: &str, content: &str) -> Result<String, String> {
    let from = format!("{margin}# Written by `cargo xtask generate` from core/src/record: {what}.\n");
    let to = format!("{margin}# By hand again.\n");
    let cut = || {
        let (before, rest) = text.split_once(&from)?;
        let (_, after) = rest.split_once(&to)?;
        Some((before, after))
    };
    let (before, after) = cut().ok_or_else(|| format!("_llmspan.pyi has no marks for {what}"))?;
    Ok(format!("{before}{from}{content}{to}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
record_struct! {
    /// A part.
    ///
    /// Of a [`Record::parts`].
    pub struct Part {
        /// Why.
        pub error_type as "type": String,
        /// How long.
        pub took_ns: Option<Nanos>,
    }
}

record_struct! {
    /// Nothing but what may be absent.
    pub struct Facts {
        /// Sums.
        pub sums: Vec<Money>,
    }
}

record_struct! {
    /// All.
    pub struct Record {
        /// The parts.
        pub parts: Vec<Part>,
        /// Facts.
        pub facts: Facts,
        /// Attributes.
        pub attributes: Attributes,
        /// Whether.
        pub stream: bool,
    }
}
"#;

    #[test]
    fn interfaces() {
        let interfaces = typescript(&Structs(structs_of(SOURCE).unwrap()));
        let (_, interfaces) = interfaces.split_once("number | string\n").unwrap();
        let expected = "
/** A part. Of a `parts`. */
export interface Part {
  /** Why. */
  type: string
  /** How long. */
  took_ns?: Nanos
}

/** Nothing but what may be absent. */
export interface Facts {
  /** Sums. */
  sums?: string[]
}

/** All. */
export interface RecordData {
  /** The parts. */
  parts?: Part[]
  /** Facts. */
  facts?: Facts
  /** Attributes. */
  attributes?: { [key: string]: AttributeValue }
  /** Whether. */
  stream: boolean
}
";
        assert_eq!(interfaces, expected);
    }

    #[test]
    fn properties() {
        let mark = "# Written by `cargo xtask generate` from core/src/record:";
        let stub =
            format!("{mark} parts.\nold\n# By hand again.\nclass Record:\n    {mark} values.\n    # By hand again.\n");
        let written = python(&Structs(structs_of(SOURCE).unwrap()), &stub).unwrap();
        assert!(written.starts_with(&format!(
            "{mark} parts.\n@type_check_only\nclass Part:\n    \"\"\"A part. Of a `parts`.\"\"\"\n"
        )));
        assert!(!written.contains("old"));
        assert!(written.contains("    def took_ns(self) -> int | None:\n        \"\"\"How long.\"\"\"\n"));
        assert!(written.contains("    def parts(self) -> list[Part]:\n"));
        assert!(written.contains("    def facts(self) -> Facts | None:\n"));
        assert!(!written.contains("def attributes"));
        assert!(python(&Structs(structs_of(SOURCE).unwrap()), "class Record: ...").is_err());
    }

    #[test]
    fn long_docstrings_are_broken() {
        let text = ["word"; 40].join(" ");
        let broken = docstring(&text, 8);
        assert!(broken.lines().all(|line| line.len() <= 120), "{broken}");
        assert_eq!(broken.split_whitespace().count(), 41);
        assert_eq!(docstring("Short.", 4), "    \"\"\"Short.\"\"\"\n");
    }
}
