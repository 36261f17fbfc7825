//! Every option of libvpx for VP9.

use std::collections::BTreeMap;

use super::rungs;
use crate::preset::{Speed, VideoCommon, VideoTarget};

/// Narrowest tile: libvpx takes none below 256 pixels.
const LEAST_TILE: u32 = 320;

/// Largest key frame, in hundredths of a frame at the mean bit rate: ten frames of it would not fit
/// into a second's buffer.
const LARGEST_KEY_FRAME: u32 = 500;

/// Every option. One pass, one thread, without lookahead: in one pass libvpx makes nothing of frames
/// that it looks ahead at, and without hidden frames every packet is one picture. Groups begin only
/// where key frames are forced, since the shortest is as long as the longest. The threshold of skipped
/// blocks is off and every frame is kept, whatever the rate.
pub(super) fn options(
    common: &VideoCommon,
    target: &VideoTarget,
    gop: u32,
    width: u32,
) -> BTreeMap<String, String> {
    let (deadline, cpu_used) = effort(common.speed);
    let mut options = rates(target);
    options.extend([
        ("deadline", deadline.to_owned()),
        ("cpu-used", cpu_used.to_string()),
        ("g", gop.to_string()),
        ("keyint_min", gop.to_string()),
        ("lag-in-frames", "0".to_owned()),
        ("auto-alt-ref", "0".to_owned()),
        ("max-intra-rate", LARGEST_KEY_FRAME.to_string()),
        ("error-resilient", "0".to_owned()),
        ("frame-parallel", "0".to_owned()),
        ("aq-mode", "0".to_owned()),
        ("static-thresh", "0".to_owned()),
        ("drop-threshold", "0".to_owned()),
        ("tile-columns", tile_columns(width).to_string()),
        ("row-mt", "0".to_owned()),
        ("threads", common.threads.to_string()),
    ]);
    options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A constant rate factor is bounded by the mean rate, which libvpx takes for the limit.
fn rates(target: &VideoTarget) -> Vec<(&'static str, String)> {
    let mut rates = rungs::rates(target);
    if target.bitrate.is_none() {
        rates.push(("b", target.max_bitrate.0.to_string()));
    }
    rates
}

/// libvpx's names for how much time it takes, by measured pace.
fn effort(speed: Speed) -> (&'static str, u32) {
    match speed {
        Speed::Ultrafast => ("realtime", 8),
        Speed::Superfast => ("realtime", 7),
        Speed::Veryfast => ("realtime", 6),
        Speed::Faster => ("realtime", 5),
        Speed::Fast => ("good", 5),
        Speed::Auto | Speed::Medium => ("good", 3),
        Speed::Slow => ("good", 2),
        Speed::Slower => ("good", 1),
        Speed::Veryslow => ("good", 0),
    }
}

/// Columns that a player can decode side by side, as a power of two.
fn tile_columns(width: u32) -> u32 {
    (width / LEAST_TILE).max(1).ilog2()
}
