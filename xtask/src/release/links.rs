//! Links of the pages: each leads to a file that is there, also where a registry shows the page.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use pulldown_cmark::{Event, Parser, Tag};

use super::failed;

/// Checks the links of every page, and gives their number.
pub(super) fn check(root: &Path) -> Result<usize, String> {
    let mut pages = Vec::new();
    for folder in
        ["", "docs", "core", "core/docs", "bindings/rust", "python", "node", "wasm", "tests", "examples", ".github"]
    {
        collect(&root.join(folder), folder.starts_with("docs") || folder.starts_with("examples"), &mut pages);
    }
    pages.sort();
    pages.dedup();
    let (mut count, mut failures) = (0, Vec::new());
    for page in pages {
        let text = fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
        let shown = page.strip_prefix(root).unwrap_or(&page);
        for link in links(&text) {
            count += 1;
            if let Some(why) = broken(root, shown, &link) {
                failures.push(format!("{}: {link}: {why}", shown.display()));
            }
        }
    }
    failed("links lead nowhere", &failures)?;
    Ok(count)
}

fn collect(dir: &Path, deep: bool, pages: &mut Vec<PathBuf>) {
    for path in fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        } else if deep && path.is_dir() && !path.ends_with("node_modules") {
            collect(&path, true, pages);
        }
    }
}

/// The targets of links and images.
fn links(text: &str) -> Vec<String> {
    let target = |event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url.into_string()),
        _ => None,
    };
    Parser::new(text).filter_map(target).collect()
}

/// Why a link leads nowhere; what is not of the repository is not asked for.
fn broken(root: &Path, page: &Path, link: &str) -> Option<String> {
    let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
    let file = match target.strip_prefix(REPOSITORY) {
        // A page of the site itself, such as its issues.
        Some(rest) if !rest.starts_with("/blob/") && !rest.starts_with("/tree/") => return None,
        Some(rest) => PathBuf::from(rest.splitn(4, '/').nth(3).unwrap_or_default()),
        None if target.contains("://") || target.starts_with("mailto:") => return None,
        None if target.is_empty() => page.to_path_buf(),
        None if SHOWN_ELSEWHERE.contains(&page.to_str().unwrap_or_default()) => {
            return Some(format!("a registry shows this page: write {REPOSITORY}/blob/main/ before the path"));
        }
        None => inside(&page.parent().unwrap_or(page).join(target))?,
    };
    let path = root.join(&file);
    if !path.exists() {
        return Some(format!("there is no {}", file.display()));
    }
    if anchor.is_empty() || path.extension().is_none_or(|extension| extension != "md") {
        return None;
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    let has_heading = text.lines().filter(|line| line.starts_with('#')).any(|line| slug(line) == anchor);
    (!has_heading).then(|| format!("{} has no such heading", file.display()))
}

/// A path without steps back.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => out.pop().then_some(())?,
            Component::Normal(name) => out.push(name),
            _ => {}
        }
    }
    Some(out)
}

/// What a heading is called in links.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

const REPOSITORY: &str = "https://github.com/llmspan/llmspan";

/// Pages that registries show away from the repository.
const SHOWN_ELSEWHERE: [&str; 5] =
    ["bindings/rust/README.md", "core/README.md", "node/README.md", "python/README.md", "wasm/README.md"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_have_links_and_they_resolve() {
        assert!(check(&crate::root()).unwrap() > 20);
    }

    #[test]
    fn links_are_found_outside_of_code() {
        let text =
            "[a](one.md) and [b](two.md#x \"t\")\n```\n[c](no.md)\n```\n\n    [d](no.md)\n\n[e]\n\n[e]: three.md\n";
        assert_eq!(links(text), ["one.md", "two.md#x", "three.md"]);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_told() {
        let root = crate::root();
        let broken = |page: &str, link: &str| broken(&root, Path::new(page), link);
        assert_eq!(broken("README.md", "CHANGELOG.md"), None);
        assert_eq!(broken("README.md", "CHANGELOG.md#unreleased"), None);
        assert_eq!(broken("core/docs/otlp.md", "../src/lib.rs"), None);
        assert_eq!(broken("README.md", "https://example.com/x"), None);
        assert_eq!(broken("node/README.md", &format!("{REPOSITORY}/blob/main/CHANGELOG.md")), None);
        assert_eq!(broken("node/README.md", &format!("{REPOSITORY}/issues")), None);
        for (page, link) in [
            ("README.md", "NOTHING.md"),
            ("README.md", "CHANGELOG.md#nothing"),
            ("README.md", "#nothing"),
            ("node/README.md", "../CHANGELOG.md"),
            ("node/README.md", "https://github.com/llmspan/llmspan/blob/main/NOTHING.md"),
        ] {
            assert!(broken(page, link).is_some(), "{link}");
        }
    }
}
