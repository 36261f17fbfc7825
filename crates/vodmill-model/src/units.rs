//! Units in types: time at 90 kHz, exact ratios, bits per second, frames.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Ticks in one second.
pub const TICKS_PER_SECOND: i64 = 90_000;

/// A time or duration at 90 kHz, the clock of MPEG-2 systems (ISO/IEC 13818-1, 2.4.3.6). What is
/// further away than it can hold is as far away as it can hold.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Ticks(pub i64);

impl Ticks {
    /// The time zero.
    pub const ZERO: Ticks = Ticks(0);

    /// Whole seconds as ticks.
    pub const fn from_seconds(seconds: i64) -> Ticks {
        Ticks(seconds.saturating_mul(TICKS_PER_SECOND))
    }

    /// `value` units of `time_base` seconds each, rounded to the nearest tick.
    pub fn from_units(value: i64, time_base: Ratio) -> Ticks {
        Ticks(time_base.scale(value, TICKS_PER_SECOND))
    }

    /// Milliseconds, rounded to the nearest; for people and WebVTT, not for arithmetic.
    pub const fn millis(self) -> i64 {
        self.0.saturating_add(45).div_euclid(90)
    }

    /// Seconds for people, never for arithmetic.
    pub fn seconds_for_display(self) -> f64 {
        self.0 as f64 / TICKS_PER_SECOND as f64
    }
}

impl std::ops::Add for Ticks {
    type Output = Ticks;
    fn add(self, other: Ticks) -> Ticks {
        Ticks(self.0.saturating_add(other.0))
    }
}

impl Ticks {
    /// Whether it is no time at all.
    pub fn is_zero(&self) -> bool {
        self.0 == 0
    }
}

impl std::ops::Sub for Ticks {
    type Output = Ticks;
    fn sub(self, other: Ticks) -> Ticks {
        Ticks(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.millis();
        let sign = if millis < 0 { "-" } else { "" };
        let millis = millis.unsigned_abs();
        write!(f, "{sign}{}.{:03} s", millis / 1000, millis % 1000)
    }
}

/// An exact ratio: a frame rate in hertz, a time base in seconds, a pixel aspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "(u32, u32)", into = "(u32, u32)")]
#[schemars(with = "(u32, u32)")]
pub struct Ratio {
    /// Numerator.
    pub num: u32,
    /// Denominator, never zero.
    pub den: u32,
}

impl Ratio {
    /// The ratio one.
    pub const ONE: Ratio = Ratio { num: 1, den: 1 };

    /// `num / den` in lowest terms; a zero denominator counts as one.
    pub fn new(num: u32, den: u32) -> Ratio {
        let den = den.max(1);
        let divisor = gcd(num.max(1), den);
        if num == 0 {
            Ratio { num: 0, den: 1 }
        } else {
            Ratio { num: num / divisor, den: den / divisor }
        }
    }

    /// `value * self * by`, rounded to the nearest integer (halves away from zero); the nearest that
    /// there is, where that is too large.
    pub fn scale(self, value: i64, by: i64) -> i64 {
        let product = (i128::from(value) * i128::from(self.num)).saturating_mul(by.into());
        let scaled = div_round(product, i128::from(self.den));
        scaled.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    /// The ratio upside down; zero stays zero.
    pub fn inverse(self) -> Ratio {
        if self.num == 0 { self } else { Ratio { num: self.den, den: self.num } }
    }

    /// Whether `self > other`, exactly.
    pub fn exceeds(self, other: Ratio) -> bool {
        u64::from(self.num) * u64::from(other.den) > u64::from(other.num) * u64::from(self.den)
    }

    /// For people and for comparison with tolerance; never for media time.
    pub fn approximate(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }

    /// The time at which frame `number` starts at this frame rate, rounded to the nearest tick.
    pub fn frame_start(self, number: Frames) -> Ticks {
        Ticks(self.inverse().scale(number.try_into().unwrap_or(i64::MAX), TICKS_PER_SECOND))
    }
}

impl From<(u32, u32)> for Ratio {
    fn from((num, den): (u32, u32)) -> Ratio {
        Ratio::new(num, den)
    }
}

impl From<Ratio> for (u32, u32) {
    fn from(ratio: Ratio) -> (u32, u32) {
        (ratio.num, ratio.den)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.den == 1 {
            write!(f, "{}", self.num)
        } else {
            write!(f, "{}/{}", self.num, self.den)
        }
    }
}

/// A count of frames, or a frame's number on the constant-rate timeline, from 0.
pub type Frames = u64;

/// A closed group of pictures: its length in frames, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Gop(pub u32);

/// Bits per second. In configuration a number, or text with a unit: `"800k"`, `"4.5M"`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema,
)]
#[schemars(with = "BitsPerSecondText")]
pub struct BitsPerSecond(pub u64);

