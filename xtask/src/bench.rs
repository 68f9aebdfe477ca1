//! The task `bench`: counts what the workloads of `tests/bench` cost, and compares with the budgets.

use alloc::collections::BTreeMap;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    budgets::{Budget, Budgets},
    sh::{self, Program},
};

/// Counts, prints and compares; with `--update` writes the budgets in place of comparing.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let update = sh::flag(arguments, "--update")?;
    let rustc = sh::rustc_version(root)?;
    let instructions = if cfg!(target_os = "linux") {
        instructions(root)?
    } else {
        println!("instructions are not counted: callgrind runs on Linux");
        BTreeMap::new()
    };
    let costs = costs(root, &instructions)?;
    let committed = if update { Budgets::default() } else { Budgets::read(root)? };
    print_table(&costs, &committed);
    let mut failures = broken_promises(&costs);
    if update {
        // What other tasks count stays.
        let arch = env::consts::ARCH.into();
        Budgets { rustc, arch, workload: workloads(&costs), ..Budgets::read(root)? }.write(root)?;
    } else {
        failures.extend(over_budget(&costs, &committed, &rustc));
    }
    if failures.is_empty() { Ok(()) } else { Err(format!("too dear\n  {}", failures.join("\n  "))) }
}

/// What a workload cost, as it counted itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    name: String,
    /// Operations of one run; the counts are of all of them.
    ops: u32,
    allocations: Option<u32>,
    bytes: Option<u32>,
    nanos: Option<u32>,
    held: Option<u32>,
}

/// What one operation of a workload cost.
#[derive(Debug)]
struct Cost {
    name: String,
    counts: Budget,
    nanos: Option<f64>,
}

fn costs(root: &Path, instructions: &BTreeMap<String, f64>) -> Result<Vec<Cost>, String> {
    let lines = Program::cargo(root).args("run --release --quiet --locked --package llmspan-bench").read()?;
    let mut costs = Vec::new();
    for line in lines.lines() {
        let measured: Measured = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
        let per_op = |total: Option<u32>| total.map(|total| f64::from(total) / f64::from(measured.ops.max(1)));
        costs.push(Cost {
            counts: Budget {
                instructions: instructions.get(&measured.name).map(|total| total / f64::from(measured.ops.max(1))),
                allocations: per_op(measured.allocations),
                bytes: per_op(measured.bytes),
                held: per_op(measured.held),
            },
            nanos: per_op(measured.nanos),
            name: measured.name,
        });
    }
    if costs.is_empty() { Err("no workload was measured".into()) } else { Ok(costs) }
}

fn print_table(costs: &[Cost], committed: &Budgets) {
    let cell = |value: Option<f64>| value.map_or_else(|| String::from("-"), |value| format!("{value:.2}"));
    let row = |name: &str, cells: [&str; 6]| {
        let [instructions, budget, allocations, bytes, held, nanos] = cells;
        println!("{name:<26} {instructions:>13} {budget:>10} {allocations:>12} {bytes:>12} {held:>10} {nanos:>10}");
    };
    println!();
    row("per operation", ["instructions", "budget", "allocations", "bytes", "held", "ns"]);
    for cost in costs {
        let counts = &cost.counts;
        let budget = committed.workload.get(&cost.name).and_then(|budget| budget.instructions);
        let cells = [counts.instructions, budget, counts.allocations, counts.bytes, counts.held, cost.nanos].map(cell);
        row(&cost.name, cells.each_ref().map(String::as_str));
    }
    println!();
    for (name, instructions, time, comparison) in comparisons(costs) {
        let (instructions, time, other) = (cell(instructions), cell(time), comparison.other);
        println!("{name:<24} takes 1/{instructions} of the instructions and 1/{time} of the time of {other}");
    }
    println!();
}

/// How often the instructions and the time of each workload fit into those of what it is compared with.
fn comparisons(costs: &[Cost]) -> impl Iterator<Item = (&str, Option<f64>, Option<f64>, &'static Comparison)> {
    let ratio = |own: Option<f64>, other: Option<f64>| own.zip(other).map(|(own, other)| other / own);
    costs.iter().flat_map(move |cost| {
        COMPARISONS.iter().filter_map(move |comparison| {
            let other = costs.iter().find(|other| other.name.strip_prefix(comparison.prefix) == Some(&cost.name))?;
            let instructions = ratio(cost.counts.instructions, other.counts.instructions);
            Some((cost.name.as_str(), instructions, ratio(cost.nanos, other.nanos), comparison))
        })
    })
}

