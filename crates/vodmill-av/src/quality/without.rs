//! In place of libvmaf where it is not built in.

use vodmill_model::outcome::MediaError;
use vodmill_model::quality::FrameScore;
use vodmill_model::units::Frames;

use super::{Luma, Models, WITHOUT};
use crate::error;

/// Cannot be made: this program is without VMAF.
#[derive(Debug)]
pub enum Meter {}

impl Meter {
    /// Says that this program is without VMAF.
    ///
    /// # Errors
    /// Always.
    pub fn new(_models: Models) -> Result<Meter, MediaError> {
        Err(error::failed("measure", "quality", WITHOUT))
    }

    /// Whether the next frame is scored.
    pub fn scores_next(&self) -> bool {
        match *self {}
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// None: there is no meter.
    pub fn push(
        &mut self,
        _frame: Frames,
        _reference: Luma<'_>,
        _distorted: Option<Luma<'_>>,
    ) -> Result<(), MediaError> {
        match *self {}
    }

    /// The scores.
    ///
    /// # Errors
    /// None: there is no meter.
    pub fn finish(self) -> Result<Vec<FrameScore>, MediaError> {
        match self {}
    }
}
