//! The WebAssembly package in every runtime that it is for, as users install it.

use std::{fs, path::Path};

use crate::{
    node::{self, Package},
    sh::{self, Program},
    wasm,
};

/// The task `runtimes`: the same checks in Node, Deno, Bun, workerd and Chromium, with bundlers and without.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    if let Some(argument) = arguments.first() {
        return Err(format!("`{argument}` is nothing that `runtimes` understands"));
    }
    with_chromium(root)?;
    Program::cargo(root).args("build --quiet --package llmspan-faults --locked").run()?;
    wasm::run(root, &["--build".into()])?;
    let tools = Package::with_tools(root, "tests/runtimes")?;
    // The package stands among the tools, as it does in a project of a user's.
    let installed = tools.home.join("node_modules/llmspan-wasm");
    if installed.exists() {
        fs::remove_dir_all(&installed).map_err(|error| format!("{}: {error}", installed.display()))?;
    }
    let tarball = node::tarballs(&root.join("target/wasm")).pop().ok_or("the package was not packed")?;
    tools.npm("install --silent --no-save --no-package-lock --no-audit --no-fund --offline").arg(&tarball).run()?;
    let server = root.join("target/debug").join(format!("llmspan-faults{}", std::env::consts::EXE_SUFFIX));
    Program::new(&tools.home, "node")
        .args("--test --test-reporter=spec runtimes.test.mjs")
        .env("LLMSPAN_FAULTS", server)
        .env("LLMSPAN_CAPTURES", root.join("examples/captures"))
        .env("LLMSPAN_WORKER", root.join("examples/worker/worker.js"))
        .run()
}

/// Installs Debian's browser, unless it is there.
pub(crate) fn with_chromium(root: &Path) -> Result<(), String> {
    if Path::new("/usr/bin/chromium").is_file() { Ok(()) } else { sh::apt_install(root, "chromium") }
}