/// What the documentation promises, whatever the budgets say.
fn broken_promises(costs: &[Cost]) -> Vec<String> {
    let mut failures = Vec::new();
    for (name, promise) in PROMISES {
        match costs.iter().find(|cost| cost.name == *name) {
            Some(cost) => compare(name, "promised", &cost.counts, promise, 0.0, &mut failures),
            None => failures.push(format!("{name} was not measured")),
        }
    }
    let mut decoders: Vec<&str> = Vec::new();
    for (name, instructions, _, Comparison { other, times, .. }) in comparisons(costs) {
        decoders.push(name);
        if let Some(got) = instructions.filter(|got| got < times) {
            failures.push(format!("{name}: {other} takes {got:.2} times its instructions, promised {times:.1}"));
        }
    }
    for cost in costs.iter().filter(|cost| decoders.contains(&cost.name.as_str())) {
        compare(&cost.name, "promised", &cost.counts, &NO_ALLOCATION, 0.0, &mut failures);
    }
    failures
}

/// Whether the workload is only there to be compared with.
fn is_baseline(name: &str) -> bool {
    COMPARISONS.iter().any(|comparison| name.starts_with(comparison.prefix))
}

fn over_budget(costs: &[Cost], committed: &Budgets, rustc: &str) -> Vec<String> {
    let mut failures = Vec::new();
    let mut room = 0.0;
    if committed.rustc != rustc {
        room = OTHER_COMPILER;
        println!(
            "instructions were counted with rustc {}, this is {rustc}: {:.0} % of room",
            committed.rustc,
            room * 100.0
        );
    }
    let same_arch = committed.arch == env::consts::ARCH;
    if !same_arch {
        println!("instructions were counted on {}, this is {}: not compared", committed.arch, env::consts::ARCH);
    }
    for cost in costs.iter().filter(|cost| !is_baseline(&cost.name)) {
        match committed.workload.get(&cost.name) {
            Some(budget) => {
                let instructions = budget.instructions.filter(|_| same_arch);
                let budget = Budget { instructions, ..budget.clone() };
                compare(&cost.name, "committed", &cost.counts, &budget, room, &mut failures);
            }
            None => failures.push(format!("{} has no budget: run `cargo xtask bench --update`", cost.name)),
        }
    }
    for name in committed.workload.keys().filter(|name| !costs.iter().any(|cost| cost.name == **name)) {
        failures.push(format!("{name} has a budget and was not measured"));
    }
    failures
}

fn compare(name: &str, kind: &str, counts: &Budget, bound: &Budget, room: f64, failures: &mut Vec<String>) {
    for (unit, got, bound) in [
        ("instructions", counts.instructions, bound.instructions.map(|bound| bound * (1.0 + room))),
        ("allocations", counts.allocations, bound.allocations),
        ("bytes", counts.bytes, bound.bytes),
        ("bytes held", counts.held, bound.held),
    ] {
        if let (Some(got), Some(bound)) = (got, bound)
            && got > bound
        {
            failures.push(format!("{name}: {got:.1} {unit}, {kind} {bound:.1}"));
        }
    }
}

fn workloads(costs: &[Cost]) -> BTreeMap<String, Budget> {
    let with_room = |count: f64| (count * (1.0 + ROOM) * 10.0).round() / 10.0;
    let budget = |cost: &Cost| {
        let budget = Budget { instructions: cost.counts.instructions.map(with_room), ..cost.counts.clone() };
        (cost.name.clone(), budget)
    };
    costs.iter().filter(|cost| !is_baseline(&cost.name)).map(budget).collect()
}

