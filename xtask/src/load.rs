//! The task `load`: ten thousand calls open at once, and a million chunks per second offered to them.

use std::path::Path;

use crate::sh::Program;

/// Builds the program with optimizations and hands its arguments on.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let load =
        Program::cargo(root).args("run --release --quiet --locked --package llmspan-bench --bin llmspan-load --");
    load.args(&arguments.join(" ")).run()
}
