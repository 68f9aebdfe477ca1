//! The task `faults`: runs the fault server, which tests of any language can use.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::sh::{self, Program};

/// Builds the server and runs it with those arguments, until it is ended.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    Program::cargo(root).args("run --quiet --package llmspan-faults --locked --").args(&arguments.join(" ")).run()
}

/// Builds the server, and gives its program: tests start it by themselves.
pub(crate) fn built(root: &Path) -> Result<PathBuf, String> {
    Program::cargo(root).args("build --quiet --package llmspan-faults --locked").run()?;
    Ok(sh::target_dir(root).join("debug").join(format!("llmspan-faults{}", env::consts::EXE_SUFFIX)))
}
