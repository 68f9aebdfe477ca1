//! The task `supply`: what the published packages are built from, under which licences, from where, and how old it may be.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use toml::Table;

use crate::{
    committed, node, python,
    sh::{self, Program},
};

/// Compares the trees of dependencies with the committed ones, and checks what they bring; with `--update` writes the trees, with
/// `--oldest` builds the crates with the oldest dependencies that they allow, with `--advisories` asks the databases of known
/// vulnerabilities, which are on the network.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => {
            trees(root, false)?;
            compilers(root)?;
            rules(root)
        }
        ["--advisories"] => advisories(root),
        ["--oldest"] => oldest(root),
        ["--update"] => trees(root, true),
        _ => Err("`supply` takes `--update`, `--oldest` or `--advisories`".into()),
    }
}

/// Compares the dependencies of each published package, with their versions, licences and features, for every target.
fn trees(root: &Path, update: bool) -> Result<(), String> {
    for package in published(root) {
        let tree = Program::cargo(root)
            .args(&format!("tree --package {package} --edges normal,build --all-features --target all --locked"))
            .args("--charset ascii --format")
            .arg(Path::new("{p} [{l}] {f}"))
            .read()?;
        let path = format!("tests/supply/{package}.txt");
        committed::compare(root, &path, &without_paths(&tree), update, "cargo xtask supply --update")?;
    }
    Ok(())
}

/// Removes where packages of the workspace lie, and blanks at the ends of lines.
fn without_paths(tree: &str) -> String {
    let mut out = String::new();
    for line in tree.lines() {
        match line.split_once(" (/").or_else(|| line.split_once(" (C:")) {
            Some((before, after)) => {
                out.push_str(before);
                out.push_str(after.split_once(')').map_or("", |(_, rest)| rest).trim_end());
            }
            None => out.push_str(line.trim_end()),
        }
        out.push('\n');
    }
    out
}

/// Checks that no dependency of a published package asks for a newer compiler than the packages promise.
fn compilers(root: &Path) -> Result<(), String> {
    let metadata = Program::cargo(root).args("metadata --format-version 1 --all-features --locked").read()?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let promised = workspace_value(root, "rust-version")?;
    let names = dependencies(root)?;
    let newer = newer_compilers(&metadata, &promised, &names);
    if newer.is_empty() {
        println!("{} dependencies build with Rust {promised}, as far as they say", names.len());
        return Ok(());
    }
    Err(format!("Rust {promised} is promised, and these ask for more: {}", newer.join(", ")))
}

/// The packages of those names and versions that ask for a newer compiler than the promised one.
fn newer_compilers(metadata: &Value, promised: &str, names: &[String]) -> Vec<String> {
    let packages = metadata.get("packages").and_then(Value::as_array).into_iter().flatten();
    let text = |package: &Value, key: &str| package.get(key).and_then(Value::as_str).map(String::from);
    packages
        .filter_map(|package| {
            let name = format!("{} {}", text(package, "name")?, text(package, "version")?);
            let asked = text(package, "rust_version")?;
            let is_newer = names.contains(&name) && numbers(&asked) > numbers(promised);
            is_newer.then(|| format!("{name} for {asked}"))
        })
        .collect()
}

/// The names and versions of what the published packages depend on.
fn dependencies(root: &Path) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for package in published(root) {
        let tree = Program::cargo(root)
            .args(&format!("tree --package {package} --edges normal,build --all-features --target all --locked"))
            .args("--prefix none --format {p}")
            .read()?;
        let name_and_version = |line: &str| {
            let mut words = line.split_whitespace();
            Some(format!("{} {}", words.next()?, words.next()?.trim_start_matches('v')))
        };
        names.extend(tree.lines().filter_map(name_and_version));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// A version as numbers; what is missing is zero.
fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or_default());
    [0; 3].map(|zero| parts.next().unwrap_or(zero))
}

