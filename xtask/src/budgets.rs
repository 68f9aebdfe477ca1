//! The committed counts in `tests/budgets.toml`.

use alloc::collections::BTreeMap;
use core::fmt::Write as _;
use std::{fs, path::Path};

use serde::Deserialize;

/// What each workload may cost, and how large each WebAssembly may be.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budgets {
    /// Version of the compiler that the instructions were counted with.
    pub(crate) rustc: String,
    /// Architecture that they were counted on.
    pub(crate) arch: String,
    /// By name of the workload.
    pub(crate) workload: BTreeMap<String, Budget>,
    /// By name of the build in bindings/wasm.
    pub(crate) wasm: BTreeMap<String, Size>,
}

/// How large one build of the WebAssembly may be.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Size {
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
# Written by `cargo xtask bench --update`, compared by `cargo xtask bench` and `cargo xtask test`.
# What one operation of each workload in tests/bench may cost: instructions with a little room, the other counts as measured.
# The sizes of the WebAssembly are set by hand, and compared by `cargo xtask wasm`.
";
