//! Presets: how one kind of output is made. One TOML file each, in `presets/`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::loudness::Lufs;
use crate::units::BitsPerSecond;

/// A file in `presets/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Preset {
    /// A ladder of rungs for adaptive streaming.
    Ladder(Ladder),
    /// One progressive MP4 for a platform.
    Mp4(FilePreset),
    /// One file for download, of any container.
    File(FilePreset),
}

impl Preset {
    /// A preset of one file for download.
    pub fn file(&self) -> Option<&FilePreset> {
        match self {
            Preset::Mp4(file) | Preset::File(file) => Some(file),
            Preset::Ladder(_) => None,
        }
    }
}

/// A strictly ordered list of rungs, lowest first, that share all settings but size and rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: String,
    /// What pictures are to look like: `"fixed"`, by the rungs' own CRF for every title alike, or a
    /// VMAF score from 70 to 99, for which each title gets a CRF of its own; `crf` of a rung is then
    /// what holds where a title is too short to be looked at. H.264 only.
    #[serde(default, skip_serializing_if = "QualityTarget::is_fixed")]
    pub quality: QualityTarget,
    /// Settings common to all rungs.
    #[serde(default)]
    pub video: VideoCommon,
    /// Sound, the same for every rung.
    #[serde(default)]
    pub audio: AudioPreset,
    /// The rungs, lowest first; at least one.
    #[serde(rename = "rung")]
    pub rungs: Vec<Rung>,
}

/// What the pictures of a ladder are to look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "QualityText", into = "QualityText")]
#[schemars(with = "QualityText")]
pub enum QualityTarget {
    /// As the CRF of each rung has it, whatever the title.
    #[default]
    Fixed,
    /// A mean VMAF score of the largest rung.
    Vmaf(u8),
}

/// The forms in which a quality may be written.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a VMAF score from 70 to 99, or \"fixed\"")]
enum QualityText {
    Score(u8),
    Word(FixedWord),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum FixedWord {
    Fixed,
}

impl From<QualityText> for QualityTarget {
    fn from(text: QualityText) -> QualityTarget {
        match text {
            QualityText::Score(score) => QualityTarget::Vmaf(score),
            QualityText::Word(FixedWord::Fixed) => QualityTarget::Fixed,
        }
    }
}

impl From<QualityTarget> for QualityText {
    fn from(target: QualityTarget) -> QualityText {
        match target {
            QualityTarget::Vmaf(score) => QualityText::Score(score),
            QualityTarget::Fixed => QualityText::Word(FixedWord::Fixed),
        }
    }
}

impl QualityTarget {
    /// Whether no title is looked at.
    pub fn is_fixed(&self) -> bool {
        *self == QualityTarget::Fixed
    }
}

/// One rung: what is particular to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "crate::preset_file::RungTable")]
pub struct Rung {
    /// Its name in paths and playlists, as `low`: lower-case letters, digits and hyphens.
    pub name: String,
    /// The box and the bit rate.
    #[serde(flatten)]
    pub target: VideoTarget,
}

/// A file for download that plays before all of it is there: MP4 (H.264, HEVC or AV1, and AAC), WebM
/// (VP9 and Opus) or MP3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilePreset {
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: String,
    /// Format of the file.
    #[serde(default = "mp4", skip_serializing_if = "is_mp4")]
    pub container: FileContainer,
    /// How pictures are made; without it the file holds sound only.
    pub video: Option<FileVideo>,
    /// How sound is made.
    #[serde(default)]
    pub audio: AudioPreset,
}

fn mp4() -> FileContainer {
    FileContainer::Mp4
}

fn is_mp4(container: &FileContainer) -> bool {
    *container == FileContainer::Mp4
}

/// Video settings of a file: those of a ladder and of one of its rungs together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "crate::preset_file::FileVideoTable")]
pub struct FileVideo {
    /// Settings that a ladder has in common.
    #[serde(flatten)]
    pub common: VideoCommon,
    /// The box and the bit rate.
    #[serde(flatten)]
    pub target: VideoTarget,
}

/// Encoder settings that the rungs of a ladder share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VideoCommon {
    /// Video codec.
    pub codec: VideoCodec,
    /// What becomes of high dynamic range (PQ, HLG).
    pub hdr: HdrPolicy,
    /// H.264 profile; that of the other codecs follows from the bits of a sample.
    pub profile: Profile,
    /// The encoder's trade of time for bytes.
    pub speed: Speed,
    /// Seconds from one key frame to the next; every group of pictures is closed.
    pub gop_seconds: u32,
    /// Frame rates above this are halved until they fit, in frames per second.
    pub max_frame_rate: u32,
    /// How the picture is fitted into the box.
    pub sizing: Sizing,
    /// Whether to fill what is left of the box with black.
    pub padding: bool,
    /// Encoder threads; 1 gives the same bytes on every machine and the best quality for its CPU
    /// time, because chunks run side by side.
    pub threads: u32,
}

