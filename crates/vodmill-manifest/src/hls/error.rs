//! What can be wrong with a playlist to write.

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
