//! Every option of SVT-AV1.

use std::collections::BTreeMap;

use super::rungs;
use crate::preset::{Speed, VideoCommon, VideoTarget};

/// The least side of a picture that SVT-AV1 takes; smaller ones are padded.
pub(super) const LEAST_SIDE: u32 = 64;

/// SVT-AV1 takes no buffer that lasts longer at the peak rate, in seconds.
const LONGEST_BUFFER: u32 = 10;

/// Bits per second that the peak rate must have beyond the mean one.
const PEAK_ABOVE_MEAN: u64 = 1;

/// Every option. With more than one processor (`lp`) the bytes of a stream whose rate is bounded hang
/// on how its threads happen to run. Groups are closed and begin every `gop` frames of a chunk, where
/// key frames are wanted; scene cuts begin none.
pub(super) fn options(
    common: &VideoCommon,
    target: &VideoTarget,
    gop: u32,
) -> BTreeMap<String, String> {
    let mut options = rates(target);
    options.extend([
        ("preset", preset(common.speed).to_string()),
        ("g", gop.to_string()),
        ("threads", common.threads.to_string()),
        ("svtav1-params", "lp=1:scd=0".to_owned()),
    ]);
    options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn rates(target: &VideoTarget) -> Vec<(&'static str, String)> {
    let Some(bitrate) = target.bitrate else { return rungs::rates(target) };
    let peak = target.max_bitrate.0;
    let mean = bitrate.0.min(peak - PEAK_ABOVE_MEAN);
    let buffer = peak * u64::from(target.buffer_seconds.min(LONGEST_BUFFER));
    vec![("maxrate", peak.to_string()), ("bufsize", buffer.to_string()), ("b", mean.to_string())]
}

/// SVT-AV1's presets by x264's names. It has none as fast as x264's fastest.
fn preset(speed: Speed) -> u32 {
    match speed {
        Speed::Ultrafast => 12,
        Speed::Superfast => 11,
        Speed::Veryfast => 10,
        Speed::Faster => 9,
        Speed::Fast => 8,
        Speed::Auto | Speed::Medium => 7,
        Speed::Slow => 6,
        Speed::Slower => 5,
        Speed::Veryslow => 4,
    }
}
