//! The task `release`: checks that a release is complete and of one version, or sets the version.

mod links;
mod packages;
mod versions;

use std::path::Path;

use crate::{
    artifacts::{self, Artifact},
    node,
    sh::Program,
};

/// With `--check` verifies everything that a release needs, with `--tag vX.Y.Z` also that it is the release of that tag; with
/// `--version X.Y.Z` sets the version.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--check"] => {
            written(root, None)?;
            packed(root, &artifacts::pack(root)?)
        }
        ["--check", "--tag", tag] => {
            written(root, Some(tag))?;
            packed(root, &artifacts::pack(root)?)
        }
        ["--version", version] => set(root, version),
        _ => Err("`release` takes `--check`, `--check --tag vX.Y.Z` or `--version X.Y.Z`".into()),
    }
}

/// Checks what can be read in the repository: versions, headings, links.
pub(crate) fn written(root: &Path, tag: Option<&str>) -> Result<(), String> {
    let version = versions::check(root, tag)?;
    let links = links::check(root)?;
    println!("version {version} everywhere; {links} links resolve");
    Ok(())
}

/// Checks what was packed.
pub(crate) fn packed(root: &Path, artifacts: &[Artifact]) -> Result<(), String> {
    let files = packages::check(root, artifacts)?;
    println!("{} packages are complete: {files} files", artifacts.len());
    node::platforms(root)
}

fn set(root: &Path, version: &str) -> Result<(), String> {
    versions::set(root, version)?;
    for manifest in ["Cargo.toml", "fuzz/Cargo.toml"] {
        let update = Program::cargo(root).args("update --quiet --workspace --offline --manifest-path");
        update.arg(Path::new(manifest)).run()?;
    }
    written(root, None)
}

fn failed(what: &str, failures: &[String]) -> Result<(), String> {
    if failures.is_empty() { Ok(()) } else { Err(format!("{what}\n  {}", failures.join("\n  "))) }
}