/// Counts the instructions of each workload with callgrind, by name.
fn instructions(root: &Path) -> Result<BTreeMap<String, f64>, String> {
    let runner = runner(root)?;
    let home = root.join("target/gungraun");
    if home.exists() {
        fs::remove_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
    }
    Program::cargo(root)
        .args("bench --quiet --locked --package llmspan-bench --bench instructions")
        .env("GUNGRAUN_RUNNER", runner)
        .env("GUNGRAUN_HOME", &home)
        .env("GUNGRAUN_SAVE_SUMMARY", "json")
        .env("GUNGRAUN_CALLGRIND_METRICS", "ir")
        // Switching address randomization off is refused in many containers, and no count depends on it.
        .env("GUNGRAUN_ALLOW_ASLR", "yes")
        .run()?;
    let mut counts = BTreeMap::new();
    summaries(&home, &mut counts)?;
    if counts.is_empty() { Err(format!("callgrind left no counts in {}", home.display())) } else { Ok(counts) }
}

fn summaries(dir: &Path, counts: &mut BTreeMap<String, f64>) -> Result<(), String> {
    let fail = |path: &Path, error: &dyn core::fmt::Display| format!("{}: {error}", path.display());
    for entry in fs::read_dir(dir).map_err(|error| fail(dir, &error))? {
        let path = entry.map_err(|error| fail(dir, &error))?.path();
        if path.is_dir() {
            summaries(&path, counts)?;
        } else if path.file_name().is_some_and(|name| name == "summary.json") {
            let text = fs::read_to_string(&path).map_err(|error| fail(&path, &error))?;
            let summary: Value = serde_json::from_str(&text).map_err(|error| fail(&path, &error))?;
            // A workload that is a variant of a function has its name as the id, any other is called `run`.
            let name = |key: &str| summary.get(key).and_then(Value::as_str).unwrap_or_default();
            let name = if name("id") == "run" { name("function_name") } else { name("id") };
            let total = summary.pointer("/profiles/0/data/total/metrics/Ir/values/new").and_then(Value::as_f64);
            counts.insert(name.into(), total.ok_or_else(|| fail(&path, &"there is no instruction count"))?);
        }
    }
    Ok(())
}

/// The program that runs callgrind for the benchmarks, of the version that the lock file has; installed if need be.
fn runner(root: &Path) -> Result<PathBuf, String> {
    if sh::find("valgrind").is_none() {
        println!("valgrind is missing");
        sh::apt_install(root, "valgrind libc6-dbg")
            .map_err(|error| format!("valgrind has to be installed to count instructions ({error})"))?;
    }
    let version = sh::locked_version(root, "gungraun")?;
    let tools = root.join("target/tools");
    let runner = tools.join("bin/gungraun-runner");
    let installed = fs::read_to_string(tools.join(".crates.toml")).unwrap_or_default();
    if !runner.is_file() || !installed.contains(&format!("\"gungraun-runner {version} ")) {
        let install = format!("install gungraun-runner --version ={version} --locked --quiet --root");
        Program::cargo(root).args(&install).arg(&tools).run()?;
    }
    Ok(runner)
}

/// What the decoders of the protocols are compared with.
struct Comparison {
    /// Of the names of its workloads; the rest is that of the decoder's workload.
    prefix: &'static str,
    other: &'static str,
    /// How often the instructions of the decoder have to fit into its own.
    times: f64,
}

const COMPARISONS: &[Comparison] = &[
    Comparison { prefix: "tree_", other: "a serde_json::Value", times: 3.0 },
    Comparison { prefix: "smithy_", other: "aws-smithy-eventstream", times: 1.0 },
];

/// Counts that hold whatever the budgets say: a classified chunk costs at most 200 instructions, no chunk allocates once
/// its decoder is warm, and an open call stays within 2 KiB however many chunks came.
const PROMISES: &[(&str, Budget)] = &[
    ("chunk", Budget { instructions: Some(200.0), ..NO_ALLOCATION }),
    ("openai_chat_escaped", NO_ALLOCATION),
    ("openai_chat_split", NO_ALLOCATION),
    ("call_bytes", NO_ALLOCATION),
    ("open_call_10", Budget { held: Some(2048.0), ..UNBOUND }),
    ("open_call_1000000", Budget { held: Some(2048.0), ..UNBOUND }),
];

const UNBOUND: Budget = Budget { instructions: None, allocations: None, bytes: None, held: None };
const NO_ALLOCATION: Budget = Budget { allocations: Some(0.0), ..UNBOUND };

/// Part that a committed count of instructions may be above the one measured: libraries of the system differ a little.
const ROOM: f64 = 0.03;

/// The same for a compiler of another version than the one that counted.
const OTHER_COMPILER: f64 = 0.15;
