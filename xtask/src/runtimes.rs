//! The WebAssembly package in every runtime that it is for, as users install it.

use std::{fs, path::Path};

use crate::{
    faults,
    node::Package,
    sh::{self, Program},
    wasm,
};

/// The task `runtimes`: the same checks in Node, Deno, Bun, workerd and Chromium, with bundlers and without.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    if let Some(argument) = arguments.first() {
        return Err(format!("`{argument}` is nothing that `runtimes` understands"));
    }
    with_chromium(root)?;
    let tarball = wasm::tarball(root)?;
    let tools = Package::with_tools(root, "tests/runtimes")?;
    // The package stands among the tools, as it does in a project of a user's.
    let installed = tools.home.join("node_modules/llmspan-wasm");
    if installed.exists() {
        fs::remove_dir_all(&installed).map_err(|error| format!("{}: {error}", installed.display()))?;
    }
    tools.npm("install --silent --no-save --no-package-lock --no-audit --no-fund --offline").arg(&tarball).run()?;
    Program::new(&tools.home, "node")
        .args("--test --test-reporter=spec runtimes.test.mjs")
        .env("LLMSPAN_FAULTS", faults::built(root)?)
        .env("LLMSPAN_CAPTURES", root.join("examples/captures"))
        .env("LLMSPAN_WORKER", root.join("examples/worker/worker.js"))
        .run()
}

/// Installs Debian's browser, unless it is there.
pub(crate) fn with_chromium(root: &Path) -> Result<(), String> {
    if Path::new("/usr/bin/chromium").is_file() { Ok(()) } else { sh::apt_install(root, "chromium") }
}
