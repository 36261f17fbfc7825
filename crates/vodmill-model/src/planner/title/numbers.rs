//! Every number that the model of a title goes by, and where it comes from. To be refitted when
//! encoder options change; docs/decisions.md has the measurement.
//!
//! Scores are VMAF points (0 to 100), CRF is x264's.

use crate::units::Crf;

/// Titles shorter than this are not sampled: the trials would cost a tenth of the encode and more.
pub(super) const SHORTEST_SECONDS: i64 = 20;

/// Titles shorter than this have one sample: with two, the trials would cost more than a tenth of the
/// encode.
pub(super) const SHORT_SECONDS: i64 = 70;

/// Titles shorter than this have no trial of the size below, for the same reason.
pub(super) const BELOW_SECONDS: i64 = 90;

/// Seconds of a programme that one sample stands for, and the bounds of their number.
pub(super) const STRATUM_SECONDS: i64 = 45;
pub(super) const FEWEST_SAMPLES: i64 = 2;
pub(super) const MOST_SAMPLES: i64 = 24;

/// Seconds of a sample; whole groups of pictures, as far as they are not longer.
pub(super) const SAMPLE_SECONDS: u32 = 2;

/// The least side of pictures that VMAF scores.
pub(super) const LEAST_SIDE: u32 = 36;

/// The two trials of the largest size: around what most titles need.
pub(super) const LOW_CRF: Crf = Crf(210);
pub(super) const HIGH_CRF: Crf = Crf(270);

/// The range from which the CRF of the largest rung is chosen. Below it no eye sees a gain, above it
/// every eye sees a loss.
pub(super) const BEST_CRF: Crf = Crf(180);
pub(super) const WORST_CRF: Crf = Crf(300);

/// Steps in which a CRF is chosen.
pub(super) const CRF_STEP: Crf = Crf(5);

/// How far the 5th percentile of frames may lie below the mean that is aimed at: more than one visible
/// step (6 points, J. Ozer), so that it rules where a title has scenes much harder than the rest.
pub(super) const FLOOR_BELOW: f64 = 7.0;

/// Where the aim is out of reach, what may be lost of the best that there is: flat curves, where bits
/// buy nothing.
pub(super) const MEAN_SLACK: f64 = 0.5;
pub(super) const FLOOR_SLACK: f64 = 1.0;

/// How a score bends between and beyond the trials: points for a CRF squared, reached at a slope of
/// so many points for a CRF.
pub(super) const CURVATURE: f64 = 0.06;
pub(super) const CURVED_SLOPE: f64 = 0.6;

/// From the trial's speed to the encode's, by the slope of the score: points more at one CRF, as so
/// much of the slope; bytes for a byte, as a part of each and so much of the slope. Slopes beyond the
/// steepest that was measured count as that.
pub(super) const GAIN_BY_SLOPE: f64 = 0.95;
pub(super) const BYTES_AT_NO_SLOPE: f64 = 0.85;
pub(super) const BYTES_BY_SLOPE: f64 = 0.16;
pub(super) const STEEPEST: f64 = 1.2;

/// How many times as fast the score of the size below falls, scaled up, as that of the largest.
pub(super) const BELOW_STEEPER: f64 = 1.65;

/// Bits of a pixel below which a sample counts as black or still: it says nothing of what moving
/// pictures need.
pub(super) const STILL_BITS: f64 = 0.0015;

/// The peak of a rung over the rate that is predicted for it: of the title, and of its hardest sample;
/// and never less than a part of the rung's own cap, for what no sample has shown.
pub(super) const PEAK_OVER_MEAN: f64 = 2.0;
pub(super) const PEAK_OVER_HARDEST: f64 = 1.5;
pub(super) const LEAST_OF_CAP: f64 = 0.25;

/// A rung stays if it takes at most so much of the rate of the rung above.
pub(super) const CLOSE: f64 = 0.65;

/// Samples without which no rung falls away: one may be the only easy part of a title.
pub(super) const ENOUGH_TO_DROP: usize = 2;

/// Bits a second, in the hardest sample, below which the rung above serves everybody whom it would serve.
pub(super) const LEAST_RATE: f64 = 150_000.0;

/// The largest size is left out where the one below it scores no more than so many points less with
/// the same bytes, and reaches the aim as nearly.
pub(super) const NO_DETAIL: f64 = 1.0;

/// How bytes grow with pixels at one CRF where no trial tells: bytes as pixels to this power.
pub(super) const GROWTH: f64 = 0.75;
