//! The codec string of H.265 (ISO/IEC 14496-15 annex E.3).

use std::fmt::Write as _;

use super::CodecError;
use super::nal::{nal_units, unescape};

/// nal_unit_type of a sequence parameter set (ITU-T H.265 table 7-1).
pub(super) const SPS: u8 = 33;

/// The twelve bytes of profile_tier_level that a codec string tells.
pub(super) type ProfileTierLevel = [u8; 12];

/// `hvc1.…` from the first sequence parameter set of an Annex B stream.
///
/// # Errors
/// [`CodecError::NotFound`] without one, [`CodecError::Short`] for a cut one.
pub fn hevc_codec_from_sps(stream: &[u8]) -> Result<String, CodecError> {
    let is_sps = |unit: &&[u8]| unit.len() > 2 && unit[0] >> 1 & 0x3f == SPS;
    let unit = nal_units(stream).find(is_sps);
    let unit = unit.ok_or(CodecError::NotFound("sequence parameter set"))?;
    // After the unit's two header bytes, one of ids and the layer count.
    let payload = unescape(&unit[2..], 64);
    payload.get(1..).and_then(<[u8]>::first_chunk).map(codec).ok_or(CodecError::Short)
}

/// `hvc1.…` from the content of an `hvcC` box (ISO/IEC 14496-15 §8.3.3.1).
///
/// # Errors
/// [`CodecError::Value`] for an unknown version, [`CodecError::Short`].
pub fn hevc_codec_from_hvcc(hvcc: &[u8]) -> Result<String, CodecError> {
    match hvcc.first() {
        Some(1) => hvcc[1..].first_chunk().map(codec).ok_or(CodecError::Short),
        Some(_) => Err(CodecError::Value("configurationVersion")),
        None => Err(CodecError::Short),
    }
}

pub(super) fn codec(ptl: &ProfileTierLevel) -> String {
    let space = ["", "A", "B", "C"][usize::from(ptl[0] >> 6)];
    let tier = if ptl[0] & 0x20 == 0 { 'L' } else { 'H' };
    let compatibility = u32::from_be_bytes([ptl[1], ptl[2], ptl[3], ptl[4]]).reverse_bits();
    let (profile, level) = (ptl[0] & 0x1f, ptl[11]);
    let mut text = format!("hvc1.{space}{profile}.{compatibility:X}.{tier}{level}");
    let constraints = &ptl[5..11];
    let told = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    for byte in &constraints[..told] {
        // Writing into a String cannot fail.
        let _ = write!(text, ".{byte:X}");
    }
    text
}
