//! The modules of bindings/wasm: compiled, bound to JavaScript, made small, and checked.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

use crate::sh::{self, Program};

/// One way to build the crate.
#[derive(Clone, Copy)]
pub(super) struct Build {
    pub(super) name: &'static str,
    features: &'static str,
    /// The file that is published.
    pub(super) file: &'static str,
}

pub(super) const BUILDS: [Build; 2] = [
    Build { name: "full", features: "", file: "llmspan.wasm" },
    Build { name: "slim", features: "--no-default-features --features slim", file: "llmspan-slim.wasm" },
];

/// Bytes as they are, and compressed.
pub(super) struct Size {
    pub(super) raw: u64,
    pub(super) gzip: u64,
}

impl Size {
    pub(super) fn of_file(path: &Path) -> Result<Self, String> {
        let bytes = read(path)?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let compressed =
            encoder.write_all(&bytes).and_then(|()| encoder.finish()).map_err(|error| error.to_string())?;
        Ok(Self { raw: bytes.len() as u64, gzip: compressed.len() as u64 })
    }
}

/// Makes every build in the folder `build` of the package.
pub(super) fn make(root: &Path, package: &Path, with_functions: bool) -> Result<(), String> {
    BUILDS.iter().try_for_each(|build| make_one(root, package, build, with_functions))
}

fn make_one(root: &Path, package: &Path, build: &Build, with_functions: bool) -> Result<(), String> {
    let target = sh::target_dir(root);
    Program::cargo(root)
        .args("build --locked --package llmspan-wasm --profile wasm --target wasm32-unknown-unknown")
        .args(build.features)
        .env("RUSTFLAGS", without_paths(root)?)
        .run()?;
    let out = package.join("build").join(build.name);
    fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let made = target.join("wasm32-unknown-unknown/wasm/llmspan_wasm.wasm");
    Program::tool(root, "bind").arg(&made).arg(&out).run()?;

    let (bound, published) = (out.join("llmspan_wasm_bg.wasm"), package.join("build").join(build.file));
    // It takes a while, and mostly there is nothing new.
    let (from, done) = ([OPTIONS.as_bytes(), &read(&bound)?].concat(), out.join("optimized.stamp"));
    if !published.is_file() || fs::read(&done).ok().as_ref() != Some(&from) {
        optimize(root, package, &bound, &published, "")?;
        fs::write(&done, from).map_err(|error| format!("{}: {error}", done.display()))?;
    }
    Program::tool(root, "check").arg(&published).run()?;
    if with_functions {
        let named = out.join("named.wasm");
        optimize(root, package, &bound, &named, "--debuginfo")?;
        Program::tool(root, "functions").arg(&named).run()?;
    }
    Ok(())
}

/// Flags that keep the folders of this machine out of what is published: those of cargo and of the workspace, and that of the
/// standard library where its source is installed.
fn without_paths(root: &Path) -> Result<String, String> {
    let home = std::env::home_dir().unwrap_or_default().join(".cargo");
    let home = std::env::var_os("CARGO_HOME").map_or(home, PathBuf::from);
    let sysroot = sh::sysroot(root)?;
    let library = sysroot.join("lib/rustlib/src/rust/library");
    let remaps = [(home.as_path(), "cargo"), (root, "."), (library.as_path(), "library")];
    Ok(remaps.map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display())).join(" "))
}

/// Makes the WebAssembly as small as it gets once it is compressed, for browsers of the last years.
fn optimize(root: &Path, package: &Path, from: &Path, to: &Path, more: &str) -> Result<(), String> {
    let optimizer = package.join("node_modules/binaryen/bin/wasm-opt");
    Program::new(root, "node").arg(&optimizer).args(OPTIONS).args(more).arg(from).args("-o").arg(to).run()
}

/// Inlining makes the WebAssembly smaller, but more than that it takes away what compression finds.
const OPTIONS: &str = "-Oz --flexible-inline-max-function-size 0 --always-inline-max-function-size 0 \
    --one-caller-inline-max-function-size 0 --enable-bulk-memory --enable-mutable-globals \
    --enable-nontrapping-float-to-int --enable-sign-ext --enable-reference-types --enable-multivalue \
    --strip-producers --strip-target-features";

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}
