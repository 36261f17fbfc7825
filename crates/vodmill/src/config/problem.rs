//! What is wrong with the configuration, collected rather than thrown.

use std::fmt;
use std::path::{Path, PathBuf};

/// One fault in one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1, where there is one.
    pub line: Option<usize>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file.display(), self.message),
            None => write!(f, "{}: {}", self.file.display(), self.message),
        }
    }
}

/// Everything that is wrong with the configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// `value` if nothing is wrong, else all of it, in the order of files and lines.
    pub fn none_or<T>(mut problems: Vec<Problem>, value: T) -> Result<T, Problems> {
        if problems.is_empty() {
            return Ok(value);
        }
        problems.sort();
        problems.dedup();
        Err(Problems(problems))
    }

    /// `problems`, of which there is one at least.
    pub fn some(problems: Vec<Problem>) -> Problems {
        Problems(problems)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "configuration: {count} problem{}", if count == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}

/// Collects the faults of one file.
pub struct Reporter<'a> {
    /// The file.
    pub file: &'a Path,
    /// Its text.
    pub text: &'a str,
    /// Where faults go.
    pub problems: &'a mut Vec<Problem>,
}

impl Reporter<'_> {
    /// Notes a fault at a byte of the text.
    pub fn at(&mut self, offset: Option<usize>, message: impl Into<String>) {
        let line = offset.map(|offset| line_of(self.text, offset));
        let file = self.file.to_path_buf();
        self.problems.push(Problem { file, line, message: message.into() });
    }
}

/// The line of a byte, from 1.
pub fn line_of(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    1 + before.iter().filter(|&&byte| byte == b'\n').count()
}
