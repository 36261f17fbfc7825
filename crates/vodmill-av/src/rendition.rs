//! The private form of an encoded stream: packets on the grid, with a checked end.
//!
//! ```text
//! magic (8) | header length (4) | header, JSON
//! 1 | pts (8) | dts (8) | duration (8) | key (1) | size (4) | data     for each packet
//! 0 | packets (8) | SHA-256 of all before it (32)
//! ```
//!
//! Numbers are little-endian. A file without its footer, or with a wrong one, is torn: the reader
//! says so, at the latest when the last packet has been read.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use vodmill_model::media::Hdr10;
use vodmill_model::outcome::MediaError;
use vodmill_model::units::{Ratio, Size};

use crate::error;

const MAGIC: &[u8; 8] = b"vodmREN1";
const PACKET: u8 = 1;
const END: u8 = 0;
/// pts, dts, duration, key, size.
const META_BYTES: usize = 8 + 8 + 8 + 1 + 4;
const MAX_HEADER_BYTES: usize = 1 << 20;
/// Beyond any packet of an encoder here; keeps a torn length from asking for gigabytes.
const MAX_PACKET_BYTES: usize = 256 << 20;

/// What the stream is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Header {
    /// Pictures. Times are numbers of frames on the grid: pts is the frame's absolute number.
    Video(VideoHeader),
    /// Sound. Times are in samples; the first pts is `-initial_padding`.
    Audio(AudioHeader),
}

/// A stream of pictures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VideoHeader {
    /// libav's name of the codec.
    pub codec: String,
    /// Size of the pictures.
    pub size: Size,
    /// Seconds per frame.
    pub time_base: Ratio,
    /// Codec configuration as the encoder gives it (Annex B parameter sets for H.264 and HEVC).
    pub extradata: Vec<u8>,
    /// How pictures are coded, for containers that say it beside the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colours: Option<Colours>,
}

/// Code points of ITU-T H.273, of pictures in limited range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Colours {
    /// ColourPrimaries.
    pub primaries: u32,
    /// TransferCharacteristics.
    pub transfer: u32,
    /// MatrixCoefficients.
    pub matrix: u32,
    /// What is said of high dynamic range.
    #[serde(default, skip_serializing_if = "Hdr10::is_empty")]
    pub hdr10: Hdr10,
}

/// A stream of sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AudioHeader {
    /// libav's name of the codec.
    pub codec: String,
    /// Samples per second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
    /// Samples of encoder delay before time zero.
    pub initial_padding: u32,
    /// Codec configuration (AudioSpecificConfig for AAC).
    pub extradata: Vec<u8>,
}

/// Times and kind of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PacketMeta {
    /// When it is shown.
    pub pts: i64,
    /// When it is decoded; never goes back, may be negative at the start.
    pub dts: i64,
    /// How long it lasts.
    pub duration: i64,
    /// Whether decoding can begin here.
    pub key: bool,
}

impl PacketMeta {
    fn to_bytes(self, size: u32) -> [u8; META_BYTES] {
        let mut bytes = [0; META_BYTES];
        bytes[0..8].copy_from_slice(&self.pts.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.dts.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.duration.to_le_bytes());
        bytes[24] = u8::from(self.key);
        bytes[25..29].copy_from_slice(&size.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; META_BYTES]) -> (PacketMeta, usize) {
        let number = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            i64::from_le_bytes(eight)
        };
        let size = u32::from_le_bytes([bytes[25], bytes[26], bytes[27], bytes[28]]);
        let meta = PacketMeta {
            pts: number(0),
            dts: number(8),
            duration: number(16),
            key: bytes[24] != 0,
        };
        (meta, size as usize)
    }
}

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
    file: BufWriter<File>,
    path: PathBuf,
    hash: Context,
    facts: RenditionFacts,
}

impl RenditionWriter {
    /// Creates or truncates `path`.
    pub(crate) fn create(path: &Path, header: &Header) -> Result<RenditionWriter, MediaError> {
        let json = serde_json::to_vec(header)
            .expect("a header has string keys and no fallible serialisers");
        let file =
            File::create(path).map_err(|cause| error::file("create rendition", path, &cause))?;
        let mut writer = RenditionWriter {
            file: BufWriter::with_capacity(256 << 10, file),
            path: path.to_owned(),
            hash: Context::new(&SHA256),
            facts: RenditionFacts { packets: 0, bytes: 0 },
        };
        writer.put(MAGIC)?;
        writer.put(&(json.len() as u32).to_le_bytes())?;
        writer.put(&json)?;
        Ok(writer)
    }

    /// Appends a packet.
    pub(crate) fn write(&mut self, meta: &PacketMeta, data: &[u8]) -> Result<(), MediaError> {
        let size = u32::try_from(data.len())
            .ok()
            .filter(|&size| size as usize <= MAX_PACKET_BYTES)
            .ok_or_else(|| {
                error::failed(
                    "write rendition",
                    self.path.display(),
                    format!("a packet of {} bytes", data.len()),
                )
            })?;
        self.put(&[PACKET])?;
        self.put(&meta.to_bytes(size))?;
        self.put(data)?;
        self.facts.packets += 1;
        Ok(())
    }

    /// Writes the footer and flushes to the operating system.
    pub(crate) fn finish(mut self) -> Result<RenditionFacts, MediaError> {
        self.put(&[END])?;
        self.put(&self.facts.packets.to_le_bytes())?;
        let digest = self.hash.clone().finish();
        self.put(digest.as_ref())?;
        self.file.flush().map_err(|cause| error::file("write rendition", &self.path, &cause))?;
        Ok(self.facts)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), MediaError> {
        self.hash.update(bytes);
        self.facts.bytes += bytes.len() as u64;
        self.file
            .write_all(bytes)
            .map_err(|cause| error::file("write rendition", &self.path, &cause))
    }
}

