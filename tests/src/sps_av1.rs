//! Sequence headers of AV1 (AV1 Bitstream and Decoding Process Specification, 5.5) as SVT-AV1 writes
//! them: one operating point, no decoder model, profile Main, 4:2:0.

use crate::nal::open_payload;
use crate::sps::{Bits, Sps};

struct Sequence {
    profile: u32,
    level: u32,
    tier: u32,
    deep: u32,
    position: u32,
    transfer: u32,
    /// Whether colours are BT.709 in limited range, which a codec string need not say.
    plain: bool,
    width: u32,
    height: u32,
}

/// Reads a sequence header from its unit's header on.
pub fn parse(unit: &[u8]) -> Result<Sps, String> {
    let it = read(unit)?;
    if !it.plain {
        return Err("other colours than BT.709 in limited range".to_owned());
    }
    let tier = if it.tier == 1 { 'h' } else { 'm' };
    let bit_depth = if it.deep == 1 { 10 } else { 8 };
    // The short form stands for chroma samples of which nobody says where they are.
    let rest = match it.position {
        0 => String::new(),
        position => format!(".0.11{position}.01.01.01.0"),
    };
    Ok(Sps {
        codec: format!("av01.{}.{:02}{tier}.{bit_depth:02}{rest}", it.profile, it.level),
        profile: it.profile as u8,
        width: it.width,
        height: it.height,
        chroma: 1,
        bit_depth,
        progressive: true,
        range: match it.transfer {
            16 => "PQ",
            18 => "HLG",
            _ => "SDR",
        },
    })
}

/// The first three bytes of the record that goes with it.
pub fn record(unit: &[u8]) -> Result<[u8; 3], String> {
    let it = read(unit)?;
    let flags = it.tier << 7 | it.deep << 6 | 0b1100 | it.position;
    Ok([0x81, (it.profile << 5 | it.level) as u8, flags as u8])
}

fn read(unit: &[u8]) -> Result<Sequence, String> {
    let mut bits = Bits::plain(open_payload(unit)?);
    let profile = bits.take(3)?;
    let others = bits.take(2)? | bits.take(1)?;
    bits.take(1)?; // initial_display_delay_present_flag
    if profile != 0 || others != 0 || bits.take(5)? != 0 {
        return Err("a still picture, a clock, several operating points, or not Main".to_owned());
    }
    bits.take(12)?; // operating_point_idc
    let level = bits.take(5)?;
    let tier = if level > 7 { bits.take(1)? } else { 0 };
    let (across, down) = (bits.take(4)? as usize + 1, bits.take(4)? as usize + 1);
    let (width, height) = (bits.take(across)? + 1, bits.take(down)? + 1);
    if bits.take(1)? == 1 {
        bits.take(7)?; // lengths of frame ids
    }
    skip_tools(&mut bits)?;
    let deep = bits.take(1)?;
    let (mono, described) = (bits.take(1)?, bits.take(1)?);
    if mono == 1 || described == 0 {
        return Err("monochrome, or colours that are not said".to_owned());
    }
    let (primaries, transfer, matrix) = (bits.take(8)?, bits.take(8)?, bits.take(8)?);
    let plain = [primaries, transfer, matrix, bits.take(1)?] == [1, 1, 1, 0];
    let position = bits.take(2)?;
    Ok(Sequence { profile, level, tier, deep, position, transfer, plain, width, height })
}

fn skip_tools(bits: &mut Bits<'_>) -> Result<(), String> {
    bits.take(3)?; // superblocks, filter_intra, intra_edge_filter
    bits.take(4)?; // interintra, masked, warped, dual_filter
    let hinted = bits.take(1)? == 1;
    if hinted {
        bits.take(2)?;
    }
    let screen = bits.take(1)? == 1 || bits.take(1)? == 1;
    if screen && bits.take(1)? == 0 {
        bits.take(1)?;
    }
    if hinted {
        bits.take(3)?;
    }
    bits.take(3)?; // superres, cdef, restoration
    Ok(())
}
