//! Reads one stream for a container: its packets in decoding order, with a look at the next one.

use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use vodmill_model::outcome::MediaError;
use vodmill_model::role::Role;
use vodmill_model::transcode::VideoInput;
use vodmill_model::units::{Ratio, Ticks};

use super::obu;
use crate::error;
use crate::rendition::{Header, PacketMeta, RenditionReader, VideoHeader};

/// Samples that a decoder puts out for a packet of sound.
pub(super) fn frame_samples(codec: &str) -> i64 {
    match codec {
        "opus" => 960,
        "mp3" => 1152,
        _ => 1024,
    }
}

/// What a stream is, and the seconds of a unit of its times.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub header: Header,
    pub unit: Ratio,
    /// ISO 639-2 code, if known.
    pub language: Option<String>,
    /// What it is for.
    pub roles: Vec<Role>,
}

impl Stream {
    pub(super) fn is_video(&self) -> bool {
        matches!(self.header, Header::Video(_))
    }
}

/// A packet and its data.
pub(super) struct Packet {
    pub meta: PacketMeta,
    /// Samples at its beginning and at its end that are not to be heard, where a container says so
    /// with the packet.
    pub skip: u32,
    pub discard: u32,
    pub data: Vec<u8>,
}

/// The packets of one stream.
pub(super) struct StreamReader {
    pub stream: Stream,
    rendition: RenditionReader,
    /// Chunks that come after the one of `rendition`.
    rest: IntoIter<PathBuf>,
    next: Option<Packet>,
    after: Option<Packet>,
    last_dts: Option<i64>,
}

impl StreamReader {
    pub(super) fn video(input: &VideoInput) -> Result<StreamReader, MediaError> {
        let mut rest = input.chunks.clone().into_iter();
        let first = rest.next().ok_or_else(|| error::failed("mux", "video", "no chunks"))?;
        let rendition = RenditionReader::open(&first)?;
        let header = video_header(&rendition, &first)?;
        let stream = Stream {
            header: Header::Video(header),
            unit: input.rate.inverse(),
            language: None,
            roles: Vec::new(),
        };
        StreamReader::begin(stream, rendition, rest)
    }

    /// Sound; of what is before `from`, no more is read than has to be.
    pub(super) fn audio(
        path: &Path,
        language: Option<String>,
        from: Option<Ticks>,
    ) -> Result<StreamReader, MediaError> {
        let mut rendition = RenditionReader::open(path)?;
        let Header::Audio(header) = rendition.header().clone() else {
            return Err(error::failed("mux", path.display(), "it is not an audio rendition"));
        };
        let unit = Ratio::new(1, header.sample_rate);
        if let Some(from) = from {
            rendition.skip_before(&|pts| Ticks::from_units(pts, unit) < from)?;
        }
        let stream = Stream { header: Header::Audio(header), unit, language, roles: Vec::new() };
        StreamReader::begin(stream, rendition, Vec::new().into_iter())
    }

    fn begin(
        stream: Stream,
        rendition: RenditionReader,
        rest: IntoIter<PathBuf>,
    ) -> Result<StreamReader, MediaError> {
        let mut reader =
            StreamReader { stream, rendition, rest, next: None, after: None, last_dts: None };
        reader.next = reader.read()?;
        reader.after = reader.read()?;
        Ok(reader)
    }

    /// The packet that [`StreamReader::take`] gives next.
    pub(super) fn peek(&self) -> Option<&PacketMeta> {
        self.next.as_ref().map(|packet| &packet.meta)
    }

