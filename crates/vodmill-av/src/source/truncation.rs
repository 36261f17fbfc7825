//! Whether bytes are missing that a container needs: every sample, cluster or chunk of media that it
//! tells of has to be there. What stands behind the last of them is not its business, and a size that
//! a pipe has left open says nothing. One rule for the inbox, which waits for the rest, and for the
//! probe, which refuses without it.
//!
//! FLV: tags (Adobe Flash Video File Format 10.1, annex E). ASF: objects (its specification 01.20.05,
//! 5). The others have files of their own.

mod bytes;
mod frames;
mod matroska;
mod mp4;
mod mxf;
mod riff;
mod tables;

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use vodmill_model::outcome::MediaError;

use crate::error;
use crate::original::Original;
use bytes::{be32, bytes_at, ends_in_hole, le64, up_to};

/// Outermost boxes or tags that a walk looks at; fragmented files have two or three for each
/// fragment.
const MAX_BOXES: usize = 1_000_000;
/// Bytes of a packet of a transport stream (ISO/IEC 13818-1, 2.4.3.2).
const TS_PACKET: u64 = 188;

const ASF_HEADER: [u8; 16] = *b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";
const ASF_DATA: [u8; 16] = *b"\x36\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";

/// Whether the file ends before the container says. False when it cannot be told.
pub(crate) fn container_is_truncated(path: &Path) -> Result<bool, MediaError> {
    is_truncated(&mut Original::open(path)?).map_err(|cause| error::file("read", path, &cause))
}

/// Whether bytes are missing from `file` that its container needs; false when it cannot be told.
///
/// # Errors
/// If it cannot be read.
pub fn is_truncated(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    match look(file) {
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        cut => cut,
    }
}

fn look(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    let (head, got) = up_to::<24>(file, 0)?;
    if got < 8 {
        return Ok(false);
    }
    if mp4::begins(&head) {
        mp4::is_truncated(file, length)
    } else if matroska::begins(&head) {
        matroska::is_truncated(file, length)
    } else if riff::begins(&head) {
        riff::is_truncated(file, length)
    } else if head.starts_with(b"FLV\x01") {
        flv_is_truncated(file, be32(&head[5..9]), length)
    } else if head.starts_with(&ASF_HEADER) {
        asf_is_truncated(file, le64(&head[16..24]), length)
    } else if mxf::begins(&head) {
        mxf::is_truncated(file, length)
    } else if head.starts_with(b".snd") {
        frames::au_is_truncated(file, length)
    } else if frames::begins(&head) {
        frames::is_truncated(file, length)
    } else if is_transport_stream(file)? {
        ends_in_hole(file, 0, length)
    } else {
        Ok(false)
    }
}

