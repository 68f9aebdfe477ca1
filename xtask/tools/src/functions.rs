//! What a module is made of, by its functions.

use alloc::collections::BTreeMap;
use core::fmt::Write as _;

use wasmparser::{KnownCustom, Name, Parser, Payload};

/// The largest functions, and what they add up to by module.
pub(crate) fn table(wasm: &[u8]) -> Result<String, String> {
    let mut names = BTreeMap::new();
    let (mut sizes, mut imported, mut data) = (Vec::new(), 0_u32, 0_u64);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(|error| error.to_string())? {
            Payload::ImportSection(imports) => imported = imports.into_imports().fold(0, |count, _| count + 1),
            Payload::DataSection(section) => data = section.range().len() as u64,
            Payload::CodeSectionEntry(body) => sizes.push(body.range().len() as u64),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(subsections) = section.as_known() {
                    for subsection in subsections.into_iter().flatten() {
                        if let Name::Function(map) = subsection {
                            names.extend(map.into_iter().flatten().map(|naming| (naming.index, naming.name)));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let mut largest: Vec<(u64, &str)> =
        (imported..).zip(sizes).map(|(index, size)| (size, names.get(&index).copied().unwrap_or("?"))).collect();
    largest.sort_by(|one, other| other.cmp(one));

    let mut modules: BTreeMap<String, u64> = BTreeMap::new();
    for (size, name) in &largest {
        *modules.entry(module_of(name)).or_default() += size;
    }
    let mut modules: Vec<(u64, String)> = modules.into_iter().map(|(module, size)| (size, module)).collect();
    modules.sort_by(|one, other| other.cmp(one));

    let mut out = format!("{data:>8}  data\n\n");
    for (size, module) in modules.into_iter().take(60) {
        let _ = writeln!(out, "{size:>8}  {module}");
    }
    out.push('\n');
    for (size, name) in largest.into_iter().take(150) {
        let _ = writeln!(out, "{size:>8}  {name}");
    }
    Ok(out)
}

/// Crate and module of a function; of a method of a trait, those of the type that has it.
fn module_of(name: &str) -> String {
    let name = name.trim_start_matches(['<', '&', '*']);
    let path: String =
        name.chars().take_while(|character| character.is_alphanumeric() || "_:[]".contains(*character)).collect();
    path.split("::")
        .take(3)
        .take_while(|part| part.chars().next().is_some_and(char::is_lowercase))
        .collect::<Vec<_>>()
        .join("::")
}
