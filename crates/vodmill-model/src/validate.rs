//! Checks of a whole catalogue: every mistake at once, each with what to do about it.

mod notify;
mod pipeline;
mod preset;
mod quality;
mod sound;
mod url;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;

pub use url::is_http_url;

/// A mistake in a pipeline or preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// The file, as `presets/hls.toml`.
    pub file: String,
    /// Where in it, as `rung[1].width`; empty for the file as a whole.
    pub path: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "{}: {}", self.file, self.message),
            path => write!(f, "{}: {path}: {}", self.file, self.message),
        }
    }
}

/// Every mistake in `catalogue`; none where it can be worked with.
pub fn validate(catalogue: &Catalogue) -> Vec<Issue> {
    let mut issues = Vec::new();
    for (name, preset) in &catalogue.presets {
        let mut report = Report::new(&mut issues, format!("presets/{name}.toml"));
        report.name(name);
        preset::check(preset, &mut report);
    }
    for (name, pipeline) in &catalogue.pipelines {
        let mut report = Report::new(&mut issues, format!("pipelines/{name}.toml"));
        report.name(name);
        pipeline::check(pipeline, catalogue, &mut report);
    }
    issues
}

/// Where the mistakes of one file go.
struct Report<'a> {
    issues: &'a mut Vec<Issue>,
    file: String,
}

impl Report<'_> {
    fn new(issues: &mut Vec<Issue>, file: String) -> Report<'_> {
        Report { issues, file }
    }

    fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.issues.push(Issue {
            file: self.file.clone(),
            path: path.into(),
            message: message.into(),
        });
    }

    /// Adds the mistake unless `right`.
    fn expect(&mut self, right: bool, path: impl Into<String>, message: impl Into<String>) {
        if !right {
            self.add(path, message);
        }
    }

    /// Adds a mistake unless `value` is within the bounds.
    fn within(&mut self, value: u32, bounds: std::ops::RangeInclusive<u32>, path: &str) {
        let (low, high) = (bounds.start(), bounds.end());
        let message = format!("{value} is out of range: set it to {low} to {high}");
        self.expect(bounds.contains(&value), path, message);
    }

    /// The file's name becomes a name of objects and folders.
    fn name(&mut self, name: &str) {
        let message = "rename the file: lower-case letters, digits and hyphens only";
        self.expect(is_name(name), "", message);
    }
}

/// Whether `name` is safe in paths and playlists.
fn is_name(name: &str) -> bool {
    let safe = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 64 && !name.starts_with('-') && name.bytes().all(safe)
}
