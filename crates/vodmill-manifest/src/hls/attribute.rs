//! Attribute lists (RFC 8216 §4.2): quoting, and reading them back.

use std::fmt::{Display, Write as _};

use super::error::{ParseProblem, PlaylistError};

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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Value<'a> {
    Quoted(&'a str),
    Bare(&'a str),
}

/// A parsed attribute list; a tag has few, so a vector does.
pub(crate) struct Attributes<'a>(Vec<(&'a str, Value<'a>)>);

impl<'a> Attributes<'a> {
    pub(crate) fn parse(list: &'a str) -> Result<Self, ParseProblem> {
        let mut found: Vec<(&str, Value)> = Vec::new();
        let mut rest = list;
        loop {
            let (name, value, after) = split_one(rest)?;
            if found.iter().any(|(known, _)| *known == name) {
                return Err(ParseProblem::Repeated(name.chars().take(80).collect()));
            }
            found.push((name, value));
            // §6.3.1 leaves room for more; a tag of vodmill has a dozen at most.
            if found.len() > 64 {
                return Err(ParseProblem::TooLarge(64));
            }
            match after {
                Some(after) => rest = after,
                None => return Ok(Self(found)),
            }
        }
    }

    fn find(&self, name: &str) -> Option<Value<'a>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The value of a quoted-string attribute; an unquoted one is an error.
    pub(crate) fn quoted(&self, name: &'static str) -> Result<Option<String>, ParseProblem> {
        match self.find(name) {
            None => Ok(None),
            Some(Value::Quoted(text)) => Ok(Some(text.to_owned())),
            Some(Value::Bare(text)) => Err(ParseProblem::value(name, text)),
        }
    }

    /// As [`Self::quoted`], and it has to be there.
    pub(crate) fn required(&self, name: &'static str) -> Result<String, ParseProblem> {
        self.quoted(name)?.ok_or(ParseProblem::Missing(name))
    }

    /// The value of an unquoted attribute; a quoted one is an error.
    pub(crate) fn bare(&self, name: &'static str) -> Result<Option<&'a str>, ParseProblem> {
        match self.find(name) {
            None => Ok(None),
            Some(Value::Bare(text)) => Ok(Some(text)),
            Some(Value::Quoted(text)) => Err(ParseProblem::value(name, text)),
        }
    }

    pub(crate) fn integer(&self, name: &'static str) -> Result<Option<u64>, ParseProblem> {
        self.bare(name)?.map(|text| decimal_integer(name, text)).transpose()
    }

    pub(crate) fn yes(&self, name: &'static str) -> Result<bool, ParseProblem> {
        match self.bare(name)? {
            None | Some("NO") => Ok(false),
            Some("YES") => Ok(true),
            Some(other) => Err(ParseProblem::value(name, other)),
        }
    }
}

/// A decimal-integer: digits only, so neither `+6` nor an empty string.
pub(crate) fn decimal_integer(what: &'static str, text: &str) -> Result<u64, ParseProblem> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let value = if digits { text.parse().ok() } else { None };
    value.ok_or_else(|| ParseProblem::value(what, text))
}

/// First attribute of a list, and what follows its comma.
fn split_one(list: &str) -> Result<(&str, Value<'_>, Option<&str>), ParseProblem> {
    let bad = || ParseProblem::value("attribute list", list);
    let (name, rest) = list.split_once('=').ok_or_else(bad)?;
    let legal = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-';
    // The writer quotes no control characters, so none are read.
    if name.is_empty() || !name.bytes().all(legal) || rest.contains(char::is_control) {
        return Err(bad());
    }
    if let Some(open) = rest.strip_prefix('"') {
        let (text, after) = open.split_once('"').ok_or_else(bad)?;
        return match after.strip_prefix(',') {
            Some(after) => Ok((name, Value::Quoted(text), Some(after))),
            None if after.is_empty() => Ok((name, Value::Quoted(text), None)),
            None => Err(bad()),
        };
    }
    let (text, after) = match rest.split_once(',') {
        Some((text, after)) => (text, Some(after)),
        None => (rest, None),
    };
    if text.is_empty() || text.contains(['"', ' ', '\t']) {
        return Err(bad());
    }
    Ok((name, Value::Bare(text), after))
}
