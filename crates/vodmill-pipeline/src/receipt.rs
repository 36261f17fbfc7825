//! The receipt: what a package claims, in a form that can be proved from its files alone.

use serde::{Deserialize, Serialize};
use vodmill_model::asset::VideoRange;
use vodmill_model::plan::Build;
use vodmill_model::preset::FileContainer;
use vodmill_model::units::{Frames, Ratio, Size, Ticks};

/// Name of the receipt in a generation.
pub(crate) const RECEIPT: &str = "receipt.json";

/// What a package claims. `receipt.json` is the one object that it does not list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Version of this form: 1.
    pub version: u32,
    /// What made the bytes.
    pub build: Build,
    /// SHA-256 of the plan.
    pub plan: String,
    /// SHA-256 of the original.
    pub original: String,
    /// The asset.
    pub asset: String,
    /// The generation.
    pub generation: String,
    /// Length of the programme.
    pub duration: Ticks,
    /// Frames of every rung; none for sound alone.
    pub frames: Option<Frames>,
    /// Frames per second of every rung.
    pub frame_rate: Option<Ratio>,
    /// Time of the first frame in HLS segments.
    pub base: Ticks,
    /// Ends of HLS segments from zero, the same in every playlist but those of I-frames.
    pub segment_ends: Vec<Ticks>,
    /// Whether every HLS media segment is encrypted.
    pub encrypted: bool,
    /// Every object with its size and digest, in the order of their names.
    pub objects: Vec<ObjectFact>,
    /// Every HLS media playlist.
    pub playlists: Vec<PlaylistFact>,
    /// Every file for download, of any container.
    pub mp4: Vec<Mp4Fact>,
    /// SHA-256 of the multivariant playlist that points here.
    pub multivariant: Option<String>,
    /// SHA-256 of the asset's description, but for its reference to this receipt and its date.
    pub description: String,
}

/// One object of a generation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectFact {
    /// Its name in the generation.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, 64 hex digits.
    pub sha256: String,
}

/// What the segments of a media playlist hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

fn mp4() -> FileContainer {
    FileContainer::Mp4
}

fn is_mp4(container: &FileContainer) -> bool {
    *container == FileContainer::Mp4
}

/// One file for download.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mp4Fact {
    /// Its name in the generation.
    pub name: String,
    /// Format of the file.
    #[serde(default = "mp4", skip_serializing_if = "is_mp4")]
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
