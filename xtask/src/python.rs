//! The Python package: built as a wheel, installed, and checked as users get it.

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

/// The task `python`: everything that has to hold for the package.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    if let Some(argument) = arguments.first() {
        return Err(format!("`{argument}` is nothing that `python` understands"));
    }
    let venv = Venv::with_package(root)?;
    let tests = root.join("python/tests");
    let config = root.join("python/pyproject.toml");
    venv.tool("ruff").args("check .").run()?;
    venv.tool("ruff").args("format --check .").run()?;
    venv.tool("mypy").run()?;
    venv.python().args("-m mypy.stubtest llmspan._llmspan").run()?;
    let pytest = venv.python().args("-m pytest -c").arg(&config).args("--rootdir").arg(&tests).arg(&tests);
    pytest.env("LLMSPAN_FAULTS", faults::built(root)?).run()?;
    venv.installs_elsewhere()
}

/// Runs vectors through the installed package.
pub(crate) fn vectors(root: &Path, dirs: &[PathBuf]) -> Result<Report, String> {
    let venv = Venv::with_package(root)?;
    foreign::vectors(dirs, &venv.dir, |list| venv.python().arg(&root.join("python/tests/vectors.py")).arg(list).read())
}

/// Builds and installs the package, and gives the folder with its interpreter and commands.
pub(crate) fn installed(root: &Path) -> Result<PathBuf, String> {
    Ok(Venv::with_package(root)?.dir.join("venv").join(BIN))
}

/// What the package offers, from its sources and its stub.
pub(crate) fn api(root: &Path) -> Result<String, String> {
    let venv = Venv::with_tools(root)?;
    venv.python().arg(&root.join("python/tests/public_api.py")).arg(&root.join("python")).read()
}

/// The wheel and the source distribution, built.
pub(crate) fn distribution(root: &Path) -> Result<(PathBuf, PathBuf), String> {
    let venv = Venv::with_package(root)?;
    let wheel = sh::files(&venv.dir.join("dist"), ".whl").pop().ok_or("the wheel has gone")?;
    Ok((wheel, venv.build("sdist", ".tar.gz")?))
}

/// What importing the installed package takes beyond what the interpreter does by itself.
pub(crate) fn import(root: &Path) -> Result<Import, String> {
    let venv = Venv { root: root.into(), dir: root.join("target/python") };
    let script = venv.dir.join("import.py");
    fs::write(&script, IMPORT).map_err(|error| format!("{}: {error}", script.display()))?;
    let counts = venv.python().args("-I").arg(&script).args("count").read()?;
    let (modules, runtime) = counts.trim().split_once(' ').ok_or_else(|| format!("not a count: {counts}"))?;
    let modules = modules.parse().map_err(|error| format!("{counts}: {error}"))?;
    let python = venv.dir.join("venv").join(BIN).join("python");
    let run = |what| sh::instructions(&venv.dir, &[&python, Path::new("-I"), &script, Path::new(what)]);
    let instructions = match (run("import")?, run("nothing")?) {
        (Some(all), Some(own)) => Some(all.saturating_sub(own)),
        _ => None,
    };
    Ok(Import { runtime: runtime.into(), modules, instructions })
}

/// A virtual environment below `target/python`, with the pinned tools and the wheel of the package.
struct Venv {
    root: PathBuf,
    /// Where the environment, the wheels and the lists are.
    dir: PathBuf,
}

impl Venv {
    fn with_tools(root: &Path) -> Result<Self, String> {
        let venv = Self { root: root.into(), dir: root.join("target/python") };
        venv.install_tools()?;
        Ok(venv)
    }

    /// With the package, made once in a run of these tasks: what it is made of does not change meanwhile.
    fn with_package(root: &Path) -> Result<Self, String> {
        static MADE: OnceLock<Result<(), String>> = OnceLock::new();
        let venv = Self::with_tools(root)?;
        let make = || {
            let wheel = venv.build("build --release --strip", ".whl")?;
            venv.pip("install --quiet --force-reinstall --no-deps").arg(&wheel).run()
        };
        MADE.get_or_init(make).clone()?;
        Ok(venv)
    }

    /// Installs the pinned tools, unless they are there.
    fn install_tools(&self) -> Result<(), String> {
        let pins = self.root.join("python/requirements-dev.txt");
        let read = |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
        let (wanted, stamp) = (read(&pins)?, self.dir.join("installed.txt"));
        if read(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        interpreter(&self.root).args("-m venv --clear").arg(&self.dir.join("venv")).run()?;
        self.pip("install --quiet --requirement").arg(&pins).run()?;
        fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
    }

    /// Builds a distribution and gives its file.
    fn build(&self, how: &str, suffix: &str) -> Result<PathBuf, String> {
        let out = self.dir.join("dist");
        for old in sh::files(&out, suffix) {
            fs::remove_file(&old).map_err(|error| format!("{}: {error}", old.display()))?;
        }
        // The interpreter that is checked is the one that the wheel is built with.
        let maturin = self.tool("maturin").args(how).args("--out").arg(&out);
        maturin.env("VIRTUAL_ENV", self.dir.join("venv")).run()?;
        sh::files(&out, suffix).pop().ok_or_else(|| format!("no `{suffix}` came out of maturin"))
    }

    /// Checks that the wheel is for every supported Python, and that wheel and source distribution install on their own.
    fn installs_elsewhere(&self) -> Result<(), String> {
        let wheels = sh::files(&self.dir.join("dist"), ".whl");
        let wheel = wheels.first().ok_or("the wheel has gone")?;
        let name = wheel.display().to_string();
        if !name.contains("-cp310-abi3-") {
            return Err(format!("{name}: not a wheel for the stable ABI of CPython 3.10"));
        }
        let sdist = self.build("sdist", ".tar.gz")?;
        for distribution in [wheel, &sdist] {
            let empty = self.dir.join("empty");
            interpreter(&self.root).args("-m venv --clear").arg(&empty).run()?;
            let python = empty.join(BIN).join("python").display().to_string();
            Program::new(&self.dir, &python).args("-m pip install --quiet").arg(distribution).run()?;
            Program::new(&self.dir, &python).arg(&self.root.join("python/tests/first_call.py")).run()?;
        }
        Ok(())
    }

    fn pip(&self, arguments: &str) -> Program {
        self.python().args("-m pip --disable-pip-version-check").args(arguments)
    }

    /// The interpreter of the environment, run away from the sources of the package, which would hide the installed one.
    fn python(&self) -> Program {
        Program::new(&self.dir, &self.dir.join("venv").join(BIN).join("python").display().to_string())
    }

    fn tool(&self, name: &str) -> Program {
        let tool = self.dir.join("venv").join(BIN).join(name).display().to_string();
        // Its settings are looked for where it runs.
        Program::new(&self.root.join("python"), &tool)
    }
}

/// The interpreter of the search path.
pub(crate) fn interpreter(root: &Path) -> Program {
    Program::new(root, if cfg!(windows) { "python" } else { "python3" })
}

pub(crate) const BIN: &str = if cfg!(windows) { "Scripts" } else { "bin" };

/// Counts the modules that an import loads, or just imports, or does neither.
const IMPORT: &str = "\
import platform, sys
before = len(sys.modules)
if sys.argv[1] != 'nothing':
    import llmspan
if sys.argv[1] == 'count':
    print(len(sys.modules) - before, platform.python_implementation(), platform.python_version())
";
