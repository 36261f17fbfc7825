//! HLS on bytes: playlists, AES-128, keys and codec strings (RFC 8216).
//!
//! Bytes in, bytes out: this crate opens no file, waits for nothing and knows
//! no FFmpeg. What it writes it can also read back strictly, so that a
//! published package can be proved from its destination.
//!
//! - [`playlist`]: media and multivariant playlists, written and parsed;
//! - [`bandwidth`]: BANDWIDTH and AVERAGE-BANDWIDTH, measured;
//! - [`key`], [`aes128`]: segment keys, IVs, and the cipher;
//! - [`keyring`]: keys at rest, key URIs, and the [`keyring::KeyStore`] contract;
//! - [`codec`]: CODECS strings and the facts of a sequence parameter set;
//! - [`webvtt`]: subtitles and storyboards.

pub mod aes128;
pub mod bandwidth;
pub mod codec;
mod hex;
pub mod key;
pub mod keyring;
pub mod playlist;
pub mod time;
pub mod webvtt;
