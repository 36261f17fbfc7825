//! The private form of an encoded stream: packets on the grid, and proof of every run of them.
//!
//! ```text
//! magic (8) | header length (4) | header, JSON
//! block     pts (8) | dts (8) | duration (8) | key (1) | size (4) | data     for each packet
//! page      an entry for each of the blocks since the last page
//! root      an entry for each page
//! end       the entry of the root | SHA-256 of all before the first block and of this entry (32)
//!
//! entry     offset (8) | bytes (4) | first pts (8) | packets (8) | SHA-256 of the bytes (32)
//! ```
//!
//! Numbers are little-endian. Pages stand among the blocks, root and end behind them. From the end
//! on, each part is proved by the one that leads to it, so that a reader of a few blocks proves these
//! without the others. What is torn or altered is noticed before a packet of it is handed out.
//!
//! Before there were blocks, the form was another ([`stream`]). Such files are read too.

mod blocks;
mod index;
mod reader;
mod stream;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

use std::io::{self, Read};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use vodmill_model::media::Hdr10;
use vodmill_model::units::{Ratio, Size};

pub(crate) use reader::RenditionReader;
pub use reader::count_packets;
pub(crate) use writer::RenditionWriter;

const MAGIC: &[u8; 8] = b"vodmREN2";
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
    /// Codec configuration as the encoder gives it (Annex B parameter
    /// sets for H.264 and HEVC, a sequence header for AV1, nothing for VP9).
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
    /// Codec configuration: AudioSpecificConfig for AAC, OpusHead for Opus, none for MP3.
    pub extradata: Vec<u8>,
    /// Bits per second, where the container says them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bit_rate: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
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

/// Reads `size` bytes behind those that `data` has. A wrong size costs no more memory than the file
/// has bytes.
fn append(source: &mut impl Read, size: usize, data: &mut Vec<u8>) -> io::Result<()> {
    if source.take(size as u64).read_to_end(data)? == size {
        return Ok(());
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// Whether `written` is the digest of what `hash` has taken in. A fuzzer would never get beyond it.
fn proves(written: &[u8], hash: Context) -> bool {
    cfg!(fuzzing) || hash.finish().as_ref() == written
}

fn sha256() -> Context {
    Context::new(&SHA256)
}

fn torn(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the file is torn: {what}"))
}
