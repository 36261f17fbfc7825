//! What probing found in an original. Facts only: what to do about them is the planner's.
//!
//! The serde form of [`MediaInfo`] is also the fixture format of the planner's tests.

mod picture;

use serde::{Deserialize, Serialize};

pub use self::picture::{Crop, DolbyVision, Programme};
use crate::role::Role;
use crate::units::{Ratio, Size, Ticks};

/// An original, as a scan of all its packets found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaInfo {
    /// libav's short name of the container, as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub container: String,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, 64 hex digits.
    pub sha256: String,
    /// What the container declares as its duration, if it does; often wrong.
    #[serde(default)]
    pub declared_duration: Option<Ticks>,
    /// Video tracks in the order of the file, cover art included.
    #[serde(default)]
    pub video: Vec<VideoTrack>,
    /// Audio tracks in the order of the file.
    #[serde(default)]
    pub audio: Vec<AudioTrack>,
    /// Subtitle tracks in the order of the file.
    #[serde(default)]
    pub subtitles: Vec<SubtitleTrack>,
    /// Any other track: data, attachments, unknown.
    #[serde(default)]
    pub other: Vec<OtherTrack>,
    /// Where the clock of the file jumps, if it does; empty for almost every file.
    #[serde(default)]
    pub clock_jumps: Vec<ClockJump>,
    /// Whether the file ends before its index says, or reading it ended in an error.
    #[serde(default)]
    pub truncated: bool,
    /// Packets that the container itself marks as corrupt, and errors in reading it.
    #[serde(default)]
    pub corrupt_packets: u64,
    /// The programmes of a multiplex that holds several; empty for any other file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programmes: Vec<Programme>,
    /// Whether the times of its tracks contradict each other, so that no clock can be told. Of a
    /// multiplex, its programmes say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clocks_disagree: bool,
    /// What kind of photograph the file is, as `JPEG`; none for media in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photograph: Option<String>,
}

impl MediaInfo {
    /// Where the clock of a track jumps: that of its programme, where there are several.
    pub fn clock_jumps_of(&self, track: u32) -> &[ClockJump] {
        let programme = self.programmes.iter().find(|programme| programme.tracks.contains(&track));
        programme.map_or(&self.clock_jumps, |programme| &programme.clock_jumps)
    }
}

/// A video track. Its times are in units of `time_base`, after clock jumps were taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoTrack {
    /// Index of the stream in the file.
    pub index: u32,
    /// libav's name of the codec, as `h264`.
    pub codec: String,
    /// Whether this build can decode it.
    pub decodable: bool,
    /// A picture that belongs to the file rather than a track in time (cover art).
    #[serde(default)]
    pub attached_picture: bool,
    /// Marked as the default track.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
    /// Marked as one that serves another track: thumbnails, depth, a layer of enhancement.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub auxiliary: bool,
    /// Size of the coded picture.
    pub coded: Size,
    /// Shape of a pixel; 1 where the file does not say.
    pub pixel_aspect: Ratio,
    /// The part of the coded picture that is to be shown, where the container says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<Crop>,
    /// Clockwise turn that makes it upright, in degrees: 0, 90, 180 or 270.
    #[serde(default)]
    pub rotation: u16,
    /// Whether the display matrix also mirrors the picture, left to right, before the turn.
    #[serde(default)]
    pub mirrored: bool,
    /// Seconds per unit of this track's timestamps.
    pub time_base: Ratio,
    /// Frame rate that the container or codec claims (libav's r_frame_rate), if any.
    #[serde(default)]
    pub nominal_rate: Option<Ratio>,
    /// Frames (packets) in the track.
    pub packets: u64,
    /// Pictures that a decoder should give for them; none where packets do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<u64>,
    /// Of those, pictures before the first one that can be decoded by itself.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub before_first_key: u64,
    /// Presentation time of the first frame.
    pub first: i64,
    /// Presentation time of the last frame.
    pub last: i64,
    /// Time from the last frame to its end.
    pub last_duration: i64,
    /// Smallest, median and largest time between neighbouring frames; zeros for a single frame.
    pub gaps: Gaps,
    /// libav's name of the pixel format, as `yuv420p10le`.
    pub pixel_format: String,
    /// Bits of a component.
    pub bit_depth: u8,
    /// Colour description.
    pub colour: Colour,
    /// What it says of its high dynamic range, true or not.
    #[serde(default, skip_serializing_if = "Hdr10::is_empty")]
    pub hdr10: Hdr10,
    /// Whether light is described picture by picture (HDR10+, HDR Vivid).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dynamic_hdr: bool,
    /// What it says of Dolby Vision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dolby_vision: Option<DolbyVision>,
    /// libav's name of the projection of a spherical picture, as `equirectangular`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projection: Option<String>,
    /// libav's name of how two views for two eyes are packed, as `side by side`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stereo: Option<String>,
    /// Order of fields.
    pub field_order: FieldOrder,
    /// Whether the coded size changes within the track.
    #[serde(default)]
    pub size_changes: bool,
    /// Whether captions stand in the pictures' own data (CEA-608, CEA-708).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub captions: bool,
    /// Points at which decoding can begin, thinned to at least half a second apart, first one
    /// first.
    pub seek_points: Vec<SeekPoint>,
    /// Bytes of the packets from each of `seek_points` to the next; empty where nobody counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seek_bytes: Vec<u64>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Times between neighbouring frames in units of the track's time base.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gaps {
    /// The smallest.
    pub min: i64,
    /// The one in the middle.
    pub median: i64,
    /// The largest.
    pub max: i64,
}

