//! The part of the coded picture that is to be shown: the clean aperture of MP4 and QuickTime
//! (ISO/IEC 14496-12, 12.1.4) and PixelCrop of Matroska (RFC 9559, 5.1.4.1.28). libav reads neither
//! before its version 7.1.

use std::io::{self, Read, Seek, SeekFrom};

use vodmill_model::media::Crop;
use vodmill_model::units::Size;

/// Boxes or elements that are looked at.
const MOST_BOXES: usize = 100_000;
/// Bytes of a sample description, or of Matroska's tracks, that are read.
const MOST_BYTES: u64 = 1 << 20;

/// Which track of the file a window belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// The id of an MP4 track, which libav keeps.
    Id(u32),
    /// The number of a Matroska track among those of video.
    Video(usize),
}

/// The same of bytes in memory: for those who try to break it.
pub(crate) fn of_bytes(bytes: &[u8]) -> Vec<Crop> {
    let found = read(&mut io::Cursor::new(bytes)).unwrap_or_default();
    found.into_iter().map(|(_, crop)| crop).collect()
}

/// What is cut off the tracks of video, as far as it is said and makes sense. A file that ends early
/// says no more; one that cannot be read is an error.
pub(super) fn read(file: &mut (impl Read + Seek)) -> io::Result<Vec<(Of, Crop)>> {
    let mut head = [0; 8];
    file.seek(SeekFrom::Start(0))?;
    let found = match file.read_exact(&mut head) {
        Ok(()) if head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) => matroska(file),
        Ok(()) => mp4(file),
        Err(cause) => Err(cause),
    };
    match found {
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(Vec::new()),
        found => found,
    }
}

/// A box: its kind, and where its content begins and ends.
struct Found {
    kind: [u8; 4],
    begin: u64,
    end: u64,
}

/// Boxes within a stretch of the file, heads only.
struct Boxes {
    left: usize,
}

impl Boxes {
    fn next(
        &mut self,
        file: &mut (impl Read + Seek),
        at: u64,
        end: u64,
    ) -> io::Result<Option<Found>> {
        if self.left == 0 || at.saturating_add(8) > end {
            return Ok(None);
        }
        self.left -= 1;
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let [a, b, c, d, kind @ ..] = head;
        let (begin, size) = match u32::from_be_bytes([a, b, c, d]) {
            0 => (at + 8, end - at),
            1 => {
                let mut large = [0; 8];
                file.read_exact(&mut large)?;
                (at + 16, u64::from_be_bytes(large))
            }
            size => (at + 8, u64::from(size)),
        };
        let next = at.saturating_add(size);
        Ok((next >= begin && next <= end).then_some(Found { kind, begin, end: next }))
    }

    /// Every box of `kind` within a stretch.
    fn all(
        &mut self,
        file: &mut (impl Read + Seek),
        within: (u64, u64),
        kind: &[u8; 4],
    ) -> io::Result<Vec<Found>> {
        let (mut at, mut found) = (within.0, Vec::new());
        while let Some(next) = self.next(file, at, within.1)? {
            at = next.end;
            if &next.kind == kind {
                found.push(next);
            }
        }
        Ok(found)
    }

    /// The first box at the end of a path.
    fn find(
        &mut self,
        file: &mut (impl Read + Seek),
        mut within: (u64, u64),
        path: &[&[u8; 4]],
    ) -> io::Result<Option<(u64, u64)>> {
        for kind in path {
            let Some(found) = self.all(file, within, kind)?.into_iter().next() else {
                return Ok(None);
            };
            within = (found.begin, found.end);
        }
        Ok(Some(within))
    }
}

fn mp4(file: &mut (impl Read + Seek)) -> io::Result<Vec<(Of, Crop)>> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut boxes = Boxes { left: MOST_BOXES };
    let Some(movie) = boxes.find(file, (0, length), &[b"moov"])? else { return Ok(Vec::new()) };
    let mut crops = Vec::new();
    for track in boxes.all(file, movie, b"trak")? {
        let within = (track.begin, track.end);
        let Some(header) = boxes.find(file, within, &[b"tkhd"])? else { continue };
        let path: [&[u8; 4]; 4] = [b"mdia", b"minf", b"stbl", b"stsd"];
        let Some(description) = boxes.find(file, within, &path)? else { continue };
        let header = bytes(file, header)?;
        let description = bytes(file, description)?;
        if let Some(id) = track_id(&header)
            && let Some(crop) = aperture(&description)
        {
            crops.push((Of::Id(id), crop));
        }
    }
    Ok(crops)
}

