//! Every command that README or docs name is one that the program understands.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use clap::error::ErrorKind;

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

/// Commands within sentences, between backticks.
fn commands_in_sentences(text: &str) -> Vec<String> {
    let outside = text.split("```").step_by(2).collect::<Vec<_>>().join(" ");
    let spans = outside.split('`').skip(1).step_by(2);
    let one_line = spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "));
    one_line.filter(|span| span.starts_with("vodmill ")).collect()
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

/// Panics at a command that is not understood; tells how many there are. A sentence may name one without its arguments.
fn check(document: &Path, lines: &[String], bare_names: bool) -> usize {
    let mut checked = 0;
    for line in lines {
        let Some(words) = command(line) else { continue };
        match Cli::try_parse_from(&words) {
            Err(error) if bare_names && error.kind() == ErrorKind::MissingRequiredArgument => {}
            Err(error) => panic!("{}: {line}\n{error}", document.display()),
            Ok(_) => {}
        }
        checked += 1;
    }
    checked
}

#[test]
fn commands_of_the_documents_are_understood() {
    let mut checked = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a document");
        checked += check(&document, &lines_of_blocks(&text), false);
        checked += check(&document, &commands_in_sentences(&text), true);
    }
    assert!(checked >= 80, "{checked} commands found");
}
