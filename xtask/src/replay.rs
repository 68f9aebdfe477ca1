//! The tasks `vectors` and `corpus`.

use std::path::{Path, PathBuf};

use llmspan_runner::{corpus as corpora, report::Report, vectors as files};

use crate::{node, python, wasm};

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
    if runtime == ALL { through_all(root, &dirs) } else { finish("vectors", &through(root, runtime, &dirs)?) }
}

fn through(root: &Path, runtime: &str, dirs: &[PathBuf]) -> Result<Report, String> {
    match runtime {
        "node" => node::vectors(root, dirs),
        "python" => python::vectors(root, dirs),
        "wasm" => wasm::vectors(root, dirs),
        _ => Ok(files::run(dirs)),
    }
}

/// Runs the vectors through one runtime after the other. What is not Rust is compared with the records of Rust, text by text;
/// the last line is theirs if all agree.
fn through_all(root: &Path, dirs: &[PathBuf]) -> Result<(), String> {
    let mut reports = Vec::new();
    for runtime in RUNTIMES {
        println!("=== {runtime}");
        let report = through(root, runtime, dirs)?;
        print!("{report}");
        reports.push((runtime, report));
    }
    let Some((_, rust)) = reports.first() else { return Ok(()) };
    let other = |report: &Report| report.passed != rust.passed || report.failed();
    let others: Vec<&str> = reports.iter().filter(|(_, report)| other(report)).map(|(runtime, _)| *runtime).collect();
    if !others.is_empty() {
        return Err(format!("vectors failed, or others passed than in Rust: {}", others.join(", ")));
    }
    println!("=== the same in {}", RUNTIMES.join(", "));
    finish("vectors", rust)
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
    let known = RUNTIMES.into_iter().chain([ALL]).find(|known| *known == name);
    known.ok_or_else(|| format!("there is no runtime `{name}` here; the known ones: {}, {ALL}", RUNTIMES.join(", ")))
}

const RUST: &str = "rust";

/// One runtime after the other.
const ALL: &str = "all";

/// Runtimes whose vectors this task runs, the one that the others are compared with first.
const RUNTIMES: [&str; 4] = [RUST, "python", "node", "wasm"];
