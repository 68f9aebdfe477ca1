//! Vectors in another language: a program plays them through the installed package, and its records are judged here.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use llmspan_runner::{report::Report, vectors};
use serde::Deserialize;

/// Runs the vectors below the directories. `play` gets a file with their paths, one a line, in `folder`, and gives a line of JSON
/// for each; what comes out is compared with the records of Rust and with what the vectors expect.
pub(crate) fn vectors(
    dirs: &[PathBuf],
    folder: &Path,
    play: impl FnOnce(&Path) -> Result<String, String>,
) -> Result<Report, String> {
    let mut files = Vec::new();
    vectors::run_with(dirs, |file, _| {
        files.push(fs::canonicalize(file).map_err(|error| error.to_string())?);
        Ok(Vec::new())
    });
    let list = folder.join("vectors.txt");
    let lines: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    fs::write(&list, lines.join("\n")).map_err(|error| format!("{}: {error}", list.display()))?;
    let mut played = BTreeMap::new();
    for line in play(&list)?.lines() {
        let one: Played = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
        played.insert(one.file.clone(), one);
    }
    for (why, count) in count_by(played.values().filter_map(|one| one.why.as_deref())) {
        println!("{count} from the event log, for want of a method: {why}");
    }
    Ok(vectors::run_with(dirs, |file, text| {
        let file = fs::canonicalize(file).map_err(|error| error.to_string())?;
        let one = played.get(&file).ok_or("not played")?;
        one.error.as_ref().map_or_else(|| vectors::check_foreign(text, &one.records), |error| Err(error.clone()))
    }))
}

/// What the program says of one vector.
#[derive(Deserialize)]
struct Played {
    file: PathBuf,
    records: Vec<String>,
    /// Why the event log was replayed, where the methods of the package cannot say a step.
    why: Option<String>,
    error: Option<String>,
}

fn count_by<'a>(words: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    counts
}
