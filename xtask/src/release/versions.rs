//! Where the version is written, and whether all places agree.

use std::{fs, path::Path};

use toml::{Table, Value};

use super::failed;
use crate::supply;

/// A text that a version follows, in a file; the version ends with the same quote that it begins with, or at a blank.
struct Place {
    path: &'static str,
    /// What comes before the version and its quote.
    before: &'static str,
    /// Whether the file has to be there.
    is_needed: bool,
}

/// Every place with the version, beside the lock files of cargo, which cargo writes itself.
const PLACES: &[Place] = &[
    Place { path: "Cargo.toml", before: "[workspace.package]\nversion = ", is_needed: true },
    Place { path: "Cargo.toml", before: "llmspan-core = { path = \"core\", version = ", is_needed: true },
    Place { path: "Cargo.toml", before: "llmspan = { path = \"bindings/rust\", version = ", is_needed: true },
    Place { path: "node/package.json", before: "\"name\": \"llmspan\",\n  \"version\": ", is_needed: true },
    Place { path: "node/package-lock.json", before: "\"name\": \"llmspan\",\n  \"version\": ", is_needed: true },
    Place { path: "node/package-lock.json", before: "\"name\": \"llmspan\",\n      \"version\": ", is_needed: true },
    // The loader of the addon names the version once for each platform and once more in what it says.
    Place { path: "node/binding.cjs", before: "bindingPackageVersion !== ", is_needed: true },
    Place { path: "node/binding.cjs", before: "version mismatch, expected ", is_needed: true },
    Place { path: "wasm/package.json", before: "\"name\": \"llmspan-wasm\",\n  \"version\": ", is_needed: false },
    Place { path: "wasm/package-lock.json", before: "\"name\": \"llmspan-wasm\",\n  \"version\": ", is_needed: false },
    Place {
        path: "wasm/package-lock.json",
        before: "\"name\": \"llmspan-wasm\",\n      \"version\": ",
        is_needed: false,
    },
    Place { path: "CITATION.cff", before: "\nversion: ", is_needed: false },
];

/// Checks that every place has the version of the workspace, that the changelog has its section, and gives the version.
pub(super) fn check(root: &Path, tag: Option<&str>) -> Result<String, String> {
    let version = supply::workspace_value(root, "version")?;
    let mut failures = Vec::new();
    for place in PLACES {
        match place.read(root) {
            Ok(None) => {}
            Ok(Some(text)) => failures.extend(place.differing(&text, &version)),
            Err(failure) => failures.push(failure),
        }
    }
    failures.extend(locked(root, "Cargo.lock", &version));
    failures.extend(locked(root, "fuzz/Cargo.lock", &version));
    failures.extend(python(root));
    let changelog = fs::read_to_string(root.join("CHANGELOG.md")).map_err(|error| format!("CHANGELOG.md: {error}"))?;
    failures.extend(heading(&changelog, &version, tag));
    if let Some(tag) = tag.filter(|tag| **tag != *format!("v{version}")) {
        failures.push(format!("the tag is {tag}, the version {version}"));
    }
    failed("the versions do not agree", &failures)?;
    Ok(version)
}

