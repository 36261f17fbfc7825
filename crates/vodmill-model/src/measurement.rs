//! The document that `vodmill measure --json` prints: scores of media against their reference.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::quality::{BitDepth, FrameScore, Quality, Subsample};
use crate::units::{Frames, Ratio, Size};

/// Version of the form that is written.
pub const VERSION: u32 = 1;

/// Scores of media against their reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "measurement")]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// Version of this form.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// What everything is compared with.
    pub reference: ReferenceFacts,
    /// Of how many frames one is scored.
    pub subsample: Subsample,
    /// The models, as libvmaf names them.
    pub models: Vec<String>,
    /// What is compared with it.
    pub distorted: Vec<DistortedScores>,
}

/// The reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferenceFacts {
    /// Its name, as it was given.
    pub name: String,
    /// Size at which pictures are compared.
    pub size: Size,
    /// What to know of all scores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One of those that are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DistortedScores {
    /// Its name: as it was given, and of a package the rung's.
    pub name: String,
    /// Displayed size of its pictures.
    pub size: Size,
    /// libav's name of its codec.
    pub codec: String,
    /// Its bytes, sound in the same file included.
    pub bytes: u64,
    /// Bits per second of these.
    pub bit_rate: u64,
    /// Frames per second of the grid on which frames are counted.
    pub frame_rate: Ratio,
    /// Frames of the grid that are compared.
    pub frames: Frames,
    /// Bits of a component in which they are compared.
    pub depth: BitDepth,
    /// What the scores come to.
    pub quality: Quality,
    /// What to know of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Every scored frame.
    pub scores: Vec<FrameScore>,
}

impl DistortedScores {
    /// The worst frames, the very worst first, each at least `apart` frames from the others.
    pub fn worst(&self, count: usize, apart: Frames) -> Vec<FrameScore> {
        let mut sorted = self.scores.clone();
        sorted.sort_by_key(|score| (score.vmaf, score.frame));
        let mut worst: Vec<FrameScore> = Vec::new();
        for score in sorted {
            let is_far = worst.iter().all(|taken| taken.frame.abs_diff(score.frame) >= apart);
            if is_far && worst.len() < count {
                worst.push(score);
            }
        }
        worst
    }
}
