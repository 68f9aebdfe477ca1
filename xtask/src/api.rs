//! The task `api`: what each package offers, listed, and compared with the listings that are committed in `tests/api`.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    committed, node, python,
    sh::{self, Program},
    supply,
};

/// Lists the API of every package and compares; with `--update` writes the listings.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let update = sh::flag(arguments, "--update")?;
    for package in supply::CRATES {
        if let Some(listing) = rust(root, package)? {
            compare(root, package, &listing, update)?;
        }
    }
    compare(root, "python", &python::api(root)?, update)?;
    for package in node::packages() {
        compare(root, package, &node::api(root, package)?, update)?;
    }
    Ok(())
}

fn compare(root: &Path, package: &str, listing: &str, update: bool) -> Result<(), String> {
    let path = format!("tests/api/{package}.txt");
    let head =
        "# Written by `cargo xtask api --update`. A line that goes or changes breaks callers: CHANGELOG.md says so.\n";
    committed::compare(root, &path, &format!("{head}{listing}"), update, "cargo xtask api --update")?;
    println!("{path}: {} lines", listing.lines().count());
    Ok(())
}

/// The public items of a crate with all of its features, one a line; none where the compiler writes another format than is read.
fn rust(root: &Path, package: &str) -> Result<Option<String>, String> {
    let target = root.join("target/api");
    let format = read_format(root)?;
    // The JSON of rustdoc is unstable, which the stable compiler has under this name. It rebuilds what reads the name: hence a
    // folder of its own.
    Program::cargo(root)
        .args(&format!("rustdoc --quiet --package {package} --lib --all-features --locked --target-dir"))
        .arg(&target)
        .args("-- -Zunstable-options --output-format json --cap-lints allow")
        .env("RUSTC_BOOTSTRAP", "1")
        .run()?;
    let file = target.join("doc").join(format!("{}.json", package.replace('-', "_")));
    let written = written_format(&file)?;
    if written != format {
        let message = format!("the JSON of rustdoc has format {written} here, and {format} is read");
        if env::var_os("CI").is_some() {
            return Err(format!("{message}: xtask/tools needs another version of public-api"));
        }
        println!("not compared: {message}");
        return Ok(None);
    }
    Program::tool(root, "api").arg(&file).read().map(Some)
}

/// The format that the locked `rustdoc-types` reads, which is its version after the zero.
fn read_format(root: &Path) -> Result<u64, String> {
    let version = sh::locked_version(root, "rustdoc-types")?;
    let format = version.split('.').nth(1).and_then(|format| format.parse().ok());
    format.ok_or_else(|| format!("rustdoc-types {version} does not say its format"))
}

fn written_format(file: &PathBuf) -> Result<u64, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let json: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    json.get("format_version").and_then(Value::as_u64).ok_or_else(|| format!("{}: no format", file.display()))
}
