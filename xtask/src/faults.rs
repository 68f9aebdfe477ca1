//! The task `faults`: runs the fault server, which tests of any language can use.

use std::path::Path;

use crate::sh::Program;

/// Builds the server and runs it with those arguments, until it is ended.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    Program::cargo(root).args("run --quiet --package llmspan-faults --locked --").args(&arguments.join(" ")).run()
}
