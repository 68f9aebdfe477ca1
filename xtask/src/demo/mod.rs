//! Replays recorded calls and shows what the engine makes of them: `cargo xtask demo`.

mod names;

use std::{
    env, fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use llmspan_core::{
    config::Config,
    engine,
    names::Profile,
    record::Record,
    waterfall::{self, Glyphs, HtmlStyle, Palette, TextStyle, Tone, wrap},
};

/// Replays the captures below `root` and prints them as `arguments` say.
///
/// # Errors
///
/// When an option is unknown, when a capture cannot be read, or when standard output cannot be written.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let options = Options::parse(arguments)?;
    if options.help {
        return print(HELP);
    }
    let scenarios = replay(&root.join("examples/captures"), options.only.as_deref())?;
    if options.json {
        let records: Vec<&Record> = scenarios.iter().flat_map(|scenario| &scenario.records).collect();
        let json = serde_json::to_string_pretty(&records).map_err(|error| error.to_string())?;
        return print(&(json + "\n"));
    }
    if options.html {
        return print(&page(&scenarios));
    }
    let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(DEFAULT_COLUMNS);
    let may_paint = !options.no_color && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let style = TextStyle::default()
        .with_width(columns.clamp(LEAST_COLUMNS, MOST_COLUMNS))
        .with_palette(if may_paint && io::stdout().is_terminal() { Palette::Ansi } else { Palette::Plain })
        .with_glyphs(if options.ascii { Glyphs::Ascii } else { Glyphs::Unicode });
    print(&render(&scenarios, &style)?)
}

const HELP: &str = "\
Replays the recorded calls of examples/captures and shows where their time went.

usage: cargo xtask demo [options]

  --only NAME   only the capture of this name, such as rate-limited
  --html        the waterfalls as one HTML page, and nothing else
  --json        the records as a JSON array, and nothing else
  --ascii       draw with ASCII characters
  --no-color    no colours (also: the environment variable NO_COLOR)
  --help        this text

The width is that of the environment variable COLUMNS, else 100.
";

const DEFAULT_COLUMNS: usize = 100;
const LEAST_COLUMNS: usize = 64;
const MOST_COLUMNS: usize = 160;

#[derive(Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct Options {
    ascii: bool,
    help: bool,
    html: bool,
    json: bool,
    no_color: bool,
    only: Option<String>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--ascii" => options.ascii = true,
                "--help" | "-h" => options.help = true,
                "--html" => options.html = true,
                "--json" => options.json = true,
                "--no-color" => options.no_color = true,
                "--only" => {
                    let name = rest.next().filter(|name| !name.starts_with("--"));
                    options.only = Some(name.ok_or("--only needs the name of a capture")?.clone());
                }
                other => return Err(format!("demo has no option `{other}`; see cargo xtask demo --help")),
            }
        }
        if options.html && options.json {
            return Err("--html and --json exclude each other".into());
        }
        Ok(options)
    }
}

/// The records of one capture.
#[derive(Debug)]
struct Scenario {
    name: String,
    records: Vec<Record>,
}

fn replay(folder: &Path, only: Option<&str>) -> Result<Vec<Scenario>, String> {
    let failed = |path: &Path, error: &dyn core::fmt::Display| format!("{}: {error}", path.display());
    let path = folder.join("config.json");
    let config = match fs::read_to_string(&path) {
        Ok(text) => Config::from_json(&text).map_err(|error| failed(&path, &error))?,
        Err(_) => Config::default(),
    };
    let captures = captures(folder)?;
    let mut scenarios = Vec::new();
    for (name, path) in captures.iter().filter(|(name, _)| only.is_none_or(|only| only == name)) {
        let log = fs::read_to_string(path).map_err(|error| failed(path, &error))?;
        let records = engine::replay(&log, config.clone()).map_err(|error| failed(path, &error))?;
        scenarios.push(Scenario { name: name.clone(), records });
    }
    if scenarios.is_empty() {
        let names: Vec<&str> = captures.iter().map(|(name, _)| name.as_str()).collect();
        return Err(match only {
            Some(only) => format!("there is no capture `{only}`, only {}", names.join(", ")),
            None => format!("{} has no captures", folder.display()),
        });
    }
    Ok(scenarios)
}

/// Name and path of each capture, in the order of the names.
fn captures(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let failed = |error: io::Error| format!("{}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl")
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            found.push((name.to_owned(), path.clone()));
        }
    }
    found.sort();
    Ok(found)
}

fn page(scenarios: &[Scenario]) -> String {
    let figure = |name: &str, record| waterfall::html(record, &HtmlStyle::default().with_title(name));
    let figures: Vec<String> = scenarios
        .iter()
        .flat_map(|scenario| scenario.records.iter().map(|record| figure(&scenario.name, record)))
        .collect();
    waterfall::page("Recorded calls", &figures)
}

fn render(scenarios: &[Scenario], style: &TextStyle) -> Result<String, String> {
    let mut text = waterfall::legend(style) + "\n";
    for scenario in scenarios {
        for record in &scenario.records {
            text.push_str(&call(&scenario.name, record, style)?);
        }
    }
    let next =
        "Next: `cargo xtask demo --json` prints the whole records; README.md shows how to record calls of your own.";
    for line in wrap(next, style.width()) {
        text.push_str(&style.paint(Tone::Strong, &line));
        text.push('\n');
    }
    Ok(text)
}

/// One call: title, waterfall, values, explanations, attributes.
fn call(name: &str, record: &Record, style: &TextStyle) -> Result<String, String> {
    let profiles = ["otel-1.41", "qwen-code"].map(Profile::by_name);
    let profiles: Vec<&Profile> = profiles
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error: llmspan_core::error::Error| error.to_string())?;
    let drawn = waterfall::text(record, &style.clone().with_title(name));
    let names = names::render(record, &profiles, style);
    Ok(format!("{drawn}\n{names}\n"))
}

/// Writes to standard output; a reader that stops early, such as `head`, is no error.
fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
