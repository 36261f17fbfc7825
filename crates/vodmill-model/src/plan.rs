//! The plan: the contract between the planner and the stages. Immutable, complete, and the same
//! for the same input; object names are relative to the package's prefix.

mod address;
mod budget;
mod runs;
mod sound;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::address::digest_of;
pub use self::budget::Budget;
pub use self::runs::SegmentRun;
pub use self::sound::{AudioEncode, AudioJoin, AudioPart, SubtitlePlan};
pub use crate::hazard::{Hazard, HazardCode};
use crate::media::{ClockJump, Hdr10, SeekPoint};
use crate::pipeline::{Container, ProofLevel};
use crate::role::Role;
use crate::units::{Frames, Gop, Ratio, Size, Ticks};

/// Everything that will be done for one original.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What makes the bytes: part of the plan's digest and of every rendition's.
    pub build: Build,
    /// Name of the pipeline.
    pub pipeline: String,
    /// The original that the plan is for.
    pub original: OriginalFacts,
    /// The clock of the package.
    pub timeline: Timeline,
    /// How the pictures are decoded; none for sound alone.
    pub decode: Option<DecodePlan>,
    /// The video streams to encode, smallest first; each feeds one or more outputs.
    pub video: Vec<VideoEncode>,
    /// The pieces of the timeline, in order; empty for sound alone.
    pub chunks: Vec<ChunkPlan>,
    /// The audio streams to encode.
    pub audio: Vec<AudioEncode>,
    /// The subtitle tracks to extract.
    pub subtitles: Vec<SubtitlePlan>,
    /// Poster and storyboard.
    pub stills: Option<StillsPlan>,
    /// HLS.
    pub hls: Option<HlsPlan>,
    /// Progressive MP4s.
    pub mp4: Vec<Mp4Plan>,
    /// How deeply the package is proved.
    pub proof: ProofLevel,
    /// What the work may take.
    pub budget: Budget,
    /// Damaged frames in a thousand that a chunk may conceal before the job is refused; none for
    /// any number.
    pub tolerated_damage_per_mille: Option<u32>,
    /// What is odd about the original, and what is done about it.
    pub hazards: Vec<Hazard>,
    /// What was decided and why, in the order of deciding.
    pub decisions: Vec<Decision>,
}

impl Plan {
    /// SHA-256 of the plan's serialised form, 64 hex digits.
    pub fn digest(&self) -> String {
        digest_of(self)
    }

    /// The video encode of that id; the planner makes no reference without one.
    pub fn video_encode(&self, id: &str) -> Option<&VideoEncode> {
        self.video.iter().find(|encode| encode.id == id)
    }

    /// The audio encode of that id.
    pub fn audio_encode(&self, id: &str) -> Option<&AudioEncode> {
        self.audio.iter().find(|encode| encode.id == id)
    }
}

/// What makes the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Version of vodmill.
    pub vodmill: String,
    /// Versions of libav's libraries, of x264 and of x265.
    pub libav: String,
    /// Versions of other libraries by libav's name of their encoder. Apart, so that a stream does not
    /// hang on the version of an encoder that did not make it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub encoders: BTreeMap<String, String>,
}

impl Build {
    /// What makes the bytes of streams of these encoders.
    pub fn of_encoders<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Build {
        let known = |name| Some((name, self.encoders.get(name)?));
        let encoders = names.into_iter().filter_map(known);
        Build {
            encoders: encoders.map(|(name, version)| (name.to_owned(), version.clone())).collect(),
            ..self.clone()
        }
    }
}

/// What of the original goes into the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginalFacts {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hex digits.
    pub sha256: String,
    /// libav's name of the container.
    pub container: String,
    /// Pictures of the film that a decoder should give, as far as packets tell; those before the
    /// first that can be decoded by itself apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<Frames>,
    /// Its tracks, in the order of their kinds and of the file.
    pub tracks: Vec<TrackFact>,
}

/// One track of the original, and whether it is in the package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackFact {
    /// Index of the stream in the file.
    pub index: u32,
    /// `video`, `audio` or `subtitles`.
    pub kind: String,
    /// libav's name of the codec.
    pub codec: String,
    /// Language, if given.
    pub language: Option<String>,
    /// Title, if given.
    pub title: Option<String>,
    /// Channels, for audio.
    pub channels: Option<u32>,
    /// Whether it is in the package.
    pub published: bool,
}

