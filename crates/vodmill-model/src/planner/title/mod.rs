//! Ladders per title: the CRF, the peak and the rungs that this original needs for the quality that is
//! asked for, from trials of a few samples.
//!
//! ```text
//! encodes as presets have them ─ samples.rs ─▶ AnalysisPlan ─▶ (tried elsewhere) ─▶ Analysis
//! Analysis ─ model.rs ─▶ score and rate at any CRF ─ choice.rs ─▶ encodes of this title
//! ```

mod choice;
mod exact;
mod model;
mod numbers;
mod rungs;
mod samples;
#[cfg(test)]
mod tests;

use super::picture::CommonPicture;
use super::pictures::Pictures;
use super::requested::Requested;
use super::rungs::{Encodes, FittedOutputs};
use super::source::Source;
use super::{Decisions, count};
use crate::analysis::{Analysis, AnalysisPlan};
use crate::media::{MediaInfo, VideoTrack};
use crate::plan::{
    ChunkPlan, DecodePlan, ExpectedQuality, QualityPlan, Timeline, VideoEncode, VideoTimeline,
};
use crate::quality::Score;
use crate::units::{BitsPerSecond, Ratio};
use choice::{Choice, RungChoice};
use model::TitleModel;
use numbers::{BEST_CRF, MEAN_SLACK};
use rungs::{QualityRungs, cap, number};

/// What a ladder is fitted to.
pub(super) struct Title<'a> {
    pub media: &'a MediaInfo,
    pub track: &'a VideoTrack,
    pub timeline: &'a Timeline,
    pub grid: &'a VideoTimeline,
    pub decode: &'a DecodePlan,
}

/// What is to be tried; nothing where no ladder has a target, or the title is not worth it.
pub(super) fn analysis_plan(
    media: &MediaInfo,
    source: &Source<'_>,
    timeline: &Timeline,
    requested: &Requested<'_>,
    pictures: &Pictures<'_>,
) -> Option<AnalysisPlan> {
    let (track, grid) = (source.video?, timeline.video.as_ref()?);
    let title = Title { media, track, timeline, grid, decode: pictures.decode.as_ref()? };
    let encodes = &pictures.encodes;
    let rungs = QualityRungs::of(&requested.ladders, &encodes.rungs, &encodes.list)?;
    samples::plan(&title, &rungs).ok()
}

/// What the encodes are made of.
pub(super) struct FittedLadder<'a> {
    pub outputs: &'a FittedOutputs<'a>,
    pub picture: &'a CommonPicture<'a>,
    pub rate: Ratio,
}

impl FittedLadder<'_> {
    /// The encodes as presets have them, without some rungs.
    fn encodes(&self, dropped: &[&str]) -> Encodes {
        self.outputs.without(dropped).encodes(self.picture, self.rate)
    }
}

/// The encodes, those of a ladder that has a target as this title needs them.
pub(super) fn fit(
    title: &Title<'_>,
    requested: &Requested<'_>,
    analysis: Option<&Analysis>,
    ladder: &FittedLadder<'_>,
    decisions: &mut Decisions,
) -> (Encodes, Option<QualityPlan>) {
    let fixed = ladder.encodes(&[]);
    let Some(rungs) = QualityRungs::of(&requested.ladders, &fixed.rungs, &fixed.list) else {
        return (fixed, None);
    };
    match known(title, &rungs, analysis) {
        Ok((plan, model)) => {
            let choice = Choice::of(&model, &rungs);
            explain(&choice, &rungs, &model, decisions);
            let samples = decoded(&plan.samples, analysis);
            let AnalysisPlan { size, filter, .. } = plan;
            let (encodes, expected) = adjusted(&choice, ladder);
            let target = rungs.target;
            (encodes, Some(QualityPlan { target, samples, size, filter, expected }))
        }
        Err(reason) => {
            decisions.add("quality", "fixed", reason);
            (fixed, None)
        }
    }
}

/// The encodes as chosen. A file that needs the stream of a rung goes along with it; one whose rung
/// fell away is made as its own preset says.
fn adjusted(choice: &Choice<'_>, ladder: &FittedLadder<'_>) -> (Encodes, Vec<ExpectedQuality>) {
    let dropped: Vec<&str> = choice.dropped.iter().map(|(name, _)| *name).collect();
    let mut encodes = ladder.encodes(&dropped);
    let mut expected = Vec::new();
    for rung in &choice.rungs {
        if let Some(encode) = encodes.of_rung(rung.name) {
            adjust(encode, rung);
            expected.push(expectation(&encode.id, rung));
        }
    }
    (encodes, expected)
}

