//! Playlists (RFC 8216, 4), read strictly: an unknown tag, a repeated attribute or a line out of
//! place is an error, because what is read here was written by the product under test.

mod attributes;
mod media;
mod multivariant;

pub use attributes::Attributes;
pub use media::{Key, Map, Media, Segment};
pub use multivariant::{Alternative, Multivariant, Variant};

/// Every URI of a playlist of whatever kind, as it stands there.
pub fn uris(text: &str) -> Vec<String> {
    let of_line = |line: &str| match line.strip_prefix('#') {
        None => Some(line.to_owned()).filter(|line| !line.is_empty()),
        Some(tag) => {
            let (_, rest) = tag.split_once("URI=\"")?;
            rest.split_once('"').map(|(uri, _)| uri.to_owned())
        }
    };
    text.lines().filter_map(of_line).collect()
}

/// A line that says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line<'a> {
    Tag(&'a str, &'a str),
    Uri(&'a str),
}

/// The lines after `#EXTM3U`.
fn lines(text: &str) -> Result<Vec<Line<'_>>, String> {
    if text.contains('\r') || text.starts_with('\u{feff}') || !text.ends_with('\n') {
        return Err("CR, BOM or no newline at the end".to_owned());
    }
    let mut lines = text.lines();
    if lines.next() != Some("#EXTM3U") {
        return Err("the first line is not #EXTM3U".to_owned());
    }
    let said = lines.filter(|line| !line.is_empty());
    Ok(said
        .map(|line| match line.strip_prefix('#') {
            Some(_) => {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                Line::Tag(name, value)
            }
            None => Line::Uri(line),
        })
        .collect())
}

/// Fills a place that a tag may fill once.
fn once<T>(place: &mut Option<T>, value: T, tag: &str) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("{tag} stands twice")),
    }
}

/// A decimal-integer: digits only.
fn integer(text: &str) -> Result<u64, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = if digits { text.parse().ok() } else { None };
    value.ok_or_else(|| format!("{text:?} is no decimal-integer"))
}

/// A decimal-floating-point that is not negative.
fn decimal(text: &str) -> Result<f64, String> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if whole.is_empty() || part.is_empty() || !digits(whole) || !digits(part) {
        return Err(format!("{text:?} is no decimal-floating-point"));
    }
    text.parse().map_err(|why| format!("{text:?}: {why}"))
}
