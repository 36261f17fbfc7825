//! Attribute lists (RFC 8216 §4.2): quoting.

use std::fmt::{Display, Write as _};

use super::error::PlaylistError;

/// One tag line with an attribute list, being written.
pub(crate) struct TagLine {
    text: String,
    separator: char,
}

impl TagLine {
    pub(crate) fn new(tag: &str) -> Self {
        Self { text: tag.to_owned(), separator: ':' }
    }

    /// An enumerated, decimal or hexadecimal value: written as it is.
    pub(crate) fn bare(&mut self, name: &'static str, value: impl Display) {
        // Writing into a String cannot fail.
        let _ = write!(self.text, "{}{name}={value}", self.separator);
        self.separator = ',';
    }

    pub(crate) fn quoted(&mut self, name: &'static str, value: &str) -> Result<(), PlaylistError> {
        if value.chars().any(|c| c == '"' || c.is_control()) {
            return Err(PlaylistError::Unquotable { attribute: name, value: value.to_owned() });
        }
        self.bare(name, format_args!("\"{value}\""));
        Ok(())
    }

    pub(crate) fn quoted_if(
        &mut self,
        name: &'static str,
        value: Option<&str>,
    ) -> Result<(), PlaylistError> {
        value.map_or(Ok(()), |value| self.quoted(name, value))
    }

    pub(crate) fn uri(&mut self, value: &str) -> Result<(), PlaylistError> {
        self.quoted("URI", checked_uri(value)?)
    }

    pub(crate) fn end(self, playlist: &mut String) {
        playlist.push_str(&self.text);
        playlist.push('\n');
    }
}

/// `uri`, if it can stand on a line of its own and be told from a tag.
pub(crate) fn checked_uri(uri: &str) -> Result<&str, PlaylistError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '"';
    if uri.is_empty() || uri.starts_with('#') || uri.chars().any(bad) {
        return Err(PlaylistError::Uri(uri.to_owned()));
    }
    Ok(uri)
}
