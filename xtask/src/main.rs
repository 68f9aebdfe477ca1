//! Tasks of the workspace: `cargo xtask <task>`.

mod demo;
mod generate;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let (task, rest) = arguments.split_first().map_or(("help", arguments), |(task, rest)| (task.as_str(), rest));
    match task {
        "generate" => generate::generate(&root(), rest.iter().any(|flag| flag == "--check")),
        "demo" => demo::run(&root(), rest),
        "vectors" => vectors(rest),
        _ => Err(format!("there is no task `{task}`")),
    }
}

fn vectors(arguments: &[String]) -> Result<(), String> {
    let dirs: Vec<PathBuf> =
        arguments.iter().filter(|argument| !argument.starts_with("--")).map(PathBuf::from).collect();
    let report = llmspan_runner::vectors::run(&dirs);
    print!("{report}");
    if report.failed() { Err(String::from("vectors failed")) } else { Ok(()) }
}

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}