/// What is known of a title, or why nothing is.
fn known(
    title: &Title<'_>,
    rungs: &QualityRungs<'_>,
    analysis: Option<&Analysis>,
) -> Result<(AnalysisPlan, TitleModel), String> {
    let plan = samples::plan(title, rungs).map_err(samples::Unsampled::reason)?;
    let analysis = analysis.ok_or("nobody has looked at the pictures")?;
    let slow = samples::is_slow(rungs.top());
    let model = TitleModel::of(plan.size, plan.rate, &analysis.samples, slow).ok_or_else(|| {
        let fault = analysis.samples.iter().find_map(|sample| sample.fault.as_deref());
        format!("none of the samples could be decoded: {}", fault.unwrap_or("there is none"))
    })?;
    Ok((plan, model))
}

/// An encode as a rung needs it.
fn adjust(encode: &mut VideoEncode, rung: &RungChoice<'_>) {
    let buffered = match (number(encode, "bufsize"), number(encode, "maxrate")) {
        (Some(bits), Some(rate)) if rate > 0.0 => bits / rate,
        _ => 1.0,
    };
    let buffer = (rung.peak as f64 * buffered).round() as u64;
    let options = [
        ("crf", rung.crf.to_string()),
        ("maxrate", rung.peak.to_string()),
        ("bufsize", buffer.to_string()),
    ];
    encode.options.extend(options.map(|(name, value)| (name.to_owned(), value)));
}

fn expectation(encode: &str, rung: &RungChoice<'_>) -> ExpectedQuality {
    ExpectedQuality {
        encode: encode.to_owned(),
        crf: rung.crf,
        score: rung.scores.and_then(|scores| Score::try_from(scores.chosen.mean).ok()),
        bitrate: BitsPerSecond(rung.rate as u64),
    }
}

/// The samples of which something is known.
fn decoded(samples: &[ChunkPlan], analysis: Option<&Analysis>) -> Vec<ChunkPlan> {
    let known: Vec<_> = analysis.into_iter().flat_map(|analysis| &analysis.samples).collect();
    let is_known = |sample: &ChunkPlan| {
        known.iter().any(|it| it.first_frame == sample.first_frame && it.fault.is_none())
    };
    samples.iter().filter(|sample| is_known(sample)).cloned().collect()
}

fn explain(
    choice: &Choice<'_>,
    rungs: &QualityRungs<'_>,
    model: &TitleModel,
    decisions: &mut Decisions,
) {
    for (name, reason) in &choice.dropped {
        decisions.add(format!("rung {name}"), "falls away", reason);
    }
    let Some(top) = choice.rungs.last() else { return };
    decisions.add("quality", format!("CRF {} for {}", top.crf, top.name), why(top, rungs, model));
    for rung in choice.rungs.iter().rev().skip(1) {
        let reason = format!("moved as {} is; {:.0}k expected", top.name, rung.rate / 1000.0);
        decisions.add(format!("rung {}", rung.name), format!("CRF {}", rung.crf), reason);
    }
}

/// The numbers behind the CRF of the largest rung.
fn why(top: &RungChoice<'_>, rungs: &QualityRungs<'_>, model: &TitleModel) -> String {
    let Some(scores) = top.scores else { return String::new() };
    let mut text = format!(
        "VMAF {:.1} predicted from {}, {:.1} for the worst twentieth of frames; {} is asked for",
        scores.chosen.mean,
        count(model.scored() as u64, "sample"),
        scores.chosen.p5,
        rungs.target,
    );
    // It loses no more than that against the best there is, so the best falls short too.
    if scores.chosen.mean < f64::from(rungs.target) - MEAN_SLACK {
        let peak = cap(top.encode) / 1000.0;
        text.push_str(&format!(", out of reach with CRF {BEST_CRF} and a peak of {peak:.0}k"));
    }
    let fixed = fixed_text(top);
    if fixed != top.crf.to_string() {
        let more = (scores.fixed.rate / scores.chosen.rate - 1.0) * 100.0;
        let size = if more < 0.0 { "smaller" } else { "larger" };
        let size = format!("{:.0} % {size}", more.abs());
        text.push_str(&format!("; fixed {fixed} would be {:.1} and {size}", scores.fixed.mean));
    }
    for (number, what) in [(model.lost, "could not be decoded"), (model.still, "without motion")] {
        if number > 0 {
            text.push_str(&format!("; {} {what}", count(number as u64, "sample")));
        }
    }
    text
}

fn fixed_text(rung: &RungChoice<'_>) -> String {
    rung.encode.options.get("crf").cloned().unwrap_or_default()
}
