//! Sample tables of a `moov` (ISO/IEC 14496-12, 8.5 to 8.8): where the bytes of each track are.

use super::bytes::{be16, be32, be64};

/// A track whose media is in this file.
#[derive(Default)]
pub(super) struct Track {
    /// The first byte behind its last sample.
    pub end: u64,
    /// Whether its samples are coded by a codec whose packets are never all zero.
    pub is_coded: bool,
    /// Offset and bytes of each chunk.
    pub chunks: Vec<(u64, u64)>,
}

/// Sample entries of such codecs.
const CODED: [&[u8; 4]; 17] = [
    b"avc1", b"avc3", b"hvc1", b"hev1", b"dvh1", b"dvhe", b"av01", b"vp08", b"vp09", b"mp4v",
    b"mp4a", b"apcn", b"apch", b"apcs", b"apco", b"ap4h", b"ap4x",
];

/// The tracks that have samples in the tables of a `moov`, given without its head.
pub(super) fn tracks(moov: &[u8]) -> Vec<Track> {
    let tracks = children(moov).filter(|(kind, _)| kind == b"trak");
    tracks.filter_map(|(_, trak)| track(trak)).collect()
}

/// Whether samples are in fragments (`mvex`).
pub(super) fn is_fragmented(moov: &[u8]) -> bool {
    child(moov, b"mvex").is_some()
}

fn track(trak: &[u8]) -> Option<Track> {
    let minf = child(child(trak, b"mdia")?, b"minf")?;
    if is_elsewhere(minf) {
        return None;
    }
    let stbl = child(minf, b"stbl")?;
    let sizes = Sizes::read(stbl)?;
    let chunks = chunks(stbl, &sizes)?;
    let end = chunks.iter().map(|(at, bytes)| at.saturating_add(*bytes)).max()?;
    let entry = child(stbl, b"stsd").and_then(|stsd| stsd.get(12..16));
    let is_coded = entry.is_some_and(|entry| CODED.iter().any(|codec| *codec == entry));
    Some(Track { end, is_coded, chunks })
}

/// Whether the first data reference names another file (8.7.2).
fn is_elsewhere(minf: &[u8]) -> bool {
    let dref = child(minf, b"dinf").and_then(|dinf| child(dinf, b"dref"));
    let flags = dref.and_then(|dref| dref.get(16..20));
    flags.is_some_and(|flags| flags[3] & 1 == 0)
}

/// Sizes of samples (8.7.3).
enum Sizes<'a> {
    All { size: u64, count: u64 },
    Each { table: &'a [u8], bits: usize },
}

impl Sizes<'_> {
    fn read(stbl: &[u8]) -> Option<Sizes<'_>> {
        if let Some(stz2) = child(stbl, b"stz2") {
            let bits = usize::from(*stz2.get(7)?);
            return [4, 8, 16]
                .contains(&bits)
                .then_some(Sizes::Each { table: stz2.get(12..)?, bits });
        }
        let stsz = child(stbl, b"stsz")?;
        let (size, count) = (be32(stsz.get(4..)?), be32(stsz.get(8..)?));
        let table = stsz.get(12..)?;
        if size == 1 {
            // QuickTime counts samples of sound so, whatever their codec makes of them.
            return None;
        }
        Some(if size > 0 { Sizes::All { size, count } } else { Sizes::Each { table, bits: 32 } })
    }

    fn count(&self) -> u64 {
        match self {
            Sizes::All { count, .. } => *count,
            Sizes::Each { table, bits } => (table.len() * 8 / bits) as u64,
        }
    }

    /// Bytes of `count` samples from `first` on.
    fn sum(&self, first: u64, count: u64) -> u64 {
        match self {
            Sizes::All { size, .. } => size.saturating_mul(count),
            Sizes::Each { table, bits } => {
                (first..first + count).map(|number| size_of(table, *bits, number as usize)).sum()
            }
        }
    }
}

fn size_of(table: &[u8], bits: usize, number: usize) -> u64 {
    match bits {
        4 => table.get(number / 2).map_or(0, |byte| u64::from(byte >> (4 - number % 2 * 4) & 15)),
        8 => table.get(number).map_or(0, |byte| u64::from(*byte)),
        16 => table.get(number * 2..).map_or(0, be16),
        _ => table.get(number * 4..).map_or(0, be32),
    }
}

/// Offset and bytes of each chunk that has samples (8.7.4, 8.7.5).
fn chunks(stbl: &[u8], sizes: &Sizes<'_>) -> Option<Vec<(u64, u64)>> {
    let (table, width) = match child(stbl, b"co64") {
        Some(co64) => (co64.get(8..)?, 8),
        None => (child(stbl, b"stco")?.get(8..)?, 4),
    };
    let runs: Vec<_> = child(stbl, b"stsc")?.get(8..)?.chunks_exact(12).collect();
    let (mut chunks, mut sample, mut run) = (Vec::new(), 0, 0);
    for (number, offset) in (1..).zip(table.chunks_exact(width)) {
        while runs.get(run + 1).is_some_and(|next| be32(next) <= number) {
            run += 1;
        }
        let held = be32(runs.get(run)?.get(4..)?).min(sizes.count().saturating_sub(sample));
        if held == 0 {
            break;
        }
        let at = if width == 8 { be64(offset) } else { be32(offset) };
        chunks.push((at, sizes.sum(sample, held)));
        sample += held;
    }
    Some(chunks)
}

/// The boxes in `bytes`, without their heads; what is cut off is none.
fn children(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let kind = *bytes.get(4..)?.first_chunk::<4>()?;
        let (size, head) = match be32(bytes) {
            0 => (bytes.len(), 8),
            1 => (usize::try_from(be64(bytes.get(8..16)?)).ok()?, 16),
            short => (short as usize, 8),
        };
        let content = bytes.get(head..size)?;
        bytes = &bytes[size..];
        Some((kind, content))
    })
}

fn child<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    children(bytes).find(|(found, _)| found == kind).map(|(_, content)| content)
}
