//! The lines of a playlist, looked at before m3u8-rs is given them.
//!
//! It looks for the `=` of an attribute, and for the end of a quoted string, beyond the end of the
//! line; takes the last of two equal attributes; stops without a word at what is not UTF-8; and
//! forgets in which order tags stood. All of that is seen here.

use std::collections::BTreeMap;

use super::error::ReadError;

/// The largest playlist that is read, in bytes.
pub const MAX_PLAYLIST_BYTES: usize = 16 << 20;

/// The most segments, or variants with their alternatives, that are read.
pub const MAX_ENTRIES: usize = 200_000;

/// Lines for one entry, at most: EXT-X-KEY, EXTINF, EXT-X-BYTERANGE and URI, and one to spare.
const LINES_OF_ENTRY: usize = 5;

/// The most attributes of a tag; vodmill writes a dozen.
const MAX_ATTRIBUTES: usize = 64;

/// Tags whose value is an attribute list.
const LISTS: [&str; 9] = [
    "#EXT-X-DATERANGE",
    "#EXT-X-I-FRAME-STREAM-INF",
    "#EXT-X-KEY",
    "#EXT-X-MAP",
    "#EXT-X-MEDIA",
    "#EXT-X-SESSION-DATA",
    "#EXT-X-SESSION-KEY",
    "#EXT-X-START",
    "#EXT-X-STREAM-INF",
];

/// Tags that may be there once.
const ONCE: [&str; 6] = [
    "#EXT-X-VERSION",
    "#EXT-X-TARGETDURATION",
    "#EXT-X-MEDIA-SEQUENCE",
    "#EXT-X-PLAYLIST-TYPE",
    "#EXT-X-MAP",
    "#EXT-X-ENDLIST",
];

/// What the lines of a playlist are.
#[derive(Debug, Default)]
pub(super) struct Lines<'a> {
    /// By tag, how many, and the number of the first.
    tags: BTreeMap<&'a str, (usize, usize)>,
    uris: usize,
    /// Lines with EXT-X-KEY since the last URI: they are for segments that do not come.
    keys_left: usize,
    /// Number of the first line with a URI.
    first_uri: usize,
    /// The tag before, until another line has come.
    before: &'a str,
}

