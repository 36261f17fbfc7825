//! Preset tables as they stand in TOML. serde cannot refuse unknown fields of a flattened
//! struct, so the flat tables are spelled out here, and a misspelt field is an error.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::preset::{
    FileVideo, HdrPolicy, Profile, Rung, Sizing, Speed, VideoCodec, VideoCommon, VideoTarget,
    one_second,
};
use crate::units::BitsPerSecond;

/// One rung: its name, its box and its bit rate.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RungTable {
    /// Its name in paths and playlists, as `low`: lower-case letters, digits and hyphens.
    name: String,
    /// Largest width in pixels, for a landscape picture; a portrait one has the box turned.
    width: u32,
    /// Largest height in pixels.
    height: u32,
    /// Constant rate factor, 0 to 51 (VP9: to 63, AV1: 1 to 63), lower is better; bounded by
    /// `max_bitrate`.
    #[serde(default)]
    crf: Option<u8>,
    /// Average bit rate instead of a constant rate factor, as `"1200k"` or `"4M"`.
    #[serde(default)]
    bitrate: Option<BitsPerSecond>,
    /// Peak bit rate over the buffer.
    max_bitrate: BitsPerSecond,
    /// Seconds of `max_bitrate` that the decoder buffers.
    #[serde(default = "one_second")]
    buffer_seconds: u32,
}

impl From<RungTable> for Rung {
    fn from(table: RungTable) -> Rung {
        let RungTable { name, width, height, crf, bitrate, max_bitrate, buffer_seconds } = table;
        let target = VideoTarget { width, height, crf, bitrate, max_bitrate, buffer_seconds };
        Rung { name, target }
    }
}

/// Video settings of a file: those of a ladder and of one of its rungs together.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileVideoTable {
    /// Video codec.
    #[serde(default = "codec")]
    codec: VideoCodec,
    /// What becomes of high dynamic range (PQ, HLG).
    #[serde(default = "hdr")]
    hdr: HdrPolicy,
    /// H.264 profile; that of the other codecs follows from the bits of a sample.
    #[serde(default = "profile")]
    profile: Profile,
    /// The encoder's trade of time for bytes.
    #[serde(default = "speed")]
    speed: Speed,
    /// Seconds from one key frame to the next; every group of pictures is closed.
    #[serde(default = "gop_seconds")]
    gop_seconds: u32,
    /// Frame rates above this are halved until they fit, in frames per second.
    #[serde(default = "max_frame_rate")]
    max_frame_rate: u32,
    /// How the picture is fitted into the box.
    #[serde(default = "sizing")]
    sizing: Sizing,
    /// Whether to fill what is left of the box with black.
    #[serde(default)]
    padding: bool,
    /// Encoder threads; 1 gives the same bytes on every machine.
    #[serde(default = "threads")]
    threads: u32,
    /// Largest width in pixels, for a landscape picture; a portrait one has the box turned.
    width: u32,
    /// Largest height in pixels.
    height: u32,
    /// Constant rate factor, 0 to 51 (VP9: to 63, AV1: 1 to 63), lower is better; bounded by
    /// `max_bitrate`.
    #[serde(default)]
    crf: Option<u8>,
    /// Average bit rate instead of a constant rate factor, as `"1200k"` or `"4M"`.
    #[serde(default)]
    bitrate: Option<BitsPerSecond>,
    /// Peak bit rate over the buffer.
    max_bitrate: BitsPerSecond,
    /// Seconds of `max_bitrate` that the decoder buffers.
    #[serde(default = "one_second")]
    buffer_seconds: u32,
}

macro_rules! common_defaults {
    ($($field:ident: $type:ty),+ $(,)?) => {
        $(fn $field() -> $type { VideoCommon::default().$field })+
    };
}

common_defaults! {
    codec: VideoCodec,
    hdr: HdrPolicy,
    profile: Profile,
    speed: Speed,
    gop_seconds: u32,
    max_frame_rate: u32,
    sizing: Sizing,
    threads: u32,
}

impl From<FileVideoTable> for FileVideo {
    fn from(table: FileVideoTable) -> FileVideo {
        FileVideo {
            common: VideoCommon {
                codec: table.codec,
                hdr: table.hdr,
                profile: table.profile,
                speed: table.speed,
                gop_seconds: table.gop_seconds,
                max_frame_rate: table.max_frame_rate,
                sizing: table.sizing,
                padding: table.padding,
                threads: table.threads,
            },
            target: VideoTarget {
                width: table.width,
                height: table.height,
                crf: table.crf,
                bitrate: table.bitrate,
                max_bitrate: table.max_bitrate,
                buffer_seconds: table.buffer_seconds,
            },
        }
    }
}
