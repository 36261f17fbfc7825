//! The account of one stream.

use ffmpeg_next::format::stream::Stream;
use ffmpeg_next::packet::Packet;
use ffmpeg_next::{ffi, media};
use vodmill_model::transcode::{InspectedStream, StreamForm, StreamKind};
use vodmill_model::units::{Ratio, Size, Ticks};

use crate::probe::names;

/// What has been seen of a stream, in its own units.
#[derive(Default)]
pub(super) struct StreamAccount {
    packets: u64,
    key_packets: u64,
    starts_with_key: bool,
    /// Smallest presentation time.
    start: Option<i64>,
    /// Largest presentation time, the duration that its packet gives, and the one before it.
    last: Option<(i64, i64)>,
    before_last: Option<i64>,
    last_dts: Option<i64>,
    goes_back: bool,
    /// The first bytes of the first packet.
    head: Vec<u8>,
    bytes: u64,
    reordered: u64,
    /// Packets since the last key frame, that one included.
    gop: u64,
    longest_gop: u64,
}

/// More than the header of a key frame of VP9 has.
const HEAD_BYTES: usize = 16;

impl StreamAccount {
    pub(super) fn add(&mut self, packet: &Packet) {
        if self.packets == 0 {
            self.starts_with_key = packet.is_key();
            self.head =
                packet.data().unwrap_or_default().iter().take(HEAD_BYTES).copied().collect();
        }
        self.packets += 1;
        self.bytes += packet.size() as u64;
        self.gop = if packet.is_key() { 1 } else { self.gop + 1 };
        self.longest_gop = self.longest_gop.max(self.gop);
        self.key_packets += u64::from(packet.is_key());
        let dts = packet.dts().or(packet.pts());
        self.goes_back |= dts < self.last_dts;
        self.last_dts = dts.max(self.last_dts);
        let Some(pts) = packet.pts() else { return };
        self.start = Some(self.start.map_or(pts, |start| start.min(pts)));
        match self.last {
            Some((last, _)) if pts <= last => {
                self.reordered += 1;
                self.before_last = self.before_last.max(Some(pts));
            }
            last => {
                self.before_last = last.map(|(last, _)| last).max(self.before_last);
                self.last = Some((pts, packet.duration()));
            }
        }
    }

    /// The account of `stream`, unless it is neither picture nor sound.
    pub(super) fn finish(self, stream: &Stream<'_>) -> Option<InspectedStream> {
        let kind = match stream.parameters().medium() {
            media::Type::Video => StreamKind::Video,
            media::Type::Audio => StreamKind::Audio,
            _ => return None,
        };
        let facts = Facts::of(stream);
        let codec = stream.parameters().id().name();
        let unit = facts.time_base;
        let form = self.form(stream, kind);
        let end = self
            .last
            .map_or(0, |(pts, duration)| pts + self.length_of_last(pts, duration, &facts, kind));
        Some(InspectedStream {
            kind,
            codec: codec.to_owned(),
            packets: self.packets,
            key_packets: self.key_packets,
            starts_with_key: self.starts_with_key,
            start: Ticks::from_units(self.start.unwrap_or(0), unit),
            end: Ticks::from_units(end, unit),
            size: (kind == StreamKind::Video).then_some(facts.size),
            sample_rate: facts.sample_rate,
            channels: facts.channels,
            config: config(codec, &facts, self.head),
            monotonic: !self.goes_back,
            form,
        })
    }

    fn form(&self, stream: &Stream<'_>, kind: StreamKind) -> StreamForm {
        let parameters = stream.parameters();
        let format = names::pixel_format(&parameters).filter(|_| kind == StreamKind::Video);
        StreamForm {
            bytes: self.bytes,
            reordered: self.reordered,
            longest_gop: self.longest_gop,
            colour: (kind == StreamKind::Video)
                .then(|| names::colour(&parameters, format.as_ref())),
            pixel_format: format.map(|format| format.name),
        }
    }

    /// How long the last packet lasts: as it says, else as its codec or its neighbour says.
    fn length_of_last(&self, pts: i64, duration: i64, facts: &Facts, kind: StreamKind) -> i64 {
        let neighbour = self.before_last.map(|before| pts - before);
        let units = |count: u32, rate: Ratio| {
            let per_unit = facts.time_base.inverse();
            per_unit.scale(i64::from(count) * i64::from(rate.den), 1) / i64::from(rate.num.max(1))
        };
        match (kind, facts.frame_rate) {
            _ if duration > 0 => duration,
            (StreamKind::Video, Some(rate)) => units(1, rate),
            (StreamKind::Audio, _) if facts.frame_size > 0 && facts.sample_rate > 0 => {
                units(facts.frame_size, Ratio::new(facts.sample_rate, 1))
            }
            _ => neighbour.unwrap_or(0),
        }
    }
}

/// What the container and the first key frame say of a stream.
struct Facts {
    time_base: Ratio,
    frame_rate: Option<Ratio>,
    size: Size,
    sample_rate: u32,
    channels: u32,
    frame_size: u32,
    /// MPEG-4 audio object type.
    object_type: u8,
    config: Vec<u8>,
}

impl Facts {
    fn of(stream: &Stream<'_>) -> Facts {
        let parameters = stream.parameters();
        // SAFETY: the parameters live as long as `parameters`; extradata is as long as they say.
        let (par, config) = unsafe {
            let par: &ffi::AVCodecParameters = &*parameters.as_ptr();
            let config = if par.extradata.is_null() {
                &[]
            } else {
                std::slice::from_raw_parts(par.extradata, par.extradata_size.max(0) as usize)
            };
            (par, config.to_vec())
        };
        let positive = |value: i32| value.max(0) as u32;
        Facts {
            time_base: ratio(stream.time_base()).unwrap_or(Ratio::ONE),
            frame_rate: ratio(stream.avg_frame_rate()).or(ratio(stream.rate())),
            size: Size { width: positive(par.width), height: positive(par.height) },
            sample_rate: positive(par.sample_rate),
            channels: positive(par.ch_layout.nb_channels),
            frame_size: positive(par.frame_size),
            // libav's profiles of AAC are the object types less one; LC where it does not know.
            object_type: u8::try_from(par.profile + 1).ok().filter(|&kind| kind > 0).unwrap_or(2),
            config,
        }
    }
}

/// What tells a decoder what is coming: beside the stream, or else in its first packet.
fn config(codec: &str, facts: &Facts, head: Vec<u8>) -> Vec<u8> {
    match codec {
        "vp9" => head,
        "aac" if facts.config.is_empty() => facts.audio_config(),
        _ => facts.config.clone(),
    }
}

/// Sampling frequencies in the order of ISO/IEC 14496-3, table 1.18.
const FREQUENCIES: [u32; 13] =
    [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

impl Facts {
    /// The AudioSpecificConfig of AAC in ADTS, which has the same facts in every packet instead.
    fn audio_config(&self) -> Vec<u8> {
        let index = FREQUENCIES.iter().position(|&rate| rate == self.sample_rate);
        let (Some(index), 1..=8) = (index, self.channels) else { return Vec::new() };
        let channels = if self.channels == 8 { 7 } else { self.channels as u16 };
        let bits = u16::from(self.object_type) << 11 | (index as u16) << 7 | channels << 3;
        bits.to_be_bytes().to_vec()
    }
}

fn ratio(value: ffmpeg_next::Rational) -> Option<Ratio> {
    let (num, den) = (value.numerator(), value.denominator());
    (num > 0 && den > 0).then(|| Ratio::new(num as u32, den as u32))
}
