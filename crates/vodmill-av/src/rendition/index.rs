//! Entries of the index: where a part of the file is, what is in it, and what proves it.

use std::io::{self, Read, Seek, SeekFrom};

use super::{append, proves, sha256, torn};

pub(super) const ENTRY_BYTES: usize = 8 + 4 + 8 + 8 + 32;
/// Of a page: what a reader of one block has to read besides.
pub(super) const PAGE_ENTRIES: usize = 128;
/// Of the root: with blocks of 64 kB, a rendition of half a terabyte.
pub(super) const ROOT_ENTRIES: usize = 1 << 16;

/// A block, a page or the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    offset: u64,
    bytes: u32,
    /// When its first packet is shown.
    pub first: i64,
    /// Packets in it, or in what it leads to.
    pub packets: u64,
    sha256: [u8; 32],
}

impl Entry {
    /// Of `data` at `offset`.
    pub(super) fn new(offset: u64, data: &[u8], first: i64, packets: u64) -> Entry {
        let mut hash = sha256();
        hash.update(data);
        let mut digest = [0; 32];
        digest.copy_from_slice(hash.finish().as_ref());
        Entry { offset, bytes: data.len() as u32, first, packets, sha256: digest }
    }

    /// Of a page or the root, with what `entries` are written as.
    pub(super) fn over(offset: u64, entries: &[Entry]) -> (Entry, Vec<u8>) {
        let data: Vec<u8> = entries.iter().flat_map(Entry::to_bytes).collect();
        let entry = Entry::new(offset, &data, first(entries), packets(entries));
        (entry, data)
    }

    pub(super) fn to_bytes(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[0..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.bytes.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.first.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.packets.to_le_bytes());
        bytes[28..60].copy_from_slice(&self.sha256);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Entry {
        let eight = |at: usize| std::array::from_fn(|n| bytes[at + n]);
        Entry {
            offset: u64::from_le_bytes(eight(0)),
            bytes: u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]),
            first: i64::from_le_bytes(eight(12)),
            packets: u64::from_le_bytes(eight(20)),
            sha256: std::array::from_fn(|n| bytes[28 + n]),
        }
    }

    /// Whether what it is of ends at `offset`.
    pub(super) fn ends_at(&self, offset: u64) -> bool {
        self.offset.checked_add(self.bytes.into()) == Some(offset)
    }

    /// Reads what it is of into `data`, and proves it.
    pub(super) fn read(
        &self,
        source: &mut (impl Read + Seek),
        data: &mut Vec<u8>,
    ) -> io::Result<()> {
        source.seek(SeekFrom::Start(self.offset))?;
        data.clear();
        append(source, self.bytes as usize, data)?;
        let mut hash = sha256();
        hash.update(data);
        if proves(&self.sha256, hash) { Ok(()) } else { Err(torn("a checksum does not match")) }
    }

    /// Reads the page or the root that it is of.
    pub(super) fn read_entries(
        &self,
        source: &mut (impl Read + Seek),
        limit: usize,
    ) -> io::Result<Vec<Entry>> {
        if self.bytes as usize > limit * ENTRY_BYTES {
            return Err(torn("its index is beyond reason"));
        }
        let mut data = Vec::new();
        self.read(source, &mut data)?;
        let (chunks, rest) = data.as_chunks::<ENTRY_BYTES>();
        let entries: Vec<Entry> = chunks.iter().map(Entry::from_bytes).collect();
        let agrees = first(&entries) == self.first && packets(&entries) == self.packets;
        if rest.is_empty() && agrees {
            Ok(entries)
        } else {
            Err(torn("its index contradicts itself"))
        }
    }
}

fn first(entries: &[Entry]) -> i64 {
    entries.first().map_or(0, |entry| entry.first)
}

fn packets(entries: &[Entry]) -> u64 {
    entries.iter().fold(0, |sum, entry| sum.saturating_add(entry.packets))
}
