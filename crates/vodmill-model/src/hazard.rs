//! What is odd about an original, by code, and what is done about it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something odd about an original, and what is done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hazard {
    /// Its code, as `variable_frame_rate`.
    pub code: HazardCode,
    /// What was found.
    pub detail: String,
    /// What is done about it.
    pub remedy: String,
    /// Whether the output is less than what was delivered, so that it is stated in `asset.json`.
    pub repair: bool,
}

macro_rules! hazards {
    ($($name:ident)+) => {
        /// Codes of hazards.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the codes are their own names; each is explained by its remedy")]
        pub enum HazardCode { $($name,)+ }

        impl HazardCode {
            /// Every code there is.
            pub const ALL: &'static [HazardCode] = &[$(HazardCode::$name),+];
        }
    };
}

hazards! {
    VariableFrameRate
    HighFrameRate
    Rotated
    Mirrored
    NonSquarePixels
    OddSize
    SizeChanges
    Cropped
    WrongCropping
    Spherical
    Stereo3d
    Interlaced
    HdrPq
    HdrHlg
    WrongMasteringData
    DolbyVision
    DynamicHdr
    WideGamut
    HighBitDepth
    ChromaSubsampling
    FullRange
    CoverArt
    NoAudio
    NoVideo
    SurroundSound
    SoundFormatChanges
    SoundJoined
    SoundDrifts
    AudioOffset
    AudioOutlastsVideo
    TrackDropped
    ProgrammeDropped
    CaptionsLost
    StartNotZero
    NoDuration
    WrongDuration
    ClockJump
    TimestampGap
    Truncated
    Damaged
    UndecodableStart
    SingleFrame
    Photograph
}

impl fmt::Display for HazardCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Reason;

    #[test]
    fn the_table_for_people_has_every_code() {
        let table = include_str!("../../../docs/inputs.md");
        let hazards = HazardCode::ALL.iter().map(ToString::to_string);
        let reasons = Reason::ALL.iter().map(ToString::to_string);
        let missing: Vec<_> = hazards
            .chain(reasons)
            .filter(|code| !table.contains(&format!("| `{code}` |")))
            .collect();
        assert!(missing.is_empty(), "docs/inputs.md has no row for {missing:?}");
    }
}
