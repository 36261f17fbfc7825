//! Open bitstream units of AV1 (AV1 Bitstream and Decoding Process Specification, 5.3).

/// obu_type of units (6.2.2).
const SEQUENCE_HEADER: u8 = 1;
const FRAME_HEADER: u8 = 3;
const FRAME: u8 = 6;

/// Whether decoding can begin with this temporal unit: it has a sequence header, and behind it a key
/// frame that is shown.
pub(super) fn begins_with_shown_key(unit: &[u8]) -> bool {
    let mut units = Units { rest: unit };
    let mut has_header = false;
    for (kind, payload) in &mut units {
        match kind {
            SEQUENCE_HEADER => has_header = true,
            FRAME_HEADER | FRAME => return has_header && is_shown_key(payload),
            _ => {}
        }
    }
    false
}

/// show_existing_frame is 0, frame_type KEY_FRAME and show_frame 1 (5.9.2), in a stream of more than
/// one still picture.
fn is_shown_key(payload: &[u8]) -> bool {
    payload.first().is_some_and(|byte| byte >> 4 == 0b0001)
}

/// The units of a temporal unit, and what is in each.
struct Units<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Units<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&header, rest) = self.rest.split_first()?;
        let (kind, extended, sized) = (header >> 3 & 0xf, header & 4 != 0, header & 2 != 0);
        let mut rest = rest.get(usize::from(extended)..)?;
        let size = if sized { leb128(&mut rest)? } else { rest.len() };
        let (payload, rest) = rest.split_at_checked(size)?;
        self.rest = rest;
        Some((kind, payload))
    }
}

/// leb128() (4.10.5): seven bits a byte, the lowest first, eight bytes at most.
fn leb128(bytes: &mut &[u8]) -> Option<usize> {
    let mut value = 0_u64;
    for shift in 0..8 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * shift);
        if byte & 0x80 == 0 {
            return usize::try_from(value).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A temporal delimiter, a sequence header of two bytes, a frame.
    fn unit(first: u8) -> Vec<u8> {
        vec![0x12, 0, 0x0a, 2, 0, 0, 0x32, 3, first, 0xff, 0xff]
    }

    #[test]
    fn a_shown_key_frame_behind_its_header_begins_a_stream() {
        assert!(begins_with_shown_key(&unit(0b0001_0000)));
        for other in [0b1001_0000, 0b0011_0000, 0b0101_0000, 0b0000_0000] {
            assert!(!begins_with_shown_key(&unit(other)), "{other:#b}");
        }
        assert!(!begins_with_shown_key(&unit(0b0001_0000)[6..]), "without a sequence header");
    }

    #[test]
    fn what_is_torn_begins_nothing() {
        let unit = unit(0b0001_0000);
        assert!((0..unit.len()).all(|length| !begins_with_shown_key(&unit[..length])));
        assert!(!begins_with_shown_key(&[
            0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
        ]));
    }
}
