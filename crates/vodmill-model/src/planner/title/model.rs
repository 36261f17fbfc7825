//! The model of a title: what it would score and take at a CRF, from trials of its samples.
//!
//! Of a sample the logarithm of bytes is linear in CRF; the score of each frame goes through both
//! trials, with a bend that its sample's slope tells.

use super::exact::{exp, ln};
use super::numbers::{
    BYTES_AT_NO_SLOPE, BYTES_BY_SLOPE, CURVATURE, CURVED_SLOPE, GAIN_BY_SLOPE, STEEPEST, STILL_BITS,
};
use crate::analysis::{Sample, Trial};
use crate::units::{Frames, Ratio, Size};

/// The title at one CRF.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Prediction {
    /// Mean score.
    pub mean: f64,
    /// 5th percentile of frames.
    pub p5: f64,
    /// Bits a second: of the title, and of its hardest sample.
    pub rate: f64,
    pub hardest: f64,
}

/// All samples that say something.
#[derive(Debug)]
pub(super) struct TitleModel {
    samples: Vec<SampleModel>,
    /// What the size below has, where it was tried.
    pub below: Option<Below>,
    /// Samples that could not be decoded, and those that hold a black or still picture.
    pub lost: usize,
    pub still: usize,
}

/// The size below the largest against the largest, both as tried at the lower CRF.
#[derive(Clone, Copy, Debug)]
pub(super) struct Below {
    /// Points that it scores less, scaled up; negative.
    pub points: f64,
    /// Its bytes for a byte of the largest.
    pub bytes: f64,
}

#[derive(Debug)]
struct SampleModel {
    /// Scores of each frame at the two CRF of the trials.
    frames: Vec<(f64, f64)>,
    low_crf: f64,
    high_crf: f64,
    curvature: f64,
    correction: Correction,
    seconds: f64,
    /// Natural logarithms of bits a second.
    low_rate: f64,
    high_rate: f64,
    is_still: bool,
}

/// From a trial at a faster speed to the encode at its own.
#[derive(Clone, Copy, Debug)]
struct Correction {
    /// Points more.
    points: f64,
    /// Bytes for a byte.
    bytes: f64,
}

impl Correction {
    const NONE: Correction = Correction { points: 0.0, bytes: 1.0 };

    fn of_slope(slope: f64) -> Correction {
        let slope = slope.abs().min(STEEPEST);
        Correction {
            points: GAIN_BY_SLOPE * slope,
            bytes: BYTES_AT_NO_SLOPE + BYTES_BY_SLOPE * slope,
        }
    }
}

impl TitleModel {
    /// Of samples that were compared at `size`; `slow` where the trials were faster than the encode.
    /// None where no sample could be decoded.
    pub fn of(size: Size, rate: Ratio, samples: &[Sample], slow: bool) -> Option<TitleModel> {
        let known: Vec<SampleModel> =
            samples.iter().filter_map(|it| SampleModel::of(size, rate, it, slow)).collect();
        if known.is_empty() {
            return None;
        }
        let still = known.iter().filter(|sample| sample.is_still).count();
        Some(TitleModel {
            lost: samples.len() - known.len(),
            still,
            below: below(samples),
            samples: known,
        })
    }

    /// How many samples scores are predicted from.
    pub fn scored(&self) -> usize {
        self.moving().count()
    }

    /// The samples that scores are taken of: those that move, unless none does.
    fn moving(&self) -> impl Iterator<Item = &SampleModel> {
        let all_still = self.still == self.samples.len();
        self.samples.iter().filter(move |sample| all_still || !sample.is_still)
    }

    /// What is expected at `crf` where no rung takes more than `cap` bits a second.
    pub fn at(&self, crf: f64, cap: f64) -> Prediction {
        let mut scores = Vec::new();
        for sample in self.moving() {
            scores.extend(sample.scores(sample.bounded(crf, cap)));
        }
        scores.sort_by(f64::total_cmp);
        let mean = scores.iter().sum::<f64>() / (scores.len().max(1) as f64);
        let p5 = scores.get(scores.len() / 20).copied().unwrap_or_default();
        // Where bytes do not fall with CRF, the cap holds all the same.
        let rate = |sample: &SampleModel| sample.rate(sample.bounded(crf, cap)).min(cap);
        let seconds: f64 = self.samples.iter().map(|sample| sample.seconds).sum();
        let bits: f64 = self.samples.iter().map(|sample| rate(sample) * sample.seconds).sum();
        let hardest = self.samples.iter().map(rate).fold(0.0, f64::max);
        Prediction { mean, p5, rate: bits / seconds.max(f64::MIN_POSITIVE), hardest }
    }

