//! Numbers of quality, as integers: the same on every machine, and in every file.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A VMAF score in thousandths of a point.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct Score(pub i32);

impl Score {
    /// In points.
    pub fn points(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.points())
    }
}

/// Structural similarity in millionths; a million is equality.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct Ssim(pub i32);

impl fmt::Display for Ssim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", f64::from(self.0) / 1_000_000.0)
    }
}
