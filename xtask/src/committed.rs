//! Texts that are committed, and what came out in their place.

use alloc::collections::BTreeMap;
use core::fmt::Write as _;
use std::{fs, path::Path};

/// Compares a text with the committed file, line by line; with `update` writes it there.
///
/// # Errors
///
/// When the file differs: with the lines that came and went, and the command that writes it.
pub(crate) fn compare(root: &Path, path: &str, text: &str, update: bool, command: &str) -> Result<(), String> {
    let file = root.join(path);
    if update {
        file.parent().map_or(Ok(()), fs::create_dir_all).map_err(|error| format!("{path}: {error}"))?;
        return fs::write(&file, text).map_err(|error| format!("{path}: {error}"));
    }
    let committed = fs::read_to_string(&file).map_err(|error| format!("{path}: {error}; `{command}` writes it"))?;
    if committed == text {
        return Ok(());
    }
    Err(format!("{path} is not what came out; `{command}` writes it\n{}", difference(&committed, text)))
}

/// The lines that are in one text more often than in the other, in the order of the texts.
fn difference(committed: &str, text: &str) -> String {
    let mut out = String::new();
    let mut shown = 0;
    for (mark, lines) in [('-', surplus(committed, text)), ('+', surplus(text, committed))] {
        for line in lines {
            shown += 1;
            if shown <= SHOWN {
                let _ = writeln!(out, "  {mark} {line}");
            }
        }
    }
    if shown == 0 {
        out.push_str("  the order of the lines differs\n");
    } else if shown > SHOWN {
        let _ = writeln!(out, "  and {} more lines", shown - SHOWN);
    }
    out
}

fn surplus<'a>(text: &'a str, other: &str) -> Vec<&'a str> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for line in other.lines() {
        *left.entry(line).or_default() += 1;
    }
    let mut lines = Vec::new();
    for line in text.lines() {
        match left.get_mut(line) {
            Some(count) if *count > 0 => *count -= 1,
            _ => lines.push(line),
        }
    }
    lines
}

/// Lines of a difference that are shown.
const SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_came_and_went_are_told_with_their_number() {
        assert_eq!(difference("a\nb\nb\nc\n", "a\nb\nd\n"), "  - b\n  - c\n  + d\n");
        assert_eq!(difference("a\nb\n", "b\na\n"), "  the order of the lines differs\n");
    }

    #[test]
    fn a_file_that_differs_or_is_missing_fails_and_an_update_mends_it() {
        let root = std::env::temp_dir().join(format!("llmspan-committed-{}", std::process::id()));
        let run = |text, update| compare(&root, "list/one.txt", text, update, "the command");
        assert!(run("a\n", false).unwrap_err().contains("`the command` writes it"));
        run("a\n", true).unwrap();
        run("a\n", false).unwrap();
        assert!(run("b\n", false).unwrap_err().contains("  - a\n  + b\n"));
        fs::remove_dir_all(&root).unwrap();
    }
}
