//! Sound whose frames stand in a row: MP3, with what its first frame may say of all of them, Ogg
//! (RFC 3533), and others that say nothing. Not FLAC, which counts its samples.

use std::io::{self, Read, Seek};

use super::bytes::{be32, bytes_at, ends_in_hole, up_to};

/// Writers differ in whether what stands behind the last frame is counted (ID3v1 has 128 bytes).
const TAGS: u64 = 4096;
/// Bytes of the longest page: its head, its table, its segments.
const MOST_OF_A_PAGE: usize = 27 + 255 + 255 * 255;

/// What the first bytes of such files are: MP3 and AAC (or a tag before them), AC-3, DTS, Ogg, and the
/// packs of a programme stream.
pub(super) fn begins(head: &[u8]) -> bool {
    let names: [&[u8]; 5] =
        [b"ID3", b"\x0b\x77", b"\x7f\xfe\x80\x01", b"OggS", b"\x00\x00\x01\xba"];
    names.iter().any(|name| head.starts_with(name)) || is_sync(head)
}

/// Cut if frames or a page are missing that it tells of, or if media ends in a hole: none of these
/// codecs writes zeros.
pub(super) fn is_truncated(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let (head, _) = up_to::<4>(file, 0)?;
    if head == *b"OggS" && page_is_truncated(file, length)? {
        return Ok(true);
    }
    let begin = behind_tag(file)?;
    if begin > length {
        return Ok(true);
    }
    let end = bytes_told(file, begin)?.map_or(length, |told| begin + told);
    Ok(end > length + TAGS || ends_in_hole(file, begin, end.min(length))?)
}

fn is_sync(head: &[u8]) -> bool {
    matches!(head, [0xff, second, ..] if second & 0xe0 == 0xe0)
}

/// Where the first frame is: behind ID3v2 (its section 3.1; 28 bits of size).
fn behind_tag(file: &mut (impl Read + Seek)) -> io::Result<u64> {
    let (head, got) = up_to::<10>(file, 0)?;
    if got < 10 || !head.starts_with(b"ID3") {
        return Ok(0);
    }
    let size = head[6..].iter().fold(0, |size, byte| size << 7 | u64::from(byte & 0x7f));
    let footer = if head[5] & 0x10 != 0 { 10 } else { 0 };
    Ok(10 + size + footer)
}

/// Bytes of all frames, where the first one, of layer III, has them instead of sound: as Xing and LAME
/// write it, or Fraunhofer (VBRI).
fn bytes_told(file: &mut (impl Read + Seek), begin: u64) -> io::Result<Option<u64>> {
    let (frame, got) = up_to::<64>(file, begin)?;
    if got < 64 || !is_sync(&frame) || frame[1] >> 1 & 3 != 1 {
        return Ok(None);
    }
    let mpeg_1 = frame[1] >> 3 & 3 == 3;
    let mono = frame[3] >> 6 == 3;
    let side = match (mpeg_1, mono) {
        (true, false) => 32,
        (true, true) | (false, false) => 17,
        (false, true) => 9,
    };
    let xing = &frame[4 + side..];
    if xing.starts_with(b"Xing") || xing.starts_with(b"Info") {
        let (has_frames, has_bytes) = (xing[7] & 1 != 0, xing[7] & 2 != 0);
        let at = if has_frames { 12 } else { 8 };
        return Ok(has_bytes.then(|| be32(&xing[at..at + 4])));
    }
    let vbri = &frame[36..];
    Ok(vbri.starts_with(b"VBRI").then(|| be32(&vbri[10..14])))
}

/// Whether the last page reaches beyond the end.
fn page_is_truncated(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let begin = length.saturating_sub(MOST_OF_A_PAGE as u64);
    let (tail, got) = up_to::<MOST_OF_A_PAGE>(file, begin)?;
    let tail = &tail[..got];
    // Version 0, and three flags.
    let is_page = |head: &[u8]| head.starts_with(b"OggS\0") && head[5] < 8;
    let Some(at) = tail.windows(6).rposition(is_page) else { return Ok(false) };
    let page = &tail[at..];
    let table = page.get(26).and_then(|count| page.get(27..27 + usize::from(*count)));
    let Some(table) = table else { return Ok(true) };
    let segments: usize = table.iter().map(|segment| usize::from(*segment)).sum();
    Ok(27 + table.len() + segments > page.len())
}

