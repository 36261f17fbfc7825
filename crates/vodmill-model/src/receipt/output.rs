//! What of a package can be proved, by kind.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::asset::VideoRange;
use crate::preset::FileContainer;
use crate::quality::{Quality, Score};
use crate::units::{Size, Ticks};

/// What is claimed of one output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OutputFact {
    /// HTTP Live Streaming.
    Hls(HlsFact),
    /// One file that is played as a whole.
    File(FileFact),
    /// Poster and storyboard.
    Stills(StillsFact),
}

/// HTTP Live Streaming.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HlsFact {
    /// Time of the first frame in segments.
    pub base: Ticks,
    /// Ends of segments from zero, the same in every playlist but those of I-frames.
    pub segment_ends: Vec<Ticks>,
    /// Whether every media segment is encrypted.
    pub encrypted: bool,
    /// Every media playlist.
    pub playlists: Vec<PlaylistFact>,
    /// SHA-256 of the multivariant playlist that points here.
    pub multivariant: String,
    /// How good the pictures are, where a quality was chosen for this title, lowest rung first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quality: Vec<RungQuality>,
}

/// How good the pictures of one rung are beside those of the original, at the size of the largest rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RungQuality {
    /// Its media playlist.
    pub playlist: String,
    /// The mean VMAF score that was expected when it was planned; none for sizes that were not tried.
    pub predicted: Option<Score>,
    /// What was measured of the same samples; none without `proof = "full"`.
    pub measured: Option<Quality>,
}

/// What the segments of a media playlist hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// Pictures, with or without sound.
    Video,
    /// Sound alone.
    Audio,
    /// Key frames alone.
    IFrames,
    /// WebVTT.
    Subtitles,
}

/// One HLS media playlist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaylistFact {
    /// Its name in the generation.
    pub name: String,
    /// What it holds.
    pub holds: Holds,
    /// RFC 6381 strings of its bitstreams.
    pub codecs: Vec<String>,
    /// Size of its pictures.
    pub size: Option<Size>,
    /// The range of light of its pictures, where it is high.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<VideoRange>,
}

/// One file that is played as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileFact {
    /// Its name in the generation.
    pub name: String,
    /// Its format.
    pub container: FileContainer,
    /// RFC 6381 strings of its bitstreams, distinct.
    pub codecs: Vec<String>,
    /// Size of its pictures.
    pub size: Option<Size>,
    /// The range of light of its pictures, where it is high.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<VideoRange>,
    /// Audio tracks.
    pub audio_tracks: u32,
}

/// Poster and storyboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StillsFact {
    /// Their names in the generation.
    pub objects: Vec<String>,
}
