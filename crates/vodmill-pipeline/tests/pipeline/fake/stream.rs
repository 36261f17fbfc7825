//! Streams of the fake: a header and numbered packets.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use vodmill_model::transcode::{InspectedStream, StreamForm, StreamKind};
use vodmill_model::{Failed, Ratio, Size, Ticks};

use super::parameter_sets::{audio_specific_config, sequence_parameter_set};

/// What is the same for every packet of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// Title of the original, by which faults are ordered.
    pub title: String,
    pub kind: StreamKind,
    pub size: Option<Size>,
    pub sample_rate: u32,
    pub channels: u32,
    /// Seconds of a packet.
    pub unit: Ratio,
}

/// A frame of video or of AAC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Packet {
    pub number: u64,
    pub key: bool,
    /// Stands for its bytes.
    pub digest: String,
}

/// A rendition, or a whole stream of several.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stream {
    pub header: Header,
    pub packets: Vec<Packet>,
}

impl Header {
    /// When a packet begins.
    pub fn start(&self, number: u64) -> Ticks {
        Ticks::from_units(number as i64, self.unit)
    }

    pub fn inspected(&self, base: Ticks, packets: &[Packet]) -> InspectedStream {
        let numbers = || packets.iter().map(|packet| packet.number);
        let (first, last) = (numbers().min().unwrap_or(0), numbers().max().unwrap_or(0));
        let (codec, config) = match self.size {
            Some(size) => ("h264", sequence_parameter_set(size)),
            None => ("aac", audio_specific_config(self.channels)),
        };
        InspectedStream {
            kind: self.kind,
            codec: codec.to_owned(),
            packets: packets.len() as u64,
            key_packets: packets.iter().filter(|packet| packet.key).count() as u64,
            starts_with_key: packets.first().is_some_and(|packet| packet.key),
            start: base + self.start(first),
            end: base + self.start(last + 1),
            size: self.size,
            sample_rate: self.sample_rate,
            channels: self.channels,
            config,
            monotonic: packets.is_sorted_by_key(|packet| packet.number),
            form: StreamForm::default(),
        }
    }
}

impl Stream {
    pub fn read(path: &Path) -> Result<Stream, Failed> {
        let fault =
            |error: &(dyn std::error::Error + 'static)| Failed::from_error("read rendition", error);
        let bytes = fs::read(path).map_err(|error| fault(&error))?;
        serde_json::from_slice(&bytes).map_err(|error| fault(&error))
    }

    pub fn write(&self, path: &Path) -> Result<(), Failed> {
        let fault = |error: &(dyn std::error::Error + 'static)| {
            Failed::from_error("write rendition", error)
        };
        let bytes = serde_json::to_vec(self).map_err(|error| fault(&error))?;
        fs::write(path, bytes).map_err(|error| fault(&error))
    }

    /// When its last packet ends.
    pub fn end(&self) -> Ticks {
        self.packets.last().map_or(Ticks::ZERO, |packet| self.header.start(packet.number + 1))
    }
}
