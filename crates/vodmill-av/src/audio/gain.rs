//! One gain for all samples of a sound.

use ffmpeg_next::format::{Sample, sample};
use ffmpeg_next::frame::Audio;
use vodmill_model::loudness::Decibels;
use vodmill_model::outcome::MediaError;

use super::frames;
use crate::error;

/// Multiplies every sample of a frame in floating point.
pub(super) fn apply(frame: &mut Audio, gain: Decibels) -> Result<(), MediaError> {
    if gain == Decibels::default() {
        return Ok(());
    }
    frames::make_writable(frame).map_err(|cause| error::libav("filter", "loudness", cause))?;
    let factor = gain.factor() as f32;
    let (channels, samples) = (frames::channels(frame) as usize, frame.samples());
    let (planes, values) = match frame.format() {
        Sample::F32(sample::Type::Planar) => (channels, samples),
        Sample::F32(sample::Type::Packed) => (1, samples * channels),
        other => {
            return Err(error::failed("filter", "loudness", format!("samples are {other:?}")));
        }
    };
    for plane in 0..planes {
        for value in frames::floats_mut(frame, plane, values) {
            *value *= factor;
        }
    }
    Ok(())
}
