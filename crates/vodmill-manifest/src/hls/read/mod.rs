//! Playlists, read by m3u8-rs: the proof of a package is not by the hand that wrote it.
//!
//! m3u8-rs understands more than vodmill writes, and passes over in silence what it does not
//! understand. So the lines are looked at before ([`lines`]) and counted against what it found;
//! what vodmill never writes and cannot represent is an error, not ignored. Unknown tags and
//! attributes are ignored (RFC 8216 §6.3.1).

mod error;
mod lines;
mod media;
mod multivariant;

pub use error::ReadError;
pub use lines::{MAX_ENTRIES, MAX_PLAYLIST_BYTES};
