//! Elements of EBML (RFC 8794), one behind the other.

use std::io::{self, Read, Seek, SeekFrom};

/// An element: its id with the marker, and where its data are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub id: u32,
    /// Where its id begins.
    pub start: u64,
    /// Where its data begin and end.
    pub data: u64,
    pub end: u64,
}

/// Elements within a stretch of a file.
pub(super) struct Elements<'s, R> {
    source: &'s mut R,
    at: u64,
    end: u64,
}

impl<'s, R: Read + Seek> Elements<'s, R> {
    /// All of a file.
    pub(super) fn of_file(source: &'s mut R) -> io::Result<Elements<'s, R>> {
        let end = source.seek(SeekFrom::End(0))?;
        Ok(Elements { source, at: 0, end })
    }

    /// Those within `parent`.
    pub(super) fn within(source: &'s mut R, parent: Element) -> Elements<'s, R> {
        Elements { source, at: parent.data, end: parent.end }
    }

    /// The next one, which ends within its parent.
    pub(super) fn next(&mut self) -> io::Result<Option<Element>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let start = self.at;
        self.source.seek(SeekFrom::Start(start))?;
        let (id, id_bytes) = read_number(self.source, 4, true)?;
        let (size, size_bytes) = read_number(self.source, 8, false)?;
        let data = start + id_bytes + size_bytes;
        let end = data.checked_add(size).filter(|&end| end <= self.end);
        let end = end.ok_or_else(|| broken(format!("an element at {start} has no end")))?;
        self.at = end;
        let id = u32::try_from(id).map_err(|_| broken(format!("an id at {start}")))?;
        Ok(Some(Element { id, start, data, end }))
    }

    /// The data of `element`, at most `limit` bytes.
    pub(super) fn read(&mut self, element: Element, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.source.seek(SeekFrom::Start(element.data))?;
        let size = (element.end - element.data).min(limit);
        self.source.take(size).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// An unsigned integer.
    pub(super) fn unsigned(&mut self, element: Element) -> io::Result<u64> {
        let bytes = self.read(element, 8)?;
        Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// The elements within `parent`.
    pub(super) fn inside(&mut self, parent: Element) -> Elements<'_, R> {
        Elements::within(self.source, parent)
    }
}

/// A number of variable length (RFC 8794, 4), with its marker or without, and its length.
fn read_number(source: &mut impl Read, longest: u32, marked: bool) -> io::Result<(u64, u64)> {
    let mut first = [0];
    source.read_exact(&mut first)?;
    let length = first[0].leading_zeros() + 1;
    if length > longest {
        return Err(broken(format!("a number of {length} bytes")));
    }
    let mut rest = [0; 7];
    let rest = &mut rest[..length as usize - 1];
    source.read_exact(rest)?;
    let value = rest.iter().fold(u64::from(first[0]), |value, byte| value << 8 | u64::from(*byte));
    let without = value & ((1 << (7 * length)) - 1);
    if !marked && without == (1 << (7 * length)) - 1 {
        return Err(broken("an element of unknown size".to_owned()));
    }
    Ok((if marked { value } else { without }, length.into()))
}

pub(super) fn broken(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
