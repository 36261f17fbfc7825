//! Sound whose clock runs away from its samples: times that come slower or faster than the samples
//! between them last.

use ffmpeg_next::codec::{Id, Parameters};
use ffmpeg_next::ffi;
use vodmill_model::units::{Ratio, Ticks};

/// A leap of this much from one packet to the next is a hole, and no drift.
const HOLE: Ticks = Ticks(900);

/// A leap back of this much is an overlap.
const OVERLAP: Ticks = Ticks(9_000);

/// A clock that is off by more than a tenth is none: the packets do not hold what is believed.
const BELIEVABLE: i64 = 10;

/// Counts samples against times.
pub(super) struct DriftWatch {
    parameters: Parameters,
    rate: u32,
    /// Samples since `from`.
    run: Option<Run>,
    most: Ticks,
    senseless: bool,
}

/// Packets without a hole.
#[derive(Clone, Copy)]
struct Run {
    from: Ticks,
    samples: i64,
    /// How far the last time was ahead.
    ahead: Ticks,
}

impl DriftWatch {
    pub(super) fn new(parameters: Parameters) -> DriftWatch {
        // SAFETY: valid parameters.
        let rate = unsafe { (*parameters.as_ptr()).sample_rate };
        let rate = u32::try_from(rate).unwrap_or(0);
        DriftWatch { parameters, rate, run: None, most: Ticks::ZERO, senseless: rate == 0 }
    }

    /// How far times ran away at most, ahead above zero; nothing where that cannot be.
    pub(super) fn most(&self) -> Ticks {
        if self.senseless { Ticks::ZERO } else { self.most }
    }

    /// Takes a packet at `time`.
    pub(super) fn look(&mut self, time: Ticks, data: &[u8]) {
        let samples = match self.parameters.id() {
            Id::OPUS => opus_samples(data).unwrap_or(0),
            _ => self.samples(data.len()),
        };
        self.senseless |= samples <= 0;
        if !self.senseless {
            self.count(time, samples);
        }
    }

    fn count(&mut self, time: Ticks, samples: i64) {
        let fresh = Run { from: time, samples: 0, ahead: Ticks::ZERO };
        let mut run = self.run.unwrap_or(fresh);
        let length = Ticks::from_units(run.samples, Ratio::new(1, self.rate.max(1)));
        let ahead = Ticks(time.0.saturating_sub(run.from.0).saturating_sub(length.0));
        let leap = Ticks(ahead.0.saturating_sub(run.ahead.0));
        if leap > HOLE || Ticks::ZERO - OVERLAP > leap {
            run = fresh;
        } else {
            run.ahead = ahead;
            if ahead.0.abs() > self.most.0.abs() && ahead.0.abs() <= length.0 / BELIEVABLE {
                self.most = ahead;
            }
        }
        run.samples = run.samples.saturating_add(samples);
        self.run = Some(run);
    }

    /// Samples of a packet; 0 where libav cannot tell.
    fn samples(&mut self, bytes: usize) -> i64 {
        let bytes = i32::try_from(bytes).unwrap_or(0);
        // SAFETY: valid parameters, which are only read.
        unsafe { ffi::av_get_audio_frame_duration2(self.parameters.as_mut_ptr(), bytes) }.into()
    }
}

/// Samples at 48 kHz of an Opus packet (RFC 6716, 3.1 and 3.2), of which libav knows nothing.
fn opus_samples(data: &[u8]) -> Option<i64> {
    let first = *data.first()?;
    let size = match first >> 3 {
        config @ 0..12 => [480, 960, 1920, 2880][usize::from(config & 3)],
        config @ 12..16 => [480, 960][usize::from(config & 1)],
        config => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let frames = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => i64::from(data.get(1)? & 0x3f),
    };
    Some(size * frames).filter(|samples| (1..=5_760).contains(samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> DriftWatch {
        DriftWatch { rate: 48_000, senseless: false, ..DriftWatch::new(Parameters::new()) }
    }

    /// Packets of 1,024 samples that come every `step` ticks; 1,920 is right.
    fn drift(step: i64, packets: i64) -> Ticks {
        let mut watch = watch();
        (0..packets).for_each(|number| watch.count(Ticks(number * step), 1024));
        watch.most()
    }

    #[test]
    fn times_that_run_ahead_or_behind_drift() {
        assert_eq!(drift(1920, 10_000), Ticks::ZERO);
        assert_eq!(drift(1949, 101), Ticks(2_900));
        assert_eq!(drift(1891, 101), Ticks(-2_900));
    }

    #[test]
    fn rounding_holes_and_nonsense_do_not() {
        let mut watch = watch();
        for number in 0..1000 {
            let rounded = (number * 1920 + 45) / 90 * 90;
            watch.count(Ticks(rounded + if number > 500 { 45_000 } else { 0 }), 1024);
        }
        assert!(watch.most() < Ticks(91) && watch.most() > Ticks(-91), "{:?}", watch.most());
        assert_eq!(drift(2400, 1000), Ticks::ZERO, "a quarter");
    }

    #[test]
    fn opus_packets_say_how_long_they_are() {
        assert_eq!(opus_samples(&[0xfc]), Some(960), "20 ms of CELT");
        assert_eq!(opus_samples(&[0x19]), Some(5_760), "twice 60 ms of SILK");
        assert_eq!(opus_samples(&[0x73, 3]), Some(1_440), "three times 10 ms of both");
        assert_eq!(opus_samples(&[0xff, 0x3f]), None, "longer than 120 ms");
        assert_eq!(opus_samples(&[0xff]), None);
        assert_eq!(opus_samples(&[]), None);
    }

    #[test]
    fn times_beyond_all_bounds_do_no_harm() {
        let mut watch = watch();
        for time in [i64::MIN, i64::MAX, 0, i64::MIN, i64::MAX] {
            watch.count(Ticks(time), i64::MAX);
        }
        let _ = watch.most();
    }
}
