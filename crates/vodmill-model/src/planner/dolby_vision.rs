//! Dolby Vision: whether a screen without it shows a track in right colours. What is published is
//! the base layer; enhancement layers and metadata are left out.

use crate::media::{DolbyVision, VideoTrack};

/// Profiles whose base layer is coded in a colour space of Dolby's own (IPT) or is meant for
/// nothing but Dolby Vision (Dolby Vision Profiles and Levels, table 2 and its older editions).
const WITHOUT_BASE: [u8; 3] = [1, 3, 5];

/// Profiles that are by definition shown right by other screens, whatever is written beside them:
/// older files leave the compatibility at zero.
const WITH_BASE: [u8; 6] = [0, 2, 4, 7, 8, 9];

/// What a track says of Dolby Vision.
pub(crate) fn of(track: &VideoTrack) -> Option<&DolbyVision> {
    track.dolby_vision.as_ref()
}

/// Whether screens without Dolby Vision show the track in right colours.
pub(super) fn has_base(track: &VideoTrack) -> bool {
    of(track).is_none_or(|vision| {
        let shown = vision.compatibility != 0 || WITH_BASE.contains(&vision.profile);
        vision.base_layer && shown && !WITHOUT_BASE.contains(&vision.profile)
    })
}