/// Reads a rendition from its beginning.
pub(crate) struct RenditionReader {
    file: BufReader<File>,
    path: PathBuf,
    hash: Context,
    header: Header,
    packets: u64,
    ended: bool,
}

impl RenditionReader {
    /// Opens `path` and reads its header.
    pub(crate) fn open(path: &Path) -> Result<RenditionReader, MediaError> {
        let file = File::open(path).map_err(|cause| error::file("open rendition", path, &cause))?;
        let mut file = BufReader::with_capacity(256 << 10, file);
        let mut hash = Context::new(&SHA256);
        let header = read_header(&mut file, &mut hash)
            .map_err(|cause| error::file("read rendition", path, &cause))?;
        Ok(RenditionReader { file, path: path.to_owned(), hash, header, packets: 0, ended: false })
    }

    /// What the stream is.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Reads the next packet into `data`; at the end checks the whole file, and gives `None`.
    pub(crate) fn next(&mut self, data: &mut Vec<u8>) -> Result<Option<PacketMeta>, MediaError> {
        if self.ended {
            return Ok(None);
        }
        self.read_next(data).map_err(|cause| error::file("read rendition", &self.path, &cause))
    }

    fn read_next(&mut self, data: &mut Vec<u8>) -> io::Result<Option<PacketMeta>> {
        let [tag] = take(&mut self.file, &mut self.hash)?;
        match tag {
            PACKET => {
                let (meta, size) = PacketMeta::from_bytes(&take(&mut self.file, &mut self.hash)?);
                take_into(&mut self.file, &mut self.hash, size, MAX_PACKET_BYTES, data)?;
                self.packets += 1;
                Ok(Some(meta))
            }
            END => self.check_footer().map(|()| None),
            _ => Err(torn("neither a packet nor the end")),
        }
    }

    fn check_footer(&mut self) -> io::Result<()> {
        let packets = u64::from_le_bytes(take(&mut self.file, &mut self.hash)?);
        let expected = self.hash.clone().finish();
        let mut written = [0; 32];
        self.file.read_exact(&mut written)?;
        if packets != self.packets || written.as_slice() != expected.as_ref() {
            return Err(torn("its checksum does not match"));
        }
        if self.file.read(&mut [0])? != 0 {
            return Err(torn("there are bytes after its end"));
        }
        self.ended = true;
        Ok(())
    }
}

fn read_header(file: &mut BufReader<File>, hash: &mut Context) -> io::Result<Header> {
    if &take::<8>(file, hash)? != MAGIC {
        return Err(torn("it is not a rendition"));
    }
    let size = u32::from_le_bytes(take(file, hash)?) as usize;
    let mut json = Vec::new();
    take_into(file, hash, size, MAX_HEADER_BYTES, &mut json)?;
    Ok(serde_json::from_slice(&json)?)
}

fn take<const N: usize>(file: &mut BufReader<File>, hash: &mut Context) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    hash.update(&bytes);
    Ok(bytes)
}

fn take_into(
    file: &mut BufReader<File>,
    hash: &mut Context,
    size: usize,
    limit: usize,
    data: &mut Vec<u8>,
) -> io::Result<()> {
    if size > limit {
        return Err(torn("a length in it is beyond reason"));
    }
    data.clear();
    // Through `take`, so that a torn length costs no more memory than the file has bytes.
    if file.take(size as u64).read_to_end(data)? != size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    hash.update(data.as_slice());
    Ok(())
}

fn torn(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the file is torn: {what}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn header() -> Header {
        Header::Video(VideoHeader {
            codec: "h264".to_owned(),
            size: Size { width: 320, height: 180 },
            time_base: Ratio::new(1001, 24000),
            extradata: vec![0, 0, 0, 1, 0x67],
            colours: None,
        })
    }

    fn write(path: &Path) -> RenditionFacts {
        let mut writer = RenditionWriter::create(path, &header()).unwrap();
        for n in 0..10 {
            let meta = PacketMeta { pts: n, dts: n - 2, duration: 1, key: n % 5 == 0 };
            writer.write(&meta, &vec![n as u8; 1000 + n as usize]).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read(path: &Path) -> Result<Vec<PacketMeta>, MediaError> {
        let mut reader = RenditionReader::open(path)?;
        let (mut metas, mut data) = (Vec::new(), Vec::new());
        while let Some(meta) = reader.next(&mut data)? {
            assert_eq!(data.len(), 1000 + meta.pts as usize);
            metas.push(meta);
        }
        Ok(metas)
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r");
        let facts = write(&path);
        assert_eq!(facts.packets, 10);
        assert_eq!(facts.bytes, std::fs::metadata(&path).unwrap().len());
        assert_eq!(RenditionReader::open(&path).unwrap().header(), &header());
        let metas = read(&path).unwrap();
        assert_eq!(metas[0], PacketMeta { pts: 0, dts: -2, duration: 1, key: true });
        assert_eq!(metas.len(), 10);
    }

    #[test]
    fn a_torn_file_is_an_error_wherever_it_is_torn() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r");
        write(&path);
        let whole = std::fs::read(&path).unwrap();
        for cut in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(read(&path).is_err(), "cut at {cut} of {}", whole.len());
        }
        let mut longer = whole.clone();
        longer.push(0);
        std::fs::write(&path, longer).unwrap();
        assert!(read(&path).is_err(), "a byte too many");
    }

    #[test]
    fn a_flipped_bit_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r");
        write(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(read(&path).is_err());
    }
}
