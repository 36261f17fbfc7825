//! From bytes to numbered lines, within bounds (RFC 8216 §4.1).

use super::error::{ParseError, ParseProblem};

/// The largest playlist that is read, in bytes.
pub const MAX_PLAYLIST_BYTES: usize = 16 << 20;

/// The most segments, or variants with their alternatives, that are read.
pub const MAX_ENTRIES: usize = 200_000;

/// A playlist read back, with the version that it declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<P> {
    /// EXT-X-VERSION; 1 when the tag is absent (§4.3.1.2).
    pub version: u64,
    /// What it says.
    pub playlist: P,
}

/// A line that says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// `#EXT…`, split at its colon; the value is empty when there is none.
    Tag(&'a str, &'a str),
    Uri(&'a str),
}

/// The numbered lines after #EXTM3U, without blanks and comments.
pub(crate) fn lines(bytes: &[u8]) -> Result<impl Iterator<Item = (usize, Line<'_>)>, ParseError> {
    if bytes.len() > MAX_PLAYLIST_BYTES {
        return Err(ParseProblem::TooLarge(MAX_PLAYLIST_BYTES).at(0));
    }
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|_| ParseProblem::NotPlaylist("not UTF-8").at(0))?;
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    match lines.next() {
        Some((_, "#EXTM3U")) => {}
        _ => return Err(ParseProblem::NotPlaylist("the first line is not #EXTM3U").at(1)),
    }
    Ok(lines.filter_map(|(number, line)| Some((number, classify(line)?))))
}

fn classify(line: &str) -> Option<Line<'_>> {
    if line.is_empty() || (line.starts_with('#') && !line.starts_with("#EXT")) {
        return None;
    }
    if !line.starts_with('#') {
        return Some(Line::Uri(line));
    }
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    Some(Line::Tag(name, value))
}

/// Fills a slot that a tag may fill once.
pub(crate) fn once<T>(slot: &mut Option<T>, value: T, tag: &str) -> Result<(), ParseProblem> {
    if slot.replace(value).is_some() {
        return Err(ParseProblem::Repeated(tag.chars().take(80).collect()));
    }
    Ok(())
}
