//! Tasks of the workspace: `cargo xtask <task>`.

extern crate alloc;

mod api;
mod artifacts;
mod backends;
mod bench;
mod budgets;
mod committed;
mod definitions;
mod demo;
mod faults;
mod foreign;
mod fuzz;
mod generate;
mod limits;
mod load;
mod miri;
mod node;
mod page;
mod protocols;
mod python;
mod release;
mod replay;
mod runtimes;
mod sh;
mod sizes;
mod snippets;
mod supply;
mod test;
mod wasm;
mod workflows;

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
        "api" => api::run(&root, rest),
        "backends" => backends::run(&root),
        "bench" => bench::run(&root, rest),
        "corpus" => replay::corpus(rest),
        "demo" => demo::run(&root, rest),
        "faults" => faults::run(&root, rest),
        "fuzz" => fuzz::run(&root, rest),
        "generate" => generate::generate(&root, sh::flag(rest, "--check")?),
        "load" => load::run(&root, rest),
        "miri" => miri::run(&root, rest),
        "node" => node::run(&root, rest),
        "page" => page::run(&root, rest),
        "python" => python::run(&root, rest),
        "release" => release::run(&root, rest),
        "runtimes" => runtimes::run(&root, rest),
        "sizes" => sizes::run(&root, rest),
        "snippets" => snippets::run(&root, rest),
        "supply" => supply::run(&root, rest),
        "test" => test::run(&root, rest),
        "vectors" => replay::vectors(&root, rest),
        "wasm" => wasm::run(&root, rest),
        "workflows" => workflows::run(&root),
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
  load [--seconds N] [--rate N] [--calls N] [--threads N]
                                   offer chunks to many open calls (10,000 and 1,000,000 per second for 3 seconds
                                   unless told), and check that nothing is lost and memory is as predicted
  miri [TEST...]                   tests of the core under Miri, which takes a nightly compiler: a part of them, or
                                   those that are named
  node                             build the Node package, install it, and run its checks and tests
  page [--serve PORT|--test]       put the page of examples/browser into target/page, and serve it on the local machine with an
                                   endpoint that misbehaves, or test it in Chromium
  python                           build the Python package, install it, and run its checks and tests
  snippets                         run the programs that the documents show
  runtimes                         run the WebAssembly package in Node, Deno, Bun, workerd and Chromium, bundled and not;
                                   installs Chromium through apt
  wasm [--build] [--functions]     build the WebAssembly package, hold its sizes against tests/budgets.toml, install it,
                                   and run its checks and tests; with --build stop once it is packed, with --functions
                                   show which functions make it large
  generate [--check]               write the files that are generated, or check them
  api [--update]                   compare what each package offers with tests/api; with --update write it there
  sizes [--update]                 compare the sizes of the packages, and what importing them takes, with
                                   tests/budgets.toml; with --update write what was measured there
  supply [--update|--oldest|--advisories]
                                   compare the dependencies with tests/supply, and check licences, sources and
                                   compilers; with --update write them there; with --oldest build the crates with
                                   the oldest dependencies that they allow; with --advisories look for known
                                   vulnerabilities, which takes the network
  workflows                        check the workflows in .github
  release --check [--tag vX.Y.Z]   check that the packages agree and are complete
  release --version X.Y.Z          set the version of all packages
  help                             this text
";
