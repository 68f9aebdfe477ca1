//! The vectors of the repository, and those in the directories that the environment names in `LLMSPAN_VECTORS`.
//!
//! `cargo xtask vectors` runs them with the engine of native programs, this test also with that of WebAssembly.

use std::{env, path::PathBuf};

use llmspan_runner::vectors::run;

#[test]
fn vectors_pass() {
    let own: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "vectors"].iter().collect();
    let named = env::var_os("LLMSPAN_VECTORS").unwrap_or_default();
    let named = env::split_paths(&named).filter(|dir| !dir.as_os_str().is_empty());
    let dirs: Vec<PathBuf> = core::iter::once(own).chain(named).collect();
    let report = run(&dirs);
    assert!(!report.failed(), "{report}");
}