/// Runs cargo-deny with the rules of `deny.toml`.
fn rules(root: &Path) -> Result<(), String> {
    let deny = cargo_deny(root)?.display().to_string();
    // That a crate comes in two versions is worth knowing, and in the trees of the published packages it is seen.
    Program::new(root, &deny).args("--workspace --locked --log-level error check licenses sources bans").run()
}

/// Looks for known vulnerabilities in what is built, and in the tools that build and test it.
fn advisories(root: &Path) -> Result<(), String> {
    let deny = cargo_deny(root)?.display().to_string();
    Program::new(root, &deny).args("--workspace --locked check advisories").run()?;
    for package in node::packages() {
        Program::new(&root.join(package), node::NPM).args("audit --package-lock-only --audit-level high").run()?;
    }
    let venv = root.join("target/tools/audit");
    python::interpreter(root).args("-m venv --clear").arg(&venv).run()?;
    let python = venv.join(python::BIN).join("python").display().to_string();
    let install = format!("-m pip --disable-pip-version-check install --quiet {PIP_AUDIT}");
    Program::new(root, &python).args(&install).run()?;
    Program::new(root, &python).args("-m pip_audit --requirement python/requirements-dev.txt").run()
}

/// A cargo-deny of the pinned version: one from the search path, or one that is built once, into `target/tools`.
fn cargo_deny(root: &Path) -> Result<PathBuf, String> {
    let is_pinned = |path: &Path| {
        let version = std::process::Command::new(path).arg("--version").output();
        version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == format!("cargo-deny {CARGO_DENY}"))
    };
    let tools = root.join("target/tools");
    let own = tools.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if let Some(found) = sh::find("cargo-deny").into_iter().chain([own.clone()]).find(|path| is_pinned(path)) {
        return Ok(found);
    }
    let install = format!("install cargo-deny --version ={CARGO_DENY} --locked --quiet --no-default-features --root");
    // Optimizing it takes longer than it will ever run.
    Program::cargo(root).args(&install).arg(&tools).args("--profile dev").env("CARGO_PROFILE_DEV_DEBUG", "0").run()?;
    Ok(own)
}

/// Builds the crates as users get them, with the oldest version of each dependency that their manifests allow.
pub(crate) fn oldest(root: &Path) -> Result<(), String> {
    let packed = crates(root)?;
    let home = root.join("target/oldest");
    let fail = |path: &Path, error: &dyn core::fmt::Display| format!("{}: {error}", path.display());
    if home.exists() {
        fs::remove_dir_all(&home).map_err(|error| fail(&home, &error))?;
    }
    fs::create_dir_all(&home).map_err(|error| fail(&home, &error))?;
    let mut members = Vec::new();
    for (name, file) in &packed {
        Program::new(&home, "tar").args("-xzf").arg(file).run()?;
        let folder = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let manifest = home.join(&folder).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).map_err(|error| fail(&manifest, &error))?;
        fs::write(&manifest, for_users(&text)?).map_err(|error| fail(&manifest, &error))?;
        members.push((name, folder));
    }
    let folders: Vec<String> = members.iter().map(|(_, folder)| format!("{folder:?}")).collect();
    let patches: Vec<String> =
        members.iter().map(|(name, folder)| format!("{name} = {{ path = {folder:?} }}\n")).collect();
    let workspace = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{}]\n\n[patch.crates-io]\n{}",
        folders.join(", "),
        patches.concat()
    );
    fs::write(home.join("Cargo.toml"), workspace).map_err(|error| fail(&home, &error))?;
    // Choosing the oldest versions is an unstable option of cargo, which the stable one has under this name.
    let unstable = |arguments: &str| Program::cargo(&home).args(arguments).env("RUSTC_BOOTSTRAP", "1");
    unstable("generate-lockfile --quiet -Zdirect-minimal-versions").run()?;
    let check = Program::cargo(&home).args("check --quiet --workspace --all-features --locked");
    check.env("CARGO_TARGET_DIR", home.join("target")).run()
}

