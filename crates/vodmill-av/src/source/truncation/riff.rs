//! Chunks: AVI and WAV (RIFF), RF64 (EBU Tech 3306), W64, AIFF, CAF.

use std::io::{self, Read, Seek};

use super::bytes::{be32, be64, le32, le64, up_to};

/// Chunks that are looked at.
const MAX_CHUNKS: usize = 100_000;
/// Sizes from here on mean that the writer did not know, and could not go back: a pipe.
const UNKNOWN: u64 = 0x7fff_0000;
const UNKNOWN_W64: u64 = 1 << 62;

/// `riff` and `data` of W64; every chunk's name ends like the second.
const W64_RIFF: [u8; 16] = *b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00";
const W64_DATA: [u8; 16] = *b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";

/// How chunks are written.
enum Form {
    Riff,
    /// The size of `data` stands in `ds64`.
    Rf64,
    /// Big-endian.
    Aiff,
}

pub(super) fn begins(head: &[u8]) -> bool {
    let kind = head.get(8..12).unwrap_or_default();
    match head.get(..4) {
        Some(b"RIFF") => kind == b"AVI " || kind == b"WAVE",
        Some(b"RF64") => kind == b"WAVE",
        Some(b"FORM") => kind == b"AIFF" || kind == b"AIFC",
        Some(b"caff") => true,
        _ => head.starts_with(&W64_RIFF),
    }
}

/// Cut if the chunk that holds the media reaches beyond the end. What stands behind it, and what the
/// outermost chunk says of its own size, is not media.
pub(super) fn is_truncated(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let (head, _) = up_to::<16>(file, 0)?;
    match &head[..4] {
        b"RIFF" if head[8..12] == *b"AVI " => avi_is_truncated(file, length),
        b"RIFF" => walk(file, length, &Form::Riff),
        b"RF64" => walk(file, length, &Form::Rf64),
        b"FORM" => walk(file, length, &Form::Aiff),
        b"caff" => caf_is_truncated(file, length),
        _ => w64_is_truncated(file, length),
    }
}

/// Sound: the first `data` or `SSND` tells.
fn walk(file: &mut (impl Read + Seek), length: u64, form: &Form) -> io::Result<bool> {
    let (mut at, mut long) = (12, 0);
    for _ in 0..MAX_CHUNKS {
        let (head, got) = up_to::<24>(file, at)?;
        if got < 8 {
            // No media: there must be more to come.
            return Ok(true);
        }
        let size = match form {
            Form::Aiff => be32(&head[4..]),
            Form::Riff | Form::Rf64 => le32(&head[4..]),
        };
        match &head[..4] {
            b"ds64" => long = le64(&head[16..]),
            b"data" | b"SSND" => {
                let size = match form {
                    Form::Rf64 if size == u64::from(u32::MAX) => long,
                    _ if size >= UNKNOWN => 0,
                    _ => size,
                };
                return Ok((at + 8).saturating_add(size) > length);
            }
            _ => {}
        }
        at = at.saturating_add(8 + size + size % 2);
    }
    Ok(false)
}

/// Every `movi` must be there, that of each further RIFF too (OpenDML).
fn avi_is_truncated(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let (mut at, mut found, mut end) = (0, false, 0);
    for _ in 0..MAX_CHUNKS {
        let (head, got) = up_to::<12>(file, at)?;
        let size = le32(&head[4..]);
        match (&head[..4], &head[8..]) {
            _ if got < 12 => break,
            // Into the list of the outermost chunks.
            (b"RIFF", b"AVI " | b"AVIX") => {
                end = if size < UNKNOWN { at + size } else { 0 };
                at += 12;
            }
            (b"LIST", b"movi") => {
                found = true;
                if size == 0 || size >= UNKNOWN {
                    return Ok(false);
                }
                if (at + 8).saturating_add(size) > length {
                    return Ok(true);
                }
                at += 8 + size + size % 2;
            }
            (kind, _) if kind.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') => {
                at = at.saturating_add(8 + size + size % 2);
            }
            // No chunk: what is behind the last one, or, where there should be more, a hole.
            _ => return Ok(at < end && head == [0; 12]),
        }
    }
    Ok(!found)
}

/// Sizes are of 64 bits, big-endian; that of the samples may be -1, for all that follows.
fn caf_is_truncated(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let mut at = 8;
    for _ in 0..MAX_CHUNKS {
        let (head, got) = up_to::<12>(file, at)?;
        if got < 12 {
            return Ok(true);
        }
        let size = be64(&head[4..]);
        let end = at.saturating_add(12).saturating_add(size);
        match head.starts_with(b"data") {
            true => return Ok(size != u64::MAX && end > length),
            // Sizes that lie lead to where no file can be read.
            false if end > length => return Ok(true),
            false => at = end,
        }
    }
    Ok(false)
}

/// Sizes are of 64 bits, with the head of 24 bytes, and padded to 8.
fn w64_is_truncated(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let mut at = 40;
    for _ in 0..MAX_CHUNKS {
        let (head, got) = up_to::<24>(file, at)?;
        if got < 24 {
            return Ok(true);
        }
        let size = le64(&head[16..]);
        if head.starts_with(&W64_DATA) {
            return Ok(size < UNKNOWN_W64 && at.saturating_add(size) > length);
        }
        if !(24..UNKNOWN_W64).contains(&size) {
            return Ok(false);
        }
        at = at.saturating_add(size.next_multiple_of(8));
    }
    Ok(false)
}
