//! The tasks `vectors` and `corpus`.

use std::path::{Path, PathBuf};

use llmspan_runner::{corpus as corpora, report::Report, vectors as files};

use crate::{node, python};

/// Runs the vectors below each directory.
pub(crate) fn vectors(root: &Path, arguments: &[String]) -> Result<(), String> {
    let mut dirs = Vec::new();
    let mut runtime = RUST;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix("--runtime") {
            Some("") => runtime = known_runtime(arguments.next().map_or("", String::as_str))?,
            Some(rest) if rest.starts_with('=') => runtime = known_runtime(rest.trim_start_matches('='))?,
            _ if argument.starts_with('-') => return Err(format!("`{argument}` is no flag of `vectors`")),
            _ => dirs.push(PathBuf::from(argument)),
        }
    }
    if dirs.is_empty() {
        return Err("say which directories: cargo xtask vectors [--runtime RUNTIME] DIR...".into());
    }
    let report = match runtime {
        "node" => node::vectors(root, &dirs)?,
        "python" => python::vectors(root, &dirs)?,
        _ => files::run(&dirs),
    };
    finish("vectors", &report)
}

/// Replays the corpora in each directory.
pub(crate) fn corpus(arguments: &[String]) -> Result<(), String> {
    if let Some(flag) = arguments.iter().find(|argument| argument.starts_with('-')) {
        return Err(format!("`{flag}` is no flag of `corpus`"));
    }
    if arguments.is_empty() {
        return Err("say which directories: cargo xtask corpus DIR...".into());
    }
    let dirs: Vec<PathBuf> = arguments.iter().map(PathBuf::from).collect();
    finish("corpus", &corpora::run(&dirs))
}

fn finish(task: &str, report: &Report) -> Result<(), String> {
    print!("{report}");
    if report.failed() { Err(format!("{task} failed")) } else { Ok(()) }
}

fn known_runtime(name: &str) -> Result<&'static str, String> {
    let known = RUNTIMES.into_iter().find(|known| *known == name);
    known.ok_or_else(|| format!("there is no runtime `{name}` here; the known ones: {}", RUNTIMES.join(", ")))
}

const RUST: &str = "rust";

/// Runtimes whose vectors this task runs.
const RUNTIMES: [&str; 3] = [RUST, "python", "node"];
