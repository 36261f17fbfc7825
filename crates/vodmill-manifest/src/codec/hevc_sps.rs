//! The H.265 sequence parameter set (ITU-T H.265 §7.3.2.2, annex E).

use super::CodecError;
use super::avc::Colour;
use super::avc_vui::aspect_and_colour;
use super::bits::Bits;
use super::hevc::{ProfileTierLevel, SPS, codec};
use super::nal::{nal_units, unescape};

/// A parameter set of more bytes is cut; real ones have under two hundred.
const MAX_SPS: usize = 4096;

/// The facts of a sequence parameter set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HevcSps {
    /// Width in luma samples inside the conformance window.
    pub width: u32,
    /// Height in luma samples inside the conformance window.
    pub height: u32,
    /// chroma_format_idc: 0 monochrome, 1 for 4:2:0, 2 for 4:2:2, 3 for 4:4:4.
    pub chroma_format: u8,
    /// Bits of a luma sample.
    pub bit_depth: u8,
    /// Colour of the VUI, when told.
    pub colour: Option<Colour>,
    profile_tier_level: ProfileTierLevel,
}

impl HevcSps {
    /// `hvc1.…` (ISO/IEC 14496-15 annex E.3).
    pub fn codec(&self) -> String {
        codec(&self.profile_tier_level)
    }

    /// general_profile_idc: 1 Main, 2 Main 10, …
    pub fn profile(&self) -> u8 {
        self.profile_tier_level[0] & 0x1f
    }
}

/// The first sequence parameter set of an Annex B stream.
///
/// # Errors
/// [`CodecError::NotFound`] without one, else what is wrong with it.
pub fn hevc_sps(stream: &[u8]) -> Result<HevcSps, CodecError> {
    let unit = nal_units(stream).find(|unit| is_sps(unit));
    parse(unit.ok_or(CodecError::NotFound("sequence parameter set"))?)
}

/// The first sequence parameter set of an `hvcC` box's content
/// (ISO/IEC 14496-15 §8.3.3.1).
///
/// # Errors
/// As [`hevc_sps`].
pub fn hevc_sps_from_hvcc(hvcc: &[u8]) -> Result<HevcSps, CodecError> {
    let (header, mut rest) = hvcc.split_at_checked(23).ok_or(CodecError::Short)?;
    if header[0] != 1 {
        return Err(CodecError::Value("configurationVersion"));
    }
    for _ in 0..header[22] {
        let count = take::<3>(&mut rest)?;
        for _ in 0..u16::from_be_bytes([count[1], count[2]]) {
            let length = usize::from(u16::from_be_bytes(take::<2>(&mut rest)?));
            let (unit, after) = rest.split_at_checked(length).ok_or(CodecError::Short)?;
            if is_sps(unit) {
                return parse(unit);
            }
            rest = after;
        }
    }
    Err(CodecError::NotFound("sequence parameter set"))
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], CodecError> {
    let (head, rest) = bytes.split_first_chunk().ok_or(CodecError::Short)?;
    *bytes = rest;
    Ok(*head)
}

fn is_sps(unit: &[u8]) -> bool {
    unit.len() > 2 && unit[0] >> 1 & 0x3f == SPS
}

fn parse(unit: &[u8]) -> Result<HevcSps, CodecError> {
    let payload = unescape(&unit[2..], MAX_SPS);
    let profile_tier_level =
        payload.get(1..).and_then(<[u8]>::first_chunk).copied().ok_or(CodecError::Short)?;
    let mut bits = Bits::new(&payload);
    bits.take(4)?; // sps_video_parameter_set_id
    let layers = bits.take(3)?; // sps_max_sub_layers_minus1
    bits.bit()?; // sps_temporal_id_nesting_flag
    skip_profile_tier_level(&mut bits, layers)?;
    bits.unsigned()?; // sps_seq_parameter_set_id
    let chroma = bits.unsigned()?;
    if chroma > 3 {
        return Err(CodecError::Value("chroma_format_idc"));
    }
    if chroma == 3 {
        bits.bit()?; // separate_colour_plane_flag
    }
    let (width, height) = size(&mut bits, chroma)?;
    let depth = bits.unsigned()?;
    if depth > 8 {
        return Err(CodecError::Value("bit_depth_luma_minus8"));
    }
    bits.unsigned()?; // bit_depth_chroma_minus8
    skip_coding(&mut bits, layers)?;
    let colour = if bits.bit()? { aspect_and_colour(&mut bits)?.1 } else { None };
    Ok(HevcSps {
        width,
        height,
        chroma_format: chroma as u8,
        bit_depth: depth as u8 + 8,
        colour,
        profile_tier_level,
    })
}

