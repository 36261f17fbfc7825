//! The frame rate of the grid, from the times of the source's frames.

use crate::media::VideoTrack;
use crate::units::Ratio;

/// Rates in use in the world, rising. Rates above 60 are here so that a variable source is
/// recognised before it is halved.
const STANDARD: [Ratio; 19] = [
    ratio(5, 1),
    ratio(6, 1),
    ratio(15, 2),
    ratio(8, 1),
    ratio(10, 1),
    ratio(12, 1),
    ratio(25, 2),
    ratio(15, 1),
    ratio(24000, 1001),
    ratio(24, 1),
    ratio(25, 1),
    ratio(30000, 1001),
    ratio(30, 1),
    ratio(48, 1),
    ratio(50, 1),
    ratio(60000, 1001),
    ratio(60, 1),
    ratio(120, 1),
    ratio(240, 1),
];

/// The rate of a picture whose file says nothing sensible.
const FALLBACK: Ratio = ratio(25, 1);

/// Rates below this are multiplied: groups of pictures and players want a steady pulse.
const LOWEST: u32 = 5;

/// Distance, in millionths, within which a rate counts as a standard one.
const SNAP: u128 = 2_000;

const fn ratio(num: u32, den: u32) -> Ratio {
    Ratio { num, den }
}

/// A rate and why it was chosen.
pub(super) struct RateChoice {
    pub rate: Ratio,
    pub reason: String,
}

/// The rate of the grid for `track`, at most `max` frames per second.
pub(super) fn choose(track: &VideoTrack, max: u32) -> RateChoice {
    let (source, mut reason) = match mean(track) {
        None => (lone(track), "a single frame has no rate; the declared one".to_owned()),
        Some(mean) if is_constant(track) => {
            (snap(track, mean), format!("frames come evenly, {}", hertz(mean)))
        }
        Some(mean) => (
            steady(track, mean),
            format!("frames come unevenly, {} on average; every output is even", hertz(mean)),
        ),
    };
    let rate = bound(source, max);
    if rate != source {
        reason.push_str(&format!("; {} brought within {LOWEST} to {max} hertz", hertz(source)));
    }
    RateChoice { rate, reason }
}

/// Whether neighbouring frames are equally far apart, but for the rounding of the container.
pub(crate) fn is_constant(track: &VideoTrack) -> bool {
    let gaps = track.gaps;
    // Twice a millisecond: Matroska rounds both ends of a gap, and a remux keeps that.
    let rounding = track.time_base.inverse().scale(2, 1) / 1000;
    gaps.max - gaps.min <= rounding.max(1).min(gaps.median / 8)
}

