//! The loudness of a whole sound, measured before it is encoded (EBU R 128, ITU-R BS.1770).

use ebur128::{EbuR128, Mode};
use ffmpeg_next::format::{Sample, sample};
use ffmpeg_next::frame::Audio;
use vodmill_model::loudness::{Decibels, Loudness, SoundLevel};
use vodmill_model::outcome::MediaError;
use vodmill_model::plan::AudioEncode;
use vodmill_model::transcode::{AudioOrder, Progress, ProgressSink};

use super::{Sound, frames};
use crate::error;

/// Measures the sound and says what is to be done to it; none where no loudness is asked for.
pub(super) fn decide(
    order: &AudioOrder,
    frame_samples: usize,
    watch: &dyn ProgressSink,
) -> Result<Option<Loudness>, MediaError> {
    match &order.encode.loudness {
        None => Ok(None),
        Some(plan) => Ok(Some(plan.of(measure(order, frame_samples, watch)?))),
    }
}

/// Decodes the sound once, as the encoder will get it.
fn measure(
    order: &AudioOrder,
    frame_samples: usize,
    watch: &dyn ProgressSink,
) -> Result<SoundLevel, MediaError> {
    let encode = &order.encode;
    let mut sound = Sound::open(order, frame_samples)?;
    let mut meter = Meter::new(encode)?;
    let mut frame = Audio::empty();
    while meter.done < encode.samples && sound.next(&mut frame)? {
        meter.add(&frame, encode.samples)?;
        watch.progress(Progress {
            of: format!("loudness of {}", encode.id),
            done: meter.done,
            total: Some(encode.samples),
        });
    }
    meter.level()
}

struct Meter {
    meter: EbuR128,
    channels: u32,
    /// Samples of each channel so far.
    done: u64,
}

impl Meter {
    /// For the layouts that are encoded: the meter's own order of channels is that of libav's `mono`,
    /// `stereo` and `5.1`, whose fourth channel (LFE) does not count.
    fn new(encode: &AudioEncode) -> Result<Meter, MediaError> {
        let modes = Mode::I | Mode::TRUE_PEAK;
        let meter = EbuR128::new(encode.channels, encode.sample_rate, modes);
        Ok(Meter { meter: meter.map_err(fault)?, channels: encode.channels, done: 0 })
    }

    /// Takes a frame, of which only what is planned counts.
    fn add(&mut self, frame: &Audio, total: u64) -> Result<(), MediaError> {
        let left = usize::try_from(total - self.done).unwrap_or(usize::MAX);
        let samples = frame.samples().min(left);
        let channels = self.channels as usize;
        if frames::channels(frame) != self.channels {
            let cause = format!("frames have {} channels", frames::channels(frame));
            return Err(error::failed("measure", "loudness", cause));
        }
        let added = match frame.format() {
            Sample::F32(sample::Type::Packed) => {
                self.meter.add_frames_f32(frames::floats(frame, 0, samples * channels))
            }
            Sample::F32(sample::Type::Planar) => {
                let planes: Vec<&[f32]> =
                    (0..channels).map(|plane| frames::floats(frame, plane, samples)).collect();
                self.meter.add_frames_planar_f32(&planes)
            }
            other => {
                let cause = format!("samples are {other:?}");
                return Err(error::failed("measure", "loudness", cause));
            }
        };
        added.map_err(fault)?;
        self.done += samples as u64;
        Ok(())
    }

    fn level(&self) -> Result<SoundLevel, MediaError> {
        let integrated = self.meter.loudness_global().map_err(fault)?;
        let mut peak = 0_f64;
        for channel in 0..self.channels {
            peak = peak.max(self.meter.true_peak(channel).map_err(fault)?);
        }
        let level = |value: f64| value.is_finite().then(|| Decibels::from(value));
        Ok(SoundLevel { integrated: level(integrated), true_peak: level(20.0 * peak.log10()) })
    }
}

fn fault(cause: ebur128::Error) -> MediaError {
    error::failed("measure", "loudness", cause)
}
