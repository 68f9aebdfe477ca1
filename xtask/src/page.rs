//! The page of `examples/browser`: put together from its files, the WebAssembly package and the recorded calls.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{faults, node::Package, runtimes, sh::Program, wasm};

/// The task `page`: puts the page into `target/page`, and with `--serve` or `--test` serves or tests it.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => {
            println!("{}", build(root)?.1.display());
            Ok(())
        }
        ["--serve", port] if port.parse::<u16>().is_ok() => {
            let (tools, page) = build(root)?;
            let serve = Program::new(&tools.home, "node").args("serve.mjs").arg(&page).args("--port").args(port);
            serve.env("LLMSPAN_FAULTS", faults::built(root)?).run()
        }
        ["--test"] => {
            runtimes::with_chromium(root)?;
            let (tools, page) = build(root)?;
            tools.npm("test").env("LLMSPAN_PAGE", page).env("LLMSPAN_FAULTS", faults::built(root)?).run()
        }
        _ => Err(format!("`page` takes `--serve PORT` or `--test`, not `{}`", arguments.join(" "))),
    }
}

/// Builds the package and puts the page together: files that any server can serve.
fn build(root: &Path) -> Result<(Package, PathBuf), String> {
    wasm::tarball(root)?;
    let tools = Package::with_tools(root, "examples/browser")?;
    tools.npm("run --silent types").run()?;
    let page = root.join("target/page");
    if page.exists() {
        fs::remove_dir_all(&page).map_err(|error| format!("{}: {error}", page.display()))?;
    }
    copy(&tools.home.join("page"), &page)?;
    copy(&root.join("examples/captures"), &page.join("captures"))?;
    let engine = page.join("llmspan");
    copy(&root.join("target/wasm/node_modules/llmspan-wasm/dist/esm"), &engine.join("esm"))?;
    let module = engine.join("llmspan.wasm");
    fs::copy(root.join("target/wasm/node_modules/llmspan-wasm/dist/llmspan.wasm"), &module)
        .map_err(|error| format!("{}: {error}", module.display()))?;
    // What a bundler would find by the conditions of the package.
    let entry = engine.join("index.js");
    fs::write(&entry, "export * from './esm/wasm/src/web.js'\n")
        .map_err(|error| format!("{}: {error}", entry.display()))?;
    Ok((tools, page))
}

/// Copies a folder, but for the types in it.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    for entry in fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))? {
        let entry = entry.map_err(|error| format!("{}: {error}", from.display()))?;
        let (name, path) = (entry.file_name(), entry.path());
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else if !name.to_string_lossy().ends_with(".d.ts") {
            fs::copy(&path, to.join(name)).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}
