//! HLS: variants, alternatives and encryption.

use serde::{Deserialize, Serialize};

use crate::pipeline::Container;
use crate::role::Role;
use crate::units::Ticks;

/// The HLS part of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HlsPlan {
    /// Container of segments.
    pub container: Container,
    /// Whether the tables of I-frames stand before them all, behind EXT-X-MAP. Not in plans of 0.1.0.
    #[serde(default)]
    pub iframe_map: bool,
    /// Time that is added to every timestamp, so that none is negative.
    pub base: Ticks,
    /// Variant streams, lowest first.
    pub variants: Vec<VariantPlan>,
    /// Audio in playlists of its own; empty when it is muxed or there is none.
    pub audio: Vec<AudioAlternativePlan>,
    /// Subtitles.
    pub subtitles: Vec<SubtitleAlternativePlan>,
    /// Encryption, if any.
    pub encryption: Option<EncryptionPlan>,
}

/// One EXT-X-STREAM-INF and its media playlist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantPlan {
    /// The rung's name.
    pub name: String,
    /// Id of its video encode; none for sound alone.
    pub video: Option<String>,
    /// Id of the audio encode in its own segments, if any.
    pub muxed_audio: Option<String>,
    /// Prefix of its objects, as `hls/low`: segments are `<prefix>/000000.ts`, the playlist
    /// `<prefix>/index.m3u8`, an init segment `<prefix>/init.mp4`.
    pub prefix: String,
    /// Whether it has an I-frame playlist, `<prefix>/iframes.m3u8`, whose pictures are in an
    /// object for each run of segments, as `<prefix>/iframes-0000.ts`.
    pub iframes: bool,
    /// SCORE: players prefer the highest that they can play; none where all are in one codec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u32>,
}

/// One EXT-X-MEDIA of type AUDIO and its media playlist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioAlternativePlan {
    /// Id of its audio encode.
    pub audio: String,
    /// NAME, unique in the group.
    pub name: String,
    /// LANGUAGE, a BCP 47 tag, if known.
    pub language: Option<String>,
    /// DEFAULT; true for exactly one.
    pub default: bool,
    /// AUTOSELECT: whether it may be chosen by the viewer's settings.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub autoselect: bool,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// CHANNELS.
    pub channels: u32,
    /// Prefix of its objects, as `hls/audio-swe`.
    pub prefix: String,
}

/// One EXT-X-MEDIA of type SUBTITLES and its media playlist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubtitleAlternativePlan {
    /// Id of its subtitle track.
    pub subtitle: String,
    /// NAME, unique in the group.
    pub name: String,
    /// LANGUAGE, a BCP 47 tag, if known.
    pub language: Option<String>,
    /// DEFAULT.
    pub default: bool,
    /// AUTOSELECT: whether it may be chosen by the viewer's settings.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub autoselect: bool,
    /// FORCED.
    pub forced: bool,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// Prefix of its objects, as `hls/subtitles-eng`; segments are `<prefix>/000000.vtt`.
    pub prefix: String,
}

/// AES-128 encryption of HLS segments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptionPlan {
    /// Template of key URIs.
    pub key_uri: String,
    /// Segments of a key period, the same in all rungs.
    pub segments_per_key: u32,
    /// Key periods in all.
    pub periods: u32,
}

fn yes() -> bool {
    true
}

fn is_yes(flag: &bool) -> bool {
    *flag
}
