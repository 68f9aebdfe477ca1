//! What each package has to hold, and what it may not.

use std::path::Path;

use serde_json::Value;

use super::failed;
use crate::{
    artifacts::{Artifact, Kind},
    sh::Program,
    supply,
};

/// Checks the files of every package, and what the crates say of themselves; gives the number of files.
pub(super) fn check(root: &Path, artifacts: &[Artifact]) -> Result<usize, String> {
    let (mut count, mut failures) = (0, Vec::new());
    for artifact in artifacts {
        let files = artifact.files(root)?;
        count += files.len();
        let wrong = incomplete(artifact.kind, &files);
        failures.extend(wrong.into_iter().map(|wrong| format!("{}: {wrong}", artifact.name)));
    }
    let metadata = Program::cargo(root).args("metadata --format-version 1 --no-deps --locked").read()?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    failures.extend(supply::CRATES.into_iter().flat_map(|name| unsaid(&metadata, name)));
    failed("packages are not complete", &failures)?;
    Ok(count)
}

/// What is missing from the files of a package, and what is too much.
fn incomplete(kind: Kind, files: &[String]) -> Vec<String> {
    let rules = rules(kind);
    let is_at = |file: &str, pattern: &str| match pattern.split_once('*') {
        Some((before, after)) => {
            file.len() >= before.len() + after.len() && file.starts_with(before) && file.ends_with(after)
        }
        None => file == pattern,
    };
    let missing = rules.needed.iter().filter(|needed| !files.iter().any(|file| is_at(file, needed)));
    let mut wrong: Vec<String> = missing.map(|needed| format!("there is no {needed}")).collect();
    let surplus =
        files.iter().filter(|file| !file.ends_with('/') && !rules.allowed.iter().any(|allowed| is_at(file, allowed)));
    wrong.extend(surplus.map(|file| format!("{file} is none of its files")));
    let banned = files.iter().filter(|file| BANNED.iter().any(|part| file.contains(part)));
    wrong.extend(banned.map(|file| format!("{file} may not be in a package")));
    wrong
}

struct Rules {
    /// Each has to match a file; `*` stands for anything.
    needed: &'static [&'static str],
    /// Each file has to match one.
    allowed: &'static [&'static str],
}

const fn rules(kind: Kind) -> Rules {
    match kind {
        Kind::Crate => Rules {
            needed: &["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/lib.rs"],
            allowed: &[
                ".cargo_vcs_info.json",
                "Cargo.lock",
                "Cargo.toml",
                "Cargo.toml.orig",
                "LICENSE-*",
                "README.md",
                "docs/*.md",
                "src/*.rs",
                "src/*.css",
                "src/*.js",
                "src/*.html",
            ],
        },
        Kind::Npm => Rules {
            needed: &[
                "LICENSE-APACHE",
                "LICENSE-MIT",
                "README.md",
                "binding.cjs",
                "binding.d.cts",
                "dist/cjs/node/src/index.d.ts",
                "dist/cjs/node/src/index.js",
                "dist/esm/node/src/index.d.ts",
                "dist/esm/node/src/index.js",
                "package.json",
            ],
            // The addon is in the tarball that is packed from a checkout; a release has it in packages of its own.
            allowed: &[
                "LICENSE-*",
                "README.md",
                "binding.cjs",
                "binding.d.cts",
                "dist/*",
                "llmspan.*.node",
                "package.json",
            ],
        },
        Kind::Sdist => Rules {
            needed: &[
                "Cargo.lock",
                "Cargo.toml",
                "LICENSE-APACHE",
                "LICENSE-MIT",
                "PKG-INFO",
                "README.md",
                "bindings/python/Cargo.toml",
                "bindings/python/src/lib.rs",
                "core/Cargo.toml",
                "core/src/lib.rs",
                "llmspan/__init__.py",
                "llmspan/_llmspan.pyi",
                "llmspan/py.typed",
                "pyproject.toml",
            ],
            allowed: &[
                "Cargo.lock",
                "Cargo.toml",
                "LICENSE-*",
                "PKG-INFO",
                "README.md",
                "bindings/python/Cargo.toml",
                "bindings/python/src/*.rs",
                "core/Cargo.toml",
                "core/LICENSE-*",
                "core/README.md",
                "core/docs/*.md",
                "core/src/*",
                "llmspan/*",
                "pyproject.toml",
            ],
        },
        Kind::Wasm => Rules {
            needed: &["LICENSE-APACHE", "LICENSE-MIT", "README.md", "dist/llmspan.wasm", "package.json"],
            allowed: &["LICENSE-*", "README.md", "dist/*", "package.json"],
        },
        Kind::Wheel => Rules {
            needed: &[
                "llmspan/__init__.py",
                "llmspan/_llmspan.pyi",
                EXTENSION,
                "llmspan/py.typed",
                "llmspan-*.dist-info/METADATA",
                "llmspan-*.dist-info/entry_points.txt",
                "llmspan-*.dist-info/licenses/LICENSE-APACHE",
                "llmspan-*.dist-info/licenses/LICENSE-MIT",
            ],
            allowed: &["llmspan/*", "llmspan-*"],
        },
    }
}

