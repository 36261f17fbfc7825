//! Whether a container promises more bytes than the file has: a walk over the outermost boxes of
//! MP4 (ISO/IEC 14496-12, 4.2), elements of Matroska (RFC 8794, 5 and 6), chunks of AVI and WAV,
//! tags of FLV (Adobe Flash Video File Format 10.1, annex E) and objects of ASF (its specification
//! 01.20.05, 5).

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use vodmill_model::outcome::MediaError;

use crate::error;
use crate::original::Original;

/// Outermost boxes or tags that a walk looks at; fragmented files have two or three for each
/// fragment.
const MAX_BOXES: usize = 1_000_000;

const ASF_HEADER: [u8; 16] = *b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";
const ASF_DATA: [u8; 16] = *b"\x36\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";

/// Whether the file ends before the container says. False when it cannot be told.
pub(crate) fn container_is_cut(path: &Path) -> Result<bool, MediaError> {
    match is_cut(&mut Original::open(path)?) {
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        cut => cut.map_err(|cause| error::file("read", path, &cause)),
    }
}

/// The same of bytes in memory.
pub(super) fn bytes_are_cut(bytes: &[u8]) -> bool {
    is_cut(&mut io::Cursor::new(bytes)).unwrap_or(false)
}

fn is_cut(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut head = [0; 24];
    let got = read_up_to(file, &mut head)?;
    if got >= 8 && is_mp4_start(&head) {
        mp4_is_cut(file, length)
    } else if head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) {
        matroska_is_cut(file, length)
    } else if head.starts_with(b"RIFF")
        && [b"AVI ", b"WAVE"].iter().any(|kind| head[8..].starts_with(*kind))
    {
        Ok(riff_is_cut(&head, length))
    } else if head.starts_with(b"FLV\x01") {
        flv_is_cut(file, u64::from(be32(&head[5..9])), length)
    } else if head.starts_with(&ASF_HEADER) {
        asf_is_cut(file, le64(&head[16..24]), length)
    } else {
        Ok(false)
    }
}

fn is_mp4_start(head: &[u8; 24]) -> bool {
    let kinds: [&[u8; 4]; 8] =
        [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp"];
    kinds.iter().any(|kind| &head[4..8] == *kind)
}

/// Cut if a box reaches beyond the end, or if the walk ends without a `moov`, or the `meta` that
/// still pictures have instead (ISO/IEC 23008-12).
fn mp4_is_cut(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let (mut at, mut index) = (0, false);
    for _ in 0..MAX_BOXES {
        if at == length {
            return Ok(!index);
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 16];
        let got = read_up_to(file, &mut head)?;
        if got < 8 {
            // A few bytes of padding after the last box are common and harmless.
            return Ok(!index);
        }
        index |= [b"moov", b"meta"].contains(&&[head[4], head[5], head[6], head[7]]);
        let size = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
            0 => length - at,
            1 if got == 16 => u64::from_be_bytes([
                head[8], head[9], head[10], head[11], head[12], head[13], head[14], head[15],
            ]),
            short => u64::from(short),
        };
        if size < 8 {
            return Ok(!index);
        }
        match at.checked_add(size) {
            Some(next) if next <= length => at = next,
            _ => return Ok(true),
        }
    }
    Ok(false)
}

/// Cut if the segment declares a size that reaches beyond the end.
fn matroska_is_cut(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    file.seek(SeekFrom::Start(4))?;
    let Some(header) = element_size(file)? else { return Ok(false) };
    let at = file.seek(SeekFrom::Current(i64::try_from(header).unwrap_or(i64::MAX)))?;
    let mut id = [0; 4];
    if at >= length || read_up_to(file, &mut id)? < 4 {
        return Ok(true);
    }
    if id != [0x18, 0x53, 0x80, 0x67] {
        return Ok(false);
    }
    let Some(segment) = element_size(file)? else { return Ok(false) };
    let begin = file.stream_position()?;
    Ok(begin.saturating_add(segment) > length)
}

