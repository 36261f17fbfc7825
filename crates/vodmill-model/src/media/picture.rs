//! What containers say of pictures beside their size and colours.

use serde::{Deserialize, Serialize};

use super::ClockJump;

/// Pixels of the coded picture that are not to be shown, on each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crop {
    /// Pixels on the left.
    pub left: u32,
    /// Pixels at the top.
    pub top: u32,
    /// Pixels on the right.
    pub right: u32,
    /// Pixels at the bottom.
    pub bottom: u32,
}

/// What a track says of Dolby Vision (Dolby Vision Streams within the ISO Base Media File Format,
/// 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DolbyVision {
    /// Profile: how the layers are coded.
    pub profile: u8,
    /// What a screen without Dolby Vision makes of the base layer: 0 nothing right, 1 HDR10, 2 SDR,
    /// 4 HLG, 6 HDR10 of a Blu-ray disc.
    pub compatibility: u8,
    /// Whether the track holds the base layer.
    pub base_layer: bool,
    /// Whether the track holds an enhancement layer.
    pub enhancement_layer: bool,
}

/// One programme of several in a multiplex (ISO/IEC 13818-1, 2.4.4.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// Its number in the multiplex.
    pub number: u32,
    /// Its name, if it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Indices of its streams; one may belong to several programmes.
    pub tracks: Vec<u32>,
    /// Where its clock jumps: each programme has a clock of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clock_jumps: Vec<ClockJump>,
    /// Whether the times of its tracks contradict each other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clocks_disagree: bool,
}
