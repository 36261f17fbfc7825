//! Every command in a block of README or docs is one that the program understands.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;

use crate::cli::Cli;

fn documents() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = fs::read_dir(top.join("docs")).expect("docs").flatten().map(|entry| entry.path());
    let pages = docs.filter(|path| path.extension().is_some_and(|end| end == "md"));
    pages.chain([top.join("README.md")]).collect()
}

/// Lines within blocks, those that end in a backslash joined with the next.
fn lines_of_blocks(text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if inside {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// The words of the command in a line: up to a comment, a pipe, or what is said beside it.
fn command(line: &str) -> Option<Vec<String>> {
    let line = line.strip_prefix("$ ").unwrap_or(line);
    let words = line.strip_prefix("vodmill ")?;
    let words = words.split("  ").next().unwrap_or(words);
    let ends = ["#", "|", ">", "&&", ";"];
    let words = words.split_whitespace().take_while(|word| !ends.contains(word));
    let bare = words.map(|word| word.trim_matches(['\'', '"']).to_owned());
    Some(std::iter::once("vodmill".to_owned()).chain(bare).collect())
}

#[test]
fn commands_of_the_documents_are_understood() {
    let mut checked = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a document");
        for line in lines_of_blocks(&text) {
            let Some(words) = command(&line) else { continue };
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("{}: {line}\n{error}", document.display());
            }
            checked += 1;
        }
    }
    assert!(checked >= 25, "{checked} commands found");
}