/// Cut if the first chunk reaches beyond the end. Writers that cannot go back leave 0 or about the
/// most that fits, and some count the chunk's head twice.
fn riff_is_cut(head: &[u8; 24], length: u64) -> bool {
    const UNKNOWN: u32 = 0x7fff_0000;
    let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    size < UNKNOWN && u64::from(size) > length
}

/// Cut if the last tag reaches beyond the end. The size behind it tells at once where it began; not
/// every writer gets that size right, so that only a walk over all tags tells of a cut.
fn flv_is_cut(file: &mut (impl Read + Seek), first: u64, length: u64) -> io::Result<bool> {
    const HEAD: u64 = 11;
    if length >= first + 4 + HEAD + 4 {
        let back = u64::from(be32(&bytes_at::<4>(file, length - 4)?));
        let begin = (length - 4).checked_sub(back).filter(|&begin| back > HEAD && begin > first);
        if let Some(begin) = begin
            && flv_tag_size(&bytes_at(file, begin)?) == Some(back)
        {
            return Ok(false);
        }
    }
    let mut at = first.saturating_add(4);
    for _ in 0..MAX_BOXES {
        if at.saturating_add(4) > length {
            return Ok(false);
        }
        let Some(size) = flv_tag_size(&bytes_at(file, at)?) else { return Ok(false) };
        if at + size > length {
            return Ok(true);
        }
        at += size + 4;
    }
    Ok(false)
}

/// Size of a tag with its head; none if this is no head of a tag.
fn flv_tag_size(head: &[u8; 4]) -> Option<u64> {
    let kind = head[0] & 0x1f;
    [8, 9, 18].contains(&kind).then(|| 11 + u64::from(be32(&[0, head[1], head[2], head[3]])))
}

/// Cut if the data object, which follows the header, reaches beyond the end. Live streams leave its
/// size 0 or that of its head.
fn asf_is_cut(file: &mut (impl Read + Seek), header: u64, length: u64) -> io::Result<bool> {
    const HEAD: u64 = 50;
    if header.saturating_add(HEAD) > length {
        return Ok(true);
    }
    let head: [u8; 24] = bytes_at(file, header)?;
    let size = le64(&head[16..]);
    Ok(head.starts_with(&ASF_DATA) && size > HEAD && header.saturating_add(size) > length)
}

fn bytes_at<const N: usize>(file: &mut (impl Read + Seek), at: u64) -> io::Result<[u8; N]> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn be32(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |value, &byte| value << 8 | u32::from(byte))
}

