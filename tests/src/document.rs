//! Markdown documents: their fenced blocks, and what is to be done with each.
//!
//! A comment on the line before a block says what the block itself does not:
//! `<!-- not run: REASON -->`, `<!-- run by: TEST -->`, `<!-- tree of: FOLDER -->`, `<!-- lines of: FILE -->`,
//! `<!-- in: FILE -->` for configuration of the home that the text speaks of, and `<!-- first: COMMAND -->` and `<!-- then: COMMAND -->` for what its reader need not see.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// README.md and all of docs/, sorted.
pub fn documents() -> Vec<String> {
    let entries = fs::read_dir(repository().join("docs")).expect("docs").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")).collect();
    names.push("README.md".to_owned());
    names.sort();
    names
}

/// The text of a document.
pub fn text(document: &str) -> String {
    let path = repository().join(document);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// A fenced block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Number of the line that opens it, from 1.
    pub line: usize,
    /// The word behind the fence; empty where there is none.
    pub kind: String,
    /// What is in it, without the indentation of the fence.
    pub lines: Vec<String>,
    /// Names and texts of the comments before it.
    notes: Vec<(String, String)>,
}

/// A command of a block, and what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Behind the `$`.
    pub command: String,
    /// Up to the next command.
    pub shown: Vec<String>,
}

/// What is to be done with a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// To be typed.
    Session(Vec<Step>),
    /// The files of a folder.
    TreeOf(&'a str),
    /// A part of a file of the repository.
    LinesOf(&'a str),
    /// Configuration or JSON, which `vodmill::vodmill documents` reads.
    Configuration,
    /// Another test runs it.
    RunBy(&'a str),
    /// Nothing, for a reason.
    NotRun(&'a str),
}

impl Block {
    /// The texts of its comments with that name.
    pub fn notes<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.notes.iter().filter(move |(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// What is to be done with it; none if nobody says so.
    pub fn purpose(&self) -> Option<Purpose<'_>> {
        let note = |name| self.notes(name).next().filter(|text| !text.is_empty());
        let noted = note("not run").map(Purpose::NotRun);
        let noted = noted.or_else(|| note("run by").map(Purpose::RunBy));
        let noted = noted.or_else(|| note("tree of").map(Purpose::TreeOf));
        let noted = noted.or_else(|| note("lines of").map(Purpose::LinesOf));
        noted.or_else(|| self.purpose_by_itself())
    }

    fn purpose_by_itself(&self) -> Option<Purpose<'_>> {
        match self.kind.as_str() {
            "toml" | "json" => Some(Purpose::Configuration),
            _ => self.steps().map(Purpose::Session),
        }
    }

    /// None unless it begins with a command.
    fn steps(&self) -> Option<Vec<Step>> {
        let mut steps: Vec<Step> = Vec::new();
        for line in &self.lines {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => {
                    steps.push(Step { command: command.to_owned(), shown: Vec::new() });
                }
                (None, Some(step)) if step.shown.is_empty() && step.command.ends_with('\\') => {
                    step.command.truncate(step.command.len() - 1);
                    step.command.push_str(line.trim_start());
                }
                (None, Some(step)) => step.shown.push(line.clone()),
                (None, None) => return None,
            }
        }
        (!steps.is_empty()).then_some(steps)
    }
}

/// All fenced blocks of a text.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut indent = 0;
    let mut notes = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let start = line.trim_start();
        let fence = start.strip_prefix("```").or_else(|| start.strip_prefix("~~~"));
        match (&mut open, fence) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.lines.push(without_indent(line, indent)),
            (None, Some(kind)) => {
                indent = line.len() - start.len();
                let kind = kind.trim().to_owned();
                let notes = std::mem::take(&mut notes);
                open = Some(Block { line: number + 1, kind, lines: Vec::new(), notes });
            }
            (None, None) => match note(line) {
                Some(note) => notes.push(note),
                None => notes.clear(),
            },
        }
    }
    blocks
}

fn without_indent(line: &str, indent: usize) -> String {
    let blank = line.chars().take(indent).take_while(|c| *c == ' ').count();
    line[blank..].trim_end().to_owned()
}

/// A comment of the form `<!-- NAME: TEXT -->`.
fn note(line: &str) -> Option<(String, String)> {
    let inside = line.trim().strip_prefix("<!--")?.strip_suffix("-->")?;
    let (name, text) = inside.split_once(':')?;
    Some((name.trim().to_owned(), text.trim().to_owned()))
}

/// The files and folders that a drawing of a tree shows, below its root; folders end in a slash.
pub fn drawn(lines: &[String]) -> Vec<String> {
    let mut above: Vec<String> = Vec::new();
    let mut paths = Vec::new();
    for line in lines {
        let branch = |c: &char| " │├└─".contains(*c);
        let width = line.chars().take_while(branch).count();
        let rest: String = line.chars().skip(width).collect();
        let Some(name) = rest.split_whitespace().next() else { continue };
        if width == 0 {
            // The root, whose name the comment before the block has.
            continue;
        }
        above.truncate(width / 4 - 1);
        paths.push(format!("{}{name}", above.concat()));
        above.push(name.to_owned());
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_without_a_purpose_is_found() {
        let purposes = |text: &str| {
            blocks(text).iter().map(|block| block.purpose().is_some()).collect::<Vec<_>>()
        };
        assert_eq!(purposes("```\nvodmill run a.mp4\n```\n"), [false]);
        assert_eq!(purposes("```console\n$ vodmill run a.mp4\n```\n"), [true]);
        assert_eq!(purposes("<!-- not run: needs a bucket -->\n```\nx\n```\n"), [true]);
        assert_eq!(purposes("<!-- not run: -->\n```\nx\n```\n"), [false]);
        assert_eq!(purposes("<!-- not run: why -->\ntext\n```\nx\n```\n"), [false], "of no block");
        assert_eq!(purposes("<!-- not run: why -->\n```\nx\n```\n```\ny\n```\n"), [true, false]);
    }

    #[test]
    fn commands_go_on_behind_a_backslash_and_show_what_follows() {
        let block = &blocks(
            "- of a list:\n\n  ```console\n  $ a \\\n    b\n  one\n    two\n  $ c\n  ```\n",
        )[0];
        let step = |command: &str, shown: &[&str]| Step {
            command: command.to_owned(),
            shown: shown.iter().map(|line| (*line).to_owned()).collect(),
        };
        let steps = vec![step("a b", &["one", "  two"]), step("c", &[])];
        assert_eq!(block.purpose(), Some(Purpose::Session(steps)));
    }

    #[test]
    fn trees_are_paths() {
        let lines =
            ["top/", "├── a.txt    first", "└── b/", "    ├── c/", "    │   └── d", "    └── e"];
        let lines = lines.map(str::to_owned);
        assert_eq!(drawn(&lines), ["a.txt", "b/", "b/c/", "b/c/d", "b/e"]);
    }
}