/// The rate for people, with three decimals at most.
pub(crate) fn hertz(rate: Ratio) -> String {
    let thousandths = rate.scale(1000, 1);
    let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    format!("{} fps", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Frames per second over the whole track; none for fewer than two frames.
fn mean(track: &VideoTrack) -> Option<Ratio> {
    let span = u128::try_from(track.last - track.first).ok().filter(|&span| span > 0)?;
    let gaps = u128::from(track.packets.checked_sub(1).filter(|&gaps| gaps > 0)?);
    let base = track.time_base;
    Some(exact(gaps * u128::from(base.den), span * u128::from(base.num.max(1))))
}

/// `num / den`, exactly where that gives a plain ratio, else to the nearest thousandth.
fn exact(num: u128, den: u128) -> Ratio {
    let divisor = gcd(num, den);
    let (small_num, small_den) = (num / divisor, den / divisor);
    match (u32::try_from(small_num), u32::try_from(small_den)) {
        (Ok(num), Ok(den)) if den <= 1001 => Ratio::new(num, den),
        _ => {
            let thousandths = (num * 1000 + den / 2) / den;
            Ratio::new(u32::try_from(thousandths).unwrap_or(u32::MAX).max(1), 1000)
        }
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

fn lone(track: &VideoTrack) -> Ratio {
    track
        .nominal_rate
        .filter(|rate| !rate.exceeds(ratio(240, 1)) && !ratio(LOWEST, 1).exceeds(*rate))
        .unwrap_or(FALLBACK)
}

/// The declared rate if the times bear it out, else the nearest standard rate, else a whole one
/// that rounding explains, else the mean.
fn snap(track: &VideoTrack, mean: Ratio) -> Ratio {
    let rounding = rounding(track);
    let explained = |rate: &Ratio| distance(mean, *rate) <= rounding.max(100);
    if let Some(rate) = track.nominal_rate.filter(|rate| rate.num > 0).filter(explained) {
        return rate;
    }
    let nearest = nearest_standard(mean);
    if distance(mean, nearest) <= rounding.max(SNAP) {
        return nearest;
    }
    let whole = u32::try_from(mean.scale(1, 1)).unwrap_or(u32::MAX).max(1);
    Some(ratio(whole, 1)).filter(explained).unwrap_or(mean)
}

/// What a millisecond's rounding makes of the mean rate, in millionths; short clips suffer most.
fn rounding(track: &VideoTrack) -> u128 {
    let base = track.time_base;
    if u64::from(base.num) * 1000 > u64::from(base.den) {
        return 0; // Units coarser than a millisecond are frames themselves: nothing is rounded.
    }
    let span = u128::try_from(base.scale(track.last - track.first, 1_000_000)).unwrap_or(1);
    (1_000_000_000 / span.max(1)).min(20_000)
}

/// The standard rate nearest to the usual gap's, but not below the mean: no frame is lost.
fn steady(track: &VideoTrack, mean: Ratio) -> Ratio {
    let base = track.time_base;
    let usual = match u128::try_from(track.gaps.median) {
        Ok(median) if median > 0 => exact(base.den.into(), median * u128::from(base.num.max(1))),
        _ => mean,
    };
    let nearest = nearest_standard(usual);
    let enough = |rate: Ratio| rate.exceeds(mean) || distance(mean, rate) <= SNAP;
    if enough(nearest) {
        return nearest;
    }
    STANDARD.into_iter().find(|&rate| enough(rate)).unwrap_or(ratio(240, 1))
}

fn nearest_standard(rate: Ratio) -> Ratio {
    STANDARD.into_iter().min_by_key(|&standard| distance(rate, standard)).unwrap_or(FALLBACK)
}

/// How far `rate` is from `standard`, in millionths of `standard`.
fn distance(rate: Ratio, standard: Ratio) -> u128 {
    let left = u128::from(rate.num) * u128::from(standard.den);
    let right = u128::from(standard.num) * u128::from(rate.den);
    left.abs_diff(right) * 1_000_000 / right.max(1)
}

/// Halves what is above `max`, so that kept frames stay evenly spaced, and multiplies what is
/// below the lowest rate.
fn bound(rate: Ratio, max: u32) -> Ratio {
    let mut rate = rate;
    while rate.exceeds(ratio(max.max(1), 1)) && rate.num > 1 {
        rate = halve(rate);
    }
    if rate.num == 0 {
        return FALLBACK;
    }
    let times = (u64::from(LOWEST) * u64::from(rate.den)).div_ceil(u64::from(rate.num));
    if times <= 1 || max <= LOWEST {
        return rate;
    }
    exact(u128::from(rate.num) * u128::from(times), u128::from(rate.den))
}

fn halve(rate: Ratio) -> Ratio {
    if rate.num.is_multiple_of(2) {
        Ratio::new(rate.num / 2, rate.den)
    } else {
        exact(rate.num.into(), u128::from(rate.den) * 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_snapped_only_when_near() {
        assert_eq!(nearest_standard(ratio(23976, 1000)), ratio(24000, 1001));
        assert_eq!(nearest_standard(ratio(29970, 1000)), ratio(30000, 1001));
        assert_eq!(exact(17_352_113, 1_000_003), ratio(17352, 1000).reduced());
    }

    #[test]
    fn high_rates_are_halved_and_low_ones_multiplied() {
        assert_eq!(bound(ratio(240, 1), 60), ratio(60, 1));
        assert_eq!(bound(ratio(120_000, 1001), 60), ratio(60_000, 1001));
        assert_eq!(bound(ratio(1, 1), 60), ratio(5, 1));
        assert_eq!(bound(ratio(1, 10), 60), ratio(5, 1));
    }

    impl Ratio {
        fn reduced(self) -> Ratio {
            Ratio::new(self.num, self.den)
        }
    }
}
