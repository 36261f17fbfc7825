//! Every option of x265.

use std::collections::BTreeMap;

use super::rungs::{self, LOOKAHEAD};
use crate::media::{ContentLight, Hdr10, MasteringDisplay};
use crate::preset::{Speed, VideoCommon, VideoTarget};

/// The least side of a picture that x265 takes with room to spare; smaller ones are padded.
pub(super) const LEAST_SIDE: u32 = 32;

/// What the pictures of an encode are.
pub(super) struct Pictures<'a> {
    /// Groups of pictures, in frames.
    pub gop: u32,
    /// Whether they have 10 bits.
    pub deep: bool,
    /// What is said of their high dynamic range.
    pub hdr10: &'a Hdr10,
}

/// Every option that is not of x265's preset.
pub(super) fn options(
    common: &VideoCommon,
    target: &VideoTarget,
    pictures: &Pictures<'_>,
) -> BTreeMap<String, String> {
    let mut options = rungs::rates(target);
    options.extend([
        ("preset", rungs::speed(common.speed).to_owned()),
        ("profile", if pictures.deep { "main10" } else { "main" }.to_owned()),
        ("g", pictures.gop.to_string()),
        ("keyint_min", pictures.gop.to_string()),
        ("forced-idr", "1".to_owned()),
        ("threads", common.threads.to_string()),
        ("x265-params", parameters(common, pictures)),
    ]);
    options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Options that libav passes on as they are. One thread, without wavefronts: x265's bytes depend on
/// their number. Groups are closed and begin only where key frames are forced. Parameter sets and what
/// is said of high dynamic range come once, in front of the stream, so that they get into `hvcC` and
/// not into samples (HLS Authoring Specification for Apple Devices, 1.8). No text of x265's own is in
/// the stream: it holds what this processor can do.
fn parameters(common: &VideoCommon, pictures: &Pictures<'_>) -> String {
    let gop = pictures.gop;
    let mut text = format!(
        "keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:repeat-headers=0:info=0:\
         pools=none:frame-threads=1:wpp=0:log-level=error"
    );
    if common.speed >= Speed::Slow {
        text.push_str(&format!(":rc-lookahead={LOOKAHEAD}"));
    }
    if let Some(display) = &pictures.hdr10.display {
        text.push_str(&format!(":master-display={}", master_display(display)));
    }
    if let Some(ContentLight { max, average }) = pictures.hdr10.light {
        text.push_str(&format!(":max-cll={max},{average}"));
    }
    text
}

fn master_display(display: &MasteringDisplay) -> String {
    let point = |(x, y): (u32, u32)| format!("({x},{y})");
    let MasteringDisplay { red, green, blue, white, max_luminance, min_luminance } = *display;
    format!(
        "G{}B{}R{}WP{}L({max_luminance},{min_luminance})",
        point(green),
        point(blue),
        point(red),
        point(white)
    )
}
