//! Where decoded sound belongs.

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
        Timeline { rate: i64::from(rate), tolerance, length, expected: 0 }
    }

    /// Where the next sample is expected.
    pub(super) fn expected(&self) -> i64 {
        self.expected
    }

    /// The same at another rate.
    pub(super) fn expected_at(&self, rate: i64) -> i64 {
        (i128::from(self.expected) * i128::from(rate) / i128::from(self.rate)) as i64
    }

    /// Places a frame of `samples` whose time is `pts`.
    pub(super) fn place(&mut self, pts: i64, samples: i64) -> Place {
        if pts + samples <= 0 || pts >= self.length {
            return Place::Outside;
        }
        let gap = pts - self.expected;
        let pts = if gap.abs() <= self.tolerance { self.expected } else { pts };
        let mut silence = Vec::new();
        if gap > self.tolerance.max(self.rate * MIN_GAP_MILLIS / 1000) {
            let mut start = self.expected;
            while start < pts {
                let piece = (pts - start).min(self.rate);
                silence.push((start, piece as usize));
                start += piece;
            }
        }
        self.expected = self.expected.max(pts + samples);
        Place::At { silence, pts }
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
    }

    #[test]
    fn gaps_become_silence_in_bounded_pieces() {
        let mut timeline = Timeline::new(1000, 2, 1 << 40);
        let silence = vec![(0, 1000), (1000, 500)];
        assert_eq!(timeline.place(1500, 10), Place::At { silence, pts: 1500 });
        assert_eq!(timeline.place(1510, 10), at(1510));
    }

    #[test]
    fn what_lies_outside_is_dropped() {
        let mut timeline = Timeline::new(1000, 2, 5000);
        assert_eq!(timeline.place(-20, 10), Place::Outside);
        assert_eq!(timeline.place(-5, 10), at(-5), "the resampler trims it");
        assert_eq!(timeline.place(36_000_000, 10), Place::Outside, "a jump of ten hours");
        assert_eq!(timeline.place(5, 10), at(5));
    }
}
