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
        reference_filter: chain(&common, size, kept, depth),
        distorted_filter: in_format(&colour::scale(size, form, form), depth),
    }
}

/// Bits of the common picture. What is tone mapped has eight.
fn picture_depth(track: &VideoTrack, kept: bool) -> BitDepth {
    let mapped = (colour::is_hdr(track) || colour::is_wide_gamut(track)) && !kept;
    if mapped { BitDepth::Eight } else { BitDepth::of_bits(track.bit_depth) }
}

/// From a common picture to the form in which it is compared.
fn chain(picture: &CommonPicture<'_>, size: Size, kept: bool, depth: BitDepth) -> String {
    let scaled = match picture.hdr().filter(|_| kept) {
        Some(track) => colour::keep_hdr(track, size),
        None => picture.standard(size, DELIVERY),
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
