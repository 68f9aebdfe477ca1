//! The step `backends` of the task `test`: real backends read what is exported.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use crate::sh::{self, Program};

/// Installs the backends where they are not, and runs the tests that start them.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    if sh::find("prometheus").is_none() {
        sh::apt_install(root, "prometheus").map_err(|error| format!("prometheus has to be installed ({error})"))?;
    }
    install_from_pypi(root, &root.join("target/backends"))?;
    Program::cargo(root).args("test --package llmspan-examples --test prometheus --locked -- --ignored").run()?;
    Program::cargo(root).args("test --package llmspan-backends --test it --locked -- --ignored").run()
}

/// Backends that are Python packages: each has a file `<name>.txt` with all that is installed, down to the version.
const FROM_PYPI: [&str; 3] = ["mlflow", "phoenix", "rotel"];

/// Each in a virtual environment of its own, all at once: most of the time goes into unpacking.
fn install_from_pypi(root: &Path, dir: &Path) -> Result<(), String> {
    let missing: Vec<(&str, String)> = FROM_PYPI
        .into_iter()
        .map(|name| Ok((name, requirements(root, name)?)))
        .filter(|wanted| !matches!(wanted, Ok((name, wanted)) if stamp(dir, name).as_ref() == Some(wanted)))
        .collect::<Result<_, String>>()?;
    if missing.is_empty() {
        return Ok(());
    }
    python(root)?;
    thread::scope(|scope| {
        let installing: Vec<_> =
            missing.iter().map(|(name, wanted)| scope.spawn(move || install(root, dir, name, wanted))).collect();
        installing.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| Err("an installation panicked".into())))
    })
}

fn install(root: &Path, dir: &Path, name: &str, requirements: &str) -> Result<(), String> {
    let venv = dir.join(name);
    if venv.exists() {
        fs::remove_dir_all(&venv).map_err(|error| format!("{}: {error}", venv.display()))?;
    }
    Program::new(root, "python3").args("-m venv").arg(&venv).run()?;
    let pip = venv.join("bin/pip");
    // The list is complete, so nothing is looked up; what is imported is compiled when it is.
    Program::new(root, &pip.display().to_string())
        .args("install --quiet --disable-pip-version-check --no-compile --no-deps --requirement")
        .arg(&requirements_file(root, name))
        .run()?;
    let stamp = stamp_file(dir, name);
    fs::write(&stamp, requirements).map_err(|error| format!("{}: {error}", stamp.display()))
}

/// Debian has the module for virtual environments in a package of its own.
fn python(root: &Path) -> Result<(), String> {
    if sh::find("python3").is_some() && Program::new(root, "python3").args("-m ensurepip --version").run().is_ok() {
        return Ok(());
    }
    sh::apt_install(root, "python3 python3-venv")
        .map_err(|error| format!("Python with its module venv has to be installed ({error})"))
}

fn requirements(root: &Path, name: &str) -> Result<String, String> {
    let file = requirements_file(root, name);
    fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))
}

fn requirements_file(root: &Path, name: &str) -> PathBuf {
    root.join("tests/backends/requirements").join(name).with_extension("txt")
}

/// What was installed, if that was done to the end.
fn stamp(dir: &Path, name: &str) -> Option<String> {
    fs::read_to_string(stamp_file(dir, name)).ok()
}

fn stamp_file(dir: &Path, name: &str) -> PathBuf {
    dir.join(name).join("installed.txt")
}
