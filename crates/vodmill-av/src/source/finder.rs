//! Finding the packet at which decoding is to begin, and reading on from there.

use std::path::Path;

use ffmpeg_next::packet::Ref as _;
use ffmpeg_next::{Packet, ffi};
use vodmill_model::media::{ClockJump, SeekPoint};
use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::{JumpCorrector, Progress, ProgressSink};
use vodmill_model::units::{Ratio, TICKS_PER_SECOND};

use super::{Read, Source};
use crate::error;

/// Packets of the track that are read in search of the wanted one after a seek.
const MAX_PACKETS_AFTER_SEEK: u32 = 1_000;

/// How far before the wanted packet seeks aim, in ticks, one after another. Transport streams are
/// searched by decode times, which lie before the times of showing: aiming at those lands behind.
const AIMS: [i64; 3] = [0, TICKS_PER_SECOND, 5 * TICKS_PER_SECOND];

/// Packets between two reports.
const REPORT_EVERY: u64 = 64;

/// The packets of one track from a seek point on, clock jumps taken out.
pub(crate) struct PacketFinder<'a> {
    source: Source,
    track: u32,
    time_base: Ratio,
    jumps: Option<JumpCorrector<'a>>,
    /// Packets of the track still to drop.
    drop: u64,
    /// The packet that a seek was verified with.
    found: Option<Packet>,
    /// Packets of all tracks that were read.
    packets: u64,
    watch: Option<&'a dyn ProgressSink>,
}

impl<'a> PacketFinder<'a> {
    /// Opens `path` and moves to `from` on `track`.
    pub(crate) fn open(
        path: &Path,
        track: u32,
        from: SeekPoint,
        jumps: &'a [ClockJump],
        max_pixels: u64,
    ) -> Result<PacketFinder<'a>, MediaError> {
        let mut finder = PacketFinder::from_beginning(path, track, jumps, max_pixels)?;
        if from.packet == 0 {
            return Ok(finder);
        }
        // With clock jumps the packets of the whole file have to be counted.
        if jumps.is_empty() {
            if let Some(packet) = finder.seek(from.pts)? {
                finder.found = Some(packet);
                return Ok(finder);
            }
            finder = PacketFinder::from_beginning(path, track, jumps, max_pixels)?;
        }
        finder.drop = from.packet;
        Ok(finder)
    }

    fn from_beginning(
        path: &Path,
        track: u32,
        jumps: &'a [ClockJump],
        max_pixels: u64,
    ) -> Result<PacketFinder<'a>, MediaError> {
        let mut source = Source::open_within(path, max_pixels)?;
        let time_base = source.time_base(track as usize).ok_or_else(|| {
            error::failed("find", format!("track {track} of {}", path.display()), "no such track")
        })?;
        let jumps = if jumps.is_empty() {
            source.only(track);
            None
        } else {
            Some(JumpCorrector::new(jumps))
        };
        Ok(PacketFinder {
            source,
            track,
            time_base,
            jumps,
            drop: 0,
            found: None,
            packets: 0,
            watch: None,
        })
    }

    /// Tells how many packets were read: work moves on before the first picture is there.
    pub(crate) fn watched(self, watch: &'a dyn ProgressSink) -> PacketFinder<'a> {
        PacketFinder { watch: Some(watch), ..self }
    }

    /// The original.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Seconds per unit of the track's timestamps.
    pub(crate) fn time_base(&self) -> Ratio {
        self.time_base
    }

    /// Seeks to the key packet with exactly that time; none if it is not where it should be.
    fn seek(&mut self, pts: i64) -> Result<Option<Packet>, MediaError> {
        for before in AIMS {
            let aim = pts.saturating_sub(units_of(before, self.time_base));
            if self.source.seek(self.track, aim).is_err() {
                return Ok(None);
            }
            if let Some(packet) = self.find(pts)? {
                return Ok(Some(packet));
            }
        }
        Ok(None)
    }

    /// Reads on to the key packet with exactly that time; none if it does not come.
    fn find(&mut self, pts: i64) -> Result<Option<Packet>, MediaError> {
        let mut packet = Packet::empty();
        for _ in 0..MAX_PACKETS_AFTER_SEEK {
            if !self.read_of_track(&mut packet)? {
                return Ok(None);
            }
            match (time_of(&packet), packet.is_key()) {
                (Some(time), true) if time == pts => return Ok(Some(packet)),
                (Some(time), true) if time > pts => return Ok(None),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Reads the next packet of the track; false at the end.
    pub(crate) fn read(&mut self, packet: &mut Packet) -> Result<bool, MediaError> {
        if let Some(found) = self.found.take() {
            *packet = found;
            return Ok(true);
        }
        loop {
            if !self.read_of_track(packet)? {
                return Ok(false);
            }
            if self.drop == 0 {
                return Ok(true);
            }
            self.drop -= 1;
        }
    }

    fn read_of_track(&mut self, packet: &mut Packet) -> Result<bool, MediaError> {
        loop {
            // A container that makes no sense any more ends here; probing has told of it.
            if self.source.read(packet)? != Read::Packet {
                return Ok(false);
            }
            self.report();
            let shift = self.jumps.as_mut().map(JumpCorrector::next_shift);
            if packet.stream() != self.track as usize {
                continue;
            }
            if let Some(shift) = shift {
                let units = units_of(shift.0, self.time_base);
                packet.set_pts(packet.pts().map(|pts| pts.saturating_add(units)));
                packet.set_dts(packet.dts().map(|dts| dts.saturating_add(units)));
            }
            return Ok(true);
        }
    }

    fn report(&mut self) {
        self.packets += 1;
        if let Some(watch) = self.watch
            && self.packets.is_multiple_of(REPORT_EVERY)
        {
            watch.progress(Progress { of: "read".to_owned(), done: self.packets, total: None });
        }
    }
}

/// When a packet is shown; where the container does not say, when it is decoded.
pub(crate) fn time_of(packet: &Packet) -> Option<i64> {
    packet.pts().or(packet.dts())
}

/// Whether what a packet holds is shown: an edit list may leave it out.
pub(crate) fn is_shown(packet: &Packet) -> bool {
    // SAFETY: the packet is valid.
    unsafe { (*packet.as_ptr()).flags & ffi::AV_PKT_FLAG_DISCARD == 0 }
}

/// 90 kHz ticks in units of `time_base`, rounded to the nearest.
pub(crate) fn units_of(ticks: i64, time_base: Ratio) -> i64 {
    let (numerator, denominator) = (
        i128::from(ticks) * i128::from(time_base.den),
        i128::from(TICKS_PER_SECOND) * i128::from(time_base.num),
    );
    let rounded = (2 * numerator + denominator).div_euclid(2 * denominator);
    i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
}
