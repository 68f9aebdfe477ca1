//! The task `test`: everything that has to hold, in one command.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use crate::{
    api, artifacts, backends, bench, fuzz, generate, node, page, python, release, replay, runtimes,
    sh::{self, Program},
    sizes, snippets, supply, wasm, workflows,
};

/// Runs every step in order, up to the first that fails; with `--backends` also against real backends.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let with_backends = sh::flag(arguments, "--backends")?;
    let mut steps: Vec<(&str, Step)> = vec![
        ("toolchain", toolchain),
        ("formatting", |root| Program::cargo(root).args("fmt --all --check").run()),
        ("generated files", |root| generate::generate(root, true)),
        ("lints", lints),
        ("tests", |root| Program::cargo(root).args("test --workspace --all-features --locked").run()),
        ("documentation", documentation),
        ("vectors", vectors),
        ("corpus", corpus),
        ("fuzz", |root| fuzz::run(root, &["--seconds", "1", "--seed", "1"].map(String::from))),
        ("no_std", no_std),
        ("workflows", workflows::run),
        ("dependencies", |root| supply::run(root, &[])),
        ("oldest dependencies", supply::oldest),
        ("budgets", |root| bench::run(root, &[])),
        ("python", python_package),
        ("node", node_package),
        ("snippets", |root| snippets::run(root, &[])),
        ("wasm", wasm_package),
        ("runtimes", |root| runtimes::run(root, &[])),
        ("page", |root| page::run(root, &["--test".into()])),
        ("public api", |root| api::run(root, &[])),
        ("packages", packages),
    ];
    if with_backends {
        steps.push(("backends", backends::run));
    }
    for (at, (name, step)) in (1..).zip(&steps) {
        println!("\n=== {at}/{} {name}", steps.len());
        let start = clock();
        step(root).map_err(|error| format!("step {at}, {name}: {error}"))?;
        println!("--- {name}: {} s", start.elapsed().as_secs());
    }
    println!("\nall {} steps passed", steps.len());
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "how long a step takes is no event of a call")]
fn clock() -> Instant {
    Instant::now()
}

/// A step fails with what the user has to know.
type Step = fn(&Path) -> Result<(), String>;

/// Adds what a fresh toolchain lacks. A toolchain that rustup does not manage has to bring it along.
fn toolchain(root: &Path) -> Result<(), String> {
    if sh::find("rustup").is_none() {
        println!("there is no rustup: components and targets are taken as they are");
        return Ok(());
    }
    Program::new(root, "rustup").args("component add rustfmt clippy").run()?;
    Program::new(root, "rustup").args("target add").args(&BARE_TARGETS.join(" ")).run()
}

/// With every feature, and the host layer once more without any.
fn lints(root: &Path) -> Result<(), String> {
    let clippy = |what: &str| Program::cargo(root).args("clippy").args(what).args("--locked -- -D warnings").run();
    clippy("--workspace --all-targets --all-features")?;
    clippy("--package llmspan")
}

fn documentation(root: &Path) -> Result<(), String> {
    Program::cargo(root)
        .args("doc --workspace --all-features --no-deps --locked")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}

/// The Python package with its checks, its tests, and the vectors through it.
fn python_package(root: &Path) -> Result<(), String> {
    python::run(root, &[])?;
    vectors_through(root, "python")
}

/// The Node package with its checks, its tests, and the vectors through it.
fn node_package(root: &Path) -> Result<(), String> {
    node::run(root, &[])?;
    vectors_through(root, "node")
}

/// The WebAssembly package with its checks, its tests, and the vectors through it.
fn wasm_package(root: &Path) -> Result<(), String> {
    wasm::run(root, &[])?;
    vectors_through(root, "wasm")
}

fn vectors_through(root: &Path, runtime: &str) -> Result<(), String> {
    let arguments = ["--runtime", runtime].map(String::from).into_iter().chain(vector_dirs(root));
    replay::vectors(root, &arguments.collect::<Vec<_>>())
}

fn vectors(root: &Path) -> Result<(), String> {
    replay::vectors(root, &vector_dirs(root))?;
    // The small engine of WebAssembly, with the tests of the runner: they run the vectors, too.
    Program::cargo(root).args("test --quiet --locked --package llmspan-runner --no-default-features").run()
}

fn vector_dirs(root: &Path) -> Vec<String> {
    let dirs = [root.join("tests/vectors"), shared(root, "vectors")];
    dirs.iter().filter(|dir| dir.is_dir()).map(|dir| dir.display().to_string()).collect()
}

/// The recorded responses are no part of the repository.
fn corpus(root: &Path) -> Result<(), String> {
    let dir = shared(root, "corpus");
    if !dir.is_dir() {
        println!("not run: there is no {}", dir.display());
        return Ok(());
    }
    replay::corpus(&[dir.display().to_string()])
}

/// Builds the engine where there is no standard library at all, or none to speak of: with all that is on by default, with
/// nothing, and without one feature at a time.
fn no_std(root: &Path) -> Result<(), String> {
    let without = |feature: &&str| {
        let rest: Vec<&str> = CORE_FEATURES.into_iter().filter(|other| other != feature).collect();
        format!("--no-default-features --features {}", rest.join(","))
    };
    BARE_TARGETS.iter().try_for_each(|target| {
        let all = format!("build --package llmspan-core --locked --target {target}");
        Program::cargo(root).args(&all).run()?;
        let check = format!("check --package llmspan-core --locked --target {target}");
        CORE_FEATURES
            .iter()
            .map(without)
            .chain(["--no-default-features".into()])
            .try_for_each(|features| Program::cargo(root).args(&check).args(&features).run())
    })
}

/// What a release uploads: packed once, then its sizes, its files, and what the repository says of it.
fn packages(root: &Path) -> Result<(), String> {
    release::written(root, None)?;
    let artifacts = artifacts::pack(root)?;
    release::packed(root, &artifacts)?;
    sizes::compare(root, &artifacts, false)
}

/// A directory of material that is kept beside the repository.
fn shared(root: &Path, name: &str) -> PathBuf {
    root.parent().unwrap_or(root).join("shared").join(name)
}

/// What is on by default in the core.
const CORE_FEATURES: [&str; 6] = ["compact", "fast-decode", "logs", "metrics", "protobuf", "protocols"];

const BARE_TARGETS: [&str; 2] = ["thumbv7em-none-eabihf", "wasm32-unknown-unknown"];