/// The forms in which a bit rate may be written.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a bit rate: a number, or text such as \"800k\" or \"4.5M\"")]
enum BitsPerSecondText {
    Number(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for BitsPerSecond {
    fn deserialize<D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BitsPerSecond, D::Error> {
        match BitsPerSecondText::deserialize(deserializer)? {
            BitsPerSecondText::Number(number) => Ok(BitsPerSecond(number)),
            BitsPerSecondText::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

impl std::str::FromStr for BitsPerSecond {
    type Err = String;

    fn from_str(text: &str) -> Result<BitsPerSecond, String> {
        let invalid = || format!("{text:?} is not a bit rate such as \"800k\" or \"4.5M\"");
        let (number, unit) = match text.strip_suffix(['k', 'K']) {
            Some(number) => (number, 1_000),
            None => text.strip_suffix('M').map_or((text, 1), |number| (number, 1_000_000)),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits =
            u32::try_from(fraction.len()).ok().filter(|&digits| digits <= 6).ok_or_else(invalid)?;
        let whole: u64 = whole.parse().map_err(|_| invalid())?;
        let fraction: u64 =
            if digits == 0 { 0 } else { fraction.parse().map_err(|_| invalid())? };
        let whole = whole.checked_mul(unit).ok_or_else(invalid)?;
        Ok(BitsPerSecond(whole + fraction * unit / 10_u64.pow(digits)))
    }
}

impl fmt::Display for BitsPerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}k", self.0.div_ceil(1000))
    }
}

/// A constant rate factor of x264 in tenths: an encoder's measure of quality, lower is better.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Crf(pub i32);

impl Crf {
    /// As an encoder's option says it.
    pub fn of_option(text: &str) -> Option<Crf> {
        let value: f64 = text.parse().ok()?;
        (0.0..=100.0).contains(&value).then(|| Crf((value * 10.0).round() as i32))
    }

    /// For a model's arithmetic.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 10.0
    }
}

impl fmt::Display for Crf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{}", self.0 / 10),
            tenths => write!(f, "{}.{}", self.0 / 10, tenths.abs()),
        }
    }
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn div_round(value: i128, by: i128) -> i128 {
    let half = by / 2;
    match value >= 0 {
        true => value.saturating_add(half) / by,
        false => value.saturating_sub(half) / by,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_ntsc_film_start_where_they_should() {
        let film = Ratio::new(24000, 1001);
        assert_eq!(film.frame_start(0), Ticks(0));
        assert_eq!(film.frame_start(1), Ticks(3754), "3753.75 rounds up");
        assert_eq!(film.frame_start(1439), Ticks(5_401_646));
    }

    #[test]
    fn what_is_too_far_away_does_not_come_back_from_the_other_side() {
        assert_eq!(Ratio::new(u32::MAX, 1).scale(i64::MAX, i64::MAX), i64::MAX);
        assert_eq!(Ratio::new(u32::MAX, 1).scale(i64::MIN, i64::MAX), i64::MIN);
        assert_eq!(Ticks::from_units(i64::MIN, Ratio::ONE), Ticks(i64::MIN));
        assert_eq!(Ticks(i64::MAX) + Ticks(1), Ticks(i64::MAX));
        assert_eq!(Ticks(i64::MIN) - Ticks(1), Ticks(i64::MIN));
        assert_eq!(Ratio::new(1, 1000).frame_start(u64::MAX), Ticks(i64::MAX));
        assert!(Ticks(i64::MIN).to_string().starts_with('-'));
    }

    #[test]
    fn ratios_reduce_and_compare_exactly() {
        assert_eq!(Ratio::new(50, 2), Ratio::new(25, 1));
        assert!(Ratio::new(30, 1).exceeds(Ratio::new(30000, 1001)));
        assert!(!Ratio::new(30, 1).exceeds(Ratio::new(60, 2)));
    }
}
