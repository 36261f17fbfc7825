//! Sequence parameter sets: profile, level and size. Here those of H.264 (ISO/IEC 14496-10,
//! 7.3.2.1.1).

/// What a sequence parameter set says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sps {
    /// RFC 6381 name in lower case, as `avc1.64001f`.
    pub codec: String,
    /// profile_idc.
    pub profile: u8,
    /// Width of the shown picture.
    pub width: u32,
    /// Height of the shown picture.
    pub height: u32,
    /// chroma_format_idc; 1 for 4:2:0.
    pub chroma: u32,
    /// Bits of a luma sample.
    pub bit_depth: u32,
    /// Whether all pictures are frames, not fields.
    pub progressive: bool,
    /// The range of light that it declares, as VIDEO-RANGE names it. Not read of H.264, which is SDR.
    pub range: &'static str,
}

/// Reads a set from its NAL header on.
pub fn parse(unit: &[u8]) -> Result<Sps, String> {
    // An open bitstream unit of type 1 with its size; as a NAL unit it would be no parameter set.
    if unit.first() == Some(&0x0a) {
        return crate::sps_av1::parse(unit);
    }
    if crate::nal::hevc_kind(unit) == crate::nal::HEVC_SPS {
        return crate::sps_hevc::parse(unit);
    }
    let [header, profile, constraints, level, ..] = *unit else {
        return Err("an SPS of less than four bytes".to_owned());
    };
    if header & 0x1f != crate::nal::SPS {
        return Err(format!("NAL type {} is no SPS", header & 0x1f));
    }
    let mut bits = Bits::new(&unit[4..]);
    bits.exp_golomb()?; // seq_parameter_set_id
    let (chroma, bit_depth) = chroma_of(profile, &mut bits)?;
    skip_order_counts(&mut bits)?;
    bits.exp_golomb()?; // max_num_ref_frames
    bits.take(1)?; // gaps_in_frame_num_value_allowed_flag
    let columns = bits.exp_golomb()? + 1;
    let rows = bits.exp_golomb()? + 1;
    let progressive = bits.take(1)? == 1;
    if !progressive {
        bits.take(1)?; // mb_adaptive_frame_field_flag
    }
    bits.take(1)?; // direct_8x8_inference_flag
    let fields = if progressive { 1 } else { 2 };
    let (across, down) = cropped(&mut bits, chroma, fields)?;
    let less = |coded: u32, cut: u32| coded.checked_sub(cut).ok_or("cropped to less than nothing");
    Ok(Sps {
        codec: format!("avc1.{profile:02x}{constraints:02x}{level:02x}"),
        profile,
        width: less(columns * 16, across)?,
        height: less(rows * 16 * fields, down)?,
        chroma,
        bit_depth,
        progressive,
        range: "SDR",
    })
}

fn chroma_of(profile: u8, bits: &mut Bits<'_>) -> Result<(u32, u32), String> {
    if ![100, 110, 122, 244, 44, 83, 86, 118, 128].contains(&profile) {
        return Ok((1, 8));
    }
    let chroma = bits.exp_golomb()?;
    if chroma == 3 {
        bits.take(1)?; // separate_colour_plane_flag
    }
    let depth = bits.exp_golomb()? + 8;
    bits.exp_golomb()?; // bit_depth_chroma_minus8
    bits.take(1)?; // qpprime_y_zero_transform_bypass_flag
    if bits.take(1)? == 1 {
        let lists = if chroma == 3 { 12 } else { 8 };
        for list in 0..lists {
            skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
        }
    }
    Ok((chroma, depth))
}

fn skip_scaling_list(bits: &mut Bits<'_>, size: u32) -> Result<(), String> {
    if bits.take(1)? == 0 {
        return Ok(());
    }
    let (mut last, mut next) = (8_i32, 8_i32);
    for _ in 0..size {
        if next != 0 {
            next = (last + bits.signed_exp_golomb()? + 256) % 256;
        }
        if next != 0 {
            last = next;
        }
    }
    Ok(())
}

fn skip_order_counts(bits: &mut Bits<'_>) -> Result<(), String> {
    bits.exp_golomb()?; // log2_max_frame_num_minus4
    match bits.exp_golomb()? {
        0 => drop(bits.exp_golomb()?),
        1 => {
            bits.take(1)?;
            bits.signed_exp_golomb()?;
            bits.signed_exp_golomb()?;
            for _ in 0..bits.exp_golomb()? {
                bits.signed_exp_golomb()?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Pixels cropped across and down.
fn cropped(bits: &mut Bits<'_>, chroma: u32, fields: u32) -> Result<(u32, u32), String> {
    if bits.take(1)? == 0 {
        return Ok((0, 0));
    }
    let (across, down) = match chroma {
        1 => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    };
    let (left, right) = (bits.exp_golomb()?, bits.exp_golomb()?);
    let (top, bottom) = (bits.exp_golomb()?, bits.exp_golomb()?);
    Ok(((left + right) * across, (top + bottom) * down * fields))
}

/// Bits of a NAL unit, with emulation prevention taken out.
pub(crate) struct Bits<'a> {
    bytes: std::borrow::Cow<'a, [u8]>,
    at: usize,
}

impl<'a> Bits<'a> {
    pub(crate) fn new(escaped: &'a [u8]) -> Bits<'a> {
        let mut bytes = Vec::with_capacity(escaped.len());
        for byte in escaped {
            if !(*byte == 3 && bytes.ends_with(&[0, 0])) {
                bytes.push(*byte);
            }
        }
        Bits { bytes: bytes.into(), at: 0 }
    }

    /// Of bytes that nothing was put between.
    pub(crate) fn plain(bytes: &'a [u8]) -> Bits<'a> {
        Bits { bytes: bytes.into(), at: 0 }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<u32, String> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8).ok_or("the SPS is cut")?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Ok(value)
    }

    pub(crate) fn exp_golomb(&mut self) -> Result<u32, String> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            if zeros > 24 {
                return Err("an absurd number in the SPS".to_owned());
            }
        }
        Ok((1 << zeros) - 1 + self.take(zeros)?)
    }

    fn signed_exp_golomb(&mut self) -> Result<i32, String> {
        let code = self.exp_golomb()?.cast_signed();
        Ok(if code % 2 == 1 { (code + 1) / 2 } else { -(code / 2) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sps_of_x264() {
        // 1920x1080, High, level 4.0: 8 lines cropped off 1088, and escaped zeros in the VUI.
        let unit = [
            0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0x84, 0x00, 0x00,
            0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xc8, 0x3c, 0x60, 0xc6, 0x58,
        ];
        let sps = parse(&unit).expect("a good SPS");
        assert_eq!((sps.width, sps.height, sps.codec.as_str()), (1920, 1080, "avc1.640028"));
        assert_eq!((sps.chroma, sps.bit_depth, sps.progressive), (1, 8, true));
    }

    #[test]
    fn a_cut_sps_is_an_error() {
        assert!(parse(&[0x67, 0x64, 0x00, 0x28, 0xac]).is_err());
    }
}
