//! Bytes and quality of a rung, over all clips.

use schemars::JsonSchema;
use serde::Serialize;
use vodmill_model::quality::Score;

use super::{Level, Raw};
use crate::baseline::{Baseline, Stream};
use crate::limits::Limits;

/// ln(bytes) for a point of VMAF where a rung's own slope is not known: the middle of what was measured on pictures.
const USUAL_SLOPE: f64 = 0.17;

/// How a rung differs from what it was.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RungChange {
    /// Its stream, as `hls/low`.
    pub stream: String,
    /// The preset that it is of.
    pub preset: String,
    /// The same for each clip.
    pub clips: Vec<ClipChange>,
}

/// How a rung of one clip differs from what it was.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClipChange {
    /// The clip.
    pub clip: String,
    /// Bytes of pictures: per cent more.
    pub bytes: f64,
    /// The same at equal VMAF; none where quality was not measured.
    pub equal: Option<f64>,
    /// Points of VMAF more, and what it is now.
    pub vmaf: Option<(f64, f64)>,
    /// The same of the 5th percentile of frames.
    pub p5: Option<(f64, f64)>,
    /// Thousandths of SSIM more.
    pub ssim: Option<f64>,
}

/// The rungs of a pipeline that are there in both.
pub(super) fn rungs(before: &Baseline, now: &Baseline, pipeline: &str) -> Vec<RungChange> {
    let mut rungs: Vec<RungChange> = Vec::new();
    let (Some(was), Some(is)) = (before.results.get(pipeline), now.results.get(pipeline)) else {
        return rungs;
    };
    for (clip, was) in was {
        let Some(is) = is.get(clip).filter(|_| before.clips.get(clip) == now.clips.get(clip))
        else {
            continue;
        };
        for (name, old) in &was.streams {
            let Some(new) = is.streams.get(name) else { continue };
            let Some(change) = change(clip, old, new) else { continue };
            match rungs.iter_mut().find(|rung| rung.stream == *name) {
                Some(rung) => rung.clips.push(change),
                None => rungs.push(RungChange {
                    stream: name.clone(),
                    preset: new.preset.clone(),
                    clips: vec![change],
                }),
            }
        }
    }
    rungs
}

fn change(clip: &str, was: &Stream, is: &Stream) -> Option<ClipChange> {
    was.pictures.and(is.pictures)?;
    let ln = (is.bytes.pictures.max(1) as f64 / was.bytes.pictures.max(1) as f64).ln();
    let both = was.quality.zip(is.quality);
    let points = |before: Score, now: Score| ((now.points() - before.points()), now.points());
    let vmaf = both.map(|(was, is)| points(was.vmaf, is.vmaf));
    let slope = was.quality.and_then(|quality| quality.slope);
    let slope = slope.map_or(USUAL_SLOPE, |slope| f64::from(slope) / 1000.0);
    Some(ClipChange {
        clip: clip.to_owned(),
        bytes: per_cent(ln),
        equal: vmaf.map(|(points, _)| per_cent(ln - slope * points)),
        vmaf,
        p5: both.map(|(was, is)| points(was.p5, is.p5)),
        ssim: both
            .map(|(was, is)| f64::from(is.ssim.millionths() - was.ssim.millionths()) / 1000.0),
    })
}

/// To the millionth, beyond which floats differ by themselves.
fn per_cent(ln: f64) -> f64 {
    ((ln.exp() - 1.0) * 1e8).round() / 1e6
}

/// The mean of what all clips have.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

impl RungChange {
    /// Per cent more bytes of pictures.
    pub fn bytes(&self) -> f64 {
        mean(self.clips.iter().map(|clip| clip.bytes)).unwrap_or_default()
    }

    /// The same at equal VMAF, where that was measured.
    pub fn equal(&self) -> Option<f64> {
        mean(self.clips.iter().filter_map(|clip| clip.equal))
    }

    /// Points of VMAF more.
    pub fn vmaf(&self) -> Option<f64> {
        mean(self.clips.iter().filter_map(|clip| Some(clip.vmaf?.0)))
    }

    /// Thousandths of SSIM more.
    pub fn ssim(&self) -> Option<f64> {
        mean(self.clips.iter().filter_map(|clip| clip.ssim))
    }

    /// The clip whose worst frames fell the most, by how many points, and to where.
    pub fn p5(&self) -> Option<(&str, f64, f64)> {
        let falls = self
            .clips
            .iter()
            .filter_map(|clip| clip.p5.map(|(by, to)| (clip.clip.as_str(), by, to)));
        falls.min_by(|one, other| one.1.total_cmp(&other.1))
    }

    /// The clip that takes the most bytes more at equal VMAF.
    fn dearest(&self) -> Option<(&str, f64)> {
        let all = self.clips.iter().filter_map(|clip| Some((clip.clip.as_str(), clip.equal?)));
        all.max_by(|one, other| one.1.total_cmp(&other.1))
    }

    /// Finds what is beyond a limit.
    pub(super) fn judge(&self, limits: &Limits, raw: &mut Vec<Raw>) {
        let mut add = |what: String| {
            raw.push(Raw {
                subject: self.preset.clone(),
                level: Level::Red,
                of: self.stream.clone(),
                what,
                clip: None,
            });
        };
        let beyond = |value: Option<f64>, limit: f64| value.filter(|&value| value > limit);
        if let Some(percent) = beyond(self.equal(), limits.bytes) {
            add(format!("{percent:.1} % more bytes at equal quality, limit {} %", limits.bytes));
        } else if let Some((clip, percent)) =
            self.dearest().filter(|(_, percent)| *percent > limits.clip_bytes)
        {
            add(format!(
                "{percent:.1} % more bytes at equal quality in clip {clip}, limit {} %",
                limits.clip_bytes
            ));
        }
        if self.bytes() > limits.raw_bytes {
            let gain = self.vmaf().map(|points| format!(", VMAF {points:+.2}")).unwrap_or_default();
            add(format!("{:.1} % more bytes{gain}, limit {} %", self.bytes(), limits.raw_bytes));
        }
        if let Some(points) = beyond(self.vmaf().map(|points| -points), limits.vmaf) {
            add(format!(
                "VMAF falls by {points:.2}, bytes {:+.1} %, limit {} points",
                self.bytes(),
                limits.vmaf
            ));
        }
        if let Some((clip, by, to)) = self.p5().filter(|(_, by, _)| -by > limits.p5) {
            let by = -by;
            add(format!(
                "the worst frames of clip {clip} fall by {by:.1} to VMAF {to:.1} (5th percentile), limit {}",
                limits.p5
            ));
        }
        if let Some(thousandths) = beyond(self.ssim().map(|ssim| -ssim), limits.ssim) {
            add(format!(
                "SSIM falls by {:.4}, limit {}",
                thousandths / 1000.0,
                limits.ssim / 1000.0
            ));
        }
    }
}
