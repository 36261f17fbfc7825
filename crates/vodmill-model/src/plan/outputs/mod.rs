//! What is published: a list of outputs, a file here for each kind.

mod file;
mod former;
mod hls;
mod stills;

use serde::{Deserialize, Serialize};

pub use self::file::{FileAudioPlan, FilePlan};
pub(super) use self::former::{deserialize, serialize};
pub use self::hls::{
    AudioAlternativePlan, EncryptionPlan, HlsPlan, SubtitleAlternativePlan, VariantPlan,
};
pub use self::stills::{StillPlan, StillsPlan, StoryboardPlan};
use super::Plan;

/// One output. The kinds are the same in a plan, in a package, in its receipt and in `asset.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OutputPlan {
    /// Playlists and segments.
    Hls(HlsPlan),
    /// One file.
    File(FilePlan),
    /// Pictures.
    Stills(StillsPlan),
}

impl Plan {
    /// HLS, if it is made; there is at most one.
    pub fn hls(&self) -> Option<&HlsPlan> {
        self.outputs.iter().find_map(|output| match output {
            OutputPlan::Hls(hls) => Some(hls),
            OutputPlan::File(_) | OutputPlan::Stills(_) => None,
        })
    }

    /// The files, in order.
    pub fn files(&self) -> impl Iterator<Item = &FilePlan> {
        self.outputs.iter().filter_map(|output| match output {
            OutputPlan::File(file) => Some(file),
            OutputPlan::Hls(_) | OutputPlan::Stills(_) => None,
        })
    }

    /// Poster and storyboard, if they are made; there is at most one of each.
    pub fn stills(&self) -> Option<&StillsPlan> {
        self.outputs.iter().find_map(|output| match output {
            OutputPlan::Stills(stills) => Some(stills),
            OutputPlan::Hls(_) | OutputPlan::File(_) => None,
        })
    }
}
