//! Running other programs, and reading the arguments of tasks.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A program that is run at the root of the workspace, with its output passed through.
pub(crate) struct Program {
    command: Command,
    shown: String,
}

impl Program {
    pub(crate) fn new(root: &Path, program: &str) -> Self {
        let mut command = Command::new(program);
        command.current_dir(root);
        Self { command, shown: program.into() }
    }

    /// The cargo that runs this task.
    pub(crate) fn cargo(root: &Path) -> Self {
        let mut cargo = Self::new(root, &env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
        cargo.shown = "cargo".into();
        // Cargo sets these for what it runs; a cargo inside would take them for a wish of the user's.
        for (key, _) in env::vars().filter(|(key, _)| key.starts_with("CARGO_PKG_") || key == "CARGO_MANIFEST_DIR") {
            cargo.command.env_remove(key);
        }
        cargo
    }

    /// One of the tools that are a program of their own.
    pub(crate) fn tool(root: &Path, name: &str) -> Self {
        Self::cargo(root).args("run --quiet --locked --package xtask-tools --").args(name)
    }

    /// Adds arguments, which are separated by blanks.
    pub(crate) fn args(mut self, arguments: &str) -> Self {
        self.command.args(arguments.split_whitespace());
        self.shown = format!("{} {arguments}", self.shown);
        self
    }

    /// Adds one argument, blanks and all.
    pub(crate) fn arg(mut self, argument: &Path) -> Self {
        self.command.arg(argument);
        self.shown = format!("{} {}", self.shown, argument.display());
        self
    }

    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Runs it and fails when it does.
    pub(crate) fn run(mut self) -> Result<(), String> {
        println!("$ {}", self.shown);
        let status = self.command.status().map_err(|error| format!("`{}`: {error}", self.shown))?;
        if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", self.shown)) }
    }

    /// Runs it and gives what it wrote to its standard output.
    pub(crate) fn read(mut self) -> Result<String, String> {
        let output =
            self.command.stderr(Stdio::inherit()).output().map_err(|error| format!("`{}`: {error}", self.shown))?;
        if !output.status.success() {
            return Err(format!("`{}` failed: {}", self.shown, output.status));
        }
        String::from_utf8(output.stdout).map_err(|error| format!("`{}`: {error}", self.shown))
    }
}

/// Where cargo builds.
pub(crate) fn target_dir(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

/// The files of a folder whose names end so, in order; none where there is no folder.
pub(crate) fn files(dir: &Path, suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with(suffix)).collect();
    files.sort();
    files
}

/// Where a program of that name lies on the search path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(program)).find(|path| path.is_file())
}

/// Counts the instructions of a program with valgrind; none where there is no valgrind.
pub(crate) fn instructions(dir: &Path, command: &[&Path]) -> Result<Option<u64>, String> {
    if cfg!(not(target_os = "linux")) || find("valgrind").is_none() {
        return Ok(None);
    }
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]).args(command);
    // Sets of strings are walked in another order with every seed.
    let output =
        valgrind.current_dir(dir).env("PYTHONHASHSEED", "0").output().map_err(|error| format!("valgrind: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let count = text.lines().find_map(|line| line.split_once("refs:")?.1.trim().replace(',', "").parse().ok());
    if output.status.success() && count.is_some() { Ok(count) } else { Err(format!("valgrind failed: {text}")) }
}

/// Whether the only flag that a task knows is given.
pub(crate) fn flag(arguments: &[String], name: &str) -> Result<bool, String> {
    match arguments {
        [] => Ok(false),
        [only] if only == name => Ok(true),
        _ => Err(format!("only `{name}` is understood here, not `{}`", arguments.join(" "))),
    }
}

/// Installs a package of Debian, which takes the rights of root.
pub(crate) fn apt_install(root: &Path, packages: &str) -> Result<(), String> {
    let apt =
        |arguments: &str| Program::new(root, "apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").run();
    apt("update --quiet")?;
    apt(&format!("install --quiet --yes --no-install-recommends {packages}"))
}

/// The version of a package that the lock file has, the first one if there are several.
pub(crate) fn locked_version(root: &Path, package: &str) -> Result<String, String> {
    let text = fs::read_to_string(root.join("Cargo.lock")).map_err(|error| format!("Cargo.lock: {error}"))?;
    let lock: toml::Table = text.parse().map_err(|error| format!("Cargo.lock: {error}"))?;
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let field = |entry: &toml::Value, key: &str| entry.get(key).and_then(toml::Value::as_str).map(String::from);
    packages
        .filter(|entry| field(entry, "name").as_deref() == Some(package))
        .find_map(|entry| field(entry, "version"))
        .ok_or_else(|| format!("Cargo.lock has no {package}"))
}

/// The version of the compiler.
pub(crate) fn rustc_version(root: &Path) -> Result<String, String> {
    Ok(rustc(root, "--version")?.split_whitespace().nth(1).unwrap_or_default().into())
}

/// The folder that the compiler is installed in.
pub(crate) fn sysroot(root: &Path) -> Result<PathBuf, String> {
    Ok(rustc(root, "--print sysroot")?.trim().into())
}

/// What the compiler says of itself.
fn rustc(root: &Path, arguments: &str) -> Result<String, String> {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    Program::new(root, &rustc).args(arguments).read()
}
