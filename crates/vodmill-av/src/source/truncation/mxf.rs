//! MXF (SMPTE ST 377-1): whether the last partition, of which the first one tells, is there.

use std::io::{self, Read, Seek};

use super::bytes::{be64, bytes_at, up_to};

/// What every key begins with.
const KEY: [u8; 4] = [0x06, 0x0e, 0x2b, 0x34];
/// The key of the first partition, without its version, and what follows the kind (7.1).
const HEADER: [u8; 6] = [0x0d, 0x01, 0x02, 0x01, 0x01, 0x02];

/// Where a partition says where the footer is: behind its version, KAG size, and the places of itself
/// and of the one before (7.1).
const FOOTER: u64 = 2 + 2 + 4 + 8 + 8;

pub(super) fn begins(head: &[u8]) -> bool {
    head.starts_with(&KEY) && head.get(8..14) == Some(&HEADER[..])
}

/// Cut if the footer is not where the header says. While a file is written, and in what comes out of
/// a pipe, it says nothing.
pub(super) fn is_truncated(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let (first, _) = up_to::<1>(file, 16)?;
    // BER: a short length, or how many bytes of it follow.
    let more = if first[0] & 0x80 != 0 { u64::from(first[0] & 0x7f) } else { 0 };
    let footer = be64(&bytes_at::<8>(file, 17 + more + FOOTER)?);
    if footer == 0 {
        return Ok(false);
    }
    Ok(footer > length - KEY.len() as u64 || bytes_at::<4>(file, footer)? != KEY)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::super::is_truncated;
    use super::*;

    #[test]
    fn mxf_is_truncated_where_the_footer_is_missing() {
        let file = |footer: u64, body: usize| {
            let key = [&KEY[..], &[2, 5, 1, 1], &HEADER, &[4, 0]].concat();
            let head = [&[0x83, 0, 0, 0x78][..], &[0; 24], &footer.to_be_bytes()].concat();
            [&key[..], &head, &vec![9; body]].concat()
        };
        let cut = |bytes: &[u8]| is_truncated(&mut io::Cursor::new(bytes)).unwrap();
        let begun = file(0, 100);
        let footer = begun.len() as u64;
        let whole = [&file(footer, 100)[..], &KEY, &[2; 200]].concat();
        assert!(!cut(&whole));
        assert!(!cut(&begun), "it does not say");
        assert!(cut(&file(footer, 100)), "the body is there, no footer");
        assert!(cut(&file(footer, 50)));
        assert!(cut(&file(u64::MAX, 50)));
        assert!(cut(&[&file(footer, 100)[..], &[0; 200]].concat()), "a hole");
    }
}
