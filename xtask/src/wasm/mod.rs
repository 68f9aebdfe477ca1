//! The WebAssembly package: built, measured, packed as a tarball, installed into an empty folder, and checked as users get it.

mod module;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use llmspan_runner::report::Report;

use self::module::{BUILDS, Size};
use crate::{
    budgets::Budgets,
    faults,
    node::{self, Package},
};

/// The task `wasm`: everything that has to hold for the package. With `--build` it is built, measured and packed only, with
/// `--functions` the largest functions of each module are shown besides.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    if let Some(argument) = arguments.iter().find(|argument| !["--build", "--functions"].contains(&argument.as_str())) {
        return Err(format!("`{argument}` is nothing that `wasm` understands"));
    }
    let is_given = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let package = installed(root, is_given("--functions"))?;
    if is_given("--build") {
        println!("{}", package.tarball()?.display());
        return Ok(());
    }
    package.npm("run lint:package").run()?;
    let tests = copy_tests(root, &package)?;
    let run = package.node("--expose-gc --test --test-reporter=spec").env("LLMSPAN_FAULTS", faults::built(root)?);
    let run = run.env("LLMSPAN_VECTORS", root.join("tests/vectors"));
    tests.iter().fold(run, |run, test| run.arg(test)).run()?;
    package.tsc("tests/tsconfig.json")
}

/// The tarball of the package, built and installed.
pub(crate) fn tarball(root: &Path) -> Result<PathBuf, String> {
    installed(root, false)?.tarball()
}

/// Runs vectors through the installed package.
pub(crate) fn vectors(root: &Path, dirs: &[PathBuf]) -> Result<Report, String> {
    let package = installed(root, false)?;
    copy_tests(root, &package)?;
    package.vectors(dirs)
}

/// The package, made once in a run of these tasks: what it is made of does not change meanwhile.
fn installed(root: &Path, with_functions: bool) -> Result<Package, String> {
    static MADE: OnceLock<Result<(), String>> = OnceLock::new();
    let package = Package::with_tools(root, "wasm")?;
    MADE.get_or_init(|| make(root, &package, with_functions)).clone()?;
    Ok(package)
}

fn make(root: &Path, package: &Package, with_functions: bool) -> Result<(), String> {
    module::make(root, &package.home, with_functions)?;
    package.npm("run build").run()?;
    hold_against_budgets(root, &package.home.join("dist"))?;
    package.install()?;
    // Tests of what both packages have in common import it by the name of the other one.
    let other = package.dir.join("node_modules/llmspan");
    fs::remove_file(&other).ok();
    node::link(Path::new("llmspan-wasm"), &other).map_err(|error| format!("{}: {error}", other.display()))
}

/// Tests of the package, and those of the Node package that are about what both have in common.
fn copy_tests(root: &Path, package: &Package) -> Result<Vec<PathBuf>, String> {
    let mut tests = package.copy_tests_of(&root.join("node/tests"), |name| SHARED_TESTS.contains(&name))?;
    tests.extend(package.copy_tests_of(&package.home.join("tests"), |_| true)?);
    Ok(tests)
}

const SHARED_TESTS: [&str; 11] = [
    "by_hand.test.mjs",
    "fetch.test.mjs",
    "harm.test.mjs",
    "observe.test.mjs",
    "opentelemetry.test.mjs",
    "otlp.test.mjs",
    "privacy.test.mjs",
    "secrets.mjs",
    "server.mjs",
    "server_timing.test.mjs",
    "vectors.mjs",
];

fn hold_against_budgets(root: &Path, dist: &Path) -> Result<(), String> {
    let budgets = Budgets::read(root)?;
    println!(
        "\n{:<8}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}",
        "build", "wasm", "gzip", "js", "gzip", "gzip, all", "at most"
    );
    let mut too_large = Vec::new();
    for build in BUILDS {
        let name = build.name;
        let wasm = Size::of_file(&dist.join(build.file))?;
        let js = Size::of_file(&dist.join(format!("esm/wasm/build/{name}/llmspan_wasm.js")))?;
        let most = budgets.wasm.get(name).ok_or_else(|| format!("tests/budgets.toml has no size of `{name}`"))?.gzip;
        let all = wasm.gzip + js.gzip;
        println!("{name:<8}{:>12}{:>12}{:>12}{:>12}{all:>12}{most:>12}", wasm.raw, wasm.gzip, js.raw, js.gzip);
        if all > most {
            too_large.push(name);
        }
    }
    println!();
    if too_large.is_empty() {
        Ok(())
    } else {
        Err(format!("larger than tests/budgets.toml allows: {}", too_large.join(", ")))
    }
}
