//! Writes a rendition.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use ring::digest::Context;
use vodmill_model::outcome::MediaError;

use super::index::{Entry, PAGE_ENTRIES, ROOT_ENTRIES};
use super::{Header, MAGIC, MAX_PACKET_BYTES, PacketMeta, sha256};
use crate::error;

/// A block ends with the packet that makes it this long. What a run of segments reads too much is
/// about that.
pub(super) const BLOCK_BYTES: usize = 64 << 10;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RenditionFacts {
    /// Packets.
    pub packets: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// Writes a rendition. Syncing and renaming belong to the caller.
pub(crate) struct RenditionWriter {
    file: File,
    path: PathBuf,
    /// Of all before the first block.
    hash: Context,
    facts: RenditionFacts,
    block: Block,
    page: Vec<Entry>,
    root: Vec<Entry>,
}

#[derive(Default)]
struct Block {
    data: Vec<u8>,
    first: i64,
    packets: u64,
}

impl RenditionWriter {
    /// Creates or truncates `path`.
    pub(crate) fn create(path: &Path, header: &Header) -> Result<RenditionWriter, MediaError> {
        let json = serde_json::to_vec(header)
            .expect("a header has string keys and no fallible serialisers");
        let head = [&MAGIC[..], &(json.len() as u32).to_le_bytes(), &json].concat();
        let file =
            File::create(path).map_err(|cause| error::file("create rendition", path, &cause))?;
        let mut hash = sha256();
        hash.update(&head);
        let mut writer = RenditionWriter {
            file,
            path: path.to_owned(),
            hash,
            facts: RenditionFacts { packets: 0, bytes: 0 },
            block: Block::default(),
            page: Vec::new(),
            root: Vec::new(),
        };
        writer.put(&head)?;
        Ok(writer)
    }

    /// Appends a packet.
    pub(crate) fn write(&mut self, meta: &PacketMeta, data: &[u8]) -> Result<(), MediaError> {
        if data.len() > MAX_PACKET_BYTES {
            return Err(self.failed(format!("a packet of {} bytes", data.len())));
        }
        if self.block.packets == 0 {
            self.block.first = meta.pts;
        }
        self.block.data.extend_from_slice(&meta.to_bytes(data.len() as u32));
        self.block.data.extend_from_slice(data);
        self.block.packets += 1;
        self.facts.packets += 1;
        if self.block.data.len() >= BLOCK_BYTES { self.end_block() } else { Ok(()) }
    }

    /// Writes the rest of the index and the end.
    pub(crate) fn finish(mut self) -> Result<RenditionFacts, MediaError> {
        if self.block.packets > 0 {
            self.end_block()?;
        }
        if !self.page.is_empty() {
            self.end_page()?;
        }
        let (root, data) = Entry::over(self.facts.bytes, &self.root);
        self.put(&data)?;
        let root = root.to_bytes();
        self.hash.update(&root);
        let digest = self.hash.clone().finish();
        self.put(&root)?;
        self.put(digest.as_ref())?;
        Ok(self.facts)
    }

    fn end_block(&mut self) -> Result<(), MediaError> {
        let Block { data, first, packets } = std::mem::take(&mut self.block);
        self.page.push(Entry::new(self.facts.bytes, &data, first, packets));
        self.put(&data)?;
        if self.page.len() == PAGE_ENTRIES { self.end_page() } else { Ok(()) }
    }

    fn end_page(&mut self) -> Result<(), MediaError> {
        if self.root.len() == ROOT_ENTRIES {
            return Err(self.failed("more than its index takes in".to_owned()));
        }
        let (entry, data) = Entry::over(self.facts.bytes, &self.page);
        self.put(&data)?;
        self.root.push(entry);
        self.page.clear();
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), MediaError> {
        self.facts.bytes += bytes.len() as u64;
        self.file
            .write_all(bytes)
            .map_err(|cause| error::file("write rendition", &self.path, &cause))
    }

    fn failed(&self, cause: String) -> MediaError {
        error::failed("write rendition", self.path.display(), cause)
    }
}
