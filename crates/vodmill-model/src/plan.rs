//! The plan: the contract between the planner and the stages. Immutable, complete, and the same
//! for the same input; object names are relative to the package's prefix.

mod address;
mod budget;
mod outputs;
mod quality;
mod runs;
mod sound;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::address::digest_of;
pub use self::budget::Budget;
pub use self::outputs::{
    AudioAlternativePlan, EncryptionPlan, FileAudioPlan, FilePlan, HlsPlan, OutputPlan, StillPlan,
    StillsPlan, StoryboardPlan, SubtitleAlternativePlan, VariantPlan,
};
pub use self::quality::{ExpectedQuality, QualityPlan};
pub use self::runs::SegmentRun;
pub use self::sound::{AudioEncode, AudioJoin, AudioPart, SubtitlePlan};
pub use crate::hazard::{Hazard, HazardCode};
use crate::media::{ClockJump, Hdr10, SeekPoint};
use crate::pipeline::ProofLevel;
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
    /// How the quality of the ladder was chosen for this title; none where it is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<QualityPlan>,
    /// The audio streams to encode.
    pub audio: Vec<AudioEncode>,
    /// The subtitle tracks to extract.
    pub subtitles: Vec<SubtitlePlan>,
    /// What is published, in the order in which it was asked for.
    #[serde(flatten, with = "outputs")]
    pub outputs: Vec<OutputPlan>,
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

    /// The encode that decides the frame types of `encode`, if another does.
    pub fn decider_of(&self, encode: &VideoEncode) -> Option<&VideoEncode> {
        self.video_encode(&encode.types.as_ref()?.of)
    }

    /// How the pictures of a chunk are decoded.
    pub fn decode_of(&self, chunk: &ChunkPlan) -> Option<&DecodePlan> {
        self.decode.as_ref().filter(|decode| decode.input == chunk.input)
    }

    /// The audio encode of that id.
    pub fn audio_encode(&self, id: &str) -> Option<&AudioEncode> {
        self.audio.iter().find(|encode| encode.id == id)
    }
}

/// What makes the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Which of the job's inputs, from 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub input: u32,
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
    /// Where the types of its frames come from; none if it decides them itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<FrameTypes>,
    /// What is said of high dynamic range that is kept, in the stream and beside it.
    #[serde(default, skip_serializing_if = "Hdr10::is_empty")]
    pub hdr10: Hdr10,
}

/// Types of frames (I, P, B) that another encode of the same pictures has decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameTypes {
    /// Id of the encode that decides them; it has none from elsewhere.
    pub of: String,
    /// Most frames that wait until their types are known.
    pub waiting: Frames,
}

/// A piece of the timeline: the unit of work and of loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkPlan {
    /// Its number from 0.
    pub index: u32,
    /// The input that its pictures come from; no chunk reaches over the end of one.
    #[serde(default, skip_serializing_if = "is_first")]
    pub input: u32,
    /// Its first frame on the grid; begins a segment.
    pub first_frame: Frames,
    /// Its length in frames.
    pub frames: Frames,
    /// Where to begin decoding.
    pub seek: SeekPoint,
    /// About how many bytes of the original's pictures lie in its time: where there are more, there
    /// is more to encode. What is made does not depend on it.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub source_bytes: u64,
}

fn is_nothing(number: &u64) -> bool {
    *number == 0
}

/// The first input is not written down: addresses stay what they were before there were others.
fn is_first(input: &u32) -> bool {
    *input == 0
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
