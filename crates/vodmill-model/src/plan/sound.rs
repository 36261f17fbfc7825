//! Sound and text to make.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::loudness::LoudnessPlan;
use crate::media::ClockJump;
use crate::units::BitsPerSecond;

/// One audio stream to encode, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioEncode {
    /// Its name in this plan, as `a1-128k`.
    pub id: String,
    /// Index of the stream in the file; of the first one where several are joined.
    pub track: u32,
    /// Tracks that are joined, channel by channel, before the filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<AudioJoin>,
    /// libav's name of the encoder.
    pub encoder: String,
    /// Samples per second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
    /// libav's name of the channel layout.
    pub layout: String,
    /// Bit rate.
    pub bitrate: BitsPerSecond,
    /// libav's name of the format of samples that the encoder takes.
    #[serde(default = "planar_float", skip_serializing_if = "is_planar_float")]
    pub sample_format: String,
    /// Every other option of the encoder; one that it does not know is an error.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// libavfilter chain from source samples (times relative to the origin) to the encoder's.
    pub filter: String,
    /// The loudness that it is brought to after the filter, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness: Option<LoudnessPlan>,
    /// Samples in all, encoder delay apart.
    pub samples: u64,
    /// Clock jumps to take out.
    pub clock_jumps: Vec<ClockJump>,
}

fn planar_float() -> String {
    "fltp".to_owned()
}

fn is_planar_float(format: &String) -> bool {
    format == "fltp"
}

/// Channels of several tracks as one sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioJoin {
    /// libav's name of the layout that they make together.
    pub layout: String,
    /// Where its channels come from, in the order of the layout.
    pub parts: Vec<AudioPart>,
}

/// One channel of a sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioPart {
    /// Index of the stream in the file.
    pub track: u32,
    /// libavfilter chain from source samples to one channel at the encoder's rate.
    pub filter: String,
}

/// One subtitle track to extract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubtitlePlan {
    /// Its name in this plan, as `s0`.
    pub id: String,
    /// Index of the stream in the file.
    pub track: u32,
    /// Clock jumps to take out.
    pub clock_jumps: Vec<ClockJump>,
}