/// Three packets in a row, which nothing else begins with.
fn is_transport_stream(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    for number in 0..3 {
        let (byte, got) = up_to::<1>(file, number * TS_PACKET)?;
        if got == 0 || byte != [0x47] {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Cut if the last tag reaches beyond the end. The size behind it tells at once where it began; not
/// every writer gets that size right, so that only a walk over all tags tells of a cut.
fn flv_is_truncated(file: &mut (impl Read + Seek), first: u64, length: u64) -> io::Result<bool> {
    const HEAD: u64 = 11;
    if length >= first + 4 + HEAD + 4 {
        let back = be32(&bytes_at::<4>(file, length - 4)?);
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
        let Some(size) = flv_tag_size(&bytes_at(file, at)?) else {
            return ends_in_hole(file, at, length);
        };
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
    [8, 9, 18].contains(&kind).then(|| 11 + be32(&[0, head[1], head[2], head[3]]))
}

/// Cut if the data object, which follows the header, reaches beyond the end. Live streams leave its
/// size 0 or that of its head.
fn asf_is_truncated(file: &mut (impl Read + Seek), header: u64, length: u64) -> io::Result<bool> {
    const HEAD: u64 = 50;
    if header.saturating_add(HEAD) > length {
        return Ok(true);
    }
    let head: [u8; 24] = bytes_at(file, header)?;
    let size = le64(&head[16..]);
    Ok(head.starts_with(&ASF_DATA) && size > HEAD && header.saturating_add(size) > length)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn a_box(kind: &[u8; 4], size: u32, body: usize) -> Vec<u8> {
        [&size.to_be_bytes()[..], kind, &vec![0; body]].concat()
    }

    fn cut(parts: &[Vec<u8>]) -> bool {
        super::is_truncated(&mut io::Cursor::new(parts.concat())).unwrap()
    }

    #[test]
    fn mp4_is_truncated_where_a_box_reaches_beyond_the_end_or_the_index_is_missing() {
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
    fn fragments_do_not_end_in_a_hole() {
        let moov = [a_box(b"moov", 16, 0), a_box(b"mvex", 8, 0)].concat();
        let begun = [a_box(b"ftyp", 16, 8), moov, a_box(b"moof", 20, 12), a_box(b"mdat", 28, 20)];
        let with = |more: &[Vec<u8>]| cut(&[&begun[..], more].concat());
        assert!(!with(&[]));
        assert!(!with(&[vec![0; 100]]), "padding");
        assert!(with(&[vec![0; 5000]]));
        assert!(with(&[vec![0; 5000], a_box(b"moof", 20, 12)]), "in the middle");
        assert!(!with(&[a_box(b"mfra", 16, 8), vec![0; 5000]]), "behind the last box");
    }

    fn chunk(kind: &[u8; 4], size: u32, body: usize) -> Vec<u8> {
        [&kind[..], &size.to_le_bytes(), &vec![7; body]].concat()
    }

    #[test]
    fn riff_is_truncated_where_its_media_reaches_beyond_the_end() {
        let head = |kind: &[u8; 4]| [&b"RIFF\x99\0\0\0"[..], kind].concat();
        let movi = |size: u32, body: usize| {
            let mut list = chunk(b"LIST", size, body);
            list[8..12].copy_from_slice(b"movi");
            list
        };
        let data = |size, body| chunk(b"data", size, body);
        assert!(!cut(&[head(b"WAVE"), chunk(b"fmt ", 16, 16), data(100, 100)]));
        assert!(cut(&[head(b"WAVE"), chunk(b"fmt ", 16, 16), data(100, 99)]));
        assert!(cut(&[head(b"WAVE"), chunk(b"fmt ", 16, 16)]), "no media");
        assert!(!cut(&[head(b"AVI "), movi(100, 100), chunk(b"idx1", 90, 20)]), "media is there");
        assert!(cut(&[head(b"AVI "), chunk(b"JUNK", 3, 4), movi(100, 99)]));
        let second = [&b"RIFF\0\0\0\0AVIX"[..], &movi(60, 50)].concat();
        assert!(cut(&[head(b"AVI "), movi(100, 100), second]), "the second of OpenDML");
        for unknown in [0, 0x7fff_f024, u32::MAX] {
            assert!(!cut(&[head(b"WAVE"), data(unknown, 80)]), "{unknown}");
            assert!(!cut(&[head(b"AVI "), movi(unknown, 80)]), "{unknown}");
        }
        assert!(!cut(&[head(b"CDXA"), data(100, 9)]));
        let long = [&b"RIFF\0\x40\0\0AVI "[..], &movi(100, 100)].concat();
        assert!(cut(&[long.clone(), vec![0; 5000]]), "zeros where its index should be");
        assert!(!cut(&[long, chunk(b"idx1", 16, 16), b"\xd8\xff\xe0 foreign bytes".to_vec()]));
    }

    #[test]
    fn caf_is_truncated_where_its_samples_are_missing() {
        let chunk = |kind: &[u8; 4], size: u64, body: usize| {
            [&kind[..], &size.to_be_bytes(), &vec![7; body]].concat()
        };
        let head = [b"caff\0\x01\0\0".to_vec(), chunk(b"desc", 32, 32)].concat();
        assert!(!cut(&[head.clone(), chunk(b"data", 100, 100)]));
        assert!(!cut(&[head.clone(), chunk(b"data", 100, 100), vec![7; 4096]]));
        assert!(!cut(&[head.clone(), chunk(b"data", u64::MAX, 80)]), "out of a pipe");
        assert!(cut(&[head.clone(), chunk(b"data", 100, 99)]));
        assert!(cut(&[head.clone(), chunk(b"info", u64::MAX - 9, 4)]), "a size that lies");
        assert!(cut(&[head]), "no media");
    }

    #[test]
    fn flv_is_truncated_within_a_tag() {
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
    fn asf_is_truncated_where_its_data_reaches_beyond_the_end() {
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
    fn matroska_is_truncated_where_its_segment_reaches_beyond_the_end() {
        let head = vec![0x1a, 0x45, 0xdf, 0xa3, 0x80];
        let segment = vec![0x18, 0x53, 0x80, 0x67, 0x84];
        assert!(!cut(&[head.clone(), segment.clone(), vec![0; 4]]));
        assert!(cut(&[head.clone(), segment, vec![0; 3]]));
        let unknown = vec![0x18, 0x53, 0x80, 0x67, 0xff];
        let cluster = |body: usize| [&[0x1f, 0x43, 0xb6, 0x75, 0x88][..], &vec![7; body]].concat();
        assert!(!cut(&[head.clone(), unknown.clone(), cluster(8), cluster(8)]));
        assert!(cut(&[head.clone(), unknown.clone(), cluster(8), cluster(7)]));
        assert!(cut(&[head, unknown, cluster(8), vec![0; 5000]]), "a hole");
    }
}