/// Sun's and NeXT's `.snd`: offset and size of its samples. A pipe leaves the size open.
pub(super) fn au_is_truncated(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let head: [u8; 12] = bytes_at(file, 0)?;
    let (offset, size) = (be32(&head[4..]), be32(&head[8..]));
    Ok(size != u64::from(u32::MAX) && offset + size > length)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::io::Cursor;

    use super::super::is_truncated;

    fn cut(bytes: &[u8]) -> bool {
        is_truncated(&mut Cursor::new(bytes)).unwrap()
    }

    /// A first frame that tells of `bytes` in all, and sound.
    fn mp3(head: [u8; 4], at: usize, told: &[u8], sound: usize) -> Vec<u8> {
        let mut frame = vec![0; 400];
        frame[..4].copy_from_slice(&head);
        frame[at..at + told.len()].copy_from_slice(told);
        [&frame[..], &vec![7; sound]].concat()
    }

    fn xing(bytes: u32) -> Vec<u8> {
        [&b"Xing\0\0\0\x03\0\0\0\x09"[..], &bytes.to_be_bytes()].concat()
    }

    #[test]
    fn mp3_is_truncated_where_fewer_bytes_are_there_than_its_first_frame_says() {
        let (stereo, mono) = ([0xff, 0xfb, 0x90, 0x00], [0xff, 0xfb, 0x90, 0xc0]);
        let (half_rate, half_mono) = ([0xff, 0xf3, 0x90, 0x00], [0xff, 0xf3, 0x90, 0xc0]);
        for (head, at) in [(stereo, 36), (mono, 21), (half_rate, 21), (half_mono, 13)] {
            assert!(!cut(&mp3(head, at, &xing(20_400), 20_000)), "{head:x?}");
            assert!(!cut(&mp3(head, at, &xing(20_528), 20_000)), "a tag is counted");
            assert!(!cut(&mp3(head, at, &xing(20_400), 30_000)), "what stands behind");
            assert!(cut(&mp3(head, at, &xing(20_400), 15_000)), "{head:x?}");
            let hole = [&mp3(head, at, &xing(20_400), 15_000)[..], &[0; 5000]].concat();
            assert!(cut(&hole), "{head:x?}");
            assert!(!cut(&[&mp3(head, at, &xing(15_400), 15_000)[..], &[0; 5000]].concat()));
        }
        let vbri = [&b"VBRI\0\x01\0\0\0\0"[..], &20_400_u32.to_be_bytes()].concat();
        assert!(!cut(&mp3(stereo, 36, &vbri, 20_000)));
        assert!(cut(&mp3(stereo, 36, &vbri, 10_000)));
        let tag = [&b"ID3\x04\0\0\0\0\x01\0"[..], &[0; 128]].concat();
        assert!(!cut(&[&tag[..], &mp3(mono, 21, &xing(20_400), 20_000)].concat()));
        assert!(cut(&[&tag[..], &mp3(mono, 21, &xing(20_400), 10_000)].concat()));
        assert!(cut(&tag[..100]), "within the tag");
        assert!(!cut(&mp3(stereo, 36, b"Info\0\0\0\x01\0\0\x01\0", 100)), "no bytes told");
        assert!(!cut(&mp3(stereo, 36, b"", 100)), "nothing told");
    }

    #[test]
    fn sound_without_a_container_does_not_end_in_a_hole() {
        for head in [&b"\xff\xf1\x50\x80"[..], b"\x0b\x77", b"\0\0\x01\xba"] {
            let frames = [head, &[7; 9000]].concat();
            assert!(!cut(&frames), "{head:x?}");
            assert!(!cut(&[&frames[..], &[0; 200]].concat()), "{head:x?}: padding");
            assert!(cut(&[&frames[..], &[0; 5000]].concat()), "{head:x?}");
        }
    }

    #[test]
    fn ogg_is_truncated_within_a_page() {
        let page = |flags: u8| {
            let head = [&b"OggS\0"[..], &[flags], &[3; 20], &[2, 255, 45]].concat();
            [&head[..], &[9; 300]].concat()
        };
        let whole = [page(2), page(0), page(4)].concat();
        assert!(!cut(&whole));
        assert!(!cut(&[&whole[..], &[9; 4096]].concat()), "what stands behind");
        assert!(!cut(&whole[..page(2).len() * 2]), "between pages nothing tells");
        for missing in [1, 200, 302, 303, 320] {
            assert!(cut(&whole[..whole.len() - missing]), "{missing}");
        }
    }

    #[test]
    fn au_is_truncated_where_its_samples_are_missing() {
        let au = |size: u32, samples: usize| {
            let head = [&b".snd\0\0\0\x18"[..], &size.to_be_bytes(), &[0; 12]].concat();
            [&head[..], &vec![0; samples]].concat()
        };
        assert!(!cut(&au(100, 100)));
        assert!(!cut(&au(100, 5000)));
        assert!(cut(&au(100, 99)));
        assert!(!cut(&au(u32::MAX, 99)), "out of a pipe");
    }
}
