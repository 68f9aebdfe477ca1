//! The Node package: built, packed as a tarball, installed into an empty folder, and checked as users get it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use llmspan_runner::report::Report;

use crate::{
    budgets::Import,
    faults, foreign,
    sh::{self, Program},
};

/// The task `node`: everything that has to hold for the package.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    if let Some(argument) = arguments.first() {
        return Err(format!("`{argument}` is nothing that `node` understands"));
    }
    let package = Package::installed(root)?;
    package.npm("run lint:package").run()?;
    let tests = package.copy_tests()?;
    // Most of the time of those with SDKs is waiting.
    let run = package.node("--expose-gc --test --test-concurrency=3 --test-reporter=spec");
    let run = run.env("LLMSPAN_FAULTS", faults::built(root)?);
    tests.iter().fold(run, |run, test| run.arg(test)).run()?;
    package.tsc("tests/tsconfig.json")
}

/// Runs vectors through the installed package.
pub(crate) fn vectors(root: &Path, dirs: &[PathBuf]) -> Result<Report, String> {
    let package = Package::installed(root)?;
    package.copy_tests()?;
    package.vectors(dirs)
}

/// Builds and installs the package, and gives the folder in which programs find it.
pub(crate) fn installed(root: &Path) -> Result<PathBuf, String> {
    Ok(Package::installed(root)?.dir)
}

/// The folders of the packages for JavaScript.
pub(crate) fn packages() -> impl Iterator<Item = &'static str> {
    ENTRIES.into_iter().map(|(folder, _)| folder)
}

/// What a package for JavaScript offers, from the types that its sources give. What its sources import has to be built: the
/// WebAssembly package has the engine's types from its build.
pub(crate) fn api(root: &Path, package: &str) -> Result<String, String> {
    let tools = Package { home: root.join("node"), dir: root.join("target/node") };
    tools.install_tools()?;
    let home = root.join(package);
    if !home.join("node_modules").is_dir() {
        Program::new(&home, NPM).args("ci --silent").run()?;
    }
    let out = root.join("target/api").join(package);
    let tsc = tools.node("").arg(&tools.home.join("node_modules/typescript/bin/tsc")).args("-p");
    tsc.arg(&home.join("tsconfig.json")).args("--emitDeclarationOnly --outDir").arg(&out).run()?;
    let mut listing = String::new();
    let entries = ENTRIES.into_iter().filter(|(folder, _)| *folder == package).flat_map(|(_, entries)| entries);
    for entry in entries {
        let index = out.join(package).join("src").join(format!("{entry}.d.ts"));
        let names = tools.node("").arg(&tools.home.join("scripts/api.mjs")).arg(&index).read()?;
        listing.push_str(&["\n=== ", entry, "\n\n", &names].concat());
    }
    Ok(listing)
}

/// The tarball of the package, with the addon for this platform.
pub(crate) fn tarball(root: &Path) -> Result<PathBuf, String> {
    Package::installed(root)?.tarball()
}

/// Makes the packages of the platforms as a release does, from files that stand for the addons, and checks that the package
/// itself has none of them left.
pub(crate) fn platforms(root: &Path) -> Result<(), String> {
    let tools = Package { home: root.join("node"), dir: root.join("target/node") };
    tools.install_tools()?;
    let home = root.join("target/platforms");
    let fail = |error: std::io::Error| format!("{}: {error}", home.display());
    if home.exists() {
        fs::remove_dir_all(&home).map_err(fail)?;
    }
    let addons = home.join("addons");
    fs::create_dir_all(&addons).map_err(fail)?;
    for name in ["package.json", "README.md", "LICENSE-APACHE", "LICENSE-MIT", "binding.cjs", "binding.d.cts"] {
        fs::copy(tools.home.join(name), home.join(name)).map_err(fail)?;
    }
    link(&tools.home.join("node_modules"), &home.join("node_modules")).map_err(fail)?;
    for platform in PLATFORMS {
        fs::write(addons.join(format!("llmspan.{platform}.node")), "not an addon").map_err(fail)?;
    }
    Program::new(&home, NODE).arg(&tools.home.join("scripts/platforms.mjs")).arg(&addons).run()?;
    let packed = Program::new(&home, NPM).args("pack --silent --dry-run --json").read()?;
    if packed.contains(".node\"") { Err(format!("the package holds addons: {packed}")) } else { Ok(()) }
}

/// What importing the installed package takes: its own modules, and what it loads of Node beyond what Node does by itself.
/// Instructions are not counted: those of V8 vary from run to run by more than an import takes.
pub(crate) fn import(root: &Path) -> Result<Import, String> {
    let package = Package { home: root.join("node"), dir: root.join("target/node") };
    package.write("import.cjs", IMPORT)?;
    let counts = package.node("import.cjs").read()?;
    let (modules, runtime) = counts.trim().split_once(' ').ok_or_else(|| format!("not a count: {counts}"))?;
    let modules = modules.parse().map_err(|error| format!("{counts}: {error}"))?;
    Ok(Import { runtime: runtime.into(), modules, instructions: None })
}

