//! Exact durations and rates: rationals, never floats.

use std::cmp::Ordering;

/// Ticks in one second of the MPEG clock, the unit of every `u64` time here.
pub const TICKS_PER_SECOND: u32 = 90_000;

/// A duration of `num / den` seconds. Compares by value: 1/2 equals 2/4.
#[derive(Debug, Clone, Copy)]
pub struct Seconds {
    num: u64,
    den: u32,
}

/// A sum of durations that does not fit the arithmetic: no real media has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("durations too long or too finely divided to be added exactly")]
pub struct DurationOverflow;

impl Seconds {
    /// `num / den` seconds; `None` when `den` is zero.
    pub const fn new(num: u64, den: u32) -> Option<Self> {
        if den == 0 { None } else { Some(Self { num, den }) }
    }

    /// A duration of 90 kHz ticks.
    pub const fn from_ticks(ticks: u64) -> Self {
        Self { num: ticks, den: TICKS_PER_SECOND }
    }

    /// A duration of whole seconds.
    pub const fn whole(seconds: u64) -> Self {
        Self { num: seconds, den: 1 }
    }

    /// The numerator, in units of `1 / den` seconds.
    pub const fn num(self) -> u64 {
        self.num
    }

    /// The denominator; never zero.
    pub const fn den(self) -> u32 {
        self.den
    }

    /// Whether this is no time at all.
    pub const fn is_zero(self) -> bool {
        self.num == 0
    }
}

impl Ord for Seconds {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = u128::from(self.num) * u128::from(other.den);
        left.cmp(&(u128::from(other.num) * u128::from(self.den)))
    }
}

impl PartialOrd for Seconds {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Seconds {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Seconds {}

/// A frame rate of `num / den` frames per second, such as 24000/1001.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRate {
    /// Frames.
    pub num: u32,
    /// In this many seconds; zero is refused when written.
    pub den: u32,
}

impl FrameRate {
    /// Frames in a thousand seconds, to the nearest; `None` for a zero `den`.
    pub fn millihertz(self) -> Option<u64> {
        rounded(u128::from(self.num) * 1000, u128::from(self.den)).map(|value| value as u64)
    }
}

/// `num / den` to the nearest integer, halves up; `None` for a zero `den`.
pub(crate) fn rounded(num: u128, den: u128) -> Option<u128> {
    (num.checked_add(den / 2)?).checked_div(den)
}

/// Where each of a row of durations ends, counted on one common clock.
pub(crate) struct Timeline {
    /// Cumulative ends; the first entry is 0, so there is one more than durations.
    pub(crate) ends: Vec<u128>,
    /// Ticks of that clock in one second.
    pub(crate) scale: u128,
}

impl Timeline {
    /// Lays `durations` end to end without rounding.
    pub(crate) fn lay(
        durations: impl Iterator<Item = Seconds> + Clone,
    ) -> Result<Self, DurationOverflow> {
        let scale = durations.clone().try_fold(1_u128, |scale, d| lcm(scale, d.den.into()));
        let scale = scale.filter(|scale| *scale <= u128::from(u64::MAX)).ok_or(DurationOverflow)?;
        let mut end = 0_u128;
        let mut ends = vec![end];
        for duration in durations {
            let length = u128::from(duration.num).checked_mul(scale / u128::from(duration.den));
            end = length.and_then(|length| end.checked_add(length)).ok_or(DurationOverflow)?;
            ends.push(end);
        }
        Ok(Self { ends, scale })
    }

    /// Each duration in microseconds, rounded at its ends rather than by
    /// itself: so the sum never drifts from the exact one by more than half a
    /// microsecond, however many there are.
    pub(crate) fn micros(&self) -> Result<Vec<u64>, DurationOverflow> {
        let at = |end: &u128| {
            let scaled = end.checked_mul(1_000_000)?;
            rounded(scaled, self.scale)
        };
        let ends: Option<Vec<u128>> = self.ends.iter().map(at).collect();
        let ends = ends.ok_or(DurationOverflow)?;
        ends.windows(2)
            .map(|pair| u64::try_from(pair[1] - pair[0]).map_err(|_| DurationOverflow))
            .collect()
    }
}

fn lcm(a: u128, b: u128) -> Option<u128> {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x).checked_mul(b)
}
