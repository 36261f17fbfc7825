//! MP4 and QuickTime (ISO/IEC 14496-12): whether every sample of the tables is there.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::MAX_BOXES;
use super::bytes::{be32, be64, begins_hole, bytes_at, up_to};
use super::tables::{self, Track};

/// Beyond any index of a film; longer ones are not looked into.
const MAX_INDEX: u64 = 256 << 20;
/// Chunks of a track that are looked at for zeros.
const MAX_LOOKS: usize = 16;
/// Of a box that reaches beyond the end, these mean that media is missing. Any other is of no use to
/// players, or no box at all: action cameras put bytes of their own behind the last one.
const OF_MEDIA: [&[u8; 4]; 6] = [b"moov", b"meta", b"mdat", b"moof", b"sidx", b"styp"];

pub(super) fn begins(head: &[u8]) -> bool {
    let kinds: [&[u8; 4]; 9] =
        [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof"];
    kinds.iter().any(|kind| &head[4..8] == *kind)
}

/// Cut if a sample of the index lies beyond the end or is a hole. Where there are none (fragments,
/// still pictures), if a box of media reaches beyond it. Cut without `moov`, or the `meta` that
/// still pictures have instead (ISO/IEC 23008-12).
pub(super) fn is_truncated(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let walk = walk(file, length)?;
    let Some(moov) = walk.moov else { return Ok(!walk.meta || walk.media_is_truncated) };
    let bytes = moov.end - moov.start;
    if bytes > MAX_INDEX {
        return Ok(walk.media_is_truncated);
    }
    let mut index = Vec::new();
    file.seek(SeekFrom::Start(moov.start))?;
    file.take(bytes).read_to_end(&mut index)?;
    let tracks = tables::tracks(&index);
    if tracks.is_empty() || tables::is_fragmented(&index) {
        let cut = walk.media_is_truncated || (walk.hole && tables::is_fragmented(&index));
        return Ok(cut || misses_samples(file, length, &tracks)?);
    }
    misses_samples(file, length, &tracks)
}

/// What the outermost boxes tell.
#[derive(Default)]
struct Walk {
    /// The content of `moov`.
    moov: Option<Range<u64>>,
    meta: bool,
    /// A box of media reaches beyond the end.
    media_is_truncated: bool,
    /// There are zeros where a box should begin, and no index of fragments (`mfra`), which is the last.
    hole: bool,
}

fn walk(file: &mut (impl Read + Seek), length: u64) -> io::Result<Walk> {
    let (mut walk, mut at, mut ended) = (Walk::default(), 0, false);
    for _ in 0..MAX_BOXES {
        let (head, got) = up_to::<16>(file, at)?;
        if head[..8] == [0; 8] && got >= 8 {
            walk.hole = !ended && begins_hole(file, at)?;
            break;
        }
        let kind = &head[4..got.clamp(4, 8)];
        if got < 8 {
            // Padding; or the head of a box that is still to come.
            walk.media_is_truncated =
                !kind.is_empty() && OF_MEDIA.iter().any(|it| it.starts_with(kind));
            break;
        }
        let of_media = OF_MEDIA.iter().any(|it| *it == kind);
        let (size, head_bytes) = match be32(&head) {
            0 => (length - at, 8),
            1 if got == 16 => (be64(&head[8..]), 16),
            1 => (u64::MAX, 8),
            short => (short, 8),
        };
        let next = at.checked_add(size).filter(|next| size >= head_bytes && *next <= length);
        let Some(next) = next else {
            walk.media_is_truncated = of_media;
            break;
        };
        match kind {
            b"moov" if walk.moov.is_none() => walk.moov = Some(at + head_bytes..next),
            b"meta" => walk.meta = true,
            b"mfra" => ended = true,
            _ => {}
        }
        at = next;
    }
    Ok(walk)
}

fn misses_samples(
    file: &mut (impl Read + Seek),
    length: u64,
    tracks: &[Track],
) -> io::Result<bool> {
    if tracks.iter().any(|track| track.end > length) {
        return Ok(true);
    }
    for track in tracks.iter().filter(|track| track.is_coded) {
        if has_hole(file, track)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether chunks of coded media are zeros: what a download has yet to fill. No codec begins so.
fn has_hole(file: &mut (impl Read + Seek), track: &Track) -> io::Result<bool> {
    let every = track.chunks.len().div_ceil(MAX_LOOKS).max(1);
    for (at, bytes) in track.chunks.iter().rev().step_by(every) {
        if *bytes < 16 {
            continue;
        }
        if bytes_at::<16>(file, *at)? == [0; 16] {
            return Ok(true);
        }
    }
    Ok(false)
}
