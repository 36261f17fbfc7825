//! Playlists of RFC 8216: written, and read back strictly.
//!
//! The vocabulary is vodmill's: a *variant stream* is an EXT-X-STREAM-INF
//! entry; what the RFC calls a Rendition is an [`AudioAlternative`] or a
//! [`SubtitleAlternative`] here.

mod attribute;
mod error;
mod lines;
mod media;
mod media_parse;
mod multivariant;
mod multivariant_check;
mod multivariant_parse;

pub use error::{ParseError, ParseProblem, PlaylistError};
pub use lines::{MAX_ENTRIES, MAX_PLAYLIST_BYTES, Parsed};
pub use media::{ByteRange, InitSection, KeyRef, MediaPlaylist, Segment};
pub use multivariant::{
    AudioAlternative, IFrameStream, MultivariantPlaylist, Resolution, SubtitleAlternative,
    VariantStream, VideoRange,
};
