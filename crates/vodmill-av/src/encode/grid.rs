//! The grid rule: which source frame each grid frame shows.
//!
//! Grid frame `n` lasts from `origin + n / rate` to `origin + (n + 1) / rate` and shows the last
//! source frame whose time is not after its middle. Before the first source frame, the first is
//! shown; after the last, the last is held. The rule knows nothing of where decoding began, so
//! chunks can be decoded apart.

use vodmill_model::units::{Frames, Ratio};

/// The clock of the grid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GridClock {
    /// Source time that is the start of grid frame 0.
    pub origin: i64,
    /// Seconds per unit of source time.
    pub time_base: Ratio,
    /// Grid frames per second.
    pub rate: Ratio,
}

impl GridClock {
    /// The first grid frame whose middle is not before source time `pts`.
    pub(crate) fn first_showing(&self, pts: i64) -> Frames {
        // n + 1/2 >= (pts - origin) * time_base * rate, times twice the denominators.
        let wide = |number: u32| i128::from(number);
        let passed = i128::from(pts) - i128::from(self.origin);
        let double =
            passed.saturating_mul(2 * wide(self.time_base.num)).saturating_mul(wide(self.rate.num));
        let unit = wide(self.time_base.den) * wide(self.rate.den);
        let n = div_ceil(double.saturating_sub(unit), 2 * unit);
        u64::try_from(n.max(0)).unwrap_or(u64::MAX)
    }

    /// Source time at which grid frame `n` starts, rounded up: times from here on lie in it.
    pub(crate) fn start(&self, n: Frames) -> i64 {
        let numerator = i128::from(n) * i128::from(self.rate.den) * i128::from(self.time_base.den);
        let denominator = i128::from(self.rate.num) * i128::from(self.time_base.num);
        let units = div_ceil(numerator, denominator).saturating_add(i128::from(self.origin));
        i64::try_from(units).unwrap_or(i64::MAX)
    }
}

fn div_ceil(a: i128, b: i128) -> i128 {
    -(-a).div_euclid(b)
}

/// Puts a run of source frames, in the order of their times, onto a stretch of the grid.
#[derive(Debug)]
pub(crate) struct Grid<F> {
    clock: GridClock,
    next: Frames,
    end: Frames,
    held: Option<Held<F>>,
}

#[derive(Debug)]
struct Held<F> {
    frame: F,
    pts: i64,
    shown: bool,
}

/// One frame of the grid.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown<'a, F> {
    /// Its absolute number.
    pub number: Frames,
    /// The source frame that it shows.
    pub frame: &'a F,
    /// Whether the grid frame before it, within the stretch, showed the same one.
    pub repeat: bool,
}

impl<F> Grid<F> {
    /// The stretch of `frames` grid frames from `first` on.
    pub(crate) fn new(clock: GridClock, first: Frames, frames: Frames) -> Grid<F> {
        Grid { clock, next: first, end: first.saturating_add(frames), held: None }
    }

    /// Whether every frame of the stretch has been shown.
    pub(crate) fn is_full(&self) -> bool {
        self.next >= self.end
    }

    /// Whether any source frame has come.
    pub(crate) fn has_source(&self) -> bool {
        self.held.is_some()
    }

    /// Takes the next source frame and shows what it decides: every grid frame whose middle is
    /// before it. One that is earlier than the frame before it is dropped.
    pub(crate) fn push<E>(
        &mut self,
        frame: F,
        pts: i64,
        show: impl FnMut(Shown<'_, F>) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(held) = &self.held {
            if pts < held.pts {
                return Ok(());
            }
            self.show_until(self.clock.first_showing(pts), show)?;
        }
        self.held = Some(Held { frame, pts, shown: false });
        Ok(())
    }

    /// Shows the rest: the last source frame is held to the end.
    pub(crate) fn finish<E>(
        &mut self,
        show: impl FnMut(Shown<'_, F>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.show_until(self.end, show)
    }

    fn show_until<E>(
        &mut self,
        until: Frames,
        mut show: impl FnMut(Shown<'_, F>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(held) = &mut self.held else { return Ok(()) };
        while self.next < until.min(self.end) {
            let repeat = std::mem::replace(&mut held.shown, true);
            show(Shown { number: self.next, frame: &held.frame, repeat })?;
            self.next += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn clock(rate: (u32, u32), time_base: (u32, u32), origin: i64) -> GridClock {
        GridClock {
            origin,
            time_base: Ratio::new(time_base.0, time_base.1),
            rate: Ratio::new(rate.0, rate.1),
        }
    }

    fn show(clock: GridClock, first: u64, frames: u64, source: &[i64]) -> Vec<(u64, i64, bool)> {
        let mut grid = Grid::new(clock, first, frames);
        let mut shown = Vec::new();
        let mut keep = |s: Shown<'_, i64>| {
            shown.push((s.number, *s.frame, s.repeat));
            Ok::<_, Infallible>(())
        };
        for &pts in source {
            grid.push(pts, pts, &mut keep).unwrap();
        }
        grid.finish(&mut keep).unwrap();
        shown
    }

    fn sources(shown: &[(u64, i64, bool)]) -> Vec<i64> {
        shown.iter().map(|s| s.1).collect()
    }

    #[test]
    fn constant_rate_goes_through_frame_by_frame() {
        let source: Vec<i64> = (0..50).map(|n| n * 3600).collect();
        let shown = show(clock((25, 1), (1, 90_000), 0), 0, 50, &source);
        assert_eq!(sources(&shown), source);
        assert!(shown.iter().all(|s| !s.2));
    }

    #[test]
    fn a_frame_at_the_very_middle_is_shown() {
        // Frames of 10 units: the middle of frame 1 is 15.
        let ten = clock((100, 1), (1, 1000), 0);
        assert_eq!(sources(&show(ten, 0, 3, &[0, 15])), [0, 15, 15]);
        assert_eq!(sources(&show(ten, 0, 3, &[0, 16])), [0, 0, 16]);
    }

    #[test]
    fn before_the_first_the_first_and_after_the_last_the_last() {
        let ten = clock((100, 1), (1, 1000), 100);
        let shown = show(ten, 0, 6, &[125, 135]);
        assert_eq!(sources(&shown), [125, 125, 125, 135, 135, 135]);
        assert_eq!(shown.iter().filter(|s| s.2).count(), 4);
    }

    #[test]
    fn a_chunk_shows_what_the_whole_shows_there() {
        // Milliseconds, as in Matroska, at a rate that does not divide them, and gaps.
        let ntsc = clock((24_000, 1001), (1, 1000), 7);
        let source: Vec<i64> =
            (0..400).filter(|n| n % 7 != 3 && !(90..130).contains(n)).map(|n| n * 31 + 7).collect();
        let whole = show(ntsc, 0, 300, &source);
        assert_eq!(whole.len(), 300);
        for first in [1, 13, 60, 100, 250] {
            let from = ntsc.start(first);
            let begin = source.iter().rposition(|&pts| pts <= from).unwrap();
            let chunk = show(ntsc, first, 40, &source[begin..]);
            assert_eq!(sources(&chunk), sources(&whole[first as usize..first as usize + 40]));
        }
    }

    #[test]
    fn times_that_go_back_are_dropped_and_far_ones_do_not_overflow() {
        let ten = clock((100, 1), (1, 1000), 0);
        assert_eq!(sources(&show(ten, 0, 3, &[0, 10, 5, i64::MAX])), [0, 10, 10]);
        assert_eq!(ten.first_showing(i64::MIN), 0);
        assert_eq!(ten.start(3), 30);
    }
}
