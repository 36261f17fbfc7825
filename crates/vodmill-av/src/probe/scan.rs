//! The pass over all packets.

use ffmpeg_next::codec::packet::side_data;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{Packet, Stream, media};
use vodmill_model::media::SeekPoint;
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::units::{Ratio, Ticks};

use super::captions;
use super::clock::ClockWatch;
use super::clocks::{Clocks, ClocksWatch};
use super::drift::DriftWatch;
use super::meter::Meter;
use super::parse::SizeWatch;
use super::pictures::{Field, PictureCount};
use super::silence::Listener;
use super::sound::FormWatch;
use super::timing::{SeekPoints, Timing};
use crate::error;
use crate::source::{Read, Source, is_shown, time_of, units_of};

/// Packets from one report of progress to the next.
const REPORT_EVERY: u64 = 256;

/// What the packets told.
#[derive(Default)]
pub(super) struct Scan {
    /// By stream.
    pub tracks: Vec<TrackScan>,
    pub clocks: Clocks,
    pub corrupt: u64,
    pub torn: bool,
}

/// What the packets of one track told.
#[derive(Default)]
pub(super) struct TrackScan {
    pub time_base: Option<Ratio>,
    kind: TrackKind,
    /// Number of its programme; 0 where the file holds but one.
    pub programme: u32,
    /// Packets, those that are decoded but not shown included.
    all: u64,
    /// Packets that are shown.
    pub packets: u64,
    pub timing: Timing,
    pub seek_points: SeekPoints,
    /// Pictures that should come out of a decoder.
    pub pictures: PictureCount,
    pub size_changes: bool,
    /// Of pictures: whether captions are in them.
    pub captions: bool,
    may_have_captions: bool,
    sizes: Option<SizeWatch>,
    pub sound: Option<FormWatch>,
    pub drift: Option<DriftWatch>,
    /// Where it matters whether something is heard.
    pub listener: Option<Listener>,
    /// First and end time of sound.
    pub span: Option<(Ticks, Ticks)>,
    /// Where sound begins to be heard: encoder delay may be longer than a packet.
    heard_from: Option<Ticks>,
    /// Whether the packet that ends `span` says how long it is.
    pub end_is_known: bool,
    sample_rate: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum TrackKind {
    Video,
    Audio,
    #[default]
    Other,
}

impl Scan {
    /// Reads `source` to its end.
    pub(super) fn run(source: &mut Source, meter: &Meter<'_>) -> Result<Scan, MediaError> {
        let mut scan = Scan::default();
        let mut clocks = ClocksWatch::of(source);
        let mut packet = Packet::empty();
        for number in 0.. {
            match source.read(&mut packet)? {
                Read::Packet => {}
                Read::End => break,
                Read::Torn => {
                    scan.torn = true;
                    break;
                }
            }
            if number % REPORT_EVERY == 0 {
                meter.scanned(u64::try_from(packet.position()).unwrap_or(0));
            }
            let is_rest = is_rest_of_sound(source, &packet, meter);
            scan.corrupt += u64::from(packet.is_corrupt() && !is_rest);
            scan.take(source, number, &packet, &mut clocks)?;
        }
        if !scan.torn {
            scan.corrupt += source.errors();
        }
        // Tracks without a packet are tracks all the same.
        scan.know(source, (source.input().nb_streams() as usize).saturating_sub(1));
        scan.clocks = clocks.finish();
        Ok(scan)
    }

    /// Streams may appear in mid-file.
    fn know(&mut self, source: &Source, index: usize) {
        while self.tracks.len() <= index {
            let track = source.input().stream(self.tracks.len());
            self.tracks.push(track.map_or_else(TrackScan::default, |s| TrackScan::new(source, &s)));
        }
    }

