//! The files that a release uploads, packed here for this machine's platform.

use std::path::{Path, PathBuf};

use crate::{node, python, sh::Program, supply, wasm};

/// One packed file.
#[derive(Debug)]
pub(crate) struct Artifact {
    /// What it is called in the budgets: the package, and what kind of file.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) path: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Crate,
    Npm,
    Sdist,
    /// The npm package with the engine as WebAssembly.
    Wasm,
    Wheel,
}

impl Kind {
    /// Whether the file holds machine code, whose size depends on the compiler and on the platform.
    pub(crate) const fn is_native(self) -> bool {
        matches!(self, Self::Npm | Self::Wasm | Self::Wheel)
    }
}

/// Packs everything. What is compiled is built, and taken from an earlier build where nothing changed.
pub(crate) fn pack(root: &Path) -> Result<Vec<Artifact>, String> {
    let mut artifacts = Vec::new();
    let mut add = |name: &str, kind, path| artifacts.push(Artifact { name: name.into(), kind, path });
    for (name, path) in supply::crates(root)? {
        add(&format!("{name}.crate"), Kind::Crate, path);
    }
    let (wheel, sdist) = python::distribution(root)?;
    add("python.whl", Kind::Wheel, wheel);
    add("python.tar.gz", Kind::Sdist, sdist);
    add("node.tgz", Kind::Npm, node::tarball(root)?);
    add("wasm.tgz", Kind::Wasm, wasm::tarball(root)?);
    Ok(artifacts)
}

impl Artifact {
    /// The paths of the files in it, below the folder that all of them share.
    pub(crate) fn files(&self, root: &Path) -> Result<Vec<String>, String> {
        let list = match self.kind {
            Kind::Wheel => {
                // The listing has the name first, then date and size; names of the package hold no blanks.
                let list = python::interpreter(root).args("-m zipfile --list").arg(&self.path).read()?;
                let names = list.lines().skip(1).filter_map(|line| line.split_whitespace().next()).map(String::from);
                return Ok(names.collect());
            }
            Kind::Crate | Kind::Npm | Kind::Sdist | Kind::Wasm => {
                Program::new(root, "tar").args("-tzf").arg(&self.path).read()?
            }
        };
        let below = |line: &str| line.split_once('/').map(|(_, rest)| rest.to_owned());
        Ok(list.lines().filter_map(below).filter(|path| !path.is_empty()).collect())
    }
}