impl<'a> Lines<'a> {
    /// Looks at every line.
    pub(super) fn of(bytes: &'a [u8]) -> Result<Lines<'a>, ReadError> {
        if bytes.len() > MAX_PLAYLIST_BYTES {
            return Err(ReadError::TooLarge(MAX_PLAYLIST_BYTES));
        }
        let text = std::str::from_utf8(bytes);
        let text = text.map_err(|_| ReadError::NotPlaylist("not UTF-8"))?;
        let mut rest = text.lines();
        if rest.next() != Some("#EXTM3U") {
            return Err(ReadError::NotPlaylist("the first line is not #EXTM3U"));
        }
        let mut lines = Lines::default();
        for (index, line) in rest.enumerate() {
            if index > MAX_ENTRIES * LINES_OF_ENTRY {
                return Err(ReadError::TooLarge(MAX_ENTRIES));
            }
            lines.take(index + 2, line)?;
        }
        if lines.before == "#EXT-X-STREAM-INF" {
            return Err(ReadError::Missing("the URI line after EXT-X-STREAM-INF"));
        }
        let repeated = ONCE.into_iter().find(|tag| lines.count(tag) > 1);
        repeated.map_or(Ok(lines), |tag| Err(ReadError::Repeated(&tag[1..])))
    }

    fn take(&mut self, number: usize, line: &'a str) -> Result<(), ReadError> {
        if line.contains(char::is_control) {
            return Err(ReadError::line(number, "a control character", line));
        }
        if line.trim().is_empty() || (line.starts_with('#') && !line.starts_with("#EXT")) {
            return Ok(());
        }
        if self.before == "#EXT-X-ENDLIST" {
            return Err(ReadError::Unsupported("a line after EXT-X-ENDLIST"));
        }
        if line.starts_with('#') {
            return self.tag(number, line);
        }
        self.before = "";
        self.uris += 1;
        self.keys_left = 0;
        if self.first_uri == 0 {
            self.first_uri = number;
        }
        Ok(())
    }

    fn tag(&mut self, number: usize, line: &'a str) -> Result<(), ReadError> {
        if self.before == "#EXT-X-STREAM-INF" {
            return Err(ReadError::Missing("the URI line after EXT-X-STREAM-INF"));
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        if LISTS.contains(&name) && !is_attribute_list(value) {
            return Err(ReadError::line(number, "no attribute list", line));
        }
        if name == "#EXTINF" && !value.contains(',') {
            return Err(ReadError::line(number, "no comma after the duration", line));
        }
        self.keys_left += usize::from(name == "#EXT-X-KEY");
        self.before = name;
        self.tags.entry(name).or_insert((0, number)).0 += 1;
        Ok(())
    }

    /// How many lines have this tag.
    pub(super) fn count(&self, tag: &str) -> usize {
        self.tags.get(tag).map_or(0, |(count, _)| *count)
    }

    /// Whether every line with this tag says something of an entry.
    pub(super) fn expect(&self, tag: &'static str, used: usize) -> Result<(), ReadError> {
        let lines = self.count(tag);
        if lines == used { Ok(()) } else { Err(ReadError::Unused { tag: &tag[1..], lines, used }) }
    }

    /// As [`expect`](Self::expect), of EXT-X-KEY before a segment.
    pub(super) fn expect_keys(&self, used: usize) -> Result<(), ReadError> {
        let lines = self.count("#EXT-X-KEY") - self.keys_left;
        if lines == used {
            Ok(())
        } else {
            Err(ReadError::Unused { tag: "EXT-X-KEY", lines, used })
        }
    }

    /// As [`expect`](Self::expect), of the lines with URIs.
    pub(super) fn expect_uris(&self, used: usize) -> Result<(), ReadError> {
        let lines = self.uris;
        if lines == used { Ok(()) } else { Err(ReadError::Unused { tag: "URI", lines, used }) }
    }

    /// None of these tags is there.
    pub(super) fn refuse(&self, tags: &[&'static str]) -> Result<(), ReadError> {
        let found = tags.iter().find(|tag| self.count(tag) > 0);
        found.map_or(Ok(()), |tag| Err(ReadError::WrongKind(&tag[1..])))
    }

    /// Whether a line of the first tag stands before one of the second.
    pub(super) fn stands_before(&self, first: &str, second: &str) -> bool {
        let line = |tag| self.tags.get(tag).map(|(_, line)| *line);
        line(first).zip(line(second)).is_some_and(|(first, second)| first < second)
    }

    /// Whether this tag stands after a URI.
    pub(super) fn stands_after_a_uri(&self, tag: &str) -> bool {
        let line = self.tags.get(tag).map(|(_, line)| *line);
        self.uris > 0 && line.is_some_and(|line| line > self.first_uri)
    }
}

/// Whether each attribute has a name of its own and a value that ends on this line (§4.2).
fn is_attribute_list(list: &str) -> bool {
    let mut names = Vec::new();
    let mut rest = Some(list);
    while let Some(text) = rest {
        let Some((name, after)) = split_attribute(text) else { return false };
        if names.contains(&name) || names.len() >= MAX_ATTRIBUTES {
            return false;
        }
        names.push(name);
        rest = after;
    }
    true
}

/// The name of the first attribute, and what follows its comma.
fn split_attribute(list: &str) -> Option<(&str, Option<&str>)> {
    let (name, rest) = list.split_once('=')?;
    let legal = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || !name.bytes().all(legal) {
        return None;
    }
    if let Some(quoted) = rest.strip_prefix('"') {
        let (_, after) = quoted.split_once('"')?;
        return match after.strip_prefix(',') {
            Some(after) => Some((name, Some(after))),
            None => after.is_empty().then_some((name, None)),
        };
    }
    let (value, after) = match rest.split_once(',') {
        Some((value, after)) => (value, Some(after)),
        None => (rest, None),
    };
    let is_bare = !value.is_empty() && !value.contains(['"', ' ', '\t']);
    is_bare.then_some((name, after))
}
