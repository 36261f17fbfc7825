//! Ways to break a file.

use std::fs;
use std::path::Path;

/// Writes the first `percent` of a file.
pub fn cut(from: &Path, to: &Path, percent: usize) -> Result<(), String> {
    let bytes = read(from)?;
    write(to, &bytes[..bytes.len() * percent / 100])
}

/// Inverts bits in the middle of a file, from `from_percent` on for one per cent of it.
pub fn scratch(from: &Path, to: &Path, from_percent: usize) -> Result<(), String> {
    let mut bytes = read(from)?;
    let length = bytes.len();
    for byte in &mut bytes[length * from_percent / 100..length * (from_percent + 1) / 100] {
        *byte ^= 0x5a;
    }
    write(to, &bytes)
}

/// Writes zeros over the hundred bytes that follow a mark.
pub fn blank_after(mark: &[u8], from: &Path, to: &Path) -> Result<(), String> {
    let mut bytes = read(from)?;
    let found = bytes.windows(mark.len()).position(|window| window == mark);
    let at = found.ok_or("the mark is not in the file")? + mark.len();
    bytes.get_mut(at..at + 100).ok_or("the file ends there")?.fill(0);
    write(to, &bytes)
}

/// Renames the last `mp4a` sample entry of a QuickTime file and its `esds`, as a codec that no
/// decoder here knows: what an iPhone's spatial sound looks like.
pub fn unknown_sound(from: &Path, to: &Path) -> Result<(), String> {
    let mut bytes = read(from)?;
    let tables =
        positions(&bytes, b"stsd").filter(|at| bytes.get(at + 16..at + 20) == Some(b"mp4a"));
    let entry = tables.last().ok_or("no mp4a entry")? + 16;
    let config = positions(&bytes, b"esds").find(|at| *at > entry).ok_or("no esds")?;
    bytes[entry..entry + 4].copy_from_slice(b"apac");
    bytes[config..config + 4].copy_from_slice(b"dapa");
    write(to, &bytes)
}

fn positions<'a>(bytes: &'a [u8], what: &'a [u8; 4]) -> impl Iterator<Item = usize> + 'a {
    (0..bytes.len().saturating_sub(4)).filter(move |at| &bytes[*at..at + 4] == what)
}

/// Writes one file after the other.
pub fn join(parts: &[&Path], to: &Path) -> Result<(), String> {
    let mut all = Vec::new();
    for part in parts {
        all.extend(read(part)?);
    }
    write(to, &all)
}

/// Reads a file.
pub fn read(from: &Path) -> Result<Vec<u8>, String> {
    fs::read(from).map_err(|why| format!("{}: {why}", from.display()))
}

/// Writes a file.
pub fn write(to: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(to, bytes).map_err(|why| format!("{}: {why}", to.display()))
}