fn bytes(file: &mut (impl Read + Seek), (begin, end): (u64, u64)) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(begin))?;
    file.by_ref().take((end - begin).min(MOST_BYTES)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// ISO/IEC 14496-12, 8.3.2: times take twice the room in version 1.
fn track_id(header: &[u8]) -> Option<u32> {
    let at = if *header.first()? == 1 { 20 } else { 12 };
    Some(u32::from_be_bytes(*header.get(at..)?.first_chunk()?))
}

/// The clean aperture of the first sample entry, if it is of video: the first word of its `clap`
/// comes after its own head of 86 bytes.
fn aperture(description: &[u8]) -> Option<Crop> {
    const ENTRY: usize = 8;
    const HEAD: usize = 86;
    let size = be32(description, ENTRY)? as usize;
    let entry = description.get(ENTRY..)?.get(..size)?;
    let side = |at: usize| Some(u32::from(u16::from_be_bytes(*entry.get(at..)?.first_chunk()?)));
    let coded = Size { width: side(32)?, height: side(34)? };
    let mut boxes = entry.get(HEAD..)?;
    for _ in 0..MOST_BOXES {
        let size = be32(boxes, 0)? as usize;
        let (content, rest) = boxes.get(8..)?.split_at_checked(size.checked_sub(8)?)?;
        if &boxes[4..8] == b"clap" {
            return window(content, coded);
        }
        boxes = rest;
    }
    None
}

/// Width, height and the centre's distance from the picture's, each a fraction, as pixels on each
/// side.
fn window(clap: &[u8], coded: Size) -> Option<Crop> {
    let numbers: Vec<i64> =
        clap.as_chunks::<4>().0.iter().map(|four| i64::from(i32::from_be_bytes(*four))).collect();
    let [w, wd, h, hd, x, xd, y, yd, ..] = numbers[..] else { return None };
    let (left, right) = sides(coded.width, (w, wd), (x, xd))?;
    let (top, bottom) = sides(coded.height, (h, hd), (y, yd))?;
    let crop = Crop { left, top, right, bottom };
    (crop != Crop::default()).then_some(crop)
}

/// Pixels before and after the window on one axis; none where it reaches beyond the picture.
fn sides(coded: u32, length: (i64, i64), offset: (i64, i64)) -> Option<(u32, u32)> {
    if length.0 <= 0 || length.1 <= 0 || offset.1 <= 0 {
        return None;
    }
    // (coded - length) / 2 + offset, over one denominator.
    let (coded, l, ld) = (i128::from(coded), i128::from(length.0), i128::from(length.1));
    let (o, od) = (i128::from(offset.0), i128::from(offset.1));
    let before = ((coded * ld - l) * od + 2 * o * ld).div_euclid(2 * ld * od);
    let after = coded - before - (l + ld / 2) / ld;
    Some((u32::try_from(before).ok()?, u32::try_from(after).ok()?))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The elements of the segment up to its first cluster; `Tracks` stands before it but in files that
/// nobody writes.
fn matroska(file: &mut (impl Read + Seek)) -> io::Result<Vec<(Of, Crop)>> {
    const SEGMENT: u32 = 0x1853_8067;
    const TRACKS: u32 = 0x1654_ae6b;
    const CLUSTER: u32 = 0x1f43_b675;
    file.seek(SeekFrom::Start(0))?;
    for _ in 0..MOST_BOXES {
        let at = file.stream_position()?;
        let head = bytes(file, (at, at.saturating_add(12)))?;
        let Some((id, size, length)) = element(&head) else { return Ok(Vec::new()) };
        let begin = at + length as u64;
        file.seek(SeekFrom::Start(begin))?;
        match id {
            SEGMENT => {}
            TRACKS => return Ok(tracks(&bytes(file, (begin, begin.saturating_add(size)))?)),
            CLUSTER => return Ok(Vec::new()),
            _ => drop(file.seek(SeekFrom::Start(begin.saturating_add(size)))?),
        }
    }
    Ok(Vec::new())
}

/// Id, size of the content and length of the head of an element (RFC 8794, 5 and 6). A size that is
/// not known counts as none.
fn element(bytes: &[u8]) -> Option<(u32, u64, usize)> {
    let id_length = bytes.first()?.leading_zeros() as usize + 1;
    let id = bytes.get(..id_length).filter(|_| id_length <= 4)?;
    let id = id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
    let first = *bytes.get(id_length)?;
    let length = first.leading_zeros() as usize + 1;
    let size = bytes.get(id_length..)?.get(..length).filter(|_| length <= 8)?;
    let size = size[1..]
        .iter()
        .fold(u64::from(first) & (0xff >> length), |size, byte| size << 8 | u64::from(*byte));
    Some((id, size, id_length + length))
}

fn children(mut bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let (id, size, head) = element(bytes)?;
        let (content, rest) = bytes.get(head..)?.split_at_checked(usize::try_from(size).ok()?)?;
        bytes = rest;
        Some((id, content))
    })
}

