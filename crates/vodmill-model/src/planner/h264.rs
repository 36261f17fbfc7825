//! Every option of x264, and how its frame types are shared between sizes.

use std::collections::BTreeMap;

use super::rungs::{self, LOOKAHEAD};
use crate::plan::FrameTypes;
use crate::preset::{Profile, Speed, VideoCodec, VideoCommon, VideoTarget};
use crate::units::Frames;

/// The longest run of B-frames of x264's presets but `veryslow`, which has [`LONGEST_RUN`].
const RUN: u32 = 3;

/// The longest run of B-frames of `veryslow`.
const LONGEST_RUN: u32 = 8;

/// Frames that an encoder holds back beside its lookahead, with room to spare.
const HELD_BACK: u32 = 4;

/// Who decides the types of frames: I, P or B.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Types {
    /// The encode for itself.
    Own,
    /// The encode, for itself and for others.
    Decided,
    /// Another encode.
    Given(FrameTypes),
}

/// Every option that is not of x264's preset. Key frames stand only where they are forced: scene cuts
/// begin no group.
pub(super) fn options(
    common: &VideoCommon,
    target: &VideoTarget,
    gop: u32,
    types: &Types,
) -> BTreeMap<String, String> {
    let mut options = rungs::rates(target);
    options.extend([
        ("preset", rungs::speed(common.speed).to_owned()),
        ("profile", profile(common.profile).to_owned()),
        ("g", gop.to_string()),
        ("keyint_min", gop.to_string()),
        ("sc_threshold", "0".to_owned()),
        ("forced-idr", "1".to_owned()),
        ("threads", common.threads.to_string()),
    ]);
    options.extend(search(common.speed));
    options.extend(b_frames(common.speed, types).map(|how| ("b_strategy", how.to_owned())));
    options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// How far the encoder looks, where that is not as its preset says.
fn search(speed: Speed) -> Vec<(&'static str, String)> {
    let mut options = Vec::new();
    if speed >= Speed::Fast {
        options.push(("rc-lookahead", LOOKAHEAD.to_string()));
    }
    if speed == Speed::Medium {
        options.push(("refs", "2".to_owned()));
    }
    options
}

/// How B-frames are placed, where that is not as the preset says: by the best path through the lookahead
/// (2), or not at all, because another encode has done it (0).
fn b_frames(speed: Speed, types: &Types) -> Option<&'static str> {
    match types {
        Types::Given(_) => Some("0"),
        Types::Decided => Some("2"),
        Types::Own if speed == Speed::Medium => Some("2"),
        Types::Own => None,
    }
}

/// Whether sizes of these settings share frame types: there are B-frames, to find them is dear, and one
/// thread holds back no more frames than [`waiting`] allows for.
pub(super) fn shares_types(common: &VideoCommon) -> bool {
    common.codec == VideoCodec::H264
        && common.profile != Profile::Baseline
        && common.speed >= Speed::Medium
        && common.threads == 1
}

/// Frames by which an encoder of these settings is behind at most when it tells the type of one.
pub(super) fn waiting(speed: Speed) -> Frames {
    let run = if speed == Speed::Veryslow { LONGEST_RUN } else { RUN };
    // The best path is looked for in four times the longest run.
    Frames::from(LOOKAHEAD.max(4 * run) + run + HELD_BACK)
}

fn profile(profile: Profile) -> &'static str {
    match profile {
        Profile::Baseline => "baseline",
        Profile::Main => "main",
        Profile::High => "high",
    }
}
