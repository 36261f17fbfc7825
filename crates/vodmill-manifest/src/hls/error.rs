//! What can be wrong with a playlist to write, and with a playlist read.

use crate::time::DurationOverflow;

/// Why a playlist was not written. Nothing is written in part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaylistError {
    /// A quoted-string may hold no `"`, CR or LF (RFC 8216 §4.2); control
    /// characters are refused with them.
    #[error("{attribute} cannot be quoted: {value:?}")]
    Unquotable {
        /// The attribute's name.
        attribute: &'static str,
        /// Its value.
        value: String,
    },
    /// A URI is empty, has blanks or control characters, or starts with `#`.
    #[error("not a URI that a playlist can hold: {0:?}")]
    Uri(String),
    /// A media playlist without segments, or a multivariant one without variants.
    #[error("the playlist has no entries")]
    Empty,
    /// A segment that lasts no time.
    #[error("segment {0} has no duration")]
    ZeroDuration(usize),
    /// See [`DurationOverflow`].
    #[error(transparent)]
    Duration(#[from] DurationOverflow),
    /// A byte range of no bytes, or beyond 2^64.
    #[error("byte range {length}@{offset} is not possible")]
    ByteRange {
        /// Bytes.
        length: u64,
        /// First byte.
        offset: u64,
    },
    /// A rule about groups, defaults or attributes of RFC 8216 §4.3.4 is broken.
    #[error("{0}")]
    Rule(String),
}

/// Why a playlist was not understood, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ParseError {
    /// Counted from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong there.
    pub problem: ParseProblem,
}

/// What is wrong with a line of a playlist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseProblem {
    /// Longer than [`super::MAX_PLAYLIST_BYTES`] or [`super::MAX_ENTRIES`].
    #[error("the playlist is larger than {0}")]
    TooLarge(usize),
    /// Not UTF-8, has a BOM or does not start with #EXTM3U (§4.1).
    #[error("not a playlist: {0}")]
    NotPlaylist(&'static str),
    /// A tag that must be there is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A tag or attribute that may be there once is there again (§4.2, §4.3).
    #[error("{0} appears more than once")]
    Repeated(String),
    /// The value of a tag or attribute is not of its form.
    #[error("{what} has the bad value {value:?}")]
    Value {
        /// Tag or attribute.
        what: &'static str,
        /// As found, cut to a bounded length.
        value: String,
    },
    /// A tag of the other kind of playlist (§4.3).
    #[error("{0} does not belong in this kind of playlist")]
    WrongKind(&'static str),
    /// Valid HLS that vodmill never writes.
    #[error("not supported here: {0}")]
    Unsupported(&'static str),
    /// The declared version is lower than what the tags need (§7).
    #[error("EXT-X-VERSION is {declared}, its tags need {needed}")]
    Version {
        /// As declared; 1 when absent.
        declared: u64,
        /// As computed.
        needed: u64,
    },
    /// An EXTINF that rounds to more than EXT-X-TARGETDURATION (§4.3.3.1).
    #[error("EXT-X-TARGETDURATION is {declared}, a segment needs {needed}")]
    TargetDuration {
        /// As declared, in seconds.
        declared: u64,
        /// The largest rounded EXTINF, in seconds.
        needed: u64,
    },
    /// Each line is well-formed, and the whole breaks a rule.
    #[error(transparent)]
    Invalid(#[from] PlaylistError),
}

impl ParseProblem {
    pub(crate) fn at(self, line: usize) -> ParseError {
        ParseError { line, problem: self }
    }

    /// A bad value, cut so that a hostile line cannot fill a log.
    pub(crate) fn value(what: &'static str, value: &str) -> Self {
        Self::Value { what, value: value.chars().take(80).collect() }
    }
}
