//! Reading ahead of one reader, in a bounded number of bytes.
//!
//! A look into an index costs a small block. A reader that goes on where a block ended gets blocks
//! that double up to [`LARGEST`]; from [`AHEAD_FROM`] on the next [`AHEAD`] are fetched while it
//! reads. Several such runs may alternate, as the tracks of a file that is not interleaved do.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::ReadAt;

/// Bytes of the first block of a run.
const FIRST: usize = 64 << 10;
/// Bytes of a block of a long run.
pub(super) const LARGEST: usize = 2 << 20;
/// Bytes of the block from which on its run is read ahead.
const AHEAD_FROM: usize = 256 << 10;
/// Blocks that are fetched ahead of a run.
pub(super) const AHEAD: usize = 2;
/// Fetches at a time, of all runs.
const FETCHES: usize = 4;
/// Bytes that are held or on their way, at most.
pub(super) const CACHE: usize = 16 << 20;

/// One reader's view of an original.
pub(super) struct ReadAhead {
    source: Arc<dyn ReadAt>,
    bytes: u64,
    /// The next to be dropped first.
    blocks: VecDeque<Block>,
    coming: Vec<Coming>,
}

/// A piece of the original.
struct Block {
    extent: Extent,
    bytes: Vec<u8>,
}

/// A fetch in a thread of its own.
struct Coming {
    extent: Extent,
    thread: JoinHandle<io::Result<Vec<u8>>>,
}

#[derive(Clone, Copy)]
struct Extent {
    offset: u64,
    length: usize,
}

impl Extent {
    fn end(self) -> u64 {
        self.offset + self.length as u64
    }

    fn holds(self, offset: u64) -> bool {
        (self.offset..self.end()).contains(&offset)
    }

    /// Whether a reader at `offset` goes on from here, though it may leave out a little.
    fn leads_to(self, offset: u64) -> bool {
        offset.checked_sub(self.end()).is_some_and(|gap| gap <= self.length as u64)
    }

    /// Length of the block after this one.
    fn next_length(self) -> usize {
        (2 * self.length).min(LARGEST)
    }
}

impl ReadAhead {
    pub(super) fn new(source: Arc<dyn ReadAt>) -> ReadAhead {
        let bytes = source.bytes();
        ReadAhead { source, bytes, blocks: VecDeque::new(), coming: Vec::new() }
    }

    /// At most `length` bytes from `offset` on; none only at the end or beyond it.
    pub(super) fn read(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        if offset >= self.bytes || length == 0 {
            return Ok(&[]);
        }
        let extent = self.bring(offset, length)?;
        self.fetch_ahead(extent);
        let Some(block) = self.blocks.back() else { return Ok(&[]) };
        let from = (offset - extent.offset) as usize;
        Ok(&block.bytes[from..extent.length.min(from + length)])
    }

    /// Makes the block with `offset` the last one, fetching it if need be.
    fn bring(&mut self, offset: u64, length: usize) -> io::Result<Extent> {
        let held = self.blocks.iter().position(|block| block.extent.holds(offset));
        let block = match held.and_then(|index| self.blocks.remove(index)) {
            Some(block) => block,
            None => match self.arrived(offset) {
                Some(block) => block,
                None => self.fetch(offset, length)?,
            },
        };
        let extent = block.extent;
        self.blocks.push_back(block);
        // What lies before it in the run has been read.
        let before = self.blocks.iter().position(|block| block.extent.end() == extent.offset);
        if let Some(read) = before.and_then(|index| self.blocks.remove(index)) {
            self.blocks.push_front(read);
        }
        self.shrink();
        Ok(extent)
    }

    /// The block with `offset`, if it is on its way. One that failed is fetched again when it is
    /// needed.
    fn arrived(&mut self, offset: u64) -> Option<Block> {
        let index = self.coming.iter().position(|coming| coming.extent.holds(offset))?;
        self.coming.swap_remove(index).wait()
    }

    fn fetch(&mut self, offset: u64, length: usize) -> io::Result<Block> {
        let extents = self.blocks.iter().rev().map(|block| block.extent);
        let run = extents.filter(|extent| extent.leads_to(offset)).map(Extent::next_length).next();
        let wanted = run.unwrap_or(FIRST).max(length.min(LARGEST));
        let extent = self.extent(offset, wanted);
        let bytes = whole(&*self.source, extent)?;
        Ok(Block { extent, bytes })
    }

    /// From `offset` on up to `length` bytes, not beyond the end nor over what is there already.
    fn extent(&self, offset: u64, length: usize) -> Extent {
        let starts = self.extents().map(|extent| extent.offset).filter(|&start| start > offset);
        let limit = starts.min().unwrap_or(self.bytes) - offset;
        Extent { offset, length: usize::try_from(limit).unwrap_or(length).min(length) }
    }

    fn extents(&self) -> impl Iterator<Item = Extent> {
        let coming = self.coming.iter().map(|coming| coming.extent);
        self.blocks.iter().map(|block| block.extent).chain(coming)
    }

    /// Sees to it that what comes after `extent` is on its way.
    fn fetch_ahead(&mut self, extent: Extent) {
        if extent.length < AHEAD_FROM {
            return;
        }
        let mut last = extent;
        for _ in 0..AHEAD {
            let offset = last.end();
            let known = self.extents().find(|extent| extent.holds(offset));
            match known.or_else(|| self.start(offset, last.next_length())) {
                Some(next) => last = next,
                None => return,
            }
        }
    }

    /// Starts a fetch, if there is room for it.
    fn start(&mut self, offset: u64, length: usize) -> Option<Extent> {
        self.collect();
        if offset >= self.bytes || self.coming.len() >= FETCHES {
            return None;
        }
        let extent = self.extent(offset, length);
        let source = Arc::clone(&self.source);
        let fetch = thread::Builder::new().name("read-ahead".to_owned());
        // Without a thread the reader fetches it itself when it comes there.
        let thread = fetch.spawn(move || whole(&*source, extent)).ok()?;
        self.coming.push(Coming { extent, thread });
        self.shrink();
        Some(extent)
    }

    /// Takes in what has arrived, also where its reader has gone elsewhere.
    fn collect(&mut self) {
        let done = |coming: &mut Coming| coming.thread.is_finished();
        let done: Vec<Coming> = self.coming.extract_if(.., done).collect();
        for block in done.into_iter().filter_map(Coming::wait) {
            // Before the last one, which is being read.
            let index = self.blocks.len().saturating_sub(1);
            self.blocks.insert(index, block);
        }
    }

    /// Drops blocks until all is within the bound, never the one that is being read.
    fn shrink(&mut self) {
        while self.blocks.len() > 1
            && self.extents().map(|extent| extent.length).sum::<usize>() > CACHE
        {
            self.blocks.pop_front();
        }
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.coming.drain(..).for_each(|coming| drop(coming.wait()));
    }
}

impl Coming {
    fn wait(self) -> Option<Block> {
        let bytes = self.thread.join().ok()?.ok()?;
        Some(Block { extent: self.extent, bytes })
    }
}

fn whole(source: &dyn ReadAt, extent: Extent) -> io::Result<Vec<u8>> {
    let bytes = source.read_at(extent.offset, extent.length)?;
    match bytes.len() == extent.length {
        true => Ok(bytes),
        false => Err(io::Error::other(format!(
            "{} bytes came of {} from {} on",
            bytes.len(),
            extent.length,
            extent.offset
        ))),
    }
}

#[cfg(test)]
mod tests;
