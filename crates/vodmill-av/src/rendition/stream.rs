//! The form without blocks, which vodmill wrote until November 2026.
//!
//! ```text
//! magic (8) | header length (4) | header, JSON
//! 1 | pts (8) | dts (8) | duration (8) | key (1) | size (4) | data     for each packet
//! 0 | packets (8) | SHA-256 of all before it (32)
//! ```
//!
//! Only the whole of it can be proved, so that is done before a packet is handed out.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::{MAX_PACKET_BYTES, META_BYTES, PacketMeta, append, proves, sha256, torn};

pub(super) const MAGIC: &[u8; 8] = b"vodmREN1";
const PACKET: u8 = 1;
const END: u8 = 0;
const DIGEST_BYTES: usize = 32;
const BUFFER: usize = 256 << 10;

/// The packets of a file without blocks.
pub(super) struct Stream<R> {
    source: BufReader<R>,
    packets: u64,
    ended: bool,
}

impl<R: Read + Seek> Stream<R> {
    /// Proves the whole file. The packets begin at `first`.
    pub(super) fn open(source: R, first: usize) -> io::Result<Stream<R>> {
        let mut source = BufReader::with_capacity(BUFFER, source);
        prove(&mut source)?;
        source.seek(SeekFrom::Start(first as u64))?;
        Ok(Stream { source, packets: 0, ended: false })
    }

    pub(super) fn next(&mut self, data: &mut Vec<u8>) -> io::Result<Option<PacketMeta>> {
        if self.ended {
            return Ok(None);
        }
        let [tag] = self.take()?;
        match tag {
            PACKET => self.read_packet(data).map(Some),
            END => self.check_end().map(|()| None),
            _ => Err(torn("neither a packet nor the end")),
        }
    }

    fn read_packet(&mut self, data: &mut Vec<u8>) -> io::Result<PacketMeta> {
        let (meta, size) = PacketMeta::from_bytes(&self.take::<META_BYTES>()?);
        if size > MAX_PACKET_BYTES {
            return Err(torn("a length in it is beyond reason"));
        }
        data.clear();
        append(&mut self.source, size, data)?;
        self.packets += 1;
        Ok(meta)
    }

    fn check_end(&mut self) -> io::Result<()> {
        let packets = u64::from_le_bytes(self.take()?);
        self.take::<DIGEST_BYTES>()?;
        if packets != self.packets || self.source.read(&mut [0])? != 0 {
            return Err(torn("its end does not fit"));
        }
        self.ended = true;
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn prove(source: &mut (impl io::BufRead + Seek)) -> io::Result<()> {
    let size = source.seek(SeekFrom::End(0))?;
    let body = size.checked_sub(DIGEST_BYTES as u64).ok_or_else(|| torn("it has no end"))?;
    source.seek(SeekFrom::Start(0))?;
    let mut hash = sha256();
    let mut buffer = vec![0; BUFFER];
    let mut left = body;
    while left > 0 {
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        source.read_exact(&mut buffer[..wanted])?;
        hash.update(&buffer[..wanted]);
        left -= wanted as u64;
    }
    let mut written = [0; DIGEST_BYTES];
    source.read_exact(&mut written)?;
    if proves(&written, hash) { Ok(()) } else { Err(torn("its checksum does not match")) }
}
