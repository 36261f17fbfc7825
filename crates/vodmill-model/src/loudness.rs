//! Loudness: EBU R 128, ITU-R BS.1770.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A level or a difference of levels in hundredths: LUFS, LU, dBTP or dB. In JSON a number of the
/// whole unit, as -23.01.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(from = "f64", into = "f64")]
#[schemars(with = "f64")]
pub struct Decibels(i32);

impl Decibels {
    /// Whole units.
    pub const fn whole(units: i32) -> Decibels {
        Decibels(units * 100)
    }

    /// The factor by which samples are multiplied.
    pub fn factor(self) -> f64 {
        10_f64.powf(f64::from(self) / 20.0)
    }
}

impl From<f64> for Decibels {
    /// To the nearest hundredth.
    fn from(units: f64) -> Decibels {
        Decibels((units * 100.0).round() as i32)
    }
}

impl From<Decibels> for f64 {
    fn from(level: Decibels) -> f64 {
        f64::from(level.0) / 100.0
    }
}

impl std::ops::Sub for Decibels {
    type Output = Decibels;
    fn sub(self, other: Decibels) -> Decibels {
        Decibels(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Decibels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", f64::from(*self))
    }
}

/// Integrated loudness that a preset asks for, in whole LUFS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Lufs(pub i8);

impl fmt::Display for Lufs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} LUFS", self.0)
    }
}

/// What a sound is to be brought to, by one gain over its whole length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoudnessPlan {
    /// Integrated loudness.
    pub target: Lufs,
    /// True peak that no gain goes beyond, in dBTP.
    pub most_peak: Decibels,
    /// The largest gain: what is quieter is noise, for the most part.
    pub most_gain: Decibels,
}

/// What was measured of a whole sound, as it goes into the encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SoundLevel {
    /// Integrated loudness in LUFS; none of silence, or where nothing lasts 400 ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrated: Option<Decibels>,
    /// True peak in dBTP; none where every sample is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_peak: Option<Decibels>,
}

/// Why a sound is not as loud as was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shortfall {
    /// There is nothing to measure: silence, or less than 400 ms of sound. It is left as it is.
    NotMeasurable,
    /// More gain would take its true peak too high.
    Peak,
    /// It is so quiet that more gain would bring up its noise.
    Gain,
}

/// What was done to the loudness of a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Loudness {
    /// Integrated loudness that was asked for, in LUFS.
    pub target: Lufs,
    /// What the sound was.
    pub measured: SoundLevel,
    /// The gain that was applied to all of it, in dB.
    pub gain: Decibels,
    /// Why the target was not reached, where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortfall: Option<Shortfall>,
}

impl LoudnessPlan {
    /// The gain for a sound of this level.
    pub fn of(&self, measured: SoundLevel) -> Loudness {
        let none = Loudness {
            target: self.target,
            measured,
            gain: Decibels::default(),
            shortfall: Some(Shortfall::NotMeasurable),
        };
        let Some(integrated) = measured.integrated else { return none };
        let wanted = Decibels::whole(self.target.0.into()) - integrated;
        let room = measured.true_peak.map_or(self.most_gain, |peak| self.most_peak - peak);
        let (gain, shortfall) = match wanted {
            wanted if wanted <= room.min(self.most_gain) => (wanted, None),
            _ if room <= self.most_gain => (room, Some(Shortfall::Peak)),
            _ => (self.most_gain, Some(Shortfall::Gain)),
        };
        Loudness { gain, shortfall, ..none }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: LoudnessPlan = LoudnessPlan {
        target: Lufs(-23),
        most_peak: Decibels::whole(-1),
        most_gain: Decibels::whole(20),
    };

    fn of(integrated: f64, true_peak: f64) -> (f64, Option<Shortfall>) {
        let level =
            SoundLevel { integrated: Some(integrated.into()), true_peak: Some(true_peak.into()) };
        let done = PLAN.of(level);
        (done.gain.into(), done.shortfall)
    }

    #[test]
    fn one_gain_brings_a_sound_to_its_target() {
        assert_eq!(of(-23.0, -10.0), (0.0, None));
        assert_eq!(of(-27.31, -10.0), (4.31, None));
        assert_eq!(of(-9.5, 0.4), (-13.5, None), "what is too loud has peaks enough");
    }

    #[test]
    fn no_gain_takes_peaks_too_high() {
        assert_eq!(of(-30.0, -5.0), (4.0, Some(Shortfall::Peak)));
        assert_eq!(of(-30.0, -8.0), (7.0, None));
        assert_eq!(of(-23.0, 0.5), (-1.5, Some(Shortfall::Peak)), "they come down to it");
    }

    #[test]
    fn noise_is_not_brought_up() {
        assert_eq!(of(-60.0, -50.0), (20.0, Some(Shortfall::Gain)));
        assert_eq!(of(-60.0, -15.0), (14.0, Some(Shortfall::Peak)));
    }

    #[test]
    fn silence_stays_silence() {
        for true_peak in [None, Some(Decibels::whole(-3))] {
            let done = PLAN.of(SoundLevel { integrated: None, true_peak });
            assert_eq!((done.gain, done.shortfall), (Decibels(0), Some(Shortfall::NotMeasurable)));
        }
    }

    #[test]
    fn levels_are_numbers_in_json() {
        let level: Decibels = serde_json::from_str("-23.014").unwrap_or_default();
        assert_eq!(level, Decibels(-2301));
        assert_eq!(serde_json::to_string(&level).unwrap_or_default(), "-23.01");
        assert!((Decibels::whole(20).factor() - 10.0).abs() < 1e-12);
    }
}
