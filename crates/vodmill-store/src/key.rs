//! Keys: relative, with `/` between parts, safe as a path and in a URL.

use std::fmt;

use crate::error::{Result, StoreError};

/// The name of an object or, up to a `/`, of many.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// The key `text`.
    ///
    /// # Errors
    /// [`StoreError::BadKey`] for empty parts, `.`, `..`, control characters, backslashes, or more
    /// than S3's 1024 bytes.
    pub fn new(text: impl Into<String>) -> Result<Key> {
        let text = text.into();
        let part_is_good = |part: &str| !matches!(part, "" | "." | "..");
        let bad_char = |c: char| c.is_control() || c == '\\';
        if text.len() > 1024 || text.contains(bad_char) || !text.split('/').all(part_is_good) {
            return Err(StoreError::BadKey(text));
        }
        Ok(Key(text))
    }

    /// This key, a `/`, and `rest`.
    ///
    /// # Errors
    /// As [`Key::new`].
    pub fn join(&self, rest: &str) -> Result<Key> {
        Key::new(format!("{}/{rest}", self.0))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this key lies under `prefix`.
    pub fn is_under(&self, prefix: &Key) -> bool {
        self.0.strip_prefix(&prefix.0).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