/// A packet at which decoding can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(i64, u64)", into = "(i64, u64)")]
pub struct SeekPoint {
    /// Its presentation time in the track's time base; with clock jumps taken out, where there
    /// are any: such a file is read from its beginning and not sought in.
    pub pts: i64,
    /// Its number among the track's packets, from 0: the way to find it where seeking fails.
    pub packet: u64,
}

impl From<(i64, u64)> for SeekPoint {
    fn from((pts, packet): (i64, u64)) -> SeekPoint {
        SeekPoint { pts, packet }
    }
}

impl From<SeekPoint> for (i64, u64) {
    fn from(point: SeekPoint) -> (i64, u64) {
        (point.pts, point.packet)
    }
}

/// From packet `packet` of the file (all tracks counted), every timestamp is off by `shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockJump {
    /// Number of the first packet after the jump, among all packets of the file, from 0.
    pub packet: u64,
    /// What is to be added to a timestamp from here on (not on top of earlier jumps).
    pub shift: Ticks,
}

/// How colours are coded, in libav's names; `unknown` where the file does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Colour {
    /// Matrix, as `bt709`, `smpte170m`, `bt2020nc`, `gbr`.
    pub matrix: String,
    /// Primaries, as `bt709`, `bt2020`.
    pub primaries: String,
    /// Transfer, as `bt709`, `smpte2084`, `arib-std-b67`.
    pub transfer: String,
    /// Whether luma uses the full range of values.
    pub full_range: bool,
}

/// What HDR10 says of a programme: for screens that fit it to what they can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hdr10 {
    /// The screen that it was graded on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<MasteringDisplay>,
    /// The light in its pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub light: Option<ContentLight>,
}

impl Hdr10 {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.display.is_none() && self.light.is_none()
    }
}

/// A mastering display (SMPTE ST 2086), in the units of ITU-T H.265, D.3.28.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasteringDisplay {
    /// CIE 1931 x and y of its red, in steps of 0.00002.
    pub red: (u32, u32),
    /// Of its green.
    pub green: (u32, u32),
    /// Of its blue.
    pub blue: (u32, u32),
    /// Of its white.
    pub white: (u32, u32),
    /// Its greatest luminance, in steps of 0.0001 cd/m².
    pub max_luminance: u32,
    /// Its least luminance, in the same steps.
    pub min_luminance: u32,
}

/// The light in pictures (CTA-861.3), in cd/m²; 0 where unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentLight {
    /// Of the brightest pixel (MaxCLL).
    pub max: u32,
    /// Of the brightest picture on average (MaxFALL).
    pub average: u32,
}

/// Order of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldOrder {
    /// Whole frames.
    Progressive,
    /// Top field first.
    TopFirst,
    /// Bottom field first.
    BottomFirst,
}

/// An audio track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioTrack {
    /// Index of the stream in the file.
    pub index: u32,
    /// libav's name of the codec, as `aac`.
    pub codec: String,
    /// Whether this build can decode it.
    pub decodable: bool,
    /// Samples per second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
    /// libav's name of the layout, as `5.1(side)`; empty where unknown.
    #[serde(default)]
    pub layout: String,
    /// ISO 639-2 code or BCP 47 tag, if given and not `und`.
    #[serde(default)]
    pub language: Option<String>,
    /// Title of the track, if given.
    #[serde(default)]
    pub title: Option<String>,
    /// Marked as the default track.
    #[serde(default)]
    pub default: bool,
    /// Time of the first sample, on the clock of the file with jumps taken out.
    pub first: Ticks,
    /// Time of the end of the last packet.
    pub end: Ticks,
    /// Packets in the track.
    pub packets: u64,
    /// Whether the sample rate or the number of channels changes within the track.
    #[serde(default)]
    pub format_changes: bool,
    /// What it is for, as far as the container marks it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// Channels, from 0, in which nothing is ever heard. Looked for where it matters: in files of
    /// several tracks, and in channels that nothing is said of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent_channels: Vec<u32>,
    /// How far its times run away from the count of its samples between holes, at most: above zero
    /// where they run ahead, so that there is too little sound.
    #[serde(default, skip_serializing_if = "Ticks::is_zero")]
    pub drift: Ticks,
}

/// A subtitle track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubtitleTrack {
    /// Index of the stream in the file.
    pub index: u32,
    /// libav's name of the codec, as `subrip`.
    pub codec: String,
    /// Whether it holds text (rather than pictures) that this build can decode.
    pub text: bool,
    /// ISO 639-2 code or BCP 47 tag, if given and not `und`.
    #[serde(default)]
    pub language: Option<String>,
    /// Title of the track, if given.
    #[serde(default)]
    pub title: Option<String>,
    /// Marked as the default track.
    #[serde(default)]
    pub default: bool,
    /// Marked as forced.
    #[serde(default)]
    pub forced: bool,
    /// What it is for, as far as the container marks it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
}

/// A track that is neither video, audio nor subtitles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherTrack {
    /// Index of the stream in the file.
    pub index: u32,
    /// `data`, `attachment` or `unknown`.
    pub kind: String,
    /// Codec name or tag.
    pub codec: String,
}
