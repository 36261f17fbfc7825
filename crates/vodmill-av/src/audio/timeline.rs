//! Where decoded sound belongs.

use vodmill_model::transcode::SoundBalance;
use vodmill_model::units::{Ratio, Ticks};

/// Gaps up to this many milliseconds are left to the resampler.
const MIN_GAP_MILLIS: i64 = 10;

/// Keeps account of the samples that were fed, at one sample rate.
pub(super) struct Timeline {
    rate: i64,
    /// Deviations up to this are the container's rounding.
    tolerance: i64,
    /// Samples after this are not wanted.
    length: i64,
    expected: i64,
    counted: Counted,
}

/// Samples by what became of them.
#[derive(Default)]
struct Counted {
    delivered: i64,
    /// Of it before zero or after the end.
    outside: i64,
    /// Of it at a time that other sound has already.
    overlap: i64,
    /// Silence between sound.
    silence: i64,
    holes: u64,
    longest: i64,
}

/// What to do with a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It lies before zero, or after the end.
    Outside,
    /// Feed it at `pts`, after pieces of silence (start, samples), none longer than a second.
    At { silence: Vec<(i64, usize)>, pts: i64 },
}

impl Timeline {
    pub(super) fn new(rate: u32, tolerance: i64, length: i64) -> Timeline {
        let counted = Counted::default();
        Timeline { rate: i64::from(rate), tolerance, length, expected: 0, counted }
    }

    /// Where the next sample is expected.
    pub(super) fn expected(&self) -> i64 {
        self.expected
    }

    /// The same at another rate.
    pub(super) fn expected_at(&self, rate: i64) -> i64 {
        (i128::from(self.expected) * i128::from(rate) / i128::from(self.rate)) as i64
    }

    /// What became of all frames.
    pub(super) fn balance(&self) -> SoundBalance {
        let unit = Ratio::new(1, u32::try_from(self.rate).unwrap_or(1));
        let time = |samples| Ticks::from_units(samples, unit);
        SoundBalance {
            delivered: time(self.counted.delivered),
            outside: time(self.counted.outside),
            overlap: time(self.counted.overlap),
            holes: self.counted.holes,
            silence: time(self.counted.silence),
            longest_hole: time(self.counted.longest),
        }
    }

    /// Places a frame of `samples` whose time is `pts`.
    pub(super) fn place(&mut self, pts: i64, samples: i64) -> Place {
        self.counted.delivered += samples;
        let end = pts.saturating_add(samples);
        if end <= 0 || pts >= self.length {
            self.counted.outside += samples;
            return Place::Outside;
        }
        self.counted.outside += (-pts).max(0) + (end - self.length).max(0);
        let gap = pts - self.expected;
        let pts = if gap.abs() <= self.tolerance { self.expected } else { pts };
        let mut silence = Vec::new();
        let least = self.tolerance.max(self.rate * MIN_GAP_MILLIS / 1000);
        if gap > least {
            self.count_hole(gap);
            let mut start = self.expected;
            while start < pts {
                let piece = (pts - start).min(self.rate);
                silence.push((start, piece as usize));
                start += piece;
            }
        } else if -gap > least {
            // What lies before zero is counted as outside.
            let from = pts.max(0);
            self.counted.overlap += (self.expected.min(pts + samples) - from).max(0);
        }
        self.expected = self.expected.max(pts + samples);
        Place::At { silence, pts }
    }

    /// Silence before the first sound is no hole.
    fn count_hole(&mut self, gap: i64) {
        if self.expected > 0 {
            self.counted.holes += 1;
            self.counted.silence += gap;
            self.counted.longest = self.counted.longest.max(gap);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(pts: i64) -> Place {
        Place::At { silence: vec![], pts }
    }

    #[test]
    fn rounded_times_do_not_open_gaps() {
        let mut timeline = Timeline::new(48000, 96, 1 << 40);
        assert_eq!(timeline.place(0, 1024), at(0));
        assert_eq!(timeline.place(1008, 1024), at(1024), "21 ms for 21.333");
        assert_eq!(timeline.place(2064, 1024), at(2048));
        let balance = timeline.balance();
        assert_eq!((balance.holes, balance.overlap), (0, Ticks::ZERO));
    }

    #[test]
    fn gaps_become_silence_in_bounded_pieces() {
        let mut timeline = Timeline::new(1000, 2, 1 << 40);
        let silence = vec![(0, 1000), (1000, 500)];
        assert_eq!(timeline.place(1500, 10), Place::At { silence, pts: 1500 });
        assert_eq!(timeline.place(1510, 10), at(1510));
        assert_eq!(timeline.balance().holes, 0, "sound that begins later");
    }

    #[test]
    fn what_lies_outside_is_dropped() {
        let mut timeline = Timeline::new(1000, 2, 5000);
        assert_eq!(timeline.place(-20, 10), Place::Outside);
        assert_eq!(timeline.place(-5, 10), at(-5), "the resampler trims it");
        assert_eq!(timeline.place(36_000_000, 10), Place::Outside, "a jump of ten hours");
        assert_eq!(timeline.place(5, 10), at(5));
        assert_eq!(timeline.place(i64::MAX - 3, 10), Place::Outside);
        assert_eq!(timeline.place(i64::MIN + 3, 10), Place::Outside);
        assert_eq!(timeline.balance().outside, Ticks(45 * 90));
    }

    #[test]
    fn every_sample_is_accounted_for() {
        let mut timeline = Timeline::new(1000, 2, 2000);
        for (pts, samples) in
            [(-50, 100), (50, 100), (350, 100), (400, 100), (1000, 100), (1950, 100)]
        {
            timeline.place(pts, samples);
        }
        let second = |thousandths: i64| Ticks(thousandths * 90);
        let balance = SoundBalance {
            delivered: second(600),
            outside: second(50 + 50),
            overlap: second(50),
            holes: 3,
            silence: second(200 + 500 + 850),
            longest_hole: second(850),
        };
        assert_eq!(timeline.balance(), balance);
        let out = balance.delivered - balance.outside - balance.overlap + balance.silence;
        assert_eq!(out, second(2000), "and that is what came out");
    }
}
