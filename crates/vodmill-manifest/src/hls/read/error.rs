//! Why a playlist was not understood.

use super::super::error::PlaylistError;

/// What is wrong with a playlist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// More bytes than [`super::MAX_PLAYLIST_BYTES`], or more entries than [`super::MAX_ENTRIES`].
    #[error("the playlist is larger than {0}")]
    TooLarge(usize),
    /// Not UTF-8, with control characters, or without #EXTM3U at its beginning (§4.1).
    #[error("not a playlist: {0}")]
    NotPlaylist(&'static str),
    /// A line that is not of its form.
    #[error("line {line}: {problem}: {text:?}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        problem: &'static str,
        /// As found, cut to a bounded length.
        text: String,
    },
    /// The reader stopped before the end.
    #[error("not understood from {0:?} on")]
    Rest(String),
    /// A tag that must be there is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A tag that may be there once is there again (§4.3).
    #[error("{0} appears more than once")]
    Repeated(&'static str),
    /// Lines that say nothing of any entry: malformed, repeated or in the wrong place.
    #[error("{tag}: {lines} lines, of which {used} count")]
    Unused {
        /// The tag, or what a line is.
        tag: &'static str,
        /// Lines of that kind.
        lines: usize,
        /// Entries that have what such a line says.
        used: usize,
    },
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

impl ReadError {
    /// A bad value, cut so that a hostile line cannot fill a log.
    pub(super) fn value(what: &'static str, value: &str) -> ReadError {
        ReadError::Value { what, value: cut(value) }
    }

    pub(super) fn line(line: usize, problem: &'static str, text: &str) -> ReadError {
        ReadError::Line { line, problem, text: cut(text) }
    }
}

pub(super) fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
