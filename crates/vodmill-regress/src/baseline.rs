//! The baseline: what a build made of clips with the presets of a home. One JSON file to be
//! committed; the same results give the same bytes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vodmill_model::plan::Build;
use vodmill_model::quality::{Score, Ssim};

use crate::diffable;
use crate::limits::Limits;
use crate::settings::Settings;

/// Version of the form that is written.
pub const VERSION: u32 = 1;

/// A baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "regression.json")]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Version of this form.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// What made the bytes.
    pub build: Build,
    /// How quality was measured; none where it was not.
    pub meter: Option<Meter>,
    /// Processor time of encoding all of it, in thousandths of what the yardstick took beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u64>,
    /// From where on a difference is red.
    pub limits: Limits,
    /// SHA-256 of each clip.
    pub clips: BTreeMap<String, String>,
    /// Settings of each preset.
    pub presets: BTreeMap<String, Settings>,
    /// Settings of each pipeline, as far as they decide what is made.
    pub pipelines: BTreeMap<String, Settings>,
    /// What was made, by pipeline and clip. A preset that no
    /// pipeline uses has one of its own, `preset-NAME`.
    pub results: BTreeMap<String, BTreeMap<String, Package>>,
}

/// How quality was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Meter {
    /// Name of the model.
    pub model: String,
    /// Every how many frames one is scored.
    pub every: u32,
}

/// What a pipeline made of a clip.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// What the proof found wrong, or why there is no package.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// Objects: how many there are of each name, digits replaced by `*`.
    pub objects: BTreeMap<String, u32>,
    /// Tags of each playlist, with how often or what they say; what differs from run to run left out.
    pub playlists: BTreeMap<String, BTreeMap<String, String>>,
    /// Media that a player plays: a media playlist or a file.
    pub streams: BTreeMap<String, Stream>,
}

/// Media that a player plays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// The preset that it was made by.
    pub preset: String,
    /// What it is, in words of a fixed list.
    pub form: BTreeMap<String, String>,
    /// Its pictures; none for sound alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<Pictures>,
    /// How well they look; none where that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Bytes.
    pub bytes: Bytes,
}

/// How pictures are coded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pictures {
    /// Pictures.
    pub frames: u64,
    /// B pictures of them.
    pub b: u64,
    /// Pictures from one key frame to the next, at most.
    pub gop: u64,
}

/// How well pictures look beside the clip, scaled to its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Mean VMAF.
    pub vmaf: Score,
    /// VMAF that 95 of 100 frames reach.
    pub p5: Score,
    /// Mean SSIM.
    pub ssim: Ssim,
    /// What a point of VMAF costs here: thousandths of ln(bytes). Measured when the baseline was
    /// written; none where it could not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope: Option<i32>,
}

/// Where the bytes of a stream go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bytes {
    /// Packets of pictures.
    pub pictures: u64,
    /// Packets of sound.
    pub sound: u64,
    /// All else.
    pub packaging: u64,
}

/// A baseline that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not of the form that its version has.
    #[error("it is not a baseline")]
    Form(#[from] serde_json::Error),
    /// Another vodmill has written it.
    #[error("it is of version {0}, this vodmill knows {VERSION}: write it anew with --update")]
    Version(u64),
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// [`BaselineError`], also for fields that its version does not have.
    pub fn read(json: &[u8]) -> Result<Baseline, BaselineError> {
        match serde_json::from_slice::<Versioned>(json)?.version {
            1 => Ok(serde_json::from_slice(json)?),
            other => Err(BaselineError::Version(other)),
        }
    }

    /// As a file: in a fixed order, a line for each thing that can change.
    pub fn write(&self) -> String {
        diffable::write(self)
    }

    /// Takes the slopes of streams that are still there from an earlier one.
    pub fn inherit(&mut self, earlier: &Baseline) {
        for (pipeline, clips) in &mut self.results {
            for (clip, package) in clips {
                if earlier.clips.get(clip) != self.clips.get(clip) {
                    continue;
                }
                for (name, stream) in &mut package.streams {
                    let slope = earlier.slope(pipeline, clip, name);
                    if let Some(quality) = &mut stream.quality {
                        quality.slope = quality.slope.or(slope);
                    }
                }
            }
        }
    }

    /// Keeps the processor time of an earlier one where it is about the same: a baseline that is
    /// written anew does not change by itself.
    pub fn settle_cpu(&mut self, earlier: &Baseline) {
        let (Some(now), Some(before)) = (self.cpu, earlier.cpu) else { return };
        if now.abs_diff(before) as f64 <= before as f64 * self.limits.cpu / 100.0 {
            self.cpu = Some(before);
        }
    }

    fn slope(&self, pipeline: &str, clip: &str, stream: &str) -> Option<i32> {
        self.results.get(pipeline)?.get(clip)?.streams.get(stream)?.quality?.slope
    }

    /// Whether a stream with quality has no slope yet.
    pub fn lacks_slopes(&self) -> bool {
        let packages = self.results.values().flat_map(BTreeMap::values);
        let mut qualities = packages
            .flat_map(|package| package.streams.values())
            .filter_map(|stream| stream.quality);
        qualities.any(|quality| quality.slope.is_none())
    }

    /// Takes what a point of VMAF costs from the same clips made a little worse.
    pub fn learn_slopes(&mut self, softer: &BTreeMap<String, BTreeMap<String, Package>>) {
        for (pipeline, clips) in &mut self.results {
            for (clip, package) in clips {
                for (name, stream) in &mut package.streams {
                    let other = softer.get(pipeline).and_then(|clips| clips.get(clip));
                    let other = other.and_then(|package| package.streams.get(name));
                    stream.learn_slope(other);
                }
            }
        }
    }
}

/// Slopes beyond these say nothing of other encodes: the curve has an end there.
const SLOPES: std::ops::RangeInclusive<f64> = 0.05..=0.6;

/// A difference of VMAF in which noise would decide the slope.
const LEAST_POINTS: f64 = 0.05;

impl Stream {
    fn learn_slope(&mut self, softer: Option<&Stream>) {
        let Some(quality) = &mut self.quality else { return };
        let Some((bytes, other)) = softer.and_then(|softer| Some((softer.bytes, softer.quality?)))
        else {
            return;
        };
        let points = quality.vmaf.points() - other.vmaf.points();
        let ln = (self.bytes.pictures.max(1) as f64 / bytes.pictures.max(1) as f64).ln();
        if points.abs() >= LEAST_POINTS && ln / points > 0.0 {
            let slope = (ln / points).clamp(*SLOPES.start(), *SLOPES.end());
            quality.slope = Some((slope * 1000.0).round() as i32);
        } else {
            quality.slope = Some((SLOPES.end() * 1000.0).round() as i32);
        }
    }
}
