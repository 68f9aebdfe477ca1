//! The task `fuzz`: runs the targets of `fuzz/` for a while, with seeds from the vectors.

mod seeds;
mod target;

use core::num::NonZeroU32;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
};

use self::target::Target;
use crate::sh::{self, Program};

/// Builds the targets, writes their seeds, runs each and says what was found.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let options = Options::read(arguments)?;
    check(root)?;
    let home = build(root, &options.targets)?;
    let seeds = seeds::collect(&root.join("tests/vectors"))?;
    for target in &options.targets {
        seeds.write(target, &Places::of(root, target))?;
    }
    println!("{:<32} {:>12} {:>10}", "target", "executions", "coverage");
    let waiting = Mutex::new(options.targets.iter());
    let runs = Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some(target) = waiting.lock().unwrap_or_else(PoisonError::into_inner).next() else { return };
            let run = fuzz(root, &home, target, &options);
            println!("{}", run.as_ref().map_or_else(Clone::clone, Run::line));
            runs.lock().unwrap_or_else(PoisonError::into_inner).push(run);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let runs: Vec<Run> =
        runs.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect::<Result<_, _>>()?;
    finish(&runs)
}

/// What the arguments of the task ask for.
#[derive(Debug)]
struct Options {
    seconds: NonZeroU32,
    /// The seed of each run; one is chosen by the time when it is absent.
    seed: Option<NonZeroU32>,
    targets: Vec<Target>,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { seconds: SECONDS, seed: None, targets: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--seconds" => options.seconds = number(argument, arguments.next())?,
                "--seed" => options.seed = Some(number(argument, arguments.next())?),
                name => options.targets.push(Target::by_name(name)?),
            }
        }
        if options.targets.is_empty() {
            options.targets = Target::all();
        }
        Ok(options)
    }
}

fn number(flag: &str, value: Option<&String>) -> Result<NonZeroU32, String> {
    value.and_then(|value| value.parse().ok()).ok_or_else(|| format!("`{flag}` takes a number above 0"))
}

/// Formatting and lints of the package, which is no member of the workspace.
fn check(root: &Path) -> Result<(), String> {
    if sh::find("c++").is_none() {
        println!("libFuzzer needs a C++ compiler");
        sh::apt_install(root, "g++")
            .map_err(|error| format!("g++ has to be installed to build libFuzzer ({error})"))?;
    }
    Program::cargo(root).args("fmt --check --manifest-path fuzz/Cargo.toml").run()?;
    cargo(root, "clippy --all-targets", "-- -D warnings").map(|_| ())
}

/// Builds the targets once and gives the directory of the programs.
fn build(root: &Path, targets: &[Target]) -> Result<PathBuf, String> {
    let bins: Vec<String> = targets.iter().map(|target| format!("--bin {}", target.name)).collect();
    cargo(root, "build", &bins.join(" "))
}

/// Runs cargo on the package with the flags of a fuzzer, as cargo-fuzz does without a sanitizer: the core has no unsafe code
/// that one could check, and so no nightly compiler is needed.
fn cargo(root: &Path, task: &str, more: &str) -> Result<PathBuf, String> {
    let host = host(root)?;
    let home = root.join(BUILT);
    let stack = if cfg!(target_os = "linux") { " -Cllvm-args=-sanitizer-coverage-stack-depth" } else { "" };
    Program::cargo(root)
        .args(task)
        // With a target named, the flags are not those of build scripts and macros, which are no fuzzers.
        .args(&format!("--quiet --release --locked --manifest-path fuzz/Cargo.toml --target {host} {more}"))
        .env("CARGO_TARGET_DIR", &home)
        .env("RUSTFLAGS", format!("{FLAGS}{stack}"))
        .run()?;
    Ok(home.join(host).join("release"))
}

fn host(root: &Path) -> Result<String, String> {
    let version = Program::new(root, "rustc").args("-vV").read()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(String::from).ok_or_else(|| String::from("rustc does not say what it runs on"))
}

