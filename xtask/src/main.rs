//! Tasks of the workspace: `cargo xtask <task>`.

extern crate alloc;

mod backends;
mod bench;
mod budgets;
mod definitions;
mod demo;
mod faults;
mod foreign;
mod fuzz;
mod generate;
mod limits;
mod node;
mod page;
mod protocols;
mod python;
mod replay;
mod sh;
mod snippets;
mod test;
mod wasm;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let (task, rest) = arguments.split_first().map_or(("help", arguments), |(task, rest)| (task.as_str(), rest));
    let root = root();
    match task {
        "backends" => backends::run(&root),
        "bench" => bench::run(&root, rest),
        "corpus" => replay::corpus(rest),
        "demo" => demo::run(&root, rest),
        "faults" => faults::run(&root, rest),
        "fuzz" => fuzz::run(&root, rest),
        "generate" => generate::generate(&root, sh::flag(rest, "--check")?),
        "node" => node::run(&root, rest),
        "page" => page::run(&root, rest),
        "python" => python::run(&root, rest),
        "snippets" => snippets::run(&root, rest),
        "test" => test::run(&root, rest),
        "vectors" => replay::vectors(&root, rest),
        "wasm" => wasm::run(&root, rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        _ => Err(format!("there is no task `{task}`\n\n{HELP}")),
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

const HELP: &str = "\
cargo xtask <task>

  demo [--html|--json] [--help]    replay recorded calls and show where the time went
  test [--backends]                everything that CI runs, in order, up to the first failure; with
                                   --backends also the task below
  backends                         export calls to real backends, and compare what they answer; installs
                                   them through apt, and through pip into target/backends
  vectors [--runtime rust|python|node|wasm|all] DIR...
                                   run the vectors below the directories; with `all` through every runtime
  corpus DIR...                    replay recorded responses of providers, cut in many ways
  bench [--update]                 instructions, allocations and bytes against tests/budgets.toml;
                                   with --update write what was measured there
  faults [--port PORT]             run the server that speaks the protocols of providers and misbehaves on request
  fuzz [--seconds N] [--seed N] [TARGET...]
                                   run the fuzz targets, 10 seconds each unless told; all of them when none is named
  node                             build the Node package, install it, and run its checks and tests
  page [--serve PORT|--test]       put the page of examples/browser into target/page, and serve it on the local machine with an
                                   endpoint that misbehaves, or test it in Chromium
  python                           build the Python package, install it, and run its checks and tests
  snippets                         run the programs that the documents show
  wasm [--build] [--functions]     build the WebAssembly package, hold its sizes against tests/budgets.toml, install it,
                                   and run its checks and tests; with --build stop once it is packed, with --functions
                                   show which functions make it large
  generate [--check]               write the files that are generated, or check them
  help                             this text
";