impl Default for VideoCommon {
    fn default() -> VideoCommon {
        VideoCommon {
            codec: VideoCodec::H264,
            hdr: HdrPolicy::ToneMap,
            profile: Profile::High,
            speed: Speed::Medium,
            gop_seconds: 2,
            max_frame_rate: 60,
            sizing: Sizing::ShrinkToFit,
            padding: false,
            threads: 1,
        }
    }
}

/// The box that pictures go into and the bit rate that they may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VideoTarget {
    /// Largest width in pixels, for a landscape picture; a portrait one has the box turned.
    pub width: u32,
    /// Largest height in pixels.
    pub height: u32,
    /// Constant rate factor, 0 to 51 (VP9: to 63, AV1: 1 to 63), lower is better; bounded by
    /// `max_bitrate`.
    #[serde(default)]
    pub crf: Option<u8>,
    /// Average bit rate instead of a constant rate factor, as `"1200k"` or `"4M"`.
    #[serde(default)]
    pub bitrate: Option<BitsPerSecond>,
    /// Peak bit rate over the buffer.
    pub max_bitrate: BitsPerSecond,
    /// Seconds of `max_bitrate` that the decoder buffers.
    #[serde(default = "one_second")]
    pub buffer_seconds: u32,
}

pub(crate) fn one_second() -> u32 {
    1
}

/// How sound is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AudioPreset {
    /// Audio codec.
    pub codec: AudioCodec,
    /// Bit rate, as `"128k"`.
    pub bitrate: BitsPerSecond,
    /// Most channels; more are mixed down, fewer stay.
    pub channels: u32,
    /// Samples per second.
    pub sample_rate: u32,
    /// Integrated loudness (EBU R 128) that every sound is brought to by one gain, in LUFS; left as it is
    /// without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loudness: Option<Lufs>,
}

impl Default for AudioPreset {
    fn default() -> AudioPreset {
        AudioPreset {
            codec: AudioCodec::Aac,
            bitrate: BitsPerSecond(128_000),
            channels: 2,
            sample_rate: 48_000,
            loudness: None,
        }
    }
}

/// Video codecs that vodmill writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VideoCodec {
    /// H.264 by x264, 8 bits, 4:2:0.
    H264,
    /// HEVC by x265, 4:2:0: 8 bits, or 10 where high dynamic range is kept.
    Hevc,
    /// VP9 by libvpx, 8 bits, 4:2:0.
    Vp9,
    /// AV1 by SVT-AV1, 8 bits, 4:2:0.
    Av1,
}

/// Formats of files for download.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileContainer {
    /// Progressive MP4, its index (`moov`) in front.
    Mp4,
    /// WebM, its index (Cues) in front.
    Webm,
    /// MP3: one sound, and no pictures.
    Mp3,
}

impl FileContainer {
    /// As `asset.json` names it; also the ending of such files, and their folder in a package.
    pub const fn as_str(self) -> &'static str {
        match self {
            FileContainer::Mp4 => "mp4",
            FileContainer::Webm => "webm",
            FileContainer::Mp3 => "mp3",
        }
    }
}

/// What becomes of pictures with high dynamic range; others are BT.709 in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HdrPolicy {
    /// Tone mapped to BT.709, for every screen.
    ToneMap,
    /// Kept, in 10 bits and BT.2020; HEVC only.
    Keep,
}

/// Audio codecs that vodmill writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AudioCodec {
    /// AAC-LC.
    Aac,
    /// MPEG-1 layer III by LAME, at a constant bit rate.
    Mp3,
    /// Opus by libopus.
    Opus,
}

/// H.264 profiles (ISO/IEC 14496-10, A.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// For the oldest devices.
    Baseline,
    /// Without 8x8 transforms.
    Main,
    /// The default.
    High,
}

/// Presets of x264 and of x265, which have the same names, fastest first; VP9 and AV1 are as near as
/// they can be.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the encoders' own names")]
pub enum Speed {
    /// The one at which encoding and delivery together cost least; see [`crate::audience::Audience`].
    Auto,
    Ultrafast,
    Superfast,
    Veryfast,
    Faster,
    Fast,
    Medium,
    Slow,
    Slower,
    Veryslow,
}

/// How a picture is fitted into the box of a preset. The names and meanings are Elastic
/// Transcoder's sizing policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sizing {
    /// Scaled, up or down, until one side meets the box.
    Fit,
    /// Scaled until the box is covered, the rest cropped.
    Fill,
    /// Scaled to the box, its shape lost.
    Stretch,
    /// Not scaled; what is outside the box is cropped.
    Keep,
    /// As `fit`, but never scaled up.
    ShrinkToFit,
    /// As `fill`, but never scaled up.
    ShrinkToFill,
}
