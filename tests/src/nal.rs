//! NAL units of H.264 and HEVC: in Annex B form (TS) and behind lengths (MP4); open bitstream units of
//! AV1.

/// A slice of an IDR picture.
pub const IDR: u8 = 5;
/// Sequence parameter set.
pub const SPS: u8 = 7;
/// Picture parameter set.
pub const PPS: u8 = 8;
/// Access unit delimiter.
pub const AUD: u8 = 9;

/// Slices of IDR pictures of HEVC.
pub const HEVC_IDR: [u8; 2] = [19, 20];
/// Sequence parameter set of HEVC.
pub const HEVC_SPS: u8 = 33;

/// The type of a NAL unit of HEVC.
pub fn hevc_kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |byte| byte >> 1 & 0x3f)
}

/// The type of a NAL unit of H.264.
pub fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |byte| byte & 0x1f)
}

/// Units between start codes, without the zeros that trail them.
pub fn annex_b(data: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(found) = find_start_code(&data[at..]) {
        starts.push((at + found, at + found + 3));
        at += found + 3;
    }
    let ends = starts.iter().skip(1).map(|(code, _)| *code).chain([data.len()]);
    starts.iter().zip(ends).map(|((_, from), to)| trim_zeros(&data[*from..to])).collect()
}

fn find_start_code(data: &[u8]) -> Option<usize> {
    data.windows(3).position(|window| window == [0, 0, 1])
}

fn trim_zeros(mut unit: &[u8]) -> &[u8] {
    while let [rest @ .., 0] = unit {
        unit = rest;
    }
    unit
}

/// Units behind lengths of `size` bytes.
pub fn length_prefixed(mut data: &[u8], size: usize) -> Result<Vec<&[u8]>, String> {
    let mut units = Vec::new();
    while !data.is_empty() {
        let (prefix, rest) = data.split_at_checked(size).ok_or("a NAL length is cut")?;
        let length = prefix.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
        let (unit, rest) = rest.split_at_checked(length).ok_or("a NAL unit is cut")?;
        units.push(unit);
        data = rest;
    }
    Ok(units)
}

/// The type of an open bitstream unit of AV1 (AV1 specification, 5.3.2).
pub fn open_kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |byte| byte >> 3 & 15)
}

/// The open bitstream units of a sample of AV1, each with its header and its size; in MP4 none is a
/// temporal delimiter, and each has a size.
pub fn open_units(bytes: &[u8]) -> Result<Vec<&[u8]>, String> {
    let mut units = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (header, size) = open_size(rest)?;
        let (unit, behind) = rest.split_at_checked(header + size).ok_or("a unit of AV1 is cut")?;
        if open_kind(unit) == 2 {
            return Err("a temporal delimiter in a sample".to_owned());
        }
        units.push(unit);
        rest = behind;
    }
    Ok(units)
}

/// Bytes of a unit's header, its size field included, and of what is in it.
fn open_size(unit: &[u8]) -> Result<(usize, usize), String> {
    let first = *unit.first().ok_or("a unit of AV1 is cut")?;
    if first & 2 == 0 {
        return Err("a unit of AV1 without its size".to_owned());
    }
    let before = if first & 4 == 0 { 1 } else { 2 };
    let mut size = 0;
    for (index, byte) in unit.iter().skip(before).take(4).enumerate() {
        size |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((before + index + 1, size));
        }
    }
    Err("the size of a unit of AV1 does not end".to_owned())
}

/// What is in an open bitstream unit.
pub fn open_payload(unit: &[u8]) -> Result<&[u8], String> {
    Ok(&unit[open_size(unit)?.0..])
}

/// Whether a sample begins a stream: a sequence header, then one frame, which is a key frame and is shown.
pub fn open_refresh(units: &[&[u8]]) -> Result<bool, String> {
    let [header, frame, ..] = units else { return Ok(false) };
    let is_frame = matches!(open_kind(frame), 3 | 6);
    let first = open_payload(frame)?.first().map_or(0xff, |byte| byte >> 4);
    Ok(open_kind(header) == 1 && is_frame && first == 0b0001)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_codes_of_three_and_four_bytes() {
        let data = [0, 0, 0, 1, 9, 0xf0, 0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x65, 7];
        let kinds: Vec<u8> = annex_b(&data).into_iter().map(kind).collect();
        assert_eq!(kinds, [AUD, SPS, IDR]);
        assert_eq!(annex_b(&data)[0], [9, 0xf0]);
    }

    #[test]
    fn lengths_that_lie_are_faults() {
        assert_eq!(length_prefixed(&[0, 1, 0x65], 2), Ok(vec![&[0x65][..]]));
        assert!(length_prefixed(&[0, 2, 0x65], 2).is_err());
    }
}
