//! The task `snippets`: runs the programs that the documents show, as a reader would who copied them.

use core::iter;
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::{
    faults, node, python,
    sh::{self, Program},
};

/// Runs every program of every document against the fault server, in the order in which they stand there.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    if let Some(argument) = arguments.first() {
        return Err(format!("`{argument}` is nothing that `snippets` understands"));
    }
    let tools = Tools { python: python::installed(root)?, node: node::installed(root)? };
    let server = Server::start(root)?;
    let mut count = 0;
    for page in pages(root) {
        let programs = programs(&page)?;
        if programs.is_empty() {
            continue;
        }
        let name = page.strip_prefix(root).unwrap_or(&page).display().to_string();
        println!("{name}: {} programs", programs.len());
        let folder = Folder::of_page(&tools, &name)?;
        for program in &programs {
            let run = folder.program(program)?;
            server.known_to(run).run().map_err(|error| format!("{name}:{}: {error}", program.line))?;
            count += 1;
        }
    }
    // Those in Rust are the documentation tests of a crate.
    let rust = Program::cargo(root).args("test --quiet --doc --package llmspan-snippets --locked");
    server.known_to(rust).env("RUSTDOCFLAGS", "--cfg snippets").run()?;
    if count == 0 {
        return Err("no document has a program".into());
    }
    println!("{count} programs of the documents ran, besides those in Rust");
    Ok(())
}

/// Where the installed packages are.
struct Tools {
    /// The folder of the interpreter and the commands.
    python: PathBuf,
    /// The folder with the `node_modules` in which the package is installed.
    node: PathBuf,
}

/// What a page shows to be run.
struct Snippet {
    language: Language,
    line: usize,
    text: String,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Language {
    JavaScript,
    Python,
    Shell,
}

impl Language {
    fn of(word: &str) -> Option<Self> {
        match word {
            "js" => Some(Self::JavaScript),
            "python" => Some(Self::Python),
            "sh" => Some(Self::Shell),
            _ => None,
        }
    }
}

/// The documents for users.
fn pages(root: &Path) -> Vec<PathBuf> {
    let mut pages = PAGES.map(|page| root.join(page)).to_vec();
    pages.extend(sh::files(&root.join("docs"), ".md"));
    pages
}

/// The programs of a page. A block with the word `continues` after its language belongs to the one of that language before it.
fn programs(page: &Path) -> Result<Vec<Snippet>, String> {
    let text = fs::read_to_string(page).map_err(|error| format!("{}: {error}", page.display()))?;
    let mut programs: Vec<Snippet> = Vec::new();
    let mut open: Option<(Language, bool)> = None;
    for (event, range) in Parser::new(&text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                let mut words = info.split_whitespace();
                let language = words.next().and_then(Language::of);
                open = language.map(|language| (language, words.any(|word| word == "continues")));
            }
            Event::Text(block) => {
                let Some((language, continues)) = open.take() else { continue };
                let line = text.get(..range.start).map_or(0, |before| before.lines().count() + 1);
                let before = programs.iter_mut().rev().find(|program| program.language == language);
                match (continues, before) {
                    (false, _) => programs.push(Snippet { language, line, text: block.into_string() }),
                    (true, Some(before)) => {
                        before.text.push('\n');
                        before.text.push_str(&block);
                    }
                    (true, None) => return Err(format!("{}:{line}: nothing is continued", page.display())),
                }
            }
            Event::End(TagEnd::CodeBlock) => open = None,
            _ => {}
        }
    }
    Ok(programs)
}

/// Where the programs of one page run; what one writes, the next ones find.
struct Folder<'a> {
    tools: &'a Tools,
    dir: PathBuf,
}

impl<'a> Folder<'a> {
    /// A folder without anything in it, from which the installed packages are found.
    fn of_page(tools: &'a Tools, page: &str) -> Result<Self, String> {
        let dir = tools.node.join("snippets").join(page.replace(['/', '.'], "-"));
        fs::remove_dir_all(&dir).ok();
        fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        Ok(Self { tools, dir })
    }

    fn program(&self, snippet: &Snippet) -> Result<Program, String> {
        let (interpreter, suffix) = match snippet.language {
            Language::JavaScript => (PathBuf::from("node"), "mjs"),
            Language::Python => (self.tools.python.join("python"), "py"),
            Language::Shell => (PathBuf::from("sh"), "sh"),
        };
        let file = format!("line{}.{suffix}", snippet.line);
        fs::write(self.dir.join(&file), &snippet.text).map_err(|error| format!("{file}: {error}"))?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(iter::once(self.tools.python.clone()).chain(std::env::split_paths(&path)));
        let program = Program::new(&self.dir, &interpreter.display().to_string());
        let program = if snippet.language == Language::Shell { program.args("-e") } else { program };
        Ok(program.args(&file).env("PATH", path.map_err(|error| error.to_string())?))
    }
}

/// The fault server, which stands in for the providers.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(root: &Path) -> Result<Self, String> {
        let program = faults::built(root)?;
        let fail = |error: std::io::Error| format!("{}: {error}", program.display());
        let mut process = Command::new(&program).stdout(Stdio::piped()).spawn().map_err(fail)?;
        let mut line = String::new();
        if let Some(out) = process.stdout.as_mut() {
            BufReader::new(out).read_line(&mut line).map_err(fail)?;
        }
        match line.trim().strip_prefix("listening on ") {
            Some(url) => Ok(Self { url: url.into(), process }),
            None => Err(format!("{}: it did not say where it listens", program.display())),
        }
    }

    /// Points clients at the server, by the variables that they read.
    fn known_to(&self, program: Program) -> Program {
        program
            .env("OPENAI_BASE_URL", format!("{}/v1", self.url))
            .env("OPENAI_API_KEY", "none")
            .env("ANTHROPIC_BASE_URL", &self.url)
            .env("ANTHROPIC_API_KEY", "none")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Documents outside of `docs`.
const PAGES: [&str; 3] = ["README.md", "python/README.md", "node/README.md"];
