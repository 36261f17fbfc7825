//! What of an asset can be played or shown, by kind.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::pipeline::Container;
use crate::role::Role;
use crate::units::Size;

/// An output, by its `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Output {
    /// HTTP Live Streaming.
    Hls(HlsOutput),
    /// One file that is played as a whole.
    File(FileOutput),
    /// Poster and storyboard.
    Stills(StillsOutput),
    /// A kind that a newer vodmill makes, as it was read.
    #[serde(untagged)]
    Other(#[schemars(schema_with = "other_kind")] Map<String, Value>),
}

/// Kinds whose form is known here.
const KINDS: [&str; 3] = ["hls", "file", "stills"];

fn other_kind(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": { "kind": { "type": "string", "not": { "enum": KINDS } } },
        "required": ["kind"],
    })
}

impl<'de> Deserialize<'de> for Output {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Output, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        let kind = fields.get("kind").and_then(Value::as_str).map(str::to_owned);
        let kind = kind.ok_or_else(|| D::Error::missing_field("kind"))?;
        if !KINDS.contains(&kind.as_str()) {
            return Ok(Output::Other(fields));
        }
        fields.remove("kind");
        let fields = Value::Object(fields);
        let output = match kind.as_str() {
            "hls" => serde_json::from_value(fields).map(Output::Hls),
            "file" => serde_json::from_value(fields).map(Output::File),
            _ => serde_json::from_value(fields).map(Output::Stills),
        };
        output.map_err(|error| D::Error::custom(format!("output {kind}: {error}")))
    }
}

impl Output {
    /// The paths in it; none of a kind that is not known here.
    pub(super) fn paths_mut(&mut self) -> Option<Vec<&mut String>> {
        match self {
            Output::Hls(hls) => Some(hls.paths_mut()),
            Output::File(file) => Some(vec![&mut file.path]),
            Output::Stills(stills) => Some(stills.paths_mut()),
            Output::Other(_) => None,
        }
    }
}

/// HTTP Live Streaming.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HlsOutput {
    /// The multivariant playlist, beside this document.
    pub playlist: String,
    /// Container of segments.
    pub container: Container,
    /// Whether every media segment is encrypted.
    pub encrypted: bool,
    /// Longest segment, rounded to whole seconds.
    pub target_duration_s: u64,
    /// Segments of each playlist.
    pub segments: u64,
    /// The rungs, lowest first.
    pub variants: Vec<HlsVariant>,
    /// Sound in playlists of its own; the first plays where nothing else is chosen.
    #[serde(default)]
    pub audio: Vec<HlsAudio>,
    /// Subtitles.
    #[serde(default)]
    pub subtitles: Vec<HlsSubtitles>,
}

impl HlsOutput {
    fn paths_mut(&mut self) -> Vec<&mut String> {
        let mut paths = vec![&mut self.playlist];
        for variant in &mut self.variants {
            paths.push(&mut variant.playlist);
            paths.extend(&mut variant.iframes);
        }
        paths.extend(self.audio.iter_mut().map(|audio| &mut audio.playlist));
        paths.extend(self.subtitles.iter_mut().map(|subtitles| &mut subtitles.playlist));
        paths
    }
}

/// A rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HlsVariant {
    /// Its name.
    pub name: String,
    /// Width of its pictures in pixels; none for sound alone.
    pub width: Option<u32>,
    /// Their height.
    pub height: Option<u32>,
    /// RFC 6381 strings of its bitstreams.
    pub codecs: Vec<String>,
    /// Bits per second of its largest stretch of segments.
    pub peak_bitrate: u64,
    /// Bits per second.
    pub bitrate: u64,
    /// Bytes of its segments.
    pub bytes: u64,
    /// Its playlist.
    pub playlist: String,
    /// Its playlist of key frames, for seeking.
    pub iframes: Option<String>,
    /// Bytes of those.
    pub iframes_bytes: Option<u64>,
    /// Name of the encode that its pictures are of: outputs of one encode share them.
    pub encode: Option<String>,
    /// The range of light of its pictures, where it is high.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video_range: Option<VideoRange>,
}

/// Sound in a playlist of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HlsAudio {
    /// Its name.
    pub name: String,
    /// A BCP 47 tag, if known.
    pub language: Option<String>,
    /// Whether it plays where nothing else is chosen.
    pub default: bool,
    /// Channels.
    pub channels: u32,
    /// RFC 6381 strings of its bitstreams.
    pub codecs: Vec<String>,
    /// Bytes of its segments.
    pub bytes: u64,
    /// Bits per second.
    pub bitrate: u64,
    /// Its playlist.
    pub playlist: String,
    /// What it is for, where it is not the programme itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
}

/// Subtitles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HlsSubtitles {
    /// Their name.
    pub name: String,
    /// A BCP 47 tag, if known.
    pub language: Option<String>,
    /// Whether they are shown where nothing else is chosen.
    pub default: bool,
    /// Whether they belong to the programme, whatever the viewer chooses.
    pub forced: bool,
    /// Bytes of their segments.
    #[serde(default)]
    pub bytes: u64,
    /// Their playlist.
    pub playlist: String,
    /// What they are for, where it is not the programme itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
}

/// One file that is played as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileOutput {
    /// As `mp4`; there may be others later.
    pub container: String,
    /// The preset's name.
    pub name: Option<String>,
    /// Where it is; below `private/` of the generation, it is for no viewer.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Bits per second.
    pub bitrate: u64,
    /// SHA-256, 64 hex digits.
    pub sha256: Option<String>,
    /// Width of its pictures in pixels; none for sound alone.
    pub width: Option<u32>,
    /// Their height.
    pub height: Option<u32>,
    /// RFC 6381 strings of its bitstreams.
    pub codecs: Vec<String>,
    /// Audio tracks.
    pub audio_tracks: u32,
    /// Name of the encode that its pictures are of: outputs of one encode share them.
    pub encode: Option<String>,
    /// The range of light of its pictures, where it is high.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video_range: Option<VideoRange>,
}

/// High dynamic range, as VIDEO-RANGE names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum VideoRange {
    /// SMPTE ST 2084.
    Pq,
    /// Hybrid log-gamma.
    Hlg,
}

/// Poster and storyboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StillsOutput {
    /// The poster.
    pub poster: Poster,
    /// Small pictures for seeking.
    pub storyboard: Option<Storyboard>,
}

impl StillsOutput {
    fn paths_mut(&mut self) -> Vec<&mut String> {
        let mut paths = vec![&mut self.poster.path];
        if let Some(storyboard) = &mut self.storyboard {
            paths.push(&mut storyboard.index);
            paths.extend(&mut storyboard.sheets);
        }
        paths
    }
}

/// One picture that stands for the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Poster {
    /// Where it is.
    pub path: String,
    /// Its size.
    pub size: Size,
}

/// Sheets of small pictures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Storyboard {
    /// A WebVTT file of which picture is of which time.
    pub index: String,
    /// The sheets, in order.
    pub sheets: Vec<String>,
    /// Size of a picture.
    pub tile: Size,
    /// Pictures in all.
    pub tiles: u64,
    /// Pictures across a sheet.
    pub columns: u32,
    /// Pictures down a sheet.
    pub rows: u32,
}
