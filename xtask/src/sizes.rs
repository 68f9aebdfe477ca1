//! The task `sizes`: how large the packages are, and what importing them takes, against the budgets.

use alloc::collections::BTreeMap;
use std::{env, fs, path::Path};

use crate::{
    artifacts::{self, Artifact},
    budgets::{Budgets, Import},
    node, python, sh,
};

/// Packs and compares; with `--update` writes the sizes and the imports into the budgets.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let update = sh::flag(arguments, "--update")?;
    let artifacts = artifacts::pack(root)?;
    compare(root, &artifacts, update)
}

/// Compares what was packed, and what importing it takes.
pub(crate) fn compare(root: &Path, artifacts: &[Artifact], update: bool) -> Result<(), String> {
    let committed = Budgets::read(root)?;
    let measured = Measured {
        rustc: sh::rustc_version(root)?,
        size: sizes(artifacts)?,
        import: [("node", node::import(root)?), ("python", python::import(root)?)]
            .map(|(name, cost)| (name.into(), cost))
            .into(),
    };
    print_table(&measured, &committed);
    if update {
        return updated(measured, committed)?.write(root);
    }
    let native = |name: &str| artifacts.iter().any(|artifact| artifact.name == name && artifact.kind.is_native());
    let failures = over_budget(&measured, &committed, native);
    if failures.is_empty() { Ok(()) } else { Err(format!("too large\n  {}", failures.join("\n  "))) }
}

#[derive(Debug)]
struct Measured {
    rustc: String,
    size: BTreeMap<String, u64>,
    import: BTreeMap<String, Import>,
}

fn sizes(artifacts: &[Artifact]) -> Result<BTreeMap<String, u64>, String> {
    let size = |artifact: &Artifact| {
        let path = &artifact.path;
        let metadata = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok((artifact.name.clone(), metadata.len()))
    };
    artifacts.iter().map(size).collect()
}

fn print_table(measured: &Measured, committed: &Budgets) {
    println!("\n{:<22} {:>12} {:>12}", "bytes packed", "measured", "budget");
    for (name, bytes) in &measured.size {
        let budget = committed.size.get(name).map_or_else(|| "-".into(), u64::to_string);
        println!("{name:<22} {bytes:>12} {budget:>12}");
    }
    println!("\n{:<22} {:>8} {:>14}  counted on", "import", "modules", "instructions");
    for (name, import) in &measured.import {
        let instructions = import.instructions.map_or_else(|| "-".into(), |count| count.to_string());
        println!("{name:<22} {:>8} {instructions:>14}  {}", import.modules, import.runtime);
    }
    println!();
}

fn updated(measured: Measured, committed: Budgets) -> Result<Budgets, String> {
    if committed.rustc != measured.rustc || committed.arch != env::consts::ARCH {
        return Err(format!(
            "the budgets were written with rustc {} on {}, this is rustc {}: `cargo xtask bench --update` comes first",
            committed.rustc, committed.arch, measured.rustc
        ));
    }
    let size = measured.size.into_iter().map(|(name, bytes)| (name, with_room(bytes, ROOM))).collect();
    let with_room = |import: Import| Import {
        instructions: import.instructions.map(|count| with_room(count, IMPORT_ROOM)),
        ..import
    };
    let import = measured.import.into_iter().map(|(name, import)| (name, with_room(import))).collect();
    Ok(Budgets { size, import, ..committed })
}

fn over_budget(measured: &Measured, committed: &Budgets, is_native: impl Fn(&str) -> bool) -> Vec<String> {
    let mut failures = Vec::new();
    let is_same_platform = committed.arch == env::consts::ARCH && cfg!(target_os = "linux");
    let is_same_compiler = committed.rustc == measured.rustc;
    for (name, &bytes) in &measured.size {
        let Some(&budget) = committed.size.get(name) else {
            failures.push(format!("{name} has no budget: run `cargo xtask sizes --update`"));
            continue;
        };
        if is_native(name) && !is_same_platform {
            println!("{name}: its machine code is not for the platform of the budgets, not compared");
            continue;
        }
        let budget = if is_native(name) && !is_same_compiler { with_room(budget, OTHER_COMPILER) } else { budget };
        if bytes > budget {
            failures.push(format!("{name}: {bytes} bytes, committed {budget}"));
        }
    }
    for name in committed.size.keys().filter(|name| !measured.size.contains_key(*name)) {
        failures.push(format!("{name} has a budget and was not packed"));
    }
    for (name, import) in &measured.import {
        match committed.import.get(name) {
            None => failures.push(format!("importing {name} has no budget: run `cargo xtask sizes --update`")),
            Some(budget) if budget.runtime != import.runtime => {
                println!(
                    "importing {name} was counted on {}, this is {}: not compared",
                    budget.runtime, import.runtime
                );
            }
            Some(budget) => {
                let counts = [
                    ("modules", Some(import.modules), Some(budget.modules)),
                    ("instructions", import.instructions, budget.instructions),
                ];
                for (unit, got, bound) in counts {
                    if let (Some(got), Some(bound)) = (got, bound)
                        && got > bound
                    {
                        failures.push(format!("importing {name}: {got} {unit}, committed {bound}"));
                    }
                }
            }
        }
    }
    failures
}

/// A count with so many percent more.
const fn with_room(count: u64, percent: u64) -> u64 {
    count + count.div_ceil(100) * percent
}

/// Percent that a committed size may be above the one measured: code grows a little with every change.
const ROOM: u64 = 5;

/// The same for the instructions of an import, which vary with what else the interpreter finds.
const IMPORT_ROOM: u64 = 10;

/// Percent more for a compiler of another version than the one of the budgets.
const OTHER_COMPILER: u64 = 15;

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(bytes: u64, modules: u64, instructions: u64) -> Measured {
        let import = Import { runtime: "python 3.11".into(), modules, instructions: Some(instructions) };
        Measured {
            rustc: "1.95.0".into(),
            size: [("a.crate".into(), bytes)].into(),
            import: [("python".into(), import)].into(),
        }
    }

    fn committed() -> Budgets {
        let empty = Budgets { rustc: "1.95.0".into(), arch: env::consts::ARCH.into(), ..Budgets::default() };
        updated(measured(1000, 10, 1000), empty).unwrap()
    }

    #[test]
    fn a_budget_has_its_room_and_no_more() {
        let budgets = committed();
        assert_eq!(budgets.size["a.crate"], 1050);
        assert_eq!(budgets.import["python"].instructions, Some(1100));
        assert_eq!(over_budget(&measured(1050, 10, 1100), &budgets, |_| false), Vec::<String>::new());
        assert_eq!(
            over_budget(&measured(1051, 11, 1101), &budgets, |_| false),
            [
                "a.crate: 1051 bytes, committed 1050",
                "importing python: 11 modules, committed 10",
                "importing python: 1101 instructions, committed 1100",
            ]
        );
    }

    #[test]
    fn a_package_without_a_budget_and_a_budget_without_a_package_fail() {
        let mut budgets = committed();
        budgets.size = [("b.crate".into(), 1)].into();
        let failures = over_budget(&measured(1, 1, 1), &budgets, |_| false);
        assert_eq!(failures.len(), 2, "{failures:?}");
    }

    #[test]
    fn another_interpreter_is_not_compared() {
        let mut budgets = committed();
        budgets.import.get_mut("python").unwrap().runtime = "python 3.14".into();
        assert!(over_budget(&measured(1, 99, 9999), &budgets, |_| false).is_empty());
    }
}