/// Where a target reads and writes, below `target/`.
#[derive(Debug)]
struct Places {
    /// Seeds, and the inputs that reached something new.
    corpus: PathBuf,
    dictionary: PathBuf,
    /// Inputs that broke a rule.
    artifacts: PathBuf,
    log: PathBuf,
}

impl Places {
    fn of(root: &Path, target: &Target) -> Self {
        let below = |dir: &str| root.join("target").join(dir);
        Self {
            corpus: below("fuzz-corpus").join(&target.name),
            dictionary: below("fuzz-corpus").join(format!("{}.dict", target.name)),
            artifacts: below("fuzz-artifacts").join(&target.name),
            log: below("fuzz-artifacts").join(format!("{}.log", target.name)),
        }
    }
}

/// How a target fared.
#[derive(Debug)]
struct Run {
    target: String,
    program: PathBuf,
    executions: u64,
    coverage: u64,
    /// The input that broke a rule, or the log where there is none.
    found: Option<PathBuf>,
}

impl Run {
    fn line(&self) -> String {
        let found = if self.found.is_some() { "  FOUND SOMETHING" } else { "" };
        format!("{:<32} {:>12} {:>10}{found}", self.target, self.executions, self.coverage)
    }
}

fn fuzz(root: &Path, home: &Path, target: &Target, options: &Options) -> Result<Run, String> {
    let places = Places::of(root, target);
    let fail = |path: &Path, error: &dyn core::fmt::Display| format!("{}: {error}", path.display());
    fs::create_dir_all(&places.artifacts).map_err(|error| fail(&places.artifacts, &error))?;
    let log = fs::File::create(&places.log).map_err(|error| fail(&places.log, &error))?;
    let program = home.join(&target.name);
    // One without a word is refused.
    let has_words = fs::metadata(&places.dictionary).is_ok_and(|file| file.len() > 0);
    let mut command = Command::new(&program);
    command
        .arg(&places.corpus)
        .args(LIMITS)
        .arg(format!("-max_total_time={}", options.seconds))
        .arg(format!("-artifact_prefix={}/", places.artifacts.display()))
        .args(has_words.then(|| format!("-dict={}", places.dictionary.display())))
        .args(options.seed.map(|seed| format!("-seed={seed}")))
        .current_dir(root)
        .stdout(Stdio::null())
        .stderr(log);
    let status = command.status().map_err(|error| fail(&program, &error))?;
    let log = fs::read(&places.log).map_err(|error| fail(&places.log, &error))?;
    let log = String::from_utf8_lossy(&log);
    let input =
        log.lines().rev().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path.into());
    Ok(Run {
        target: target.name.clone(),
        program,
        executions: last_number(&log, "stat::number_of_executed_units:"),
        coverage: last_number(&log, " cov:"),
        found: (!status.success()).then(|| input.unwrap_or(places.log)),
    })
}

/// The last number behind a word of the log.
fn last_number(log: &str, word: &str) -> u64 {
    let after = log.rsplit_once(word).map_or("", |(_, after)| after);
    after.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn finish(runs: &[Run]) -> Result<(), String> {
    let executions: u64 = runs.iter().map(|run| run.executions).sum();
    println!("\n{} targets, {executions} executions", runs.len());
    let mut found = 0;
    for run in runs {
        if let Some(input) = &run.found {
            found += 1;
            let (name, program, input) = (&run.target, run.program.display(), input.display());
            println!(
                "\n{name}: {input}\n  replay: {program} {input}\n  shrink: {program} -minimize_crash=1 -max_total_time=60 {input}"
            );
        }
    }
    if found == 0 {
        Ok(())
    } else {
        Err(format!("{found} targets broke a rule; make each a vector below tests/vectors/fuzzed"))
    }
}

/// Seconds per target when none are given.
const SECONDS: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");

/// Directory of what is built.
const BUILT: &str = "target/fuzz";

/// Counters at every branch and the operands of comparisons; `cfg(fuzzing)` as cargo-fuzz sets it.
const FLAGS: &str = "--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Bounds of every run: bytes of an input, MiB of memory, seconds of one input.
const LIMITS: [&str; 4] = ["-max_len=4096", "-rss_limit_mb=1024", "-timeout=10", "-print_final_stats=1"];
