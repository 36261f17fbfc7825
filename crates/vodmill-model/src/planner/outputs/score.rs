//! SCORE of variant streams (draft-pantos-hls-rfc8216bis, 4.4.6.2): which one a player is to prefer
//! where it can play several.

use std::collections::BTreeSet;

use super::super::Decisions;
use crate::plan::{VariantPlan, VideoEncode};

/// What a variant is worth to a viewer, most important first: high dynamic range, pixels, and at equal
/// size the codec that takes fewer bytes for the same picture.
type Worth = (bool, u64, u32);

/// Ranks the variants, from 1, where they are in several codecs. The order of the playlist stays: what
/// knows no SCORE begins with the codec that plays everywhere.
pub(super) fn set(
    variants: &mut [VariantPlan],
    encodes: &[VideoEncode],
    decisions: &mut Decisions,
) {
    let encode_of = |variant: &VariantPlan| {
        let id = variant.video.as_deref()?;
        encodes.iter().find(|encode| encode.id == id)
    };
    let taken: Vec<&VideoEncode> = variants.iter().filter_map(encode_of).collect();
    if !has_choice(&taken) {
        return;
    }
    let worths: BTreeSet<Worth> = taken.iter().map(|encode| worth(encode)).collect();
    for variant in variants {
        let Some(encode) = encode_of(variant) else { continue };
        let below = worths.range(..worth(encode)).count();
        variant.score = u32::try_from(below + 1).ok();
    }
    decisions.add(
        "hls score",
        format!("1 to {}", worths.len()),
        "players prefer more pixels, and at equal size the codec with fewer bytes",
    );
}

/// Whether a player may choose between codecs for pictures of one range.
fn has_choice(encodes: &[&VideoEncode]) -> bool {
    let standard = encodes.iter().filter(|encode| !keeps_hdr(encode));
    let codecs: BTreeSet<&str> = standard.map(|encode| encode.encoder.as_str()).collect();
    codecs.len() > 1
}

fn worth(encode: &VideoEncode) -> Worth {
    let pixels = u64::from(encode.size.width) * u64::from(encode.size.height);
    (keeps_hdr(encode), pixels, thrift(&encode.encoder))
}

fn keeps_hdr(encode: &VideoEncode) -> bool {
    encode.options.get("color_trc").is_some_and(|transfer| transfer != "bt709")
}

/// Encoders by the bytes that they take for the same picture, most first.
fn thrift(encoder: &str) -> u32 {
    match encoder {
        "libx264" => 0,
        "libx265" => 1,
        _ => 2,
    }
}