/// Writes the version to every place, and turns the section of unreleased changes into one of the version.
pub(super) fn set(root: &Path, version: &str) -> Result<(), String> {
    let parts: Vec<&str> = version.split('.').collect();
    if parts.len() != 3 || !parts.iter().all(|part| part.parse::<u32>().is_ok_and(|number| number.to_string() == *part))
    {
        return Err(format!("`{version}` is no version of the form X.Y.Z"));
    }
    for place in PLACES {
        if let Some(text) = place.read(root)? {
            let path = root.join(place.path);
            fs::write(&path, place.replaced(&text, version)).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    println!("CHANGELOG.md: name the section `## {version} - YYYY-MM-DD`, and keep an empty `## Unreleased` above it");
    Ok(())
}

impl Place {
    /// The text of the file; none where it may be missing and is.
    fn read(&self, root: &Path) -> Result<Option<String>, String> {
        match fs::read_to_string(root.join(self.path)) {
            Ok(text) => Ok(Some(text)),
            Err(_) if !self.is_needed => Ok(None),
            Err(error) => Err(format!("{}: {error}", self.path)),
        }
    }

    /// What is wrong with the versions in the text of the file.
    fn differing(&self, text: &str, version: &str) -> Vec<String> {
        let found: Vec<&str> = text.split(self.before).skip(1).map(|rest| unquoted(rest).1).collect();
        if found.is_empty() {
            return vec![format!("{}: there is no version after `{}`", self.path, self.before.escape_debug())];
        }
        let wrong = found.into_iter().filter(|found| *found != version);
        wrong.map(|found| format!("{}: {found} after `{}`", self.path, self.before.escape_debug())).collect()
    }

    fn replaced(&self, text: &str, version: &str) -> String {
        let mut parts = text.split(self.before);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (quote, old) = unquoted(part);
            let rest = part.get(quote.len() + old.len()..).unwrap_or_default();
            out.push_str(&[self.before, quote, version, rest].concat());
        }
        out
    }
}

/// The quote that a text begins with, if any, and what is inside.
fn unquoted(text: &str) -> (&str, &str) {
    let quote = text.get(..1).filter(|quote| ["\"", "'"].contains(quote)).unwrap_or_default();
    let inside = text.get(quote.len()..).unwrap_or_default();
    let end = if quote.is_empty() { inside.find(char::is_whitespace) } else { inside.find(quote) };
    (quote, inside.get(..end.unwrap_or(inside.len())).unwrap_or_default())
}

/// The packages of the workspace whose version in a lock file is another one.
fn locked(root: &Path, path: &str, version: &str) -> Vec<String> {
    let Ok(text) = fs::read_to_string(root.join(path)) else { return vec![format!("{path} is missing")] };
    let Ok(lock) = text.parse::<Table>() else { return vec![format!("{path} is no TOML")] };
    let packages = lock.get("package").and_then(Value::as_array).into_iter().flatten();
    let text = |package: &Value, key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    packages
        // What has a source is of a registry, and the fuzz targets are in no release.
        .filter(|package| package.get("source").is_none() && text(package, "name") != "llmspan-fuzz")
        .filter(|package| text(package, "version") != version)
        .map(|package| format!("{path}: {} is {}", text(package, "name"), text(package, "version")))
        .collect()
}

/// The version of the Python package is that of its crate: none may be written beside it.
fn python(root: &Path) -> Option<String> {
    let path = "python/pyproject.toml";
    let text = fs::read_to_string(root.join(path)).unwrap_or_default();
    let table: Table = text.parse().unwrap_or_default();
    let project = table.get("project");
    let dynamic = project.and_then(|project| project.get("dynamic")).and_then(Value::as_array);
    let is_dynamic = dynamic.is_some_and(|keys| keys.iter().any(|key| key.as_str() == Some("version")));
    let has_one = project.is_some_and(|project| project.get("version").is_some());
    (!is_dynamic || has_one)
        .then(|| format!("{path}: `version` has to be dynamic, so that it is the version of the crate"))
}

/// What is wrong with the first section of the changelog: it is of the version, or of what is not released; with a tag it is of
/// the version and has a date.
fn heading(changelog: &str, version: &str, tag: Option<&str>) -> Option<String> {
    let mut sections =
        changelog.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap_or((section, "")));
    let first = sections.next().map(|(title, text)| (title.trim(), text.trim()));
    let of_version = |title: &str| {
        let date = title.strip_prefix(version)?.strip_prefix(" - ")?;
        let is_date = date.len() == 10 && date.chars().all(|c| c.is_ascii_digit() || c == '-');
        is_date.then_some(())
    };
    match (first, tag) {
        (None, _) => Some("CHANGELOG.md has no section".into()),
        (Some(("Unreleased", text)), None) => {
            let is_known = sections.next().is_none_or(|(title, _)| of_version(title.trim()).is_some());
            (text.is_empty() && !is_known).then(|| format!("CHANGELOG.md has no section of {version}"))
        }
        (Some(("Unreleased", "")), Some(_))
            if sections.next().is_some_and(|(title, _)| of_version(title.trim()).is_some()) =>
        {
            None
        }
        (Some((title, text)), _) if of_version(title).is_some() && !text.is_empty() => None,
        (Some((title, _)), _) => Some(format!(
            "CHANGELOG.md begins with `## {title}`: a release has `## {version} - YYYY-MM-DD` with its changes"
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A copy of the files that have the version.
    struct Copy(PathBuf);

    impl Copy {
        fn new(name: &str) -> Self {
            let copy = Self(std::env::temp_dir().join(format!("llmspan-versions-{name}-{}", std::process::id())));
            let others = ["Cargo.lock", "fuzz/Cargo.lock", "python/pyproject.toml", "CHANGELOG.md"];
            for path in PLACES.iter().map(|place| place.path).chain(others) {
                let to = copy.0.join(path);
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                // What is not needed may be missing.
                fs::copy(crate::root().join(path), &to).ok();
            }
            copy
        }

        fn replace(&self, path: &str, from: &str, to: &str) {
            let path = self.0.join(path);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "{} has no {from}", path.display());
            fs::write(path, text.replacen(from, to, 1)).unwrap();
        }
    }

    impl Drop for Copy {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    fn version() -> String {
        supply::workspace_value(&crate::root(), "version").unwrap()
    }

    #[test]
    fn a_copy_of_the_repository_passes() {
        let copy = Copy::new("whole");
        assert_eq!(check(&copy.0, None).unwrap(), version());
    }

    #[test]
    fn each_place_that_differs_is_told() {
        let version = version();
        for (at, place) in PLACES.iter().enumerate().filter(|(_, place)| place.is_needed) {
            let copy = Copy::new(&format!("place-{at}"));
            let text = fs::read_to_string(copy.0.join(place.path)).unwrap();
            let written = |quote: &str, version: &str| format!("{}{quote}{version}{quote}", place.before);
            let quote = ["\"", "'", ""].into_iter().find(|quote| text.contains(&written(quote, &version))).unwrap();
            copy.replace(place.path, &written(quote, &version), &written(quote, "9.8.7"));
            let failure = check(&copy.0, None).unwrap_err();
            assert!(failure.contains("9.8.7") || failure.contains(&version), "{}: {failure}", place.path);
        }
    }

    #[test]
    fn a_lock_file_a_python_version_or_a_tag_that_differs_is_told() {
        let version = version();
        let copy = Copy::new("lock");
        let entry = |version: &str| format!("name = \"llmspan-core\"\nversion = \"{version}\"");
        copy.replace("fuzz/Cargo.lock", &entry(&version), &entry("9.8.7"));
        assert!(check(&copy.0, None).unwrap_err().contains("fuzz/Cargo.lock: llmspan-core is 9.8.7"));

        let copy = Copy::new("python");
        copy.replace("python/pyproject.toml", "dynamic = [\"version\"]", "version = \"9.8.7\"");
        assert!(check(&copy.0, None).unwrap_err().contains("has to be dynamic"));

        let copy = Copy::new("tag");
        assert!(check(&copy.0, Some("v9.8.7")).unwrap_err().contains("the tag is v9.8.7"));
    }

    #[test]
    fn a_file_that_is_missing_is_told() {
        let copy = Copy::new("missing");
        fs::remove_file(copy.0.join("node/package.json")).unwrap();
        assert!(check(&copy.0, None).unwrap_err().contains("node/package.json: "));
    }

    #[test]
    fn a_version_is_set_everywhere() {
        let copy = Copy::new("set");
        set(&copy.0, "7.8.9").unwrap();
        for place in PLACES {
            if let Some(text) = place.read(&copy.0).unwrap() {
                assert_eq!(place.differing(&text, "7.8.9"), Vec::<String>::new());
                let same = text.replace("7.8.9", &version());
                assert_eq!(same, fs::read_to_string(crate::root().join(place.path)).unwrap(), "{}", place.path);
            }
        }
        for wrong in ["1.2", "1.2.3.4", "v1.2.3", "1.2.x", "01.2.3"] {
            assert!(set(&copy.0, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_changelog_has_the_section_of_the_release() {
        let heading = |changelog, tag| heading(changelog, "1.2.3", tag).is_none();
        let tag = Some("v1.2.3");
        assert!(heading("# C\n\n## Unreleased\n\n- core: x.\n", None));
        assert!(!heading("# C\n\n## Unreleased\n\n- core: x.\n", tag));
        assert!(heading("# C\n\n## 1.2.3 - 2026-01-02\n\n- core: x.\n", None));
        assert!(heading("# C\n\n## 1.2.3 - 2026-01-02\n\n- core: x.\n", tag));
        assert!(heading("# C\n\n## Unreleased\n\n## 1.2.3 - 2026-01-02\n\n- core: x.\n", tag));
        assert!(!heading("# C\n\n## Unreleased\n\n- x\n\n## 1.2.3 - 2026-01-02\n\n- core: x.\n", tag));
        assert!(!heading("# C\n\n## Unreleased\n\n## 1.2.2 - 2026-01-02\n\n- core: x.\n", None));
        assert!(!heading("# C\n\n## 1.2.3\n\n- core: x.\n", tag));
        assert!(!heading("# C\n\n## 1.2.3 - 2026-01-02\n", tag));
        assert!(!heading("# C\n\n## 1.2.4 - 2026-01-02\n\n- core: x.\n", None));
        assert!(!heading("# C\n", None));
    }
}
