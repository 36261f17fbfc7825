//! Matroska and WebM: elements (RFC 8794, 5 and 6).

use std::io::{self, Read, Seek};

use super::MAX_BOXES;
use super::bytes::{ends_in_hole, up_to};

const SEGMENT: [u8; 4] = [0x18, 0x53, 0x80, 0x67];

pub(super) fn begins(head: &[u8]) -> bool {
    head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3])
}

/// Cut if the segment reaches beyond the end, or ends in a hole. Where its size is not known, which a
/// pipe leaves, if an element in it does.
pub(super) fn is_truncated(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let Some(header) = element(file, 0)? else { return Ok(false) };
    let Some(at) = header.end() else { return Ok(false) };
    let Some(segment) = element(file, at)? else { return Ok(true) };
    if segment.id != SEGMENT {
        return Ok(at >= length);
    }
    match segment.end() {
        Some(end) => Ok(end > length || ends_in_hole(file, segment.content, end)?),
        None => elements_are_cut(file, segment.content, length),
    }
}

/// Elements of unknown size are clusters of a live stream: what is in them is walked over too.
fn elements_are_cut(file: &mut (impl Read + Seek), begin: u64, length: u64) -> io::Result<bool> {
    let mut at = begin;
    for _ in 0..MAX_BOXES {
        if at == length {
            return Ok(false);
        }
        let Some(element) = element(file, at)? else {
            return Ok(length - at < MOST_OF_A_HEAD || ends_in_hole(file, at, length)?);
        };
        at = element.end().unwrap_or(element.content);
        if at > length {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Bytes of the longest head: an id of four, a size of eight.
const MOST_OF_A_HEAD: u64 = 12;

struct Element {
    id: [u8; 4],
    /// Where its content begins.
    content: u64,
    /// Its length, if it is known.
    bytes: Option<u64>,
}

impl Element {
    fn end(&self) -> Option<u64> {
        self.bytes.map(|bytes| self.content.saturating_add(bytes))
    }
}

/// The element at `at`; none if that is no head, or not all of one.
fn element(file: &mut (impl Read + Seek), at: u64) -> io::Result<Option<Element>> {
    let (head, got) = up_to::<12>(file, at)?;
    let id_bytes = head[0].leading_zeros() as usize + 1;
    if id_bytes > 4 || got <= id_bytes {
        return Ok(None);
    }
    let mut id = [0; 4];
    id[..id_bytes].copy_from_slice(&head[..id_bytes]);
    let size = &head[id_bytes..got];
    let size_bytes = size[0].leading_zeros() as usize + 1;
    if size_bytes > 8 || size.len() < size_bytes {
        return Ok(None);
    }
    let first = u64::from(size[0]) & (0xff_u64 >> size_bytes);
    let bytes = size[1..size_bytes].iter().fold(first, |value, &byte| value << 8 | u64::from(byte));
    let unknown = (1_u64 << (7 * size_bytes)) - 1;
    let content = at + (id_bytes + size_bytes) as u64;
    Ok(Some(Element { id, content, bytes: (bytes != unknown).then_some(bytes) }))
}
