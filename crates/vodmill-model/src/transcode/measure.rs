//! Measuring the quality of finished pictures against the original.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::VideoDone;
use crate::media::SeekPoint;
use crate::plan::{ChunkPlan, DecodePlan};
use crate::quality::{BitDepth, FrameScore, Subsample};
use crate::units::{Ratio, Size};

/// A stretch of the grid of which pictures are compared, frame by frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasureOrder {
    /// The original, which is the reference.
    pub original: PathBuf,
    /// How to decode it.
    pub decode: DecodePlan,
    /// Frames per second of the grid.
    pub rate: Ratio,
    /// The stretch, and where to begin decoding the original.
    pub chunk: ChunkPlan,
    /// Whether the stretch is the last of the original: it is read to its end, so that no picture
    /// goes uncounted.
    pub last: bool,
    /// What is compared with it.
    pub distorted: Vec<DistortedOrder>,
    /// Which frames are scored, from the first of the stretch on.
    pub subsample: Subsample,
    /// Whether NEG is wanted beside VMAF.
    pub neg: bool,
}

/// Pictures to compare with the reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistortedOrder {
    /// Its name in the answer.
    pub id: String,
    /// Where its pictures are.
    pub media: DistortedMedia,
    /// How both are compared.
    pub comparison: Comparison,
}

/// Where distorted pictures are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DistortedMedia {
    /// Renditions of one encode in the order of their chunks, which hold the stretch: their pictures
    /// know their numbers on the grid.
    Renditions(Vec<PathBuf>),
    /// Finished media, or media of others: put on the reference's grid by its own times.
    File {
        /// The file.
        path: PathBuf,
        /// How to decode it; its origin is what the first picture of the reference is compared with.
        decode: DecodePlan,
        /// Where to begin decoding it.
        seek: SeekPoint,
    },
}

/// The form in which two pictures are compared, and the way to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Size of both.
    pub size: Size,
    /// Bits of a component of both.
    pub depth: BitDepth,
    /// libavfilter chain from the common picture of the reference, ending in its pixel format.
    pub reference_filter: String,
    /// libavfilter chain from the common picture of what is compared with it, ending in the same.
    pub distorted_filter: String,
}

/// What came of measuring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// How the reference was decoded.
    pub reference: VideoDone,
    /// What was compared with it, in the order of the order.
    pub distorted: Vec<MeasuredMedia>,
}

/// The scores of one of those that were compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredMedia {
    /// Its name.
    pub id: String,
    /// How it was decoded.
    pub pictures: VideoDone,
    /// Every third or fifth frame.
    pub scores: Vec<FrameScore>,
}
