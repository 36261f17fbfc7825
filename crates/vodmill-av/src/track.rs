//! One track of an original, packet by packet.

use std::path::Path;

use ffmpeg_next::codec::Parameters;
use ffmpeg_next::{Packet, media};
use vodmill_model::media::ClockJump;
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::transcode::JumpCorrector;
use vodmill_model::units::{Ratio, TICKS_PER_SECOND, Ticks};

use crate::error;
use crate::source::{Read, Source};

/// A track, its clock jumps taken out.
pub(crate) struct Track<'a> {
    source: Source,
    index: u32,
    time_base: Ratio,
    jumps: JumpCorrector<'a>,
}

impl<'a> Track<'a> {
    pub(crate) fn open(
        path: &Path,
        index: u32,
        jumps: &'a [ClockJump],
    ) -> Result<Track<'a>, MediaError> {
        let mut source = Source::open(path)?;
        let time_base = source.time_base(index as usize).ok_or_else(|| missing(path, index))?;
        // Jumps are counted in packets of the whole file, which must then all be seen.
        if jumps.is_empty() {
            source.only(index);
        }
        Ok(Track { source, index, time_base, jumps: JumpCorrector::new(jumps) })
    }

    /// Seconds per unit of its timestamps.
    pub(crate) fn time_base(&self) -> Ratio {
        self.time_base
    }

    /// Its language, if given.
    pub(crate) fn language(&self) -> Option<String> {
        let stream = self.source.input().stream(self.index as usize)?;
        stream.metadata().get("language").map(str::to_owned)
    }

    /// What its decoder needs, if it is of the kind `medium`.
    pub(crate) fn parameters(&self, medium: media::Type) -> Result<Parameters, MediaError> {
        self.source
            .input()
            .stream(self.index as usize)
            .map(|stream| stream.parameters())
            .filter(|parameters| parameters.medium() == medium)
            .ok_or_else(|| missing(self.source.path(), self.index))
    }

    /// Reads the next packet of the track; false at the end, orderly or not: what a torn end
    /// means for the job was decided when the file was probed.
    pub(crate) fn read(&mut self, packet: &mut Packet) -> Result<bool, MediaError> {
        loop {
            match self.source.read(packet)? {
                Read::Packet => {}
                Read::End | Read::Torn => return Ok(false),
            }
            let shift = self.jumps.next_shift();
            let shift = self.units(shift);
            if packet.stream() == self.index as usize {
                packet.set_pts(packet.pts().map(|pts| pts.saturating_add(shift)));
                packet.set_dts(packet.dts().map(|dts| dts.saturating_add(shift)));
                return Ok(true);
            }
        }
    }

    /// `time` in units of the track.
    fn units(&self, time: Ticks) -> i64 {
        let units_per_tick = u64::from(self.time_base.num) * TICKS_PER_SECOND as u64;
        let scaled = i128::from(time.0) * i128::from(self.time_base.den);
        (scaled / i128::from(units_per_tick)) as i64
    }
}

fn missing(path: &Path, index: u32) -> MediaError {
    let detail = format!("{} has no such track {index} any more", path.display());
    error::rejected(Reason::Changed, detail)
}
