//! Quality of pictures against the original: scores of frames, and what they come to.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Frames;

/// A VMAF score in thousandths of a point, from 0 to 100 points. Written as `95.213`.
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
#[serde(try_from = "f64", into = "f64")]
#[schemars(with = "f64", extend("minimum" = 0, "maximum" = 100))]
pub struct Score(u32);

/// A number is not a VMAF score.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0} is not a VMAF score from 0 to 100")]
pub struct NotAScore(pub String);

impl Score {
    /// The best score.
    pub const MAX: Score = Score(100_000);

    /// So many thousandths of a point, at most [`Score::MAX`].
    pub const fn from_thousandths(thousandths: u32) -> Score {
        if thousandths > Score::MAX.0 { Score::MAX } else { Score(thousandths) }
    }

    /// Thousandths of a point.
    pub const fn thousandths(self) -> u32 {
        self.0
    }

    /// Points, for sums and models; equal scores give equal numbers.
    pub fn points(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl TryFrom<f64> for Score {
    type Error = NotAScore;

    /// The nearest thousandth.
    fn try_from(points: f64) -> Result<Score, NotAScore> {
        if !(0.0..=100.0).contains(&points) {
            return Err(NotAScore(points.to_string()));
        }
        Ok(Score((points * 1000.0).round() as u32))
    }
}

impl From<Score> for f64 {
    fn from(score: Score) -> f64 {
        score.points()
    }
}

impl FromStr for Score {
    type Err = NotAScore;

    fn from_str(text: &str) -> Result<Score, NotAScore> {
        let points: f64 = text.parse().map_err(|_| NotAScore(format!("{text:?}")))?;
        Score::try_from(points)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// A structural similarity (SSIM) in millionths: 1 for equal pictures. Written as `0.987654`.
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
#[serde(try_from = "f64", into = "f64")]
#[schemars(with = "f64", extend("minimum" = -1, "maximum" = 1))]
pub struct Ssim(i32);

/// A number is not a structural similarity.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0} is not a similarity from -1 to 1")]
pub struct NotASimilarity(pub String);

impl Ssim {
    /// That of equal pictures.
    pub const MAX: Ssim = Ssim(1_000_000);

    /// Millionths.
    pub const fn millionths(self) -> i32 {
        self.0
    }
}

impl TryFrom<f64> for Ssim {
    type Error = NotASimilarity;

    /// The nearest millionth; sums of floats may be a hair above 1.
    fn try_from(number: f64) -> Result<Ssim, NotASimilarity> {
        let millionths = (number * 1e6).round();
        if !(-1e6..=1e6).contains(&millionths) {
            return Err(NotASimilarity(number.to_string()));
        }
        Ok(Ssim(millionths as i32))
    }
}

impl From<Ssim> for f64 {
    fn from(ssim: Ssim) -> f64 {
        f64::from(ssim.0) / 1e6
    }
}

impl fmt::Display for Ssim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let all = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:06}", all / 1_000_000, all % 1_000_000)
    }
}

/// Of how many frames one is scored. There is no even number: encoders give every second frame a
/// better quality, and VMAF's authors warn of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u32", into = "u32")]
#[schemars(with = "u32", extend("enum" = [3, 5]))]
pub enum Subsample {
    /// Every third.
    Third,
    /// Every fifth.
    #[default]
    Fifth,
}

/// A number is not one of which frames can be scored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("every {0}th frame cannot be scored: it is every 3rd or every 5th")]
pub struct NotASubsample(pub u32);

impl Subsample {
    /// From one scored frame to the next.
    pub const fn step(self) -> u32 {
        match self {
            Subsample::Third => 3,
            Subsample::Fifth => 5,
        }
    }
}

impl TryFrom<u32> for Subsample {
    type Error = NotASubsample;

    fn try_from(step: u32) -> Result<Subsample, NotASubsample> {
        match step {
            3 => Ok(Subsample::Third),
            5 => Ok(Subsample::Fifth),
            other => Err(NotASubsample(other)),
        }
    }
}

impl From<Subsample> for u32 {
    fn from(subsample: Subsample) -> u32 {
        subsample.step()
    }
}

/// Bits of a component in which pictures are compared.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "u8", into = "u8")]
#[schemars(with = "u8", extend("enum" = [8, 10]))]
pub enum BitDepth {
    /// 8.
    Eight,
    /// 10.
    Ten,
}

/// A number of bits in which pictures are not compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pictures are compared in 8 or 10 bits, not in {0}")]
pub struct NotADepth(pub u8);

impl BitDepth {
    /// Bits.
    pub const fn bits(self) -> u8 {
        match self {
            BitDepth::Eight => 8,
            BitDepth::Ten => 10,
        }
    }

    /// That of pictures with components of `bits`: what is deeper than 10 is compared in 10.
    pub const fn of_bits(bits: u8) -> BitDepth {
        if bits > 8 { BitDepth::Ten } else { BitDepth::Eight }
    }
}

impl TryFrom<u8> for BitDepth {
    type Error = NotADepth;

    fn try_from(bits: u8) -> Result<BitDepth, NotADepth> {
        match bits {
            8 => Ok(BitDepth::Eight),
            10 => Ok(BitDepth::Ten),
            other => Err(NotADepth(other)),
        }
    }
}

impl From<BitDepth> for u8 {
    fn from(depth: BitDepth) -> u8 {
        depth.bits()
    }
}

/// The scores of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameScore {
    /// Its number on the grid.
    pub frame: Frames,
    /// VMAF, model `vmaf_v0.6.1`.
    pub vmaf: Score,
    /// VMAF without the gain of enhancement, model `vmaf_v0.6.1neg`, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neg: Option<Score>,
    /// SSIM.
    pub ssim: Ssim,
}