/// §7.3.3; the general part is read as bytes.
fn skip_profile_tier_level(bits: &mut Bits, layers: u32) -> Result<(), CodecError> {
    skip(bits, 96)?;
    let mut present = Vec::new();
    for _ in 0..layers {
        present.push((bits.bit()?, bits.bit()?));
    }
    if layers > 0 {
        skip(bits, 2 * (8 - layers))?;
    }
    for (profile, level) in present {
        skip(bits, if profile { 88 } else { 0 } + if level { 8 } else { 0 })?;
    }
    Ok(())
}

fn skip(bits: &mut Bits, count: u32) -> Result<(), CodecError> {
    for _ in 0..count {
        bits.bit()?;
    }
    Ok(())
}

/// Width and height inside the conformance window (§7.4.3.2.1).
fn size(bits: &mut Bits, chroma: u32) -> Result<(u32, u32), CodecError> {
    let (width, height) = (bits.unsigned()?, bits.unsigned()?);
    let mut window = [0; 4]; // left, right, top, bottom
    if bits.bit()? {
        for side in &mut window {
            *side = bits.unsigned()?;
        }
    }
    let unit_x = if matches!(chroma, 1 | 2) { 2 } else { 1 };
    let unit_y = if chroma == 1 { 2 } else { 1 };
    let inside = |whole: u32, unit: u64, a: u32, b: u32| {
        let left = u64::from(whole).checked_sub(unit * (u64::from(a) + u64::from(b)));
        let left = left.filter(|left| *left > 0).and_then(|left| u32::try_from(left).ok());
        left.ok_or(CodecError::Value("the picture size"))
    };
    Ok((
        inside(width, unit_x, window[0], window[1])?,
        inside(height, unit_y, window[2], window[3])?,
    ))
}

/// Everything between the bit depths and the VUI: of no interest here.
fn skip_coding(bits: &mut Bits, layers: u32) -> Result<(), CodecError> {
    let order_bits = bits.unsigned()?; // log2_max_pic_order_cnt_lsb_minus4
    if order_bits > 12 {
        return Err(CodecError::Value("log2_max_pic_order_cnt_lsb_minus4"));
    }
    let each = bits.bit()?; // sps_sub_layer_ordering_info_present_flag
    let sizes = 6; // of blocks and their trees
    for _ in 0..3 * if each { layers + 1 } else { 1 } + sizes {
        bits.unsigned()?;
    }
    // scaling_list_enabled_flag, sps_scaling_list_data_present_flag
    if bits.bit()? && bits.bit()? {
        skip_scaling(bits)?;
    }
    bits.take(2)?; // amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if bits.bit()? {
        bits.take(8)?; // bit depths of PCM
        bits.unsigned()?;
        bits.unsigned()?;
        bits.bit()?; // pcm_loop_filter_disabled_flag
    }
    skip_reference_sets(bits)?;
    if bits.bit()? {
        let count = bits.unsigned()?; // num_long_term_ref_pics_sps
        if count > 32 {
            return Err(CodecError::Value("num_long_term_ref_pics_sps"));
        }
        skip(bits, count * (order_bits + 4 + 1))?;
    }
    bits.take(2)?; // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
    Ok(())
}

/// §7.3.4.
fn skip_scaling(bits: &mut Bits) -> Result<(), CodecError> {
    for size in 0..4_u32 {
        for _ in (0..6).step_by(if size == 3 { 3 } else { 1 }) {
            if !bits.bit()? {
                bits.unsigned()?; // scaling_list_pred_matrix_id_delta
                continue;
            }
            if size > 1 {
                bits.signed()?; // scaling_list_dc_coef_minus8
            }
            for _ in 0..64.min(1 << (4 + 2 * size)) {
                bits.signed()?;
            }
        }
    }
    Ok(())
}

/// The short-term reference picture sets (§7.3.7).
fn skip_reference_sets(bits: &mut Bits) -> Result<(), CodecError> {
    let sets = bits.unsigned()?;
    if sets > 64 {
        return Err(CodecError::Value("num_short_term_ref_pic_sets"));
    }
    let mut pictures = 0; // in the set before
    for set in 0..sets {
        pictures = match set > 0 && bits.bit()? {
            true => skip_predicted_set(bits, pictures)?,
            false => skip_set(bits)?,
        };
    }
    Ok(())
}

/// Pictures of a set that is told by the one before.
fn skip_predicted_set(bits: &mut Bits, before: u32) -> Result<u32, CodecError> {
    bits.bit()?; // delta_rps_sign
    bits.unsigned()?; // abs_delta_rps_minus1
    let mut pictures = 0;
    for _ in 0..=before {
        // used_by_curr_pic_flag, use_delta_flag
        pictures += u32::from(bits.bit()? || bits.bit()?);
    }
    Ok(pictures)
}

fn skip_set(bits: &mut Bits) -> Result<u32, CodecError> {
    let (negative, positive) = (bits.unsigned()?, bits.unsigned()?);
    if negative > 16 || positive > 16 {
        return Err(CodecError::Value("a reference picture set"));
    }
    for _ in 0..negative + positive {
        bits.unsigned()?;
        bits.bit()?;
    }
    Ok(negative + positive)
}
