//! What is wrong, by name.

use serde::{Deserialize, Serialize};
use vodmill_model::Failed;

/// What is wrong, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// The object, relative to the generation (or the asset, for the pointer).
    pub object: String,
    /// What kind of fault.
    pub code: String,
    /// What was found.
    pub detail: String,
}

/// Findings about one object, as they come.
pub(super) struct Findings<'a> {
    object: &'a str,
    pub list: Vec<Finding>,
}

impl Findings<'_> {
    pub fn about(object: &str) -> Findings<'_> {
        Findings { object, list: Vec::new() }
    }

    pub fn add(&mut self, code: &str, detail: impl Into<String>) {
        let object = self.object.to_owned();
        self.list.push(Finding { object, code: code.to_owned(), detail: detail.into() });
    }

    /// The list, with one more.
    pub fn with(mut self, code: &str, detail: impl Into<String>) -> Vec<Finding> {
        self.add(code, detail);
        self.list
    }
}

/// A failure that names the first findings, if there are any.
pub(super) fn none(stage: &str, findings: &[Finding]) -> Result<(), Failed> {
    if findings.is_empty() {
        return Ok(());
    }
    let listed: Vec<_> = findings
        .iter()
        .take(10)
        .map(|f| format!("{}: {} ({})", f.object, f.detail, f.code))
        .collect();
    Err(Failed::new(stage, format!("{} findings: {}", findings.len(), listed.join("; "))))
}
