//! Reads a rendition of either form.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use vodmill_model::outcome::MediaError;

use super::blocks::Blocks;
use super::stream::{self, Stream};
use super::{Header, MAGIC, MAX_HEADER_BYTES, PacketMeta, append, torn};
use crate::error;

/// Magic and length of the header.
const PREFIX_BYTES: usize = 8 + 4;

/// Reads a rendition, from its beginning or from some time on.
pub(crate) struct RenditionReader<R = File> {
    path: PathBuf,
    header: Header,
    packets: Packets<R>,
}

enum Packets<R> {
    Blocks(Blocks<R>),
    Stream(Stream<R>),
}

impl RenditionReader {
    /// Opens `path` and reads its header.
    pub(crate) fn open(path: &Path) -> Result<RenditionReader, MediaError> {
        let file = File::open(path).map_err(|cause| error::file("open rendition", path, &cause))?;
        RenditionReader::over(file, path)
    }
}

impl<R: Read + Seek> RenditionReader<R> {
    pub(super) fn over(source: R, path: &Path) -> Result<RenditionReader<R>, MediaError> {
        let (header, packets) =
            begin(source).map_err(|cause| error::file("read rendition", path, &cause))?;
        Ok(RenditionReader { path: path.to_owned(), header, packets })
    }

    /// What the stream is.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Leaves out packets that are before some time, as far as that spares reading; only at the
    /// beginning, and of a stream whose packets are shown in order.
    pub(crate) fn skip_before(
        &mut self,
        is_before: &dyn Fn(i64) -> bool,
    ) -> Result<(), MediaError> {
        match &mut self.packets {
            Packets::Blocks(blocks) => blocks.skip_before(is_before),
            // It was read already, to prove it.
            Packets::Stream(_) => Ok(()),
        }
        .map_err(|cause| error::file("read rendition", &self.path, &cause))
    }

    /// Reads the next packet, which is proved, into `data`; `None` at the end.
    pub(crate) fn next(&mut self, data: &mut Vec<u8>) -> Result<Option<PacketMeta>, MediaError> {
        match &mut self.packets {
            Packets::Blocks(blocks) => blocks.next(data),
            Packets::Stream(stream) => stream.next(data),
        }
        .map_err(|cause| error::file("read rendition", &self.path, &cause))
    }
}

fn begin<R: Read + Seek>(mut source: R) -> io::Result<(Header, Packets<R>)> {
    let mut head = Vec::new();
    append(&mut source, PREFIX_BYTES, &mut head)?;
    let has_blocks = head.starts_with(MAGIC);
    if !has_blocks && !head.starts_with(stream::MAGIC) {
        return Err(torn("it is not a rendition"));
    }
    let size = u32::from_le_bytes([head[8], head[9], head[10], head[11]]) as usize;
    if size > MAX_HEADER_BYTES {
        return Err(torn("a length in it is beyond reason"));
    }
    append(&mut source, size, &mut head)?;
    let packets = if has_blocks {
        Packets::Blocks(Blocks::open(source, &head)?)
    } else {
        Packets::Stream(Stream::open(source, head.len())?)
    };
    Ok((serde_json::from_slice(&head[PREFIX_BYTES..])?, packets))
}

/// Packets that a rendition of `bytes` has from the block on in which `from` is; an error if they
/// cannot be proved.
pub fn count_packets(bytes: &[u8], from: Option<i64>) -> Result<u64, MediaError> {
    let mut reader = RenditionReader::over(Cursor::new(bytes), Path::new("bytes"))?;
    if let Some(from) = from {
        reader.skip_before(&|pts| pts < from)?;
    }
    let (mut packets, mut data) = (0, Vec::new());
    while reader.next(&mut data)?.is_some() {
        packets += 1;
    }
    Ok(packets)
}
