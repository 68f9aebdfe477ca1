//! The committed counts in `tests/budgets.toml`.

use alloc::collections::BTreeMap;
use core::fmt::Write as _;
use std::{fs, path::Path};

use serde::Deserialize;

/// What each workload, package, import and WebAssembly may cost.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budgets {
    /// Version of the compiler that the instructions were counted with, and that built the packages.
    pub(crate) rustc: String,
    /// Architecture that they were counted on.
    pub(crate) arch: String,
    /// By name of the workload.
    #[serde(default)]
    pub(crate) workload: BTreeMap<String, Budget>,
    /// By name of the build in bindings/wasm.
    #[serde(default)]
    pub(crate) wasm: BTreeMap<String, Wasm>,
    /// Most bytes of each packed file, by its name.
    #[serde(default)]
    pub(crate) size: BTreeMap<String, u64>,
    /// What importing a package takes, by name of the package.
    #[serde(default)]
    pub(crate) import: BTreeMap<String, Import>,
}

/// How large one build of the WebAssembly may be.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wasm {
    /// Bytes of the WebAssembly and of its JavaScript, each compressed by gzip.
    pub(crate) gzip: u64,
}

/// What one operation of a workload may cost.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budget {
    pub(crate) instructions: Option<f64>,
    pub(crate) allocations: Option<f64>,
    /// Bytes allocated.
    pub(crate) bytes: Option<f64>,
    /// Bytes that an open call takes.
    pub(crate) held: Option<f64>,
}

/// What importing a package may take, beyond what the interpreter does by itself.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Import {
    /// The interpreter that was counted: other releases have other modules.
    pub(crate) runtime: String,
    /// Modules that are loaded.
    pub(crate) modules: u64,
    /// Instructions, where the interpreter can be counted.
    pub(crate) instructions: Option<u64>,
}

impl Budgets {
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(root.join(PATH)).map_err(|error| format!("{PATH}: {error}"))?;
        toml::from_str(&text).map_err(|error| format!("{PATH}: {error}"))
    }

    pub(crate) fn write(&self, root: &Path) -> Result<(), String> {
        fs::write(root.join(PATH), self.text()).map_err(|error| format!("{PATH}: {error}"))
    }

    fn text(&self) -> String {
        let mut out = String::from(HEAD);
        let _ = write!(out, "rustc = {:?}\narch = {:?}\n", self.rustc, self.arch);
        if !self.size.is_empty() {
            out.push_str("\n# Bytes, with a little room.\n[size]\n");
        }
        for (name, bytes) in &self.size {
            let _ = writeln!(out, "{name:?} = {bytes}");
        }
        for (name, import) in &self.import {
            let _ = write!(out, "\n[import.{name}]\nruntime = {:?}\nmodules = {}\n", import.runtime, import.modules);
            if let Some(instructions) = import.instructions {
                let _ = writeln!(out, "instructions = {instructions}");
            }
        }
        for (name, budget) in &self.workload {
            let _ = write!(out, "\n[workload.{name}]\n");
            for (key, value) in [
                ("instructions", budget.instructions),
                ("allocations", budget.allocations),
                ("bytes", budget.bytes),
                ("held", budget.held),
            ] {
                if let Some(value) = value {
                    let _ = writeln!(out, "{key} = {value:?}");
                }
            }
        }
        for (name, size) in &self.wasm {
            let _ = write!(out, "\n[wasm.{name}]\ngzip = {}\n", size.gzip);
        }
        out
    }
}

const PATH: &str = "tests/budgets.toml";

const HEAD: &str = "\
# Written by `cargo xtask bench --update` (workloads) and `cargo xtask sizes --update` (sizes and imports), compared by the same
# tasks without `--update` and by `cargo xtask test`.
# What one operation of each workload in tests/bench may cost: instructions with a little room, the other counts as measured.
# The sizes of the WebAssembly are set by hand, and compared by `cargo xtask wasm`.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let import = Import { runtime: "python 3.11".into(), modules: 3, instructions: Some(5) };
        let budgets = Budgets {
            rustc: "1.95.0".into(),
            arch: "x86_64".into(),
            workload: [("chunk".into(), Budget { instructions: Some(1.5), ..Budget::default() })].into(),
            size: [("llmspan-core.crate".into(), 7)].into(),
            import: [("python".into(), import.clone())].into(),
            wasm: [("slim".into(), Wasm { gzip: 9 })].into(),
        };
        let read: Budgets = toml::from_str(&budgets.text()).unwrap();
        assert_eq!((&read.rustc, &read.arch), (&budgets.rustc, &budgets.arch));
        assert_eq!((read.size["llmspan-core.crate"], &read.import["python"]), (7, &import));
        assert_eq!(read.wasm["slim"].gzip, 9);
        assert_eq!(read.workload["chunk"].instructions, Some(1.5));
    }
}
