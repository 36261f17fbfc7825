//! Whether a container is whole, at a glance: a few reads, whatever the size.

use std::io::{self, Read, Seek};

/// Less than the head of any container.
const FEWEST_BYTES: u64 = 8;

/// Whether a container of `end` bytes may be complete: by the rule that the probe refuses by, every
/// byte of media is there that it tells of. Transport streams and others grow in a way that looks
/// whole at any time; for them it says yes, and they rely on having settled. An empty one is not
/// whole.
///
/// # Errors
/// If it cannot be read.
pub fn is_whole(file: &mut (impl Read + Seek), end: u64) -> io::Result<bool> {
    Ok(end >= FEWEST_BYTES && !vodmill_av::is_truncated(file)?)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn whole(bytes: &[u8]) -> bool {
        is_whole(&mut Cursor::new(bytes), bytes.len() as u64).expect("in memory")
    }

    fn boxed(name: &[u8; 4], content: usize) -> Vec<u8> {
        let size = u32::try_from(8 + content).expect("small").to_be_bytes();
        [&size[..], name, &vec![0; content]].concat()
    }

    #[test]
    fn an_mp4_waits_for_its_index_and_no_longer() {
        let mp4 = [boxed(b"ftyp", 16), boxed(b"mdat", 100), boxed(b"moov", 50)].concat();
        for cut in 0..mp4.len() {
            assert!(!whole(&mp4[..cut]), "cut at {cut}");
        }
        assert!(whole(&mp4));
        for padding in [1, 7, 8, 4096] {
            assert!(whole(&[&mp4[..], &vec![0; padding]].concat()), "{padding} bytes behind it");
        }
    }

    #[test]
    fn sizes_that_lie_neither_loop_nor_overflow() {
        let mut zero = boxed(b"ftyp", 8);
        zero[..4].copy_from_slice(&3_u32.to_be_bytes());
        assert!(!whole(&zero));
        let mut huge = boxed(b"ftyp", 16);
        huge[..4].copy_from_slice(&1_u32.to_be_bytes());
        huge[8..16].copy_from_slice(&u64::MAX.to_be_bytes());
        assert!(!whole(&huge));
    }

    #[test]
    fn other_containers_rely_on_having_settled() {
        assert!(whole(b"\x1aE\xdf\xa3\x80\x18S\x80g\x88 Matroska, and what follows"));
        assert!(!whole(b""), "nothing was written yet");
    }
}
