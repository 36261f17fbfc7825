//! Playlists of RFC 8216: written here, and read back by m3u8-rs, strictly.
//!
//! The vocabulary is vodmill's: a *variant stream* is an EXT-X-STREAM-INF
//! entry; what the RFC calls a Rendition is an [`AudioAlternative`] or a
//! [`SubtitleAlternative`] here.

mod attribute;
mod error;
mod media;
mod multivariant;
mod multivariant_check;
mod read;

pub use error::PlaylistError;
pub use media::{ByteRange, InitSection, KeyRef, MediaPlaylist, Segment};
pub use multivariant::{
    AudioAlternative, IFrameStream, MultivariantPlaylist, Resolution, SubtitleAlternative,
    VariantStream, VideoRange,
};
pub use read::{MAX_ENTRIES, MAX_PLAYLIST_BYTES, ReadError};
