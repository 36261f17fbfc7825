//! How pictures are compared with the original: at its displayed size, as a player would show both.

use super::colour::{self, ColourForm, DELIVERY, HdrHandling};
use super::picture::{self, CommonPicture};
use crate::media::VideoTrack;
use crate::plan::VideoEncode;
use crate::quality::BitDepth;
use crate::transcode::Comparison;
use crate::units::Size;

/// The size at which pictures of a track are compared: as they are displayed.
pub fn compared_size(reference: &VideoTrack) -> Size {
    picture::display_size(reference)
}

/// How the pictures of an encode are compared with the track that it was made of, at `size`;
/// `handling` is what the plan does with its high dynamic range.
pub fn compare_encode(
    reference: &VideoTrack,
    handling: HdrHandling,
    encode: &VideoEncode,
    size: Size,
) -> Comparison {
    let kept = encode.options.get("colorspace").is_some_and(|matrix| matrix == "bt2020nc");
    let deep = kept || encode.filter.ends_with("format=yuv420p10le");
    let common = CommonPicture::new(reference, handling);
    let encoded = if deep { BitDepth::Ten } else { BitDepth::Eight };
    let depth = picture_depth(reference, kept).max(encoded);
    let wide = ColourForm { matrix: Some("bt2020"), full_range: false };
    let form = if kept { wide } else { DELIVERY };
    Comparison {
        size,
        depth,
        reference_filter: chain(&common, size, DELIVERY, kept, depth),
        distorted_filter: in_format(&colour::scale(size, form, form), depth),
    }
}

/// Longest side of a picture that is shown on a page.
const SHOWN_SIDE: u32 = 960;

/// How pictures that are compared are shown to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownPictures {
    /// Their size.
    pub size: Size,
    /// libavfilter chain from the common picture of the reference to that of a JPEG.
    pub reference_filter: String,
    /// The same for what is compared with it.
    pub distorted_filter: String,
}

/// Both pictures of a comparison in `form` for people: after what is done to compare them, and no larger than a
/// page shows.
pub(super) fn shown(comparison: &Comparison, form: ColourForm) -> ShownPictures {
    let Size { width, height } = comparison.size;
    let long = width.max(height).max(1);
    let side = |side: u32| match long > SHOWN_SIDE {
        true => (u64::from(side) * u64::from(SHOWN_SIDE) / u64::from(long)).max(2) as u32,
        false => side,
    };
    let size = Size { width: side(width), height: side(height) };
    let last = colour::scale(size, form, colour::JPEG);
    let chain = |first: &str| format!("{first},{last},format=yuvj420p");
    ShownPictures {
        size,
        reference_filter: chain(&comparison.reference_filter),
        distorted_filter: chain(&comparison.distorted_filter),
    }
}

/// How the pictures of one track are compared with those of another, at `size` and `depth` and in
/// `form`; `kept` where both have high dynamic range.
pub(super) fn of_tracks(
    reference: &CommonPicture<'_>,
    distorted: &CommonPicture<'_>,
    size: Size,
    form: ColourForm,
    kept: bool,
    depth: BitDepth,
) -> Comparison {
    Comparison {
        size,
        depth,
        reference_filter: chain(reference, size, form, kept, depth),
        distorted_filter: chain(distorted, size, form, kept, depth),
    }
}

/// Bits of the common picture. What is tone mapped has eight, and what is kept ten.
pub(super) fn picture_depth(track: &VideoTrack, kept: bool) -> BitDepth {
    let mapped = (colour::is_hdr(track) || colour::is_wide_gamut(track)) && !kept;
    if mapped { BitDepth::Eight } else { BitDepth::of_bits(track.bit_depth) }
}

/// From a common picture to the form in which it is compared.
fn chain(
    picture: &CommonPicture<'_>,
    size: Size,
    form: ColourForm,
    kept: bool,
    depth: BitDepth,
) -> String {
    let scaled = match picture.hdr().filter(|_| kept) {
        Some(track) => colour::keep_hdr(track, size),
        None => picture.compared(size, form),
    };
    in_format(&scaled, depth)
}

fn in_format(chain: &str, depth: BitDepth) -> String {
    let format = match depth {
        BitDepth::Eight => "yuv420p",
        BitDepth::Ten => "yuv420p10le",
    };
    format!("{chain},format={format}")
}