/// The clock of the package: zero is the first picture (or, for sound alone, the first sample).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// Time on the original's clock that becomes zero.
    pub origin: Ticks,
    /// Length of the package.
    pub duration: Ticks,
    /// The grid of frames; none for sound alone.
    pub video: Option<VideoTimeline>,
    /// Ends of HLS segments from zero, in order; the last is the end. In video packages each is
    /// the start of a frame that begins a group of pictures.
    pub segment_ends: Vec<Ticks>,
}

/// The constant-rate grid that every rung shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoTimeline {
    /// Frames per second.
    pub rate: Ratio,
    /// Frames in all.
    pub frames: Frames,
    /// Frames from one key frame to the next.
    pub gop: Gop,
    /// Frames of a segment, a whole number of groups; the last one may be shorter.
    pub segment_frames: Frames,
}

/// How pictures are decoded and put on the grid. Grid frame `n` shows the last source frame whose
/// time is not after the middle of `n`, a rule that knows nothing of where decoding began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecodePlan {
    /// Index of the stream in the file.
    pub track: u32,
    /// Seconds per unit of the track's timestamps.
    pub time_base: Ratio,
    /// Time, in those units and with clock jumps taken out, that becomes zero.
    pub origin: i64,
    /// libavfilter chain that works on source frames before the grid (deinterlacing), or empty.
    pub field_filter: String,
    /// libavfilter chain on grid frames, common to all encodes (turning, and tone mapping unless an
    /// encode keeps high dynamic range), or empty.
    pub picture_filter: String,
    /// Most pixels of a coded picture.
    pub max_pixels: u64,
    /// Clock jumps to take out; where there are any, every chunk is demuxed from the beginning.
    pub clock_jumps: Vec<ClockJump>,
}

/// One video stream to encode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoEncode {
    /// Its name in this plan, as `v360`.
    pub id: String,
    /// Size of its pictures; both sides even.
    pub size: Size,
    /// libavfilter chain from the common picture to the encoder's, ending in its pixel format.
    pub filter: String,
    /// libav's name of the encoder.
    pub encoder: String,
    /// Every option of the encoder; one that it does not know is an error.
    pub options: BTreeMap<String, String>,
    /// Frames from one key frame to the next: forced by frame number.
    pub gop: Gop,
    /// What is said of high dynamic range that is kept, in the stream and beside it.
    #[serde(default, skip_serializing_if = "Hdr10::is_empty")]
    pub hdr10: Hdr10,
}

/// A piece of the timeline: the unit of work and of loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkPlan {
    /// Its number from 0.
    pub index: u32,
    /// Its first frame on the grid; begins a segment.
    pub first_frame: Frames,
    /// Its length in frames.
    pub frames: Frames,
    /// Where to begin decoding.
    pub seek: SeekPoint,
}

/// Poster and storyboard, made in the same decode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillsPlan {
    /// The poster.
    pub poster: StillPlan,
    /// The storyboard, if any.
    pub storyboard: Option<StoryboardPlan>,
}

/// One picture taken from the grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillPlan {
    /// Its frame on the grid.
    pub frame: Frames,
    /// Its size.
    pub size: Size,
    /// libavfilter chain from the common picture, ending in `format=yuvj420p`.
    pub filter: String,
    /// Object name, as `thumbnails/poster.jpg`.
    pub object: String,
}

/// Sheets of small pictures with a WebVTT index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryboardPlan {
    /// Frames on the grid, one for each tile.
    pub frames: Vec<Frames>,
    /// Size of a tile.
    pub tile: Size,
    /// libavfilter chain from the common picture to a tile, ending in `format=yuvj420p`.
    pub filter: String,
    /// Tiles across a sheet.
    pub columns: u32,
    /// Tiles down a sheet.
    pub rows: u32,
    /// Object names of the sheets, in order.
    pub sheets: Vec<String>,
    /// Object name of the WebVTT index.
    pub index: String,
}

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

/// One progressive MP4.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mp4Plan {
    /// The preset's name.
    pub name: String,
    /// Object name, as `mp4/phone.mp4`; below `private/` when the HLS part is encrypted.
    pub object: String,
    /// Id of its video encode, if any.
    pub video: Option<String>,
    /// Its audio tracks; the first is the default.
    pub audio: Vec<Mp4AudioPlan>,
}

/// One audio track of an MP4.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mp4AudioPlan {
    /// Id of its audio encode.
    pub audio: String,
    /// ISO 639-2 code, if known.
    pub language: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
}

fn yes() -> bool {
    true
}

fn is_yes(flag: &bool) -> bool {
    *flag
}

/// One decision and its reason, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What it is about, as `rung high`.
    pub about: String,
    /// What was decided.
    pub choice: String,
    /// Why.
    pub reason: String,
}
