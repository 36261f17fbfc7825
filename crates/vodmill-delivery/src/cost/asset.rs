//! What `asset.json` says that costs anything; it says more.

use serde::Deserialize;

use super::money::Bytes;

/// A published asset.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Asset {
    /// Its name.
    pub asset: String,
    /// Its generation.
    pub generation: String,
    /// Length of the programme in milliseconds.
    pub duration_ms: u64,
    /// Adaptive streaming.
    pub hls: Option<Hls>,
    /// Progressive files.
    #[serde(default)]
    pub mp4: Vec<Mp4>,
    /// All objects of the generation.
    pub bytes: Bytes,
    /// How many they are; older descriptions do not say.
    pub objects: Option<u64>,
    /// Milliseconds of processor time that encoding took; streams that were there already took
    /// none.
    pub encode_cpu_ms: Option<u64>,
    /// The same for packaging and proof.
    pub package_cpu_ms: Option<u64>,
    /// When it was published (RFC 3339).
    pub published_at: Option<String>,
}

/// Adaptive streaming.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Hls {
    /// `ts` or `fmp4`.
    pub container: Option<String>,
    /// Segments of each playlist.
    pub segments: u64,
    /// The rungs.
    pub variants: Vec<Variant>,
    /// Sound in playlists of its own.
    #[serde(default)]
    pub audio: Vec<Audio>,
    /// Subtitles.
    #[serde(default)]
    pub subtitles: Vec<Subtitles>,
}

/// A rung.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Width in pixels.
    pub width: Option<u64>,
    /// Height in pixels.
    pub height: Option<u64>,
    /// Its segments.
    pub bytes: Bytes,
    /// Its pictures for seeking.
    pub iframes_bytes: Option<Bytes>,
    /// The encode that it is made from.
    pub encode: Option<String>,
}

/// Sound in a playlist of its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Audio {
    /// Its name.
    pub name: String,
    /// Its segments.
    pub bytes: Bytes,
}

/// Subtitles.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Subtitles {
    /// Their name.
    pub name: String,
    /// Their segments.
    #[serde(default)]
    pub bytes: Bytes,
}

/// A progressive file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Mp4 {
    /// Its name.
    pub name: Option<String>,
    /// Width in pixels.
    pub width: Option<u64>,
    /// Height in pixels.
    pub height: Option<u64>,
    /// Its size.
    pub bytes: Bytes,
    /// The encode that it is made from.
    pub encode: Option<String>,
}