fn le64(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// An EBML size; none when it is unknown.
fn element_size(file: &mut impl Read) -> io::Result<Option<u64>> {
    let mut first = [0];
    file.read_exact(&mut first)?;
    let more = first[0].leading_zeros() as usize;
    if more > 7 {
        return Ok(None);
    }
    let mut rest = [0; 7];
    file.read_exact(&mut rest[..more])?;
    let mask = if more == 7 { 0 } else { 0x7f_u8 >> more };
    let value = rest[..more]
        .iter()
        .fold(u64::from(first[0] & mask), |value, &byte| value << 8 | u64::from(byte));
    let unknown = (1_u64 << (7 * (more + 1))) - 1;
    Ok((value != unknown).then_some(value))
}

fn read_up_to(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..])? {
            0 => break,
            more => got += more,
        }
    }
    Ok(got)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn a_box(kind: &[u8; 4], size: u32, body: usize) -> Vec<u8> {
        [&size.to_be_bytes()[..], kind, &vec![0; body]].concat()
    }

    fn cut(parts: &[Vec<u8>]) -> bool {
        is_cut(&mut io::Cursor::new(parts.concat())).unwrap()
    }

    #[test]
    fn mp4_is_cut_where_a_box_reaches_beyond_the_end_or_the_index_is_missing() {
        let (ftyp, moov) = (a_box(b"ftyp", 16, 8), a_box(b"moov", 20, 12));
        assert!(!cut(&[ftyp.clone(), moov.clone(), a_box(b"mdat", 108, 100)]));
        assert!(!cut(&[ftyp.clone(), moov.clone(), a_box(b"mdat", 0, 100)]), "to the end");
        assert!(cut(&[ftyp.clone(), moov, a_box(b"mdat", 108, 99)]));
        assert!(cut(&[ftyp, a_box(b"mdat", 108, 100)]), "no index");
    }

    #[test]
    fn still_pictures_have_another_index() {
        let (ftyp, meta) = (a_box(b"ftyp", 16, 8), a_box(b"meta", 20, 12));
        assert!(!cut(&[ftyp.clone(), meta.clone(), a_box(b"mdat", 108, 100)]));
        assert!(cut(&[ftyp, meta, a_box(b"mdat", 108, 99)]));
    }

    #[test]
    fn riff_is_cut_where_its_chunk_reaches_beyond_the_end() {
        let riff = |kind: &[u8; 4], size: u32| {
            [&b"RIFF"[..], &size.to_le_bytes(), kind, &[0; 100]].concat()
        };
        for kind in [b"AVI ", b"WAVE"] {
            assert!(!cut(&[riff(kind, 104)]));
            assert!(!cut(&[riff(kind, 112)]), "with its head counted twice");
            assert!(cut(&[riff(kind, 113)]));
            for unknown in [0, 0x7fff_f024, u32::MAX] {
                assert!(!cut(&[riff(kind, unknown)]), "{unknown}");
            }
        }
        assert!(!cut(&[riff(b"CDXA", 113)]));
    }

    #[test]
    fn flv_is_cut_within_a_tag() {
        let head = b"FLV\x01\x05\0\0\0\x09\0\0\0\0".to_vec();
        let tag = |size: u8, back: u8| {
            let head = [9, 0, 0, size, 0, 0, 0, 0, 0, 0, 0];
            [&head[..], &vec![7; size.into()], &[0, 0, 0, back]].concat()
        };
        assert!(!cut(&[head.clone(), tag(20, 31), tag(30, 41)]));
        assert!(!cut(&[head.clone(), tag(20, 0), tag(30, 0)]), "sizes behind tags are wrong");
        let mut short = tag(30, 41);
        short.truncate(40);
        assert!(cut(&[head.clone(), tag(20, 31), short.clone()]));
        short.truncate(6);
        assert!(cut(&[head.clone(), tag(20, 31), short.clone()]));
        short.truncate(3);
        assert!(!cut(&[head.clone(), tag(20, 31), short]), "too little to tell");
        assert!(!cut(&[head, vec![0xff; 40]]), "no tags at all");
    }

    #[test]
    fn asf_is_cut_where_its_data_reaches_beyond_the_end() {
        let header = [&ASF_HEADER[..], &30_u64.to_le_bytes(), &[0; 6]].concat();
        let data = |size: u64| [&ASF_DATA[..], &size.to_le_bytes(), &[0; 76]].concat();
        assert!(!cut(&[header.clone(), data(100)]));
        assert!(cut(&[header.clone(), data(101)]));
        for live in [0, 50] {
            assert!(!cut(&[header.clone(), data(live)]));
        }
        assert!(cut(&[header]), "no data");
    }

    #[test]
    fn matroska_is_cut_where_its_segment_reaches_beyond_the_end() {
        let head = vec![0x1a, 0x45, 0xdf, 0xa3, 0x80];
        let segment = vec![0x18, 0x53, 0x80, 0x67, 0x84];
        assert!(!cut(&[head.clone(), segment.clone(), vec![0; 4]]));
        assert!(cut(&[head.clone(), segment, vec![0; 3]]));
        assert!(!cut(&[head, vec![0x18, 0x53, 0x80, 0x67, 0xff], vec![0; 3]]), "unknown size");
    }
}