fn tracks(bytes: &[u8]) -> Vec<(Of, Crop)> {
    const ENTRY: u32 = 0xae;
    const KIND: u32 = 0x83;
    const VIDEO: u32 = 0xe0;
    let entries = children(bytes).filter(|(id, _)| *id == ENTRY).map(|(_, entry)| entry);
    let is_video =
        |entry: &&[u8]| children(entry).any(|(id, kind)| id == KIND && number(kind) == Some(1));
    let mut crops = Vec::new();
    for (place, entry) in entries.filter(is_video).enumerate() {
        let video = children(entry).find(|(id, _)| *id == VIDEO).map(|(_, video)| video);
        if let Some(crop) = video.map(pixel_crop).filter(|crop| *crop != Crop::default()) {
            crops.push((Of::Video(place), crop));
        }
    }
    crops
}

fn pixel_crop(video: &[u8]) -> Crop {
    let mut crop = Crop::default();
    for (id, content) in children(video) {
        let side = match id {
            0x54aa => &mut crop.bottom,
            0x54bb => &mut crop.top,
            0x54cc => &mut crop.left,
            0x54dd => &mut crop.right,
            _ => continue,
        };
        *side = number(content).unwrap_or(0);
    }
    crop
}

fn number(bytes: &[u8]) -> Option<u32> {
    let number = bytes.iter().try_fold(0_u64, |number, byte| {
        number.checked_mul(256).map(|number| number | u64::from(*byte))
    })?;
    u32::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_what_is_left_on_each_side() {
        assert_eq!(sides(720, (704, 1), (0, 1)), Some((8, 8)));
        assert_eq!(sides(1088, (1080, 1), (-4, 1)), Some((0, 8)));
        assert_eq!(sides(720, (7035, 10), (0, 1)), Some((8, 8)), "rounded");
        assert_eq!(sides(720, (704, 1), (9, 1)), None, "beyond the picture");
        assert_eq!(sides(720, (i64::from(i32::MAX), 1), (0, 1)), None);
        assert_eq!([sides(720, (704, 0), (0, 1)), sides(720, (704, 1), (0, 0))], [None, None]);
    }

    #[test]
    fn elements_that_make_no_sense_end_the_walk() {
        assert_eq!(element(&[0xae, 0x81, 0]), Some((0xae, 1, 2)));
        assert_eq!(element(&[0x54, 0xaa, 0x40, 0x02]), Some((0x54aa, 2, 4)));
        assert_eq!(
            [element(&[]), element(&[0xae]), element(&[0, 0, 0]), element(&[0xae, 0])],
            [None; 4]
        );
        assert_eq!(children(&[0xae, 0x85, 0]).count(), 0, "longer than there is");
        assert_eq!(number(&[0xff; 9]), None);
    }
}
