//! Sequence parameter sets of HEVC (ISO/IEC 23008-2, 7.3.2.2) as x265 writes them: one layer, no
//! scaling lists, no PCM, no reference pictures.

use crate::sps::{Bits, Sps};

pub fn parse(unit: &[u8]) -> Result<Sps, String> {
    let mut bits = Bits::new(unit.get(2..).unwrap_or_default());
    bits.take(4)?; // sps_video_parameter_set_id
    if bits.take(3)? != 0 {
        return Err("an SPS of several layers".to_owned());
    }
    bits.take(1)?; // sps_temporal_id_nesting_flag
    let mut general = [0_u8; 12];
    for byte in &mut general {
        *byte = bits.take(8)? as u8;
    }
    bits.exp_golomb()?; // sps_seq_parameter_set_id
    let chroma = bits.exp_golomb()?;
    let (columns, rows) = (bits.exp_golomb()?, bits.exp_golomb()?);
    let mut cut = [0; 4];
    if bits.take(1)? == 1 {
        for side in &mut cut {
            *side = 2 * bits.exp_golomb()?;
        }
    }
    let bit_depth = bits.exp_golomb()? + 8;
    bits.exp_golomb()?; // bit_depth_chroma_minus8
    skip_tools(&mut bits)?;
    // general_progressive_source_flag
    let progressive = general[5] & 0x80 != 0;
    Ok(Sps {
        codec: codec(&general),
        profile: general[0] & 0x1f,
        width: columns - cut[0] - cut[1],
        height: rows - cut[2] - cut[3],
        chroma,
        bit_depth,
        progressive,
        range: range(&mut bits)?,
    })
}

fn skip_tools(bits: &mut Bits<'_>) -> Result<(), String> {
    bits.exp_golomb()?; // log2_max_pic_order_cnt_lsb_minus4
    bits.take(1)?; // sps_sub_layer_ordering_info_present_flag
    for _ in 0..3 + 6 {
        bits.exp_golomb()?; // buffering of the one layer, sizes of blocks
    }
    if bits.take(1)? == 1 {
        return Err("an SPS with scaling lists".to_owned());
    }
    bits.take(2)?; // amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if bits.take(1)? == 1 || bits.exp_golomb()? > 0 || bits.take(1)? == 1 {
        return Err("an SPS with PCM or reference pictures".to_owned());
    }
    bits.take(2).map(drop) // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
}

/// From the VUI (annex E): transfer_characteristics.
fn range(bits: &mut Bits<'_>) -> Result<&'static str, String> {
    if bits.take(1)? == 0 {
        return Ok("SDR");
    }
    if bits.take(1)? == 1 && bits.take(8)? == 255 {
        bits.take(32)?; // sar_width, sar_height
    }
    if bits.take(1)? == 1 {
        bits.take(1)?; // overscan_appropriate_flag
    }
    if bits.take(1)? == 0 {
        return Ok("SDR");
    }
    bits.take(4)?; // video_format, video_full_range_flag
    if bits.take(1)? == 0 {
        return Ok("SDR");
    }
    bits.take(8)?; // colour_primaries
    match bits.take(8)? {
        16 => Ok("PQ"),
        18 => Ok("HLG"),
        _ => Ok("SDR"),
    }
}

/// ISO/IEC 14496-15, annex E.3, for profile space 0.
fn codec(general: &[u8; 12]) -> String {
    let compatible = u32::from_be_bytes([general[1], general[2], general[3], general[4]]);
    let tier = if general[0] & 0x20 == 0 { 'l' } else { 'h' };
    let (profile, level) = (general[0] & 0x1f, general[11]);
    let mut constraints = general[5..11].to_vec();
    while constraints.last() == Some(&0) {
        constraints.pop();
    }
    let constraints: String = constraints.iter().map(|byte| format!(".{byte:x}")).collect();
    format!("hvc1.{profile}.{:x}.{tier}{level}{constraints}", compatible.reverse_bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sps_of_x265() {
        // 160x90, Main 10, level 1: 6 lines cropped off 96, PQ.
        let unit = [
            0x42, 0x01, 0x01, 0x02, 0x20, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00,
            0x00, 0x03, 0x00, 0x1e, 0xa0, 0x14, 0x20, 0x61, 0xf2, 0x36, 0x59, 0x59, 0x52, 0x93,
            0x0b, 0xc0, 0x5a, 0x84, 0x88, 0x04, 0x82, 0x00, 0x00, 0x03, 0x00, 0x02, 0x00, 0x00,
            0x03, 0x00, 0x32, 0x10,
        ];
        let sps = parse(&unit).expect("a good SPS");
        assert_eq!((sps.width, sps.height, sps.range), (160, 90, "PQ"));
        assert_eq!(sps.codec, "hvc1.2.4.l30.90");
        assert_eq!((sps.chroma, sps.bit_depth, sps.progressive), (1, 10, true));
        assert!(parse(&unit[..20]).is_err());
    }
}
