//! What an analysis led to, and what is expected of it.

use serde::{Deserialize, Serialize};

use super::ChunkPlan;
use crate::quality::Score;
use crate::units::{BitsPerSecond, Crf, Size};

/// How the quality of a ladder was chosen for this title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QualityPlan {
    /// The mean VMAF score that is aimed at.
    pub target: u8,
    /// The samples that it was predicted from, and where decoding begins for each.
    pub samples: Vec<ChunkPlan>,
    /// Size of the pictures that scores compare: that of the largest encode of the ladder.
    pub size: Size,
    /// libavfilter chain from the common picture to what encodes are compared with.
    pub filter: String,
    /// What is expected of the encodes, lowest rung first.
    pub expected: Vec<ExpectedQuality>,
}

impl QualityPlan {
    /// Predicted and measured further apart than this is worth a warning.
    pub const FAR_APART: Score = Score::from_thousandths(1500);

    /// What is expected of an encode.
    pub fn expected_of(&self, encode: &str) -> Option<Score> {
        self.expected.iter().find(|expected| expected.encode == encode)?.score
    }
}

/// What is expected of one encode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedQuality {
    /// Id of the encode.
    pub encode: String,
    /// Its CRF.
    pub crf: Crf,
    /// Mean score; none for sizes that were not tried.
    pub score: Option<Score>,
    /// Average bit rate.
    pub bitrate: BitsPerSecond,
}