/// The manifest of a packed crate without what only its own tests need: their dependencies would raise versions.
fn for_users(manifest: &str) -> Result<String, String> {
    let mut table: Table = manifest.parse().map_err(|error| format!("the manifest of a packed crate: {error}"))?;
    for key in ["dev-dependencies", "test", "bench", "example"] {
        table.remove(key);
    }
    Ok(table.to_string())
}

/// Packs the crates that are published, without building them, and gives their names and files.
pub(crate) fn crates(root: &Path) -> Result<Vec<(&'static str, PathBuf)>, String> {
    let selected: String = CRATES.map(|name| format!(" --package {name}")).concat();
    let package = format!("package --quiet --no-verify --allow-dirty --locked{selected}");
    Program::cargo(root).args(&package).env("CARGO_TARGET_DIR", root.join("target")).run()?;
    let version = workspace_value(root, "version")?;
    let file = |name| root.join("target/package").join(format!("{name}-{version}.crate"));
    Ok(CRATES.map(|name| (name, file(name))).to_vec())
}

/// A text of `[workspace.package]`.
pub(crate) fn workspace_value(root: &Path, key: &str) -> Result<String, String> {
    let path = root.join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let table: Table = text.parse().map_err(|error| format!("{}: {error}", path.display()))?;
    let package = table.get("workspace").and_then(|workspace| workspace.get("package"));
    let value = package.and_then(|package| package.get(key)).and_then(toml::Value::as_str);
    value.map(String::from).ok_or_else(|| format!("{} has no `{key}`", path.display()))
}

/// The packages of the workspace that users get, as crates or inside of packages of other languages.
fn published(root: &Path) -> impl Iterator<Item = &'static str> {
    let shims = [("node", "llmspan-node"), ("python", "llmspan-python"), ("wasm", "llmspan-wasm")];
    let is_there = |folder: &str| root.join("bindings").join(folder).join("Cargo.toml").is_file();
    let shims = shims.into_iter().filter(move |(folder, _)| is_there(folder)).map(|(_, package)| package);
    CRATES.into_iter().chain(shims.collect::<Vec<_>>())
}

/// The crates that are published, each after those that it needs.
pub(crate) const CRATES: [&str; 2] = ["llmspan-core", "llmspan"];

const CARGO_DENY: &str = "0.20.2";
const PIP_AUDIT: &str = "pip-audit==2.10.1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_asks_for_a_newer_compiler_is_told() {
        let metadata = serde_json::json!({ "packages": [
            { "name": "old", "version": "1.0.0", "rust_version": "1.31" },
            { "name": "same", "version": "1.0.0", "rust_version": "1.88.0" },
            { "name": "silent", "version": "1.0.0", "rust_version": null },
            { "name": "new", "version": "2.0.0", "rust_version": "1.88.1" },
            { "name": "new", "version": "1.0.0", "rust_version": "1.100" },
            { "name": "test-only", "version": "1.0.0", "rust_version": "1.100" },
        ] });
        let names = ["old 1.0.0", "same 1.0.0", "silent 1.0.0", "new 1.0.0", "new 2.0.0"].map(String::from);
        assert_eq!(newer_compilers(&metadata, "1.88", &names), ["new 2.0.0 for 1.88.1", "new 1.0.0 for 1.100"]);
    }

    #[test]
    fn a_tree_does_not_say_where_it_was_made() {
        let tree = "llmspan v0.1.0 (/home/some one/llmspan) [MIT] std\n`-- syn v3.0.9 (proc-macro) [MIT] \n";
        assert_eq!(without_paths(tree), "llmspan v0.1.0 [MIT] std\n`-- syn v3.0.9 (proc-macro) [MIT]\n");
    }

    #[test]
    fn what_only_tests_need_is_no_dependency_of_users() {
        let manifest =
            "[dependencies.a]\nversion = \"1\"\n[dev-dependencies.b]\nversion = \"2\"\n[[test]]\nname = \"t\"\n";
        let kept: Table = for_users(manifest).unwrap().parse().unwrap();
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["dependencies"]);
    }
}
