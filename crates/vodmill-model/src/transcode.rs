//! The contract between the stages and whatever works on media: [`Transcode`].

mod measure;
mod sound;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::measure::{
    Comparison, DistortedMedia, DistortedOrder, MeasureOrder, Measured, MeasuredMedia,
};
pub use self::sound::{
    AudioDone, AudioOrder, Cue, CueBalance, SoundBalance, SubtitleOrder, Subtitles,
};
use crate::analysis::{Analysis, AnalysisPlan};
use crate::media::{ClockJump, Colour, MediaInfo};
use crate::outcome::MediaError;
use crate::pipeline::Container;
use crate::plan::{Build, ChunkPlan, DecodePlan, VideoEncode};
use crate::preset::FileContainer;
use crate::role::Role;
use crate::units::{Frames, Ratio, Size, Ticks};

/// Media work, blocking. Two implementations: libav, and a fake for tests of the stages.
///
/// Contract of every method: the same order gives the same bytes; an output path is created or
/// truncated, and is whole and flushed to the operating system when the method returns `Ok`; on an
/// error its content means nothing; nothing but the named paths is read or written. Naming,
/// syncing and renaming belong to the caller.
pub trait Transcode: Send + Sync {
    /// Versions of everything that the bytes depend on.
    fn build(&self) -> Build;

    /// Gets hold of an original that is served on a socket ([`crate::original`]), as long as this
    /// process may connect to anything: the other methods then find it at hand. Of a file it is
    /// nothing.
    fn reach(&self, original: &Path) -> Result<(), MediaError>;

    /// Reads every packet of an original and says what it is. Facts alone: whether they are accepted
    /// is for the planner to say.
    fn probe(&self, order: &ProbeOrder, watch: &dyn ProgressSink) -> Result<MediaInfo, MediaError>;

    /// Encodes samples of an original as trials, in memory, and scores them. Facts alone; a sample
    /// that cannot be decoded is one.
    fn analyse(
        &self,
        order: &AnalysisOrder,
        watch: &dyn ProgressSink,
    ) -> Result<Analysis, MediaError>;

    /// Decodes one chunk once and encodes it for every rung.
    fn encode_video(
        &self,
        order: &VideoOrder,
        watch: &dyn ProgressSink,
    ) -> Result<VideoDone, MediaError>;

    /// Decodes and encodes one audio track, whole.
    fn encode_audio(
        &self,
        order: &AudioOrder,
        watch: &dyn ProgressSink,
    ) -> Result<AudioDone, MediaError>;

    /// Extracts one text subtitle track.
    fn extract_subtitles(&self, order: &SubtitleOrder) -> Result<Subtitles, MediaError>;

    /// Muxes renditions into HLS segments and gives each to `sink`, in order, init segment first.
    /// The parts of a programme, each made by itself, join without a seam: every packet is in one
    /// of them, times and counters go on, and all have the same init segment. An error of the sink
    /// ends the work and is returned as it is.
    fn segment(
        &self,
        order: &SegmentOrder,
        sink: &mut dyn FnMut(Segment) -> Result<(), MediaError>,
    ) -> Result<(), MediaError>;

    /// Muxes renditions into a file that plays before its download ends: index first, interleaved.
    fn write_file(&self, order: &FileOrder) -> Result<(), MediaError>;

    /// Puts stills on a sheet and writes it as JPEG.
    fn write_jpeg(&self, order: &JpegOrder) -> Result<(), MediaError>;

    /// Reads finished media and says what is in it, packet by packet.
    fn inspect(&self, media: Media<'_>) -> Result<Inspection, MediaError>;

    /// Decodes finished media whole and says what came out.
    fn decode(&self, media: Media<'_>) -> Result<Decoded, MediaError>;

    /// Scores finished pictures against the original ([`crate::quality`]).
    fn measure(
        &self,
        order: &MeasureOrder,
        watch: &dyn ProgressSink,
    ) -> Result<Measured, MediaError>;
}

/// Where progress goes.
pub trait ProgressSink: Sync {
    /// Media work has come this far; called often, must be cheap.
    fn progress(&self, progress: Progress);
}

impl<F: Fn(Progress) + Sync> ProgressSink for F {
    fn progress(&self, progress: Progress) {
        self(progress);
    }
}

/// How far a piece of work has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Id of the encode, or the name of the operation.
    pub of: String,
    /// Units done: frames for video, samples for audio, bytes for reading.
    pub done: u64,
    /// Units in all, if known.
    pub total: Option<u64>,
}

/// An original to probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeOrder {
    /// The original.
    pub original: PathBuf,
    /// Pixels of a coded picture beyond which none is decoded.
    pub max_pixels: u64,
}

