//! Snippets of README and docs, as they stand there, by the reader of the configuration.

use std::fs;
use std::path::{Path, PathBuf};

use crate::golden::vodmill;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Name and text of every document.
fn documents() -> Vec<(String, String)> {
    let docs = fs::read_dir(top().join("docs")).expect("docs").flatten().map(|entry| entry.path());
    let pages = docs.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let mut all: Vec<PathBuf> = pages.chain([top().join("README.md")]).collect();
    all.sort();
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    all.iter().map(|path| (name(path), fs::read_to_string(path).expect("text"))).collect()
}

/// The blocks of a document that are marked with `kind`.
fn blocks<'a>(text: &'a str, kind: &str) -> Vec<&'a str> {
    let mark = format!("\n```{kind}\n");
    let parts = text.split(mark.as_str()).skip(1);
    parts.map(|rest| rest.split("\n```").next().unwrap_or(rest)).collect()
}

/// Which file a snippet is: its first line says so, or it is right as one of the two.
fn names(snippet: &str) -> Vec<String> {
    let first = snippet.lines().next().unwrap_or_default();
    let named = first.strip_prefix("# ").and_then(|rest| rest.split([',', ' ']).next());
    match named.filter(|name| name.ends_with(".toml")) {
        Some(name) => vec![name.to_owned()],
        None => vec!["vodmill.toml".to_owned(), "pipelines/snippet.toml".to_owned()],
    }
}

/// What the program finds wrong with a snippet as that file of a home; none if nothing is.
fn fault(snippet: &str, name: &str) -> Option<String> {
    let home = tempfile::tempdir().expect("a folder");
    for folder in ["pipelines", "presets"] {
        fs::create_dir(home.path().join(folder)).expect("a folder");
    }
    for (from, to) in [("presets/hls.toml", "hls"), ("docs/examples/presets/small.toml", "small")] {
        let to = home.path().join(format!("presets/{to}.toml"));
        fs::copy(top().join(from), to).expect("a preset");
    }
    for preset in ["web", "phone", "tablet", "tv"] {
        let name = format!("presets/{preset}.toml");
        fs::copy(top().join(&name), home.path().join(&name)).expect("a preset");
    }
    fs::write(home.path().join(name), snippet).expect("the snippet");
    let output = vodmill(home.path(), &["pipelines", "validate"]);
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success()).then(said)
}

#[test]
fn snippets_of_the_documents_are_valid() {
    let mut checked = 0;
    for (document, text) in documents() {
        for snippet in blocks(&text, "toml") {
            let faults: Vec<Option<String>> =
                names(snippet).iter().map(|name| fault(snippet, name)).collect();
            assert!(faults.contains(&None), "{document}: {snippet}\n{faults:?}");
            checked += 1;
        }
    }
    assert!(checked >= 14, "{checked} snippets found");
}

#[test]
fn json_of_the_documents_is_json() {
    for (document, text) in documents() {
        for snippet in blocks(&text, "json") {
            let read: Result<serde_json::Value, _> = serde_json::from_str(snippet);
            assert!(read.is_ok(), "{document}: {read:?}\n{snippet}");
        }
    }
}