    /// The CRF at which the title takes `rate` bits a second.
    pub fn crf_of_rate(&self, rate: f64) -> f64 {
        let (mut low, mut high) = (0.0, 60.0);
        for _ in 0..40 {
            let middle = (low + high) / 2.0;
            match self.at(middle, f64::MAX).rate > rate {
                true => low = middle,
                false => high = middle,
            }
        }
        high
    }
}

impl SampleModel {
    fn of(size: Size, rate: Ratio, sample: &Sample, slow: bool) -> Option<SampleModel> {
        let [low, high] = [0, 1].map(|number| sample.trials.get(number));
        let (low, high) = (low?, high?);
        let alike = low.scores.len() == high.scores.len() && low.crf < high.crf;
        if sample.fault.is_some() || !alike || low.scores.is_empty() || sample.frames == 0 {
            return None;
        }
        let points = |trial: &Trial| trial.scores.iter().map(|score| score.points()).collect();
        let (low_scores, high_scores): (Vec<f64>, Vec<f64>) = (points(low), points(high));
        let gap = high.crf.value() - low.crf.value();
        let slope = (mean(&high_scores) - mean(&low_scores)) / gap;
        let seconds = seconds(sample.frames, rate);
        let log_rate = |trial: &Trial| ln(trial.bytes.max(1) as f64 * 8.0 / seconds);
        let pixels = f64::from(size.width) * f64::from(size.height);
        let bits = low.bytes as f64 * 8.0 / (pixels * sample.frames as f64);
        Some(SampleModel {
            frames: low_scores.into_iter().zip(high_scores).collect(),
            low_crf: low.crf.value(),
            high_crf: high.crf.value(),
            curvature: CURVATURE * (slope.abs() / CURVED_SLOPE).min(1.0),
            correction: if slow { Correction::of_slope(slope) } else { Correction::NONE },
            seconds,
            low_rate: log_rate(low),
            high_rate: log_rate(high).min(log_rate(low)),
            is_still: bits < STILL_BITS,
        })
    }

    /// Score of each frame.
    fn scores(&self, crf: f64) -> impl Iterator<Item = f64> {
        let part = (crf - self.low_crf) / (self.high_crf - self.low_crf);
        let bend = self.curvature * (crf - self.low_crf) * (crf - self.high_crf);
        let gain = self.correction.points - bend;
        let score = move |&(low, high): &(f64, f64)| low + (high - low) * part + gain;
        self.frames.iter().map(score).map(|score| score.clamp(0.0, 100.0))
    }

    /// Bits a second.
    fn rate(&self, crf: f64) -> f64 {
        let part = (crf - self.low_crf) / (self.high_crf - self.low_crf);
        self.correction.bytes * exp(self.low_rate + (self.high_rate - self.low_rate) * part)
    }

    /// `crf`, or the one to which a cap drives the encoder.
    fn bounded(&self, crf: f64, cap: f64) -> f64 {
        let excess = ln(self.rate(crf) / cap);
        let per_crf = (self.low_rate - self.high_rate) / (self.high_crf - self.low_crf);
        match excess > 0.0 && per_crf > 0.0 {
            true => crf + excess / per_crf,
            false => crf,
        }
    }
}

/// The third trial against the first, over the samples that have it.
fn below(samples: &[Sample]) -> Option<Below> {
    let (mut points, mut bytes, mut bytes_of_top) = (Vec::new(), 0, 0);
    for sample in samples.iter().filter(|sample| sample.fault.is_none()) {
        let [top, _, below] = &sample.trials[..] else { continue };
        let pairs = top.scores.iter().zip(&below.scores);
        points.extend(pairs.map(|(top, below)| below.points() - top.points()));
        bytes += below.bytes;
        bytes_of_top += top.bytes;
    }
    let bytes = bytes.max(1) as f64 / bytes_of_top.max(1) as f64;
    (!points.is_empty()).then(|| Below { points: mean(&points), bytes })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / (values.len().max(1) as f64)
}

fn seconds(frames: Frames, rate: Ratio) -> f64 {
    frames as f64 * f64::from(rate.den) / f64::from(rate.num.max(1))
}