/// What the scores of many frames come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Frames that were scored.
    pub scored: u64,
    /// Mean VMAF.
    pub mean: Score,
    /// The 5th percentile of the frames' VMAF: one frame in twenty is no better.
    pub p5: Score,
    /// VMAF of the worst frame.
    pub worst: Score,
    /// Mean SSIM.
    pub ssim: Ssim,
    /// Mean NEG, where every frame has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neg: Option<Score>,
}

impl Quality {
    /// Of these frames, in any order; none of no frames.
    pub fn of(frames: &[FrameScore]) -> Option<Quality> {
        let mut sorted: Vec<Score> = frames.iter().map(|frame| frame.vmaf).collect();
        sorted.sort_unstable();
        let worst = *sorted.first()?;
        // The nearest rank: the smallest score that a twentieth of the frames do not exceed.
        let p5 = sorted[sorted.len().div_ceil(20) - 1];
        let negs: Option<Vec<Score>> = frames.iter().map(|frame| frame.neg).collect();
        Some(Quality {
            scored: frames.len() as u64,
            mean: mean(&sorted),
            p5,
            worst,
            ssim: mean_ssim(frames),
            neg: negs.map(|scores| mean(&scores)),
        })
    }
}

/// The mean of one score at least, to the nearest thousandth.
fn mean(scores: &[Score]) -> Score {
    let count = scores.len() as u64;
    let sum: u64 = scores.iter().map(|score| u64::from(score.0)).sum();
    Score(((sum + count / 2) / count) as u32)
}

fn mean_ssim(frames: &[FrameScore]) -> Ssim {
    let count = frames.len() as i64;
    let sum: i64 = frames.iter().map(|frame| i64::from(frame.ssim.0)).sum();
    Ssim((2 * sum + count).div_euclid(2 * count) as i32)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn frames(scores: impl IntoIterator<Item = u32>) -> Vec<FrameScore> {
        let frame = |(number, points): (usize, u32)| FrameScore {
            frame: number as u64,
            vmaf: Score::from_thousandths(points * 1000),
            neg: None,
            ssim: Ssim::try_from(0.5).unwrap(),
        };
        scores.into_iter().enumerate().map(frame).collect()
    }

    #[test]
    fn a_bad_scene_moves_the_percentile_and_not_the_mean() {
        let good = Quality::of(&frames([95; 100])).unwrap();
        let mut scene = frames([95; 100]);
        for frame in &mut scene[40..46] {
            frame.vmaf = Score::from_thousandths(60_000);
        }
        let bad = Quality::of(&scene).unwrap();
        assert_eq!(good.p5.to_string(), "95.000");
        assert_eq!((bad.p5.to_string(), bad.worst.to_string()), ("60.000".into(), "60.000".into()));
        assert_eq!(bad.mean.to_string(), "92.900");
    }

    #[test]
    fn the_percentile_is_the_nearest_rank_whatever_the_order() {
        let percentile = |count: u32| Quality::of(&frames((1..=count).rev())).map(|it| it.p5.0);
        assert_eq!(percentile(0), None);
        let ranks: Vec<_> = [1, 19, 20, 21, 40, 41, 100].map(percentile).into();
        assert_eq!(ranks, [1, 1, 1, 2, 2, 3, 5].map(|rank| Some(rank * 1000)));
    }

    #[test]
    fn neg_is_told_where_every_frame_has_it() {
        let mut some = frames([90, 80]);
        some[0].neg = Some(Score::from_thousandths(70_001));
        assert_eq!(Quality::of(&some).unwrap().neg, None);
        some[1].neg = Some(Score::from_thousandths(70_002));
        assert_eq!(Quality::of(&some).unwrap().neg, Some(Score::from_thousandths(70_002)));
    }

    #[test]
    fn scores_are_numbers_in_documents() {
        let score: Score = serde_json::from_str("95.2134").unwrap();
        assert_eq!((score.to_string(), score.thousandths()), ("95.213".into(), 95_213));
        assert_eq!(serde_json::to_string(&score).unwrap(), "95.213");
        for thousandths in 0..=100_000 {
            let score = Score::from_thousandths(thousandths);
            let text = serde_json::to_string(&score).unwrap();
            assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), score, "{text}");
        }
        for wrong in ["-0.1", "100.1", "\"95\"", "null"] {
            assert!(serde_json::from_str::<Score>(wrong).is_err(), "{wrong}");
        }
        assert_eq!("93".parse(), Ok(Score::from_thousandths(93_000)));
        assert!("NaN".parse::<Score>().is_err() && "much".parse::<Score>().is_err());
    }

    #[test]
    fn similarities_round_and_may_be_below_zero() {
        let ssim = Ssim::try_from(-0.25).unwrap();
        assert_eq!(ssim.to_string(), "-0.250000");
        assert_eq!(Ssim::try_from(1.000_000_1).unwrap(), Ssim::MAX);
        assert!(Ssim::try_from(f64::NAN).is_err() && Ssim::try_from(1.1).is_err());
    }

    #[test]
    fn an_even_step_cannot_be_said() {
        let steps: Vec<u32> = (0..9).filter(|&step| Subsample::try_from(step).is_ok()).collect();
        assert_eq!(steps, [3, 5]);
        assert!(serde_json::from_str::<Subsample>("2").is_err());
    }
}
