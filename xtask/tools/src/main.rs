//! What tasks need of libraries that take long to compile: a program of its own, so that the demonstration starts soon.

extern crate alloc;

mod functions;

use std::{env, fs, path::Path, process::ExitCode};

use wasm_bindgen_cli_support::Bindgen;
use wasmparser::{Parser, Payload, TypeRef, Validator};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["api", json] => api(Path::new(json)),
        ["bind", module, out] => bind(Path::new(module), Path::new(out)),
        ["check", module] => read(module).and_then(|wasm| check(&wasm)),
        ["functions", module] => read(module).and_then(|wasm| functions::table(&wasm)),
        _ => Err("api JSON, bind MODULE OUT, check MODULE or functions MODULE".into()),
    };
    match result {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("xtask-tools: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The public items of a crate, one a line, out of what rustdoc wrote.
fn api(json: &Path) -> Result<String, String> {
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .map_err(|error| format!("{}: {error}", json.display()))?;
    let items: Vec<String> = api.items().map(ToString::to_string).collect();
    Ok(items.join("\n") + "\n")
}

/// Writes a module and its JavaScript to a folder.
fn bind(module: &Path, out: &Path) -> Result<String, String> {
    Bindgen::new()
        .input_path(module)
        .web(true)
        .and_then(|bindgen| bindgen.omit_default_module_path(true).typescript(true).generate(out))
        .map(|()| String::new())
        .map_err(|error| format!("wasm-bindgen: {error:#}"))
}

/// Checks that a module is valid, and needs nothing but what its JavaScript gives it.
fn check(wasm: &[u8]) -> Result<String, String> {
    Validator::new().validate_all(wasm).map_err(|error| format!("the WebAssembly is not valid: {error}"))?;
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ImportSection(imports) = payload.map_err(|error| error.to_string())? {
            for import in imports.into_imports() {
                let import = import.map_err(|error| error.to_string())?;
                if !import.module.starts_with("./llmspan_wasm") || !matches!(import.ty, TypeRef::Func(_)) {
                    return Err(format!("the WebAssembly imports `{}` of `{}`", import.name, import.module));
                }
            }
        }
    }
    Ok(String::new())
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{path}: {error}"))
}
