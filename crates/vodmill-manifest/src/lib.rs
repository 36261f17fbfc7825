//! Manifests of packages and what stands in them. Bytes in, bytes out: this crate opens no file and
//! knows neither FFmpeg nor keys.
//!
//! - [`hls`]: media and multivariant playlists of RFC 8216, written and read;
//! - [`codec`]: CODECS strings and the facts of a sequence parameter set;
//! - [`bandwidth`]: BANDWIDTH and AVERAGE-BANDWIDTH, measured;
//! - [`webvtt`]: subtitles and storyboards;
//! - [`time`]: exact durations and rates.

pub mod bandwidth;
pub mod codec;
pub mod hls;
pub mod time;
pub mod webvtt;
