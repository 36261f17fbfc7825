//! The files of a home, and those that stand in for them where there are none.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use vodmill_model::{Catalogue, validate};

use super::problem::{Problem, Reporter, line_of};
use super::toml_file;

/// Name and text of a file that is built in.
pub type BuiltIn = (&'static str, &'static str);

macro_rules! built_in {
    ($folder:literal: $($name:literal),+) => {
        &[$(($name, include_str!(concat!("../../../../", $folder, "/", $name, ".toml")))),+]
    };
}

/// The presets of a home without a folder `presets`.
pub const PRESETS: &[BuiltIn] = built_in!("presets": "av1", "hls", "hls-av1", "hls-hdr", "mp3", "phone", "tablet", "tv", "tv-hdr", "web", "webm");

/// The pipelines of a home without a folder `pipelines`.
pub const PIPELINES: &[BuiltIn] = built_in!("pipelines": "default");

/// A configuration file that was read.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The file's name without `.toml`.
    pub name: String,
    /// Where it is, for messages.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
}

impl Source {
    /// What it says; every fault of it goes to `problems`.
    pub fn parse<T: DeserializeOwned + JsonSchema>(
        &self,
        problems: &mut Vec<Problem>,
    ) -> Option<T> {
        toml_file::parse(&self.file, &self.text, problems)
    }

    /// What is wrong with a field, at its line.
    pub fn problem(&self, field: &str, message: String) -> Problem {
        let line = toml_file::place(&self.text, field).map(|at| line_of(&self.text, at));
        Problem { file: self.file.clone(), line, message }
    }
}

/// The files of one folder of the home, or the built-in ones if there is no such folder.
pub fn sources(
    home: &Path,
    folder: &str,
    built_in: &[BuiltIn],
    problems: &mut Vec<Problem>,
) -> Vec<Source> {
    match toml_files(&home.join(folder)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            built_in.iter().map(|(name, text)| built_in_source(folder, name, text)).collect()
        }
        Err(error) => {
            problems.push(unreadable((PathBuf::from(folder), error)));
            Vec::new()
        }
        Ok(names) => {
            let read = |name: PathBuf| read_source(home, Path::new(folder).join(name));
            let read = names.into_iter().map(read);
            read.filter_map(|one| one.map_err(|fault| problems.push(unreadable(fault))).ok())
                .collect()
        }
    }
}

fn unreadable((file, error): (PathBuf, io::Error)) -> Problem {
    Problem { file, line: None, message: error.to_string() }
}

fn built_in_source(folder: &str, name: &str, text: &str) -> Source {
    let file = PathBuf::from(format!("(built in) {folder}/{name}.toml"));
    Source { name: name.to_owned(), file, text: text.to_owned() }
}

/// Names of the `.toml` files in a folder, sorted.
fn toml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = PathBuf::from(entry?.file_name());
        let hidden = name.as_os_str().as_encoded_bytes().starts_with(b".");
        if !hidden && name.extension() == Some(OsStr::new("toml")) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Reads one file; its name is that of the preset or pipeline.
pub fn read_source(home: &Path, file: PathBuf) -> Result<Source, (PathBuf, io::Error)> {
    let Some(name) = file.file_stem().and_then(OsStr::to_str).map(str::to_owned) else {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "its name is not UTF-8");
        return Err((file, error));
    };
    match std::fs::read_to_string(home.join(&file)) {
        Ok(text) => Ok(Source { name, file, text }),
        Err(error) => Err((file, error)),
    }
}

/// What no single file can tell: whether they fit together.
pub fn validate(
    catalogue: &Catalogue,
    presets: &[Source],
    pipelines: &[Source],
    problems: &mut Vec<Problem>,
) {
    for issue in validate::validate(catalogue) {
        let (folder, name) = issue.file.split_once('/').unwrap_or(("", &issue.file));
        let sources = if folder == "presets" { presets } else { pipelines };
        let source = sources.iter().find(|source| name == format!("{}.toml", source.name));
        let message = match issue.path.as_str() {
            "" => issue.message,
            path => format!("{path}: {}", issue.message),
        };
        match source {
            Some(Source { file, text, .. }) => {
                Reporter { file, text, problems }.at(toml_file::place(text, &issue.path), message);
            }
            None => problems.push(Problem { file: issue.file.into(), line: None, message }),
        }
    }
}
