//! The sequence header of AV1, bit by bit (AV1 Bitstream and Decoding Process Specification, 5.5).

use super::CodecError;
use super::av1::Av1Sequence;
use super::avc::Colour;
use super::bits::Bits;

/// Code points of H.273.
const BT709: u8 = 1;
const UNSPECIFIED: u8 = 2;
const SRGB: u8 = 13;
const IDENTITY: u8 = 0;

/// `sequence_header_obu`.
pub(super) fn read_sequence(payload: &[u8]) -> Result<Av1Sequence, CodecError> {
    let mut bits = Bits::new(payload);
    let profile = bits.take(3)? as u8;
    if profile > 2 {
        return Err(CodecError::Value("seq_profile"));
    }
    bits.bit()?;
    let is_still = bits.bit()?;
    let (level, high_tier) =
        if is_still { (bits.take(5)? as u8, false) } else { operating_points(&mut bits)? };
    let (width, height) = size(&mut bits)?;
    tools(&mut bits, is_still)?;
    let form = color_config(&mut bits, profile)?;
    Ok(Av1Sequence {
        profile,
        level,
        high_tier,
        bit_depth: form.bit_depth,
        monochrome: form.monochrome,
        subsampled: form.subsampled,
        chroma_position: form.chroma_position,
        colour: form.colour,
        width,
        height,
    })
}

/// Level and tier of the first operating point; all of them are read.
fn operating_points(bits: &mut Bits<'_>) -> Result<(u8, bool), CodecError> {
    let delay_bits = if bits.bit()? { timing_info(bits)? } else { None };
    let has_display_delay = bits.bit()?;
    let mut first = None;
    for _ in 0..=bits.take(5)? {
        bits.take(12)?;
        let level = bits.take(5)? as u8;
        let high_tier = level > 7 && bits.bit()?;
        first = first.or(Some((level, high_tier)));
        if let Some(length) = delay_bits
            && bits.bit()?
        {
            bits.take(length)?;
            bits.take(length)?;
            bits.bit()?;
        }
        if has_display_delay && bits.bit()? {
            bits.take(4)?;
        }
    }
    first.ok_or(CodecError::NotFound("operating point of AV1"))
}

/// `timing_info` and `decoder_model_info`: the bits of a buffer's delay, where there is a model.
fn timing_info(bits: &mut Bits<'_>) -> Result<Option<u32>, CodecError> {
    bits.take(32)?;
    bits.take(32)?;
    if bits.bit()? {
        // uvlc() is ue(v) of H.264 (4.10.3).
        bits.unsigned()?;
    }
    if !bits.bit()? {
        return Ok(None);
    }
    let length = bits.take(5)? + 1;
    bits.take(32)?;
    bits.take(10)?;
    Ok(Some(length))
}

fn size(bits: &mut Bits<'_>) -> Result<(u32, u32), CodecError> {
    let (width_bits, height_bits) = (bits.take(4)? + 1, bits.take(4)? + 1);
    Ok((bits.take(width_bits)? + 1, bits.take(height_bits)? + 1))
}

/// What stands between the size and the colours.
fn tools(bits: &mut Bits<'_>, is_still: bool) -> Result<(), CodecError> {
    if !is_still && bits.bit()? {
        bits.take(7)?;
    }
    bits.take(3)?;
    if !is_still {
        bits.take(4)?;
        let has_order_hint = bits.bit()?;
        if has_order_hint {
            bits.take(2)?;
        }
        let screen_content = bits.bit()? || bits.bit()?;
        if screen_content && !bits.bit()? {
            bits.bit()?;
        }
        if has_order_hint {
            bits.take(3)?;
        }
    }
    bits.take(3).map(|_| ())
}

struct Form {
    bit_depth: u8,
    monochrome: bool,
    subsampled: (bool, bool),
    chroma_position: u8,
    colour: Colour,
}

fn color_config(bits: &mut Bits<'_>, profile: u8) -> Result<Form, CodecError> {
    let is_deep = bits.bit()?;
    let bit_depth = match is_deep {
        true if profile == 2 && bits.bit()? => 12,
        true => 10,
        false => 8,
    };
    let monochrome = profile != 1 && bits.bit()?;
    let [primaries, transfer, matrix] = if bits.bit()? {
        [bits.take(8)? as u8, bits.take(8)? as u8, bits.take(8)? as u8]
    } else {
        [UNSPECIFIED; 3]
    };
    let is_rgb = [primaries, transfer, matrix] == [BT709, SRGB, IDENTITY];
    let full_range = (is_rgb && !monochrome) || bits.bit()?;
    let subsampled = match (monochrome, is_rgb) {
        (true, _) => (true, true),
        (false, true) => (false, false),
        (false, false) => subsampling(bits, profile, bit_depth)?,
    };
    let has_position = !monochrome && subsampled == (true, true);
    let chroma_position = if has_position { bits.take(2)? as u8 } else { 0 };
    let colour = Colour { full_range, primaries, transfer, matrix };
    Ok(Form { bit_depth, monochrome, subsampled, chroma_position, colour })
}

fn subsampling(
    bits: &mut Bits<'_>,
    profile: u8,
    bit_depth: u8,
) -> Result<(bool, bool), CodecError> {
    match (profile, bit_depth) {
        (0, _) => Ok((true, true)),
        (1, _) => Ok((false, false)),
        (_, 12) => {
            let across = bits.bit()?;
            Ok((across, across && bits.bit()?))
        }
        _ => Ok((true, false)),
    }
}
