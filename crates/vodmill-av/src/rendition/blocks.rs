//! Reads blocks by their index: all of them, or those from some time on.

use std::io::{self, Read, Seek, SeekFrom};
use std::vec::IntoIter;

use super::index::{ENTRY_BYTES, Entry, PAGE_ENTRIES, ROOT_ENTRIES};
use super::{META_BYTES, PacketMeta, append, proves, sha256, torn};

const END_BYTES: usize = ENTRY_BYTES + 32;

/// The packets of a file with blocks.
pub(super) struct Blocks<R> {
    source: R,
    /// Pages that were not read yet.
    pages: IntoIter<Entry>,
    /// Blocks of the page that was read last, which were not read yet.
    blocks: IntoIter<Entry>,
    block: Vec<u8>,
    /// How far `block` was handed out.
    at: usize,
    /// Packets that `block` still has.
    left: u64,
}

impl<R: Read + Seek> Blocks<R> {
    /// Proves `head`, which is all before the first block, and the root.
    pub(super) fn open(mut source: R, head: &[u8]) -> io::Result<Blocks<R>> {
        let root = find_root(&mut source, head)?;
        let pages = root.read_entries(&mut source, ROOT_ENTRIES)?.into_iter();
        let blocks = Vec::new().into_iter();
        Ok(Blocks { source, pages, blocks, block: Vec::new(), at: 0, left: 0 })
    }

    /// Leaves out, unread, what cannot have a packet that is not before some time.
    pub(super) fn skip_before(&mut self, is_before: &dyn Fn(i64) -> bool) -> io::Result<()> {
        skip(&mut self.pages, is_before);
        if let Some(page) = self.pages.next() {
            self.blocks = page.read_entries(&mut self.source, PAGE_ENTRIES)?.into_iter();
            skip(&mut self.blocks, is_before);
        }
        Ok(())
    }

    /// Hands out the next packet of a block that was proved.
    pub(super) fn next(&mut self, data: &mut Vec<u8>) -> io::Result<Option<PacketMeta>> {
        while self.left == 0 {
            if self.at != self.block.len() {
                return Err(torn("a block has more than its packets"));
            }
            let Some(entry) = self.next_block()? else { return Ok(None) };
            entry.read(&mut self.source, &mut self.block)?;
            (self.at, self.left) = (0, entry.packets);
        }
        self.left -= 1;
        self.read_packet(data).map(Some)
    }

    fn next_block(&mut self) -> io::Result<Option<Entry>> {
        loop {
            if let Some(block) = self.blocks.next() {
                return Ok(Some(block));
            }
            let Some(page) = self.pages.next() else { return Ok(None) };
            self.blocks = page.read_entries(&mut self.source, PAGE_ENTRIES)?.into_iter();
        }
    }

    fn read_packet(&mut self, data: &mut Vec<u8>) -> io::Result<PacketMeta> {
        let short = || torn("a block ends within a packet");
        let rest = &self.block[self.at..];
        let (meta, rest) = rest.split_first_chunk::<META_BYTES>().ok_or_else(short)?;
        let (meta, size) = PacketMeta::from_bytes(meta);
        let packet = rest.get(..size).ok_or_else(short)?;
        data.clear();
        data.extend_from_slice(packet);
        self.at += META_BYTES + size;
        Ok(meta)
    }
}

/// The entry of the root, which stands in the end.
fn find_root(source: &mut (impl Read + Seek), head: &[u8]) -> io::Result<Entry> {
    let size = source.seek(SeekFrom::End(0))?;
    let end = size.checked_sub(END_BYTES as u64).ok_or_else(|| torn("it has no end"))?;
    source.seek(SeekFrom::Start(end))?;
    let mut bytes = Vec::new();
    append(source, END_BYTES, &mut bytes)?;
    let Some((bytes, digest)) = bytes.split_first_chunk::<ENTRY_BYTES>() else {
        return Err(torn("it has no end"));
    };
    let mut hash = sha256();
    hash.update(head);
    hash.update(bytes);
    let root = Entry::from_bytes(bytes);
    if proves(digest, hash) && root.ends_at(end) { Ok(root) } else { Err(torn("it has no end")) }
}

/// Leaves out all that are before, but for the last: it may have packets that are not.
fn skip(entries: &mut IntoIter<Entry>, is_before: &dyn Fn(i64) -> bool) {
    let before = entries.as_slice().partition_point(|entry| is_before(entry.first));
    if let Some(last_left_out) = before.checked_sub(2) {
        entries.nth(last_left_out);
    }
}
