//! What is tried before a plan is made: a few groups of pictures of the original, encoded and scored.
//!
//! [`AnalysisPlan`] says what to try and leaves no choice; [`Analysis`] states what came of it, as facts.

use serde::{Deserialize, Serialize};

use crate::plan::{Budget, ChunkPlan, DecodePlan, VideoEncode};
use crate::quality::Score;
use crate::units::{Crf, Frames, Ratio, Size};

/// Which samples of an original are encoded as a trial, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnalysisPlan {
    /// How pictures are decoded: as for the encodes themselves.
    pub decode: DecodePlan,
    /// Frames per second of the grid.
    pub rate: Ratio,
    /// The samples, in the order of the programme.
    pub samples: Vec<ChunkPlan>,
    /// Size of the pictures that trials are compared at.
    pub size: Size,
    /// libavfilter chain from the common picture to what trials are compared with.
    pub filter: String,
    /// The trials that are made of each sample.
    pub probes: Vec<Probe>,
    /// What the work may take.
    pub budget: Budget,
}

/// One trial encode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The quality that it asks of the encoder, as it stands in the options too.
    pub crf: Crf,
    /// How it is encoded.
    pub encode: VideoEncode,
}

/// What came of an [`AnalysisPlan`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analysis {
    /// Every sample, in the order of the plan.
    pub samples: Vec<Sample>,
}

/// One sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Its first frame on the grid.
    pub first_frame: Frames,
    /// Its length in frames.
    pub frames: Frames,
    /// Why nothing is known of it, where it could not be decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// What came of each probe, in the order of the plan; none where there is a fault.
    pub trials: Vec<Trial>,
}

/// What came of one probe of one sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// The quality that was asked for.
    pub crf: Crf,
    /// Size of the pictures that were encoded.
    pub size: Size,
    /// Bytes of all packets.
    pub bytes: u64,
    /// Scores of the frames that were scored, the same frames in every trial of a sample.
    pub scores: Vec<Score>,
}