const EXTENSION: &str = if cfg!(windows) { "llmspan/_llmspan.pyd" } else { "llmspan/_llmspan.abi3.so" };

/// Parts of paths that no package has: what other tools leave, and fixtures.
const BANNED: [&str; 7] = ["/vectors/", "/fuzz/", "/target/", "node_modules/", "__pycache__", ".DS_Store", ".snap"];

/// What a crate does not say of itself, and a registry shows.
fn unsaid(metadata: &Value, name: &str) -> Vec<String> {
    let mut packages = metadata.get("packages").and_then(Value::as_array).into_iter().flatten();
    let Some(package) = packages.find(|package| package.get("name").and_then(Value::as_str) == Some(name)) else {
        return vec![format!("{name} is no package of the workspace")];
    };
    let is_empty = |key: &&&str| match package.get(**key) {
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        _ => true,
    };
    let empty = ["description", "license", "repository", "readme", "keywords", "categories", "rust_version"];
    empty.iter().filter(is_empty).map(|key| format!("{name} says no {key}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files that pass.
    fn complete(kind: Kind) -> Vec<String> {
        rules(kind).needed.iter().map(|needed| needed.replace('*', "x")).collect()
    }

    #[test]
    fn a_file_that_is_missing_is_told() {
        for kind in [Kind::Crate, Kind::Npm, Kind::Sdist, Kind::Wasm, Kind::Wheel] {
            let files = complete(kind);
            assert_eq!(incomplete(kind, &files), Vec::<String>::new(), "{kind:?}");
            for at in 0..files.len() {
                let mut fewer = files.clone();
                let gone = fewer.remove(at);
                assert_eq!(incomplete(kind, &fewer).len(), 1, "{kind:?} without {gone}");
            }
        }
    }

    #[test]
    fn a_file_that_is_too_much_is_told() {
        for (kind, file) in [
            (Kind::Crate, "tests/fixtures/stream.json"),
            (Kind::Crate, "profiles.toml"),
            (Kind::Npm, "src/index.ts"),
            (Kind::Npm, "dist/esm/node_modules/x/index.js"),
            (Kind::Sdist, "core/tests/metrics_memory.rs"),
            (Kind::Sdist, "tests/vectors/one.json"),
            (Kind::Wheel, "llmspan/__pycache__/call.cpython-311.pyc"),
            (Kind::Wheel, "tests/test_call.py"),
        ] {
            let mut files = complete(kind);
            files.push(file.into());
            assert!(!incomplete(kind, &files).is_empty(), "{kind:?} with {file}");
        }
    }

    #[test]
    fn a_crate_that_says_too_little_is_told() {
        let metadata = serde_json::json!({ "packages": [{ "name": "a", "description": "x", "keywords": [] }] });
        let unsaid = unsaid(&metadata, "a");
        assert!(
            unsaid.contains(&"a says no license".into()) && unsaid.contains(&"a says no keywords".into()),
            "{unsaid:?}"
        );
        assert!(!unsaid.contains(&"a says no description".into()));
        assert_eq!(super::unsaid(&metadata, "b"), ["b is no package of the workspace"]);
    }
}
