//! `asset.json`: everything that a web site needs to know of an asset. Paths are relative to the
//! asset's folder.
//!
//! An [`Asset`] is what a receipt vouches for; an [`AssetDocument`] is the file: the asset, its receipt,
//! and what is known only when it is published. A field that is added, removed or changed makes a new
//! version; a new kind of output or a new container does not.

mod document;
mod head;
mod output;
mod version1;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::document::{AssetDocument, AssetError, Publication, ReceiptReference};
pub use self::head::AssetHead;
pub use self::output::{
    FileOutput, HlsAudio, HlsOutput, HlsSubtitles, HlsVariant, Output, Poster, StillsOutput,
    Storyboard, VideoRange,
};
use crate::generation::GenerationName;
use crate::loudness::Loudness;
use crate::plan::{Build, TrackFact};

/// Version of the form that is written.
pub const VERSION: u32 = 2;

/// One generation of an asset, as its receipt vouches for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// Version of this form.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// Its name: its folder below the destination.
    #[serde(rename = "asset")]
    pub name: String,
    /// The generation that is published.
    pub generation: GenerationName,
    /// The pipeline that made it.
    pub pipeline: String,
    /// Length of the programme in milliseconds.
    pub duration_ms: u64,
    /// Frames of every rung; none for sound alone.
    pub frames: Option<u64>,
    /// Frames per second of every rung, as `25` or `30000/1001`.
    pub frame_rate: Option<String>,
    /// What can be played or shown.
    pub outputs: Vec<Output>,
    /// What it was made from.
    pub original: Original,
    /// What was done to the loudness of sounds, where a preset asks for one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loudness: Vec<SoundLoudness>,
    /// Where it is less than what was delivered.
    pub repairs: Vec<Repair>,
    /// Objects of the generation, its receipt among them.
    pub objects: u64,
    /// Bytes of all objects but the receipt.
    pub bytes: u64,
    /// What made it.
    pub built_by: Build,
}

impl Asset {
    /// HLS, if it is there.
    pub fn hls(&self) -> Option<&HlsOutput> {
        self.outputs.iter().find_map(|output| match output {
            Output::Hls(hls) => Some(hls),
            _ => None,
        })
    }

    /// The files that are played as a whole.
    pub fn files(&self) -> impl Iterator<Item = &FileOutput> {
        self.outputs.iter().filter_map(|output| match output {
            Output::File(file) => Some(file),
            _ => None,
        })
    }

    /// Poster and storyboard, if they are there.
    pub fn stills(&self) -> Option<&StillsOutput> {
        self.outputs.iter().find_map(|output| match output {
            Output::Stills(stills) => Some(stills),
            _ => None,
        })
    }

    /// Outputs of a viewer's choice: rungs, sounds, subtitles, files.
    pub fn renditions(&self) -> usize {
        let of_hls = |hls: &HlsOutput| hls.variants.len() + hls.audio.len() + hls.subtitles.len();
        self.hls().map_or(0, of_hls) + self.files().count()
    }

    /// The same asset as another generation, whose objects have the same names. None where an output is
    /// of a kind that is not known here, so that its paths are not.
    pub fn as_generation(&self, generation: &GenerationName) -> Option<Asset> {
        let (before, after) = (self.generation.as_str(), generation.as_str());
        let mut asset = Asset { generation: generation.clone(), ..self.clone() };
        for output in &mut asset.outputs {
            for path in output.paths_mut()? {
                if let Some(rest) = path.strip_prefix(before).filter(|rest| rest.starts_with('/')) {
                    *path = format!("{after}{rest}");
                }
            }
        }
        Some(asset)
    }
}

/// What an asset was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Original {
    /// Its name as it was delivered.
    pub name: String,
    /// libav's name of the container.
    pub container: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hex digits.
    pub sha256: String,
    /// Its tracks, and which are in the package.
    pub tracks: Vec<TrackFact>,
}

/// What was done to the loudness of one sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SoundLoudness {
    /// Name of the encode that it is of.
    pub encode: String,
    /// Index of its track in the original; of the first one where several are joined.
    pub track: u32,
    /// What was measured, asked for and done.
    pub levels: Loudness,
}

/// A place where the output is less than what was delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repair {
    /// Its code, as `damage_concealed`.
    pub code: String,
    /// What was found.
    pub detail: String,
    /// What was done about it.
    pub remedy: String,
}
