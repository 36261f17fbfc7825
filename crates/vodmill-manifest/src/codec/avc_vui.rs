//! Video usability information (ITU-T H.264 annex E), up to its timing.

use super::CodecError;
use super::avc::{Colour, Timing};
use super::bits::Bits;

/// Width to height of a sample.
type Aspect = (u32, u32);

/// What the VUI tells; all of it is optional.
#[derive(Default)]
pub(crate) struct Vui {
    pub(crate) sample_aspect: Option<Aspect>,
    pub(crate) colour: Option<Colour>,
    pub(crate) timing: Option<Timing>,
}

/// Table E-1, from aspect_ratio_idc 1.
const ASPECTS: [(u32, u32); 16] = [
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

pub(crate) fn parse(bits: &mut Bits) -> Result<Vui, CodecError> {
    let (sample_aspect, colour) = aspect_and_colour(bits)?;
    if bits.bit()? {
        bits.unsigned()?; // chroma_sample_loc_type_top_field
        bits.unsigned()?; // chroma_sample_loc_type_bottom_field
    }
    let timing = if bits.bit()? { Some(timing(bits)?) } else { None };
    Ok(Vui { sample_aspect, colour, timing })
}

/// How the VUI begins, in H.264 as in H.265 (annex E.2.1 of both).
pub(crate) fn aspect_and_colour(
    bits: &mut Bits,
) -> Result<(Option<Aspect>, Option<Colour>), CodecError> {
    let sample_aspect = if bits.bit()? { aspect(bits)? } else { None };
    if bits.bit()? {
        bits.bit()?; // overscan_appropriate_flag
    }
    let colour = if bits.bit()? { Some(colour(bits)?) } else { None };
    Ok((sample_aspect, colour))
}

fn aspect(bits: &mut Bits) -> Result<Option<Aspect>, CodecError> {
    const EXTENDED: u32 = 255;
    let index = bits.take(8)?;
    if index != EXTENDED {
        return Ok(ASPECTS.get((index as usize).wrapping_sub(1)).copied());
    }
    let (width, height) = (bits.take(16)?, bits.take(16)?);
    Ok((width > 0 && height > 0).then_some((width, height)))
}

fn colour(bits: &mut Bits) -> Result<Colour, CodecError> {
    bits.take(3)?; // video_format
    let full_range = bits.bit()?;
    let mut points = [2; 3]; // unspecified
    if bits.bit()? {
        for point in &mut points {
            *point = bits.take(8)? as u8;
        }
    }
    let [primaries, transfer, matrix] = points;
    Ok(Colour { full_range, primaries, transfer, matrix })
}

fn timing(bits: &mut Bits) -> Result<Timing, CodecError> {
    Ok(Timing { units_in_tick: bits.take(32)?, time_scale: bits.take(32)?, fixed: bits.bit()? })
}