    /// Takes the next packet.
    pub(super) fn take(&mut self) -> Result<Option<Packet>, MediaError> {
        let after = self.read()?;
        let next = std::mem::replace(&mut self.after, after);
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// Whether the next packet is the last one.
    pub(super) fn is_at_last(&self) -> bool {
        self.next.is_some() && self.after.is_none()
    }

    /// `units` of this stream as a time from zero.
    pub(super) fn ticks(&self, units: i64) -> Ticks {
        Ticks::from_units(units, self.stream.unit)
    }

    /// When what is in a packet ends. A decoder puts out a frame of sound whole, however little of
    /// the last one counts.
    pub(super) fn end_of(&self, meta: &PacketMeta) -> Ticks {
        let units = match &self.stream.header {
            Header::Audio(audio) => meta.duration.max(frame_samples(&audio.codec)),
            Header::Video(_) => meta.duration,
        };
        self.ticks(meta.pts + units)
    }

    /// When the next packet is decoded.
    pub(super) fn next_dts(&self) -> Option<Ticks> {
        self.peek().map(|meta| self.ticks(meta.dts))
    }

    fn read(&mut self) -> Result<Option<Packet>, MediaError> {
        let mut data = Vec::new();
        loop {
            if let Some(meta) = self.rendition.next(&mut data)? {
                self.check_order(&meta)?;
                self.check_key(&meta, &data)?;
                let discard = self.discard(&meta);
                return Ok(Some(Packet { meta, skip: 0, discard, data }));
            }
            let Some(path) = self.rest.next() else { return Ok(None) };
            self.rendition = self.continue_with(&path)?;
        }
    }

    /// What the end of a last packet has beyond the samples that were to be encoded. An edit list says
    /// it of AAC.
    fn discard(&self, meta: &PacketMeta) -> u32 {
        match &self.stream.header {
            Header::Audio(audio) if audio.codec != "aac" => {
                let rest = frame_samples(&audio.codec) - meta.duration;
                u32::try_from(rest).unwrap_or(0)
            }
            _ => 0,
        }
    }

    /// Opens a further chunk: one decoder configuration must serve all of them.
    fn continue_with(&self, path: &Path) -> Result<RenditionReader, MediaError> {
        let rendition = RenditionReader::open(path)?;
        let header = video_header(&rendition, path)?;
        match &self.stream.header {
            Header::Video(first) if *first == header => Ok(rendition),
            _ => Err(error::failed(
                "mux",
                path.display(),
                "its decoder configuration differs from that of the first chunk",
            )),
        }
    }

    /// Encoders also mark pictures as key frames at which decoding cannot begin cleanly.
    fn check_key(&self, meta: &PacketMeta, data: &[u8]) -> Result<(), MediaError> {
        match &self.stream.header {
            Header::Video(video) if meta.key && !is_idr(&video.codec, data) => {
                let cause = format!("key frame {} is not an IDR picture", meta.pts);
                Err(error::failed("mux", "rendition", cause))
            }
            _ => Ok(()),
        }
    }

    fn check_order(&mut self, meta: &PacketMeta) -> Result<(), MediaError> {
        if self.last_dts.is_some_and(|last| meta.dts <= last) || meta.pts < meta.dts {
            let times = format!(
                "decode time {} (shown at {}) after {:?}",
                meta.dts, meta.pts, self.last_dts
            );
            return Err(error::failed("mux", "rendition", times));
        }
        self.last_dts = Some(meta.dts);
        Ok(())
    }
}

/// Whether the first slice of a picture in Annex B form is of an IDR picture (ITU-T H.264, table 7-1;
/// H.265, table 7-1), or what another codec has in its place.
fn is_idr(codec: &str, data: &[u8]) -> bool {
    let units = data.windows(4).filter(|four| four.starts_with(&[0, 0, 1])).map(|four| four[3]);
    match codec {
        "h264" => units.map(|unit| unit & 0x1f).find(|kind| matches!(kind, 1..=5)) == Some(5),
        // A frame marker, and neither a frame shown again nor an inter frame (VP9 Bitstream
        // Specification, 6.2); profiles 0 to 2.
        "vp9" => data.first().is_some_and(|byte| byte & 0b1100_1100 == 0b1000_0000),
        "av1" => obu::begins_with_shown_key(data),
        "hevc" => {
            let slice = units.map(|unit| unit >> 1 & 0x3f).find(|kind| *kind < 32);
            matches!(slice, Some(19 | 20))
        }
        _ => true,
    }
}

fn video_header(rendition: &RenditionReader, path: &Path) -> Result<VideoHeader, MediaError> {
    match rendition.header() {
        Header::Video(header) => Ok(header.clone()),
        Header::Audio(_) => {
            Err(error::failed("mux", path.display(), "it is not a video rendition"))
        }
    }
}