    fn take(
        &mut self,
        source: &Source,
        number: u64,
        packet: &Packet,
        clocks: &mut ClocksWatch,
    ) -> Result<(), MediaError> {
        self.know(source, packet.stream());
        let track = &mut self.tracks[packet.stream()];
        let shift = track.shift(clocks.of_programme(track.programme), number, packet);
        for data in packet.side_data() {
            match data.kind() {
                side_data::Type::EncryptionInfo => {
                    return Err(error::rejected(Reason::Encrypted, "its packets are encrypted"));
                }
                side_data::Type::NewExtraData => track.new_extradata(data.data()),
                _ => {}
            }
        }
        track.take(packet, shift);
        Ok(())
    }
}

/// Whether a packet is what was left of sound in chunks whose size a pipe has left open: libav asks
/// for as much as ever, gets less, and calls that corrupt. That such a file is cut, its sizes tell.
fn is_rest_of_sound(source: &Source, packet: &Packet, meter: &Meter<'_>) -> bool {
    let end = u64::try_from(packet.position()).ok().map(|at| at + packet.size() as u64);
    let in_chunks = ["wav", "w64", "aiff"].contains(&source.input().format().name());
    in_chunks && end == Some(meter.bytes())
}

impl TrackScan {
    fn new(source: &Source, stream: &Stream<'_>) -> TrackScan {
        let parameters = stream.parameters();
        let attached = stream.disposition().contains(Disposition::ATTACHED_PIC);
        let kind = match parameters.medium() {
            media::Type::Video if !attached => TrackKind::Video,
            media::Type::Audio => TrackKind::Audio,
            _ => TrackKind::Other,
        };
        // SAFETY: parameters of an open stream.
        let (sample_rate, extradata_size) =
            unsafe { ((*parameters.as_ptr()).sample_rate, (*parameters.as_ptr()).extradata_size) };
        let may_have_captions = kind == TrackKind::Video && captions::may_be_in(parameters.id());
        let pictures = PictureCount::of(parameters.id());
        let sound = || FormWatch::new(parameters.id(), extradata_size > 0);
        let is_sound = kind == TrackKind::Audio;
        let listener = is_sound.then(|| Listener::new(source.input(), &parameters)).flatten();
        let drift = is_sound.then(|| DriftWatch::new(parameters.clone()));
        TrackScan {
            time_base: source.time_base(stream.index()),
            kind,
            programme: source.programme_of(stream.index()),
            sound: is_sound.then(sound),
            listener,
            drift,
            sizes: (kind == TrackKind::Video).then(|| SizeWatch::new(parameters)).flatten(),
            may_have_captions,
            sample_rate: u32::try_from(sample_rate).unwrap_or(0),
            pictures,
            ..TrackScan::default()
        }
    }

    fn new_extradata(&mut self, data: &[u8]) {
        if let Some(sizes) = &mut self.sizes {
            sizes.new_extradata(data);
        }
        if let Some(sound) = &mut self.sound {
            sound.new_extradata(data);
        }
    }

    fn ticks(&self, units: i64) -> Ticks {
        self.time_base.map_or(Ticks::ZERO, |base| Ticks::from_units(units, base))
    }

    /// Subtitles and data are sparse: only sound and pictures tell of the clock.
    fn shift(&self, clock: &mut ClockWatch, number: u64, packet: &Packet) -> Ticks {
        match packet.dts().or(packet.pts()) {
            Some(time) if self.kind != TrackKind::Other => clock.shift(
                number,
                packet.stream(),
                self.ticks(time),
                self.ticks(packet.duration()),
            ),
            _ => clock.current(),
        }
    }

    fn take(&mut self, packet: &Packet, shift: Ticks) {
        let ordinal = self.all;
        self.all += 1;
        let shown = is_shown(packet);
        self.packets += u64::from(shown);
        let Some(in_file) = time_of(packet) else { return };
        let base = self.time_base.unwrap_or(Ratio::ONE);
        let time = in_file.saturating_add(units_of(shift.0, base));
        match self.kind {
            TrackKind::Video => self.take_picture(packet, ordinal, time, shown),
            TrackKind::Audio if shown => self.take_sound(packet, time),
            _ => {}
        }
    }