/// An original whose samples are to be tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnalysisOrder {
    /// The original.
    pub original: PathBuf,
    /// What to try.
    pub plan: AnalysisPlan,
}

/// One chunk to encode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoOrder {
    /// The original.
    pub original: PathBuf,
    /// How to decode it.
    pub decode: DecodePlan,
    /// Frames per second of the grid.
    pub rate: Ratio,
    /// The chunk.
    pub chunk: ChunkPlan,
    /// The encodes and where their renditions go.
    pub encodes: Vec<(VideoEncode, PathBuf)>,
    /// Encodes that are made for their frame types alone, which some of `encodes` take: nothing is
    /// written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deciders: Vec<VideoEncode>,
    /// Stills to take within the chunk.
    pub stills: Vec<StillOrder>,
    /// Damaged frames in a thousand that may be concealed; none for any number.
    pub tolerated_damage_per_mille: Option<u32>,
    /// Whether the original is cut off within the chunk, and may be: the picture that the cut goes
    /// through is no damage.
    pub cut_off: bool,
    /// Whether it is the last chunk: it reads on to the end, so that no picture goes uncounted.
    pub last: bool,
}

/// A still to take: written as raw planar yuvj420p, without padding (Y, then U, then V, chroma
/// sides rounded up).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillOrder {
    /// Frame on the grid.
    pub frame: Frames,
    /// Size of the still.
    pub size: Size,
    /// libavfilter chain from the common picture.
    pub filter: String,
    /// Where it goes.
    pub path: PathBuf,
}

/// What came of a chunk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoDone {
    /// Frames that each encoder took and gave; equal to the chunk's.
    pub frames: Frames,
    /// Source frames decoded and shown on the grid.
    pub source_frames: Frames,
    /// Source frames that came damaged out of the decoder, or not at all.
    pub damaged_frames: Frames,
    /// Grid frames that repeat the one before them.
    pub repeated_frames: Frames,
    /// Source frames of the chunk that came out of the decoder, shown on the grid or not; none where
    /// an older version did not count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoded_frames: Option<Frames>,
}

/// Renditions to cut into segments: video, audio or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentOrder {
    /// Container.
    pub container: Container,
    /// Video chunks of the part in order, if any.
    pub video: Option<VideoInput>,
    /// Audio of the whole programme, if any.
    pub audio: Option<PathBuf>,
    /// Added to every timestamp.
    pub base: Ticks,
    /// Where to cut.
    pub cut: Cut,
    /// Which part of the programme it is.
    pub part: Part,
}

/// A part of a programme: a run of whole segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Number of its first segment, or of its first picture where only those are wanted.
    pub first: u64,
    /// Where it begins, from zero. What sounds earlier belongs to the part before; in the first
    /// part that is nothing.
    pub start: Ticks,
    /// Whether it is the last one.
    pub last: bool,
}

impl Part {
    /// The whole programme.
    pub const WHOLE: Part = Part { first: 0, start: Ticks::ZERO, last: true };
}

/// A whole video stream as the chunks that it was encoded in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoInput {
    /// Renditions in order.
    pub chunks: Vec<PathBuf>,
    /// Frames per second.
    pub rate: Ratio,
}

/// Where segments end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cut {
    /// At these times from zero, the last being the end of the part. Video is cut at the key frame
    /// there; an audio packet belongs to the segment in which it starts.
    At(Vec<Ticks>),
    /// Each key frame alone is a segment that lasts until the next; audio is left out.
    KeyFrames,
}

