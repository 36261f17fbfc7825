//! Quality of pictures against the original, by libvmaf where it is built in.

#[cfg(feature = "vmaf")]
mod libvmaf;
mod measure;
mod pictures;
mod renditions;
#[cfg(not(feature = "vmaf"))]
mod without;

#[cfg(feature = "vmaf")]
use vodmill_model::outcome::MediaError;
use vodmill_model::quality::{BitDepth, Subsample};
use vodmill_model::units::Size;

#[cfg(feature = "vmaf")]
use crate::error;
#[cfg(feature = "vmaf")]
pub use libvmaf::Meter;
pub(crate) use measure::measure;
#[cfg(not(feature = "vmaf"))]
pub use without::Meter;

/// What is said where VMAF is asked for and not built in.
pub const WITHOUT: &str = "this program was built without VMAF; build it with the cargo feature `vmaf`, \
                           for which scripts/install brings meson, ninja and nasm";

/// Whether this program can score pictures.
pub const fn available() -> bool {
    cfg!(feature = "vmaf")
}

/// The least side of a picture that is scored: of smaller ones, libvmaf reads beyond the edges.
pub const LEAST_SIDE: u32 = 36;

/// The greatest side: libvmaf counts the bytes of a picture of floats in 32 bits.
pub const GREATEST_SIDE: u32 = 16_384;

/// What is to be scored, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Models {
    /// Size of all pictures.
    pub size: Size,
    /// Bits of a component.
    pub depth: BitDepth,
    /// Which frames are scored.
    pub subsample: Subsample,
    /// Whether NEG is wanted beside VMAF.
    pub neg: bool,
}

#[cfg(feature = "vmaf")]
impl Models {
    /// Whether libvmaf takes pictures of that size.
    fn admit(&self) -> Result<(), MediaError> {
        let Size { width, height } = self.size;
        let sides = LEAST_SIDE..=GREATEST_SIDE;
        if sides.contains(&width) && sides.contains(&height) {
            return Ok(());
        }
        let cause = format!("VMAF takes sides of {LEAST_SIDE} to {GREATEST_SIDE} pixels");
        Err(error::failed("score pictures of", self.size, cause))
    }
}

/// The luma of a picture: rows of `stride` bytes; of more than 8 bits each sample is two bytes,
/// the lower one first.
#[derive(Clone, Copy, Debug)]
pub struct Luma<'a> {
    /// Its rows; the last one may end with its last sample.
    pub data: &'a [u8],
    /// From one row to the next, in bytes.
    pub stride: usize,
}