    fn take_picture(&mut self, packet: &Packet, ordinal: u64, time: i64, shown: bool) {
        let base = self.time_base.unwrap_or(Ratio::ONE);
        let half_a_second = units_of(45_000, base);
        // Without a time of its own it would not be found again.
        let key = packet.is_key() && packet.pts().is_some();
        if self.may_have_captions && !self.captions {
            self.captions = packet.data().is_some_and(captions::are_in);
        }
        let at = SeekPoint { pts: time, packet: ordinal };
        self.seek_points.add(at, packet.size(), key, half_a_second);
        let mut field = Field::None;
        if let Some(sizes) = &mut self.sizes
            && (packet.is_key() || self.pictures.may_be_fields())
        {
            field = sizes.look(packet);
            self.size_changes |= sizes.changed;
        }
        if shown {
            self.timing.add(time, packet.duration());
            self.pictures.add(packet, field);
        }
    }

    fn take_sound(&mut self, packet: &Packet, time: i64) {
        if let (Some(sound), Some(data)) = (&mut self.sound, packet.data()) {
            sound.look(data);
        }
        if let Some(listener) = &mut self.listener {
            listener.listen(packet);
        }
        let at = self.ticks(time);
        if let Some(drift) = &mut self.drift {
            drift.look(at, packet.data().unwrap_or_default());
        }
        let (skip, cut) = skipped(packet);
        let rate = Ratio::new(1, self.sample_rate.max(1));
        let mut from = self.ticks(time) + Ticks::from_units(skip.into(), rate);
        if skip > 0 {
            self.heard_from = Some(from);
        }
        let to = self.ticks(time.saturating_add(packet.duration().max(0)))
            - Ticks::from_units(cut.into(), rate);
        from = from.max(self.heard_from.unwrap_or(from));
        let (first, end) = self.span.unwrap_or((from, to));
        if to >= end {
            self.end_is_known = packet.duration() > 0;
        }
        self.span = Some((first.min(from), end.max(to)));
    }
}

/// Samples at the start and at the end of a packet that are not to be heard (encoder delay).
fn skipped(packet: &Packet) -> (u32, u32) {
    let Some(data) = packet.side_data().find(|data| data.kind() == side_data::Type::SkipSamples)
    else {
        return (0, 0);
    };
    match data.data() {
        [a, b, c, d, e, f, g, h, ..] => {
            (u32::from_le_bytes([*a, *b, *c, *d]), u32::from_le_bytes([*e, *f, *g, *h]))
        }
        _ => (0, 0),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use ffmpeg_next::ffi;
    use ffmpeg_next::packet::Mut as _;

    use super::*;

    fn sound() -> TrackScan {
        let time_base = Some(Ratio::new(1, 48_000));
        TrackScan { kind: TrackKind::Audio, time_base, sample_rate: 48_000, ..TrackScan::default() }
    }

    fn packet(pts: i64, duration: i64) -> Packet {
        let mut packet = Packet::copy(&[0]);
        packet.set_pts(Some(pts));
        packet.set_duration(duration);
        packet
    }

    #[test]
    fn a_last_packet_may_not_say_how_long_it_is() {
        let mut track = sound();
        track.take(&packet(0, 960), Ticks::ZERO);
        assert!(track.end_is_known);
        track.take(&packet(960, 0), Ticks::ZERO);
        assert_eq!((track.span, track.end_is_known), (Some((Ticks(0), Ticks(1800))), false));
    }

    #[test]
    fn encoder_delay_may_be_longer_than_a_packet() {
        let mut track = sound();
        let mut first = packet(-2400, 960);
        let skip = ffi::AVPacketSideDataType::AV_PKT_DATA_SKIP_SAMPLES;
        // SAFETY: the packet is valid, and libav gives ten bytes or null.
        unsafe {
            let data = ffi::av_packet_new_side_data(first.as_mut_ptr(), skip, 10);
            data.cast::<[u8; 10]>()
                .as_mut()
                .unwrap()
                .copy_from_slice(&[0x60, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
        track.take(&first, Ticks::ZERO);
        for pts in [-1440, -480, 480] {
            track.take(&packet(pts, 960), Ticks::ZERO);
        }
        assert_eq!(track.span, Some((Ticks(0), Ticks(2700))));
    }
}
