//! Whether a container is whole, at a glance: a few reads, whatever the size.

use std::io::{self, Read, Seek, SeekFrom};

/// Boxes that an MP4 or QuickTime file begins with.
const FIRST: [&[u8; 4]; 9] =
    [b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"moof"];

/// More top-level boxes than any real file has between its first byte and its end.
const MOST_BOXES: usize = 1_000_000;

/// Whether a container of `end` bytes may be complete. An MP4 or QuickTime file has its `moov` box,
/// and its last box ends where the file does. Matroska, transport streams and others grow in a way
/// that looks whole at any time; for them it says yes, and they rely on having settled. An empty one
/// is not whole.
///
/// # Errors
/// If it cannot be read.
pub fn boxes_are_whole(file: &mut (impl Read + Seek), end: u64) -> io::Result<bool> {
    if end < 8 {
        return Ok(false);
    }
    let mut at = 0;
    let mut moov = false;
    for number in 0..MOST_BOXES {
        if at == end {
            return Ok(moov);
        }
        let Some((name, bytes)) = box_at(file, at, end)? else { return Ok(number == 0) };
        if number == 0 && !FIRST.contains(&&name) {
            return Ok(true);
        }
        moov |= &name == b"moov";
        match at.checked_add(bytes) {
            Some(next) if bytes >= 8 && next <= end => at = next,
            _ => return Ok(false),
        }
    }
    Ok(false)
}

/// Name and size of the box at an offset (ISO/IEC 14496-12, 4.2); none if its header is cut off.
fn box_at(file: &mut (impl Read + Seek), at: u64, end: u64) -> io::Result<Option<([u8; 4], u64)>> {
    if end - at < 8 {
        return Ok(None);
    }
    let mut header = [0; 8];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut header)?;
    let [a, b, c, d, name @ ..] = header;
    let bytes = match u32::from_be_bytes([a, b, c, d]) {
        // To the end of the file.
        0 => end - at,
        1 if end - at < 16 => return Ok(None),
        1 => {
            let mut long = [0; 8];
            file.read_exact(&mut long)?;
            u64::from_be_bytes(long)
        }
        short => u64::from(short),
    };
    Ok(Some((name, bytes)))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn boxed(name: &[u8; 4], content: usize) -> Vec<u8> {
        let size = u32::try_from(8 + content).expect("small").to_be_bytes();
        [&size[..], name, &vec![0; content]].concat()
    }

    fn whole(bytes: &[u8]) -> bool {
        boxes_are_whole(&mut Cursor::new(bytes), bytes.len() as u64).expect("in memory")
    }

    #[test]
    fn an_mp4_is_whole_with_moov_and_a_last_box_that_ends_it() {
        let mp4 = [boxed(b"ftyp", 16), boxed(b"mdat", 100), boxed(b"moov", 50)].concat();
        assert!(whole(&mp4));
        for cut in 0..mp4.len() {
            assert!(!whole(&mp4[..cut]), "cut at {cut}");
        }
    }

    #[test]
    fn one_that_starts_with_moov_needs_all_of_its_media() {
        let mp4 = [boxed(b"ftyp", 16), boxed(b"moov", 50), boxed(b"mdat", 100)].concat();
        assert!(whole(&mp4));
        assert!(!whole(&mp4[..mp4.len() - 1]));
    }

    #[test]
    fn long_and_open_ended_sizes_count() {
        let mut mdat = boxed(b"mdat", 8 + 20);
        mdat[..4].copy_from_slice(&1_u32.to_be_bytes());
        mdat[8..16].copy_from_slice(&36_u64.to_be_bytes());
        assert!(whole(&[boxed(b"moov", 4), mdat].concat()));
        let mut open = boxed(b"mdat", 20);
        open[..4].copy_from_slice(&0_u32.to_be_bytes());
        assert!(whole(&[boxed(b"moov", 4), open].concat()));
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
        assert!(whole(b"\x1aE\xdf\xa3 and the rest of a Matroska file"));
        assert!(!whole(b""), "nothing was written yet");
    }
}