/// A finished segment, clear.
#[derive(Clone, PartialEq, Eq)]
pub struct Segment {
    /// Whether it is the init segment (fMP4 only); then it has no duration.
    pub init: bool,
    /// Its start from zero.
    pub start: Ticks,
    /// Its duration: from its first frame to the first of the next.
    pub duration: Ticks,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Renditions to put into one file for download.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileOrder {
    /// Its format.
    pub container: FileContainer,
    /// Video, if any.
    pub video: Option<VideoInput>,
    /// Audio tracks; the first is the default.
    pub audio: Vec<FileSound>,
    /// Where it goes.
    pub path: PathBuf,
}

/// One audio track of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSound {
    /// Its rendition.
    pub path: PathBuf,
    /// ISO 639-2 code, if known.
    pub language: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub roles: Vec<Role>,
}

/// Stills to put on one sheet, row by row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JpegOrder {
    /// Raw stills of one size, as [`StillOrder`] leaves them.
    pub stills: Vec<PathBuf>,
    /// Size of each.
    pub size: Size,
    /// Stills across.
    pub columns: u32,
    /// Stills down.
    pub rows: u32,
    /// Where the JPEG goes.
    pub path: PathBuf,
}

/// Finished media to inspect.
#[derive(Clone, Copy)]
pub enum Media<'a> {
    /// In memory: a segment, with its init segment in front where it has one.
    Bytes(&'a [u8]),
    /// In a file.
    File(&'a Path),
}

/// What is in finished media.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// Streams in order.
    pub streams: Vec<InspectedStream>,
}

/// What came out of a full decode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// Pictures.
    pub frames: Frames,
    /// Samples of sound, of all channels together one.
    pub samples: u64,
    /// Packets that could not be decoded, and frames that came out damaged.
    pub errors: u64,
}

/// One stream of finished media.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectedStream {
    /// `video` or `audio`.
    pub kind: StreamKind,
    /// libav's name of the codec.
    pub codec: String,
    /// Packets: frames of video, AAC frames of audio.
    pub packets: u64,
    /// Packets marked as key frames.
    pub key_packets: u64,
    /// Whether the first packet is one.
    pub starts_with_key: bool,
    /// Smallest presentation time.
    pub start: Ticks,
    /// Largest presentation time plus that packet's duration.
    pub end: Ticks,
    /// Size of pictures, for video.
    pub size: Option<Size>,
    /// Samples per second, for audio.
    pub sample_rate: u32,
    /// Channels, for audio.
    pub channels: u32,
    /// Codec configuration: Annex B parameter sets, or an avcC or hvcC record, for H.264 and HEVC,
    /// the first bytes of the first key frame for VP9, an AudioSpecificConfig for AAC, OpusHead for
    /// Opus, none for MP3.
    pub config: Vec<u8>,
    /// Whether decode times never go back.
    pub monotonic: bool,
    /// How its packets are built.
    #[serde(default)]
    pub form: StreamForm,
}

/// How a stream is built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamForm {
    /// Bytes of its packets.
    pub bytes: u64,
    /// Packets that are shown before one that is decoded earlier: B pictures.
    pub reordered: u64,
    /// Packets from one key frame to the next, at most.
    pub longest_gop: u64,
    /// libav's name of the pixel format, for video.
    pub pixel_format: Option<String>,
    /// How colours are coded, for video.
    pub colour: Option<Colour>,
}

/// Kinds of streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamKind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// Takes clock jumps out of timestamps, packet by packet.
#[derive(Clone, Debug)]
pub struct JumpCorrector<'a> {
    jumps: &'a [ClockJump],
    packet: u64,
    shift: Ticks,
}

impl<'a> JumpCorrector<'a> {
    /// A corrector at the first packet of the file.
    pub fn new(jumps: &'a [ClockJump]) -> JumpCorrector<'a> {
        JumpCorrector { jumps, packet: 0, shift: Ticks::ZERO }
    }

    /// The shift of the next packet of the file; call once for each packet of any track.
    pub fn next_shift(&mut self) -> Ticks {
        while let [first, rest @ ..] = self.jumps
            && first.packet <= self.packet
        {
            self.shift = first.shift;
            self.jumps = rest;
        }
        self.packet += 1;
        self.shift
    }
}
