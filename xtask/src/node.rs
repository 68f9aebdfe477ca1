//! The Node package: built, packed as a tarball, installed into an empty folder, and checked as users get it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use llmspan_runner::report::Report;

use crate::{foreign, sh::Program};

/// The task `node`: everything that has to hold for the package.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    if let Some(argument) = arguments.first() {
        return Err(format!("`{argument}` is nothing that `node` understands"));
    }
    let package = Package::installed(root)?;
    package.npm("run lint:package").run()?;
    Program::cargo(root).args("build --quiet --package llmspan-faults --locked").run()?;
    let tests = package.copy_tests()?;
    let server = root.join("target/debug").join(format!("llmspan-faults{}", std::env::consts::EXE_SUFFIX));
    // Most of the time of those with SDKs is waiting.
    let run =
        package.node("--expose-gc --test --test-concurrency=3 --test-reporter=spec").env("LLMSPAN_FAULTS", server);
    tests.iter().fold(run, |run, test| run.arg(test)).run()?;
    package.tsc("tests/tsconfig.json")
}

/// Runs vectors through the installed package.
pub(crate) fn vectors(root: &Path, dirs: &[PathBuf]) -> Result<Report, String> {
    let package = Package::installed(root)?;
    package.copy_tests()?;
    foreign::vectors(dirs, &package.dir, |list| package.node("--expose-gc tests/vectors.mjs").arg(list).read())
}

/// Builds and installs the package, and gives the folder in which programs find it.
pub(crate) fn installed(root: &Path) -> Result<PathBuf, String> {
    Ok(Package::installed(root)?.dir)
}

/// A folder below `target/node` in which the packed package is installed, next to what its tests need.
struct Package {
    /// Where the sources of the package are.
    home: PathBuf,
    /// Where it is installed.
    dir: PathBuf,
}

impl Package {
    fn installed(root: &Path) -> Result<Self, String> {
        let package = Self { home: root.join("node"), dir: root.join("target/node") };
        fs::create_dir_all(&package.dir).map_err(|error| format!("{}: {error}", package.dir.display()))?;
        package.install_tools()?;
        package.npm("run build").run()?;
        for old in package.tarballs() {
            fs::remove_file(&old).map_err(|error| format!("{}: {error}", old.display()))?;
        }
        package.npm("pack --silent --pack-destination").arg(&package.dir).run()?;
        let tarball = package.tarballs().pop().ok_or("no tarball came out of npm")?;
        package.write("package.json", r#"{ "private": true, "type": "module" }"#)?;
        // What is installed here is the tarball alone; what tests use beside it is found through the folder of the tools.
        Program::new(&package.dir, NPM).args("install --silent --no-package-lock --offline").arg(&tarball).run()?;
        package.tests_find_tools()?;
        Ok(package)
    }

    /// Installs the pinned tools, unless they are there.
    fn install_tools(&self) -> Result<(), String> {
        let lock = self.home.join("package-lock.json");
        let wanted = fs::read_to_string(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
        let stamp = self.dir.join("installed.txt");
        let is_there = self.home.join("node_modules").is_dir();
        if is_there && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        self.npm("ci --silent").run()?;
        fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
    }

    /// Copies the tests next to the installed package, away from its sources, and gives those that the test runner runs.
    fn copy_tests(&self) -> Result<Vec<PathBuf>, String> {
        let mut tests = Vec::new();
        copy_tests(&self.home.join("tests"), &self.dir.join("tests"), &mut tests)?;
        tests.sort();
        Ok(tests)
    }

    /// Puts what tests import beside the package into the folder: as links, so that nothing is installed twice.
    fn tests_find_tools(&self) -> Result<(), String> {
        for name in TEST_DEPENDENCIES {
            let to = self.dir.join("node_modules").join(name);
            fs::create_dir_all(to.parent().unwrap_or(&self.dir))
                .map_err(|error| format!("{}: {error}", to.display()))?;
            // A link of an earlier run may be there.
            fs::remove_file(&to).ok();
            link(&self.home.join("node_modules").join(name), &to)
                .map_err(|error| format!("{}: {error}", to.display()))?;
        }
        Ok(())
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let file = self.dir.join(name);
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))
    }

    fn tarballs(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "tgz")).collect()
    }

    fn npm(&self, arguments: &str) -> Program {
        Program::new(&self.home, NPM).args(arguments)
    }

    /// Node, run away from the sources of the package.
    fn node(&self, arguments: &str) -> Program {
        Program::new(&self.dir, NODE).args(arguments)
    }

    /// Checks the types that users get.
    fn tsc(&self, project: &str) -> Result<(), String> {
        self.node("").arg(&self.home.join("node_modules/typescript/bin/tsc")).args("-p").args(project).run()
    }
}

fn copy_tests(from: &Path, to: &Path, tests: &mut Vec<PathBuf>) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    for entry in fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))?.flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_tests(&from, &to, tests)?;
            continue;
        }
        fs::copy(&from, &to).map_err(|error| format!("{}: {error}", to.display()))?;
        if to.display().to_string().ends_with(".test.mjs") {
            tests.push(to);
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(target: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, to)
}

#[cfg(windows)]
fn link(target: &Path, to: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_dir(target, to)
}

const NODE: &str = "node";
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// What the tests import beside the package.
const TEST_DEPENDENCIES: [&str; 17] = [
    "@ai-sdk/anthropic",
    "@ai-sdk/google",
    "@ai-sdk/openai",
    "@anthropic-ai/sdk",
    "@google/genai",
    "@mistralai/mistralai",
    "@opentelemetry/api",
    "@opentelemetry/sdk-metrics",
    "@opentelemetry/sdk-trace-base",
    "@opentelemetry/sdk-trace-node",
    "@types/node",
    "ai",
    "cohere-ai",
    "groq-sdk",
    "ollama",
    "openai",
    "undici-types",
];
