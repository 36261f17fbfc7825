//! Numbers and places in a file.

use std::io::{self, Read, Seek, SeekFrom};

/// As many zeros in a row as no encoder writes, and as a download leaves that has yet to come.
const HOLE: u64 = 4096;

pub(super) fn be16(bytes: &[u8]) -> u64 {
    be(bytes, 2)
}

pub(super) fn be32(bytes: &[u8]) -> u64 {
    be(bytes, 4)
}

pub(super) fn be64(bytes: &[u8]) -> u64 {
    be(bytes, 8)
}

pub(super) fn le32(bytes: &[u8]) -> u64 {
    le(bytes, 4)
}

pub(super) fn le64(bytes: &[u8]) -> u64 {
    le(bytes, 8)
}

fn be(bytes: &[u8], count: usize) -> u64 {
    bytes.iter().take(count).fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn le(bytes: &[u8], count: usize) -> u64 {
    bytes.iter().take(count).rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// What stands at `at`, all of it.
pub(super) fn bytes_at<const N: usize>(
    file: &mut (impl Read + Seek),
    at: u64,
) -> io::Result<[u8; N]> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// What stands at `at`, and how much of it is there.
pub(super) fn up_to<const N: usize>(
    file: &mut (impl Read + Seek),
    at: u64,
) -> io::Result<([u8; N], usize)> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = [0; N];
    let mut got = 0;
    while got < N {
        match file.read(&mut bytes[got..])? {
            0 => break,
            more => got += more,
        }
    }
    Ok((bytes, got))
}

/// Whether the bytes before `end`, from `from` on at most, are a hole.
pub(super) fn ends_in_hole(file: &mut (impl Read + Seek), from: u64, end: u64) -> io::Result<bool> {
    if end.saturating_sub(from) < HOLE {
        return Ok(false);
    }
    let bytes: [u8; HOLE as usize] = bytes_at(file, end - HOLE)?;
    Ok(bytes.iter().all(|byte| *byte == 0))
}

/// Whether a hole is at `at`.
pub(super) fn begins_hole(file: &mut (impl Read + Seek), at: u64) -> io::Result<bool> {
    let (bytes, got) = up_to::<{ HOLE as usize }>(file, at)?;
    Ok(got == HOLE as usize && bytes.iter().all(|byte| *byte == 0))
}
