//! From the units of a rendition to those of a container.

use vodmill_model::units::{Ratio, TICKS_PER_SECOND, Ticks};

/// Below this, players round the times of an MP4 track visibly.
const MIN_TIMESCALE: u32 = 10_000;

/// Turns times of one stream into units of its container.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// Seconds of a unit of the rendition: a frame or a sample.
    unit: Ratio,
    /// Units of the container in a second.
    pub timescale: u32,
    /// Where the rendition's zero is, in units of the container.
    base: i64,
    /// Units of the rendition before its zero at which the container's times begin.
    delay: i64,
}

impl Clock {
    pub(super) fn new(unit: Ratio, timescale: u32, base: Ticks) -> Clock {
        let base = Ratio::new(1, TICKS_PER_SECOND as u32).scale(base.0, i64::from(timescale));
        Clock { unit, timescale, base, delay: 0 }
    }

    /// A clock for a container that counts from the encoder's delay on, and says how long that is.
    pub(super) fn with_delay(unit: Ratio, timescale: u32, delay: i64) -> Clock {
        Clock { unit, timescale, base: 0, delay }
    }

    /// The container's time of `value` units.
    pub(super) fn at(self, value: i64) -> i64 {
        self.base + self.unit.scale(value + self.delay, i64::from(self.timescale))
    }

    /// The length of `duration` units from `start`; lengths add up without drift.
    pub(super) fn length(self, start: i64, duration: i64) -> i64 {
        self.at(start + duration) - self.at(start)
    }
}

/// A timescale in which every frame of `rate` has a whole number of units.
pub(super) fn video_timescale(rate: Ratio) -> u32 {
    let mut timescale = rate.num.max(1);
    while timescale < MIN_TIMESCALE {
        timescale *= 2;
    }
    timescale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_exact_in_their_timescale() {
        for rate in [Ratio::new(25, 1), Ratio::new(24000, 1001), Ratio::new(60000, 1001)] {
            let timescale = video_timescale(rate);
            assert_eq!(timescale % rate.num, 0);
            let clock = Clock::new(rate.inverse(), timescale, Ticks::from_seconds(10));
            let frame = i64::from(timescale / rate.num * rate.den);
            assert_eq!(clock.at(0), i64::from(timescale) * 10);
            assert_eq!(clock.at(100_001), i64::from(timescale) * 10 + frame * 100_001);
            assert_eq!(clock.length(77, 1), frame);
        }
    }
}