/// A folder below `target` in which a packed package is installed, next to what its tests need.
pub(crate) struct Package {
    /// Where the sources of the package are.
    pub(crate) home: PathBuf,
    /// Where it is installed.
    pub(crate) dir: PathBuf,
}

impl Package {
    /// The Node package, made once in a run of these tasks: what it is made of does not change meanwhile.
    fn installed(root: &Path) -> Result<Self, String> {
        static MADE: OnceLock<Result<(), String>> = OnceLock::new();
        let package = Self::with_tools(root, "node")?;
        MADE.get_or_init(|| package.npm("run build").run().and_then(|()| package.install())).clone()?;
        Ok(package)
    }

    /// The package of a folder, with its pinned tools.
    pub(crate) fn with_tools(root: &Path, name: &str) -> Result<Self, String> {
        let package = Self { home: root.join(name), dir: root.join("target").join(name) };
        fs::create_dir_all(&package.dir).map_err(|error| format!("{}: {error}", package.dir.display()))?;
        package.install_tools()?;
        Ok(package)
    }

    /// Packs what is built, and installs it in the folder.
    pub(crate) fn install(&self) -> Result<(), String> {
        for old in sh::files(&self.dir, ".tgz") {
            fs::remove_file(&old).map_err(|error| format!("{}: {error}", old.display()))?;
        }
        self.npm("pack --silent --pack-destination").arg(&self.dir).run()?;
        let tarball = self.tarball()?;
        self.write("package.json", r#"{ "private": true, "type": "module" }"#)?;
        // What is installed here is the tarball alone; what tests use beside it is found through the folder of the tools.
        Program::new(&self.dir, NPM).args("install --silent --no-package-lock --offline").arg(&tarball).run()?;
        self.tests_find_tools()
    }

    /// Runs vectors through it; its tests have to be there.
    pub(crate) fn vectors(&self, dirs: &[PathBuf]) -> Result<Report, String> {
        foreign::vectors(dirs, &self.dir, |list| self.node("--expose-gc tests/vectors.mjs").arg(list).read())
    }

    /// Installs the pinned tools, unless they are there.
    fn install_tools(&self) -> Result<(), String> {
        fs::create_dir_all(&self.dir).map_err(|error| format!("{}: {error}", self.dir.display()))?;
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
        self.copy_tests_of(&self.home.join("tests"), |_| true)
    }

    /// Does so with the files of a folder whose names are wanted.
    pub(crate) fn copy_tests_of(&self, from: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, String> {
        let mut tests = Vec::new();
        copy_tests(from, &self.dir.join("tests"), &wanted, &mut tests)?;
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

    /// What npm packed.
    pub(crate) fn tarball(&self) -> Result<PathBuf, String> {
        sh::files(&self.dir, ".tgz").pop().ok_or_else(|| "no tarball came out of npm".into())
    }

    pub(crate) fn npm(&self, arguments: &str) -> Program {
        Program::new(&self.home, NPM).args(arguments)
    }

    /// Node, run away from the sources of the package.
    pub(crate) fn node(&self, arguments: &str) -> Program {
        Program::new(&self.dir, NODE).args(arguments)
    }

    /// Checks the types that users get.
    pub(crate) fn tsc(&self, project: &str) -> Result<(), String> {
        self.node("").arg(&self.home.join("node_modules/typescript/bin/tsc")).args("-p").args(project).run()
    }
}

fn copy_tests(from: &Path, to: &Path, wanted: &dyn Fn(&str) -> bool, tests: &mut Vec<PathBuf>) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    for entry in fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))?.flatten() {
        if !wanted(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_tests(&from, &to, wanted, tests)?;
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
pub(crate) fn link(target: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, to)
}

#[cfg(windows)]
pub(crate) fn link(target: &Path, to: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_dir(target, to)
}

const NODE: &str = "node";
pub(crate) const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// The packages, with the modules that users import: those that say the same for another runtime are left out.
const ENTRIES: [(&str, &[&str]); 2] =
    [("node", &["index", "opentelemetry"]), ("wasm", &["node", "opentelemetry", "init", "slim-node", "slim-init"])];

/// The platforms that have an addon, as napi names them.
const PLATFORMS: [&str; 8] = [
    "darwin-arm64",
    "darwin-x64",
    "linux-arm64-gnu",
    "linux-arm64-musl",
    "linux-x64-gnu",
    "linux-x64-musl",
    "win32-arm64-msvc",
    "win32-x64-msvc",
];

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

/// Counts the files that a `require` loads, and what Node loads of itself for them.
const IMPORT: &str = "\
const before = process.moduleLoadList.length
require('llmspan')
const files = Object.keys(require.cache).length - 1
console.log(files + process.moduleLoadList.length - before, 'node', process.versions.node)
";
