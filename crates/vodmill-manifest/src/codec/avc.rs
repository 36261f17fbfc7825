//! The H.264 sequence parameter set (ITU-T H.264 §7.3.2.1, annex E) and its
//! codec string (RFC 6381 §3.3).

use super::CodecError;
use super::avc_vui;
use super::bits::Bits;
use super::nal::{AvcNalType, nal_units, unescape};

/// A parameter set of more bytes is cut; real ones have under a hundred.
const MAX_SPS: usize = 4096;

/// The facts of a sequence parameter set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvcSps {
    /// profile_idc: 66 Baseline, 77 Main, 100 High, …
    pub profile: u8,
    /// The constraint_set flags and reserved bits, as one byte.
    pub constraints: u8,
    /// level_idc: ten times the level, 9 for 1b in High profiles.
    pub level: u8,
    /// Width in luma samples after cropping, before the sample aspect ratio.
    pub width: u32,
    /// Height in luma samples after cropping.
    pub height: u32,
    /// chroma_format_idc: 0 monochrome, 1 for 4:2:0, 2 for 4:2:2, 3 for 4:4:4.
    pub chroma_format: u8,
    /// Bits of a luma sample.
    pub bit_depth: u8,
    /// Whether fields may be coded (frame_mbs_only_flag is 0).
    pub interlaced: bool,
    /// Sample aspect ratio, width to height; `None` when not told.
    pub sample_aspect: Option<(u32, u32)>,
    /// Colour of the VUI, when told.
    pub colour: Option<Colour>,
    /// Timing of the VUI, when told.
    pub timing: Option<Timing>,
}

/// Code points of ITU-T H.273.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// video_full_range_flag.
    pub full_range: bool,
    /// colour_primaries; 2 is unspecified.
    pub primaries: u8,
    /// transfer_characteristics; 16 is PQ, 18 is HLG.
    pub transfer: u8,
    /// matrix_coefficients.
    pub matrix: u8,
}

/// The clock of the VUI: a frame lasts `2 * units_in_tick / time_scale`
/// seconds when the rate is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// num_units_in_tick.
    pub units_in_tick: u32,
    /// time_scale, in Hz.
    pub time_scale: u32,
    /// fixed_frame_rate_flag.
    pub fixed: bool,
}

impl AvcSps {
    /// `avc1.PPCCLL`, upper-case hex.
    pub fn codec(&self) -> String {
        format!("avc1.{:02X}{:02X}{:02X}", self.profile, self.constraints, self.level)
    }
}

/// The first sequence parameter set of an Annex B stream.
///
/// # Errors
/// [`CodecError::NotFound`] without one, else what is wrong with it.
pub fn avc_sps(stream: &[u8]) -> Result<AvcSps, CodecError> {
    let sps = nal_units(stream).find(|unit| AvcNalType::of(unit) == Some(AvcNalType::Sps));
    parse(sps.ok_or(CodecError::NotFound("sequence parameter set"))?)
}

/// The first sequence parameter set of an `avcC` box's content
/// (ISO/IEC 14496-15 §5.3.3.1).
///
/// # Errors
/// As [`avc_sps`].
pub fn avc_sps_from_avcc(avcc: &[u8]) -> Result<AvcSps, CodecError> {
    let header = avcc.get(..8).ok_or(CodecError::Short)?;
    if header[0] != 1 {
        return Err(CodecError::Value("configurationVersion"));
    }
    if header[5] & 0x1f == 0 {
        return Err(CodecError::NotFound("sequence parameter set"));
    }
    let length = usize::from(u16::from_be_bytes([header[6], header[7]]));
    parse(avcc.get(8..8 + length).ok_or(CodecError::Short)?)
}

struct Format {
    chroma: u8,
    depth: u8,
}

