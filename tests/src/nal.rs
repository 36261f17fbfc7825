//! NAL units of H.264 and HEVC: in Annex B form (TS) and behind lengths (MP4).

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