fn parse(unit: &[u8]) -> Result<AvcSps, CodecError> {
    if AvcNalType::of(unit) != Some(AvcNalType::Sps) {
        return Err(CodecError::NotFound("sequence parameter set"));
    }
    let payload = unescape(&unit[1..], MAX_SPS);
    let mut bits = Bits::new(&payload);
    let (profile, constraints) = (bits.take(8)? as u8, bits.take(8)? as u8);
    let level = bits.take(8)? as u8;
    bits.unsigned()?; // seq_parameter_set_id
    let format = format(&mut bits, profile)?;
    skip_order_count(&mut bits)?;
    bits.unsigned()?; // max_num_ref_frames
    bits.bit()?; // gaps_in_frame_num_value_allowed_flag
    let (width, height, interlaced) = size(&mut bits, format.chroma)?;
    let vui = if bits.bit()? { avc_vui::parse(&mut bits)? } else { avc_vui::Vui::default() };
    Ok(AvcSps {
        profile,
        constraints,
        level,
        width,
        height,
        chroma_format: format.chroma,
        bit_depth: format.depth,
        interlaced,
        sample_aspect: vui.sample_aspect,
        colour: vui.colour,
        timing: vui.timing,
    })
}

/// The part that only High profiles and their kin have.
fn format(bits: &mut Bits, profile: u8) -> Result<Format, CodecError> {
    if !matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135)
    {
        return Ok(Format { chroma: 1, depth: 8 });
    }
    let chroma = bits.unsigned()?;
    if chroma > 3 {
        return Err(CodecError::Value("chroma_format_idc"));
    }
    if chroma == 3 {
        bits.bit()?; // separate_colour_plane_flag
    }
    let depth = bits.unsigned()?;
    if depth > 6 {
        return Err(CodecError::Value("bit_depth_luma_minus8"));
    }
    bits.unsigned()?; // bit_depth_chroma_minus8
    bits.bit()?; // qpprime_y_zero_transform_bypass_flag
    if bits.bit()? {
        skip_scaling(bits, if chroma == 3 { 12 } else { 8 })?;
    }
    Ok(Format { chroma: chroma as u8, depth: depth as u8 + 8 })
}

fn skip_scaling(bits: &mut Bits, lists: u32) -> Result<(), CodecError> {
    for list in 0..lists {
        if !bits.bit()? {
            continue;
        }
        let (mut last, mut next) = (8_i64, 8_i64);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            if next != 0 {
                next = (last + i64::from(bits.signed()?)).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
    }
    Ok(())
}

/// Picture order count and frame number: of no interest here.
fn skip_order_count(bits: &mut Bits) -> Result<(), CodecError> {
    bits.unsigned()?; // log2_max_frame_num_minus4
    match bits.unsigned()? {
        0 => drop(bits.unsigned()?),
        1 => {
            bits.bit()?;
            bits.signed()?;
            bits.signed()?;
            let count = bits.unsigned()?;
            if count > 255 {
                return Err(CodecError::Value("num_ref_frames_in_pic_order_cnt_cycle"));
            }
            for _ in 0..count {
                bits.signed()?;
            }
        }
        2 => {}
        _ => return Err(CodecError::Value("pic_order_cnt_type")),
    }
    Ok(())
}

/// Width and height after cropping (§7.4.2.1.1), and whether fields may come.
fn size(bits: &mut Bits, chroma: u8) -> Result<(u32, u32, bool), CodecError> {
    let across = u64::from(bits.unsigned()?) + 1;
    let down = u64::from(bits.unsigned()?) + 1;
    let frames_only = bits.bit()?;
    if !frames_only {
        bits.bit()?; // mb_adaptive_frame_field_flag
    }
    bits.bit()?; // direct_8x8_inference_flag
    let fields = if frames_only { 1 } else { 2 };
    let crop = if bits.bit()? { crop(bits)? } else { [0; 4] };
    let unit_x = if matches!(chroma, 1 | 2) { 2 } else { 1 };
    let unit_y = if chroma == 1 { 2 } else { 1 } * fields;
    let cut = |whole: u64, unit: u64, a: u32, b: u32| {
        let left = whole.checked_sub(unit * (u64::from(a) + u64::from(b)));
        let left = left.filter(|left| *left > 0).and_then(|left| u32::try_from(left).ok());
        left.ok_or(CodecError::Value("the picture size"))
    };
    let width = cut(across * 16, unit_x, crop[0], crop[1])?;
    let height = cut(down * 16 * fields, unit_y, crop[2], crop[3])?;
    Ok((width, height, !frames_only))
}

/// Left, right, top, bottom.
fn crop(bits: &mut Bits) -> Result<[u32; 4], CodecError> {
    Ok([bits.unsigned()?, bits.unsigned()?, bits.unsigned()?, bits.unsigned()?])
}
