//! `vodmill measure`: scores of finished media against a reference, in media children.

mod pictures;
mod rungs;

use std::path::{Path, PathBuf};

use vodmill_model::measurement::{self, DistortedScores, Measurement, ReferenceFacts};
use vodmill_model::pipeline::InputPolicy;
use vodmill_model::planner::{self, DistortedPlan, MeasureInput, MeasurePlan};
use vodmill_model::quality::{FrameScore, Quality, Subsample};
use vodmill_model::transcode::{
    DistortedMedia, DistortedOrder, MeasureOrder, Measured, MeasuredMedia, ProbeOrder, Progress,
};
use vodmill_model::units::{Frames, Ratio, Ticks};
use vodmill_model::{Failed, MediaError, MediaInfo};

use crate::Result;
use crate::child::{Assignment, Bounds};
use crate::settings::Settings;
use crate::standalone::run_watched;

pub(crate) use pictures::take;
pub use pictures::{PicturesOrder, WorstFrame};
pub use rungs::PackageRungs;

/// Media that one child decodes beside the reference: each has a thread and some pictures.
const BATCH: usize = 4;

/// Something to compare with the reference.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What it is called.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Bytes that count as its size.
    pub bytes: u64,
    /// The grid that it was made on, if it is known.
    pub grid: Option<(Ratio, Frames)>,
}

/// How to compare.
#[derive(Clone, Copy, Debug)]
pub struct MeasureOptions<'a> {
    /// Which frames are scored.
    pub subsample: Subsample,
    /// Whether NEG is wanted beside VMAF.
    pub neg: bool,
    /// Worst frames of which pictures are wanted.
    pub pictures: usize,
    /// A folder for them.
    pub scratch: &'a Path,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Compared {
    /// All scores.
    pub measurement: Measurement,
    /// Of each candidate, its worst frames beside those of the reference.
    pub worst: Vec<Vec<WorstFrame>>,
}

/// Compares all candidates with the reference. `progress` hears how far each is.
///
/// # Errors
/// If one of them cannot be decoded, or is refused.
pub fn measure(
    settings: &Settings,
    reference: (&str, &Path),
    candidates: &[Candidate],
    options: &MeasureOptions<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Compared> {
    let (name, original) = reference;
    let facts = Medium { path: original, info: probe(settings, name, original, progress)? };
    let mut compared = Compared {
        measurement: Measurement {
            version: measurement::VERSION,
            reference: ReferenceFacts {
                name: name.to_owned(),
                size: planner::main_video(&facts.info).map_or(NO_SIZE, planner::compared_size),
                notes: Vec::new(),
            },
            subsample: options.subsample,
            models: models(options.neg),
            distorted: Vec::new(),
        },
        worst: Vec::new(),
    };
    for group in candidates.chunk_by(|one, next| one.grid == next.grid) {
        Group::plan(settings, &facts, group, progress)?.compare(
            settings,
            options,
            &mut compared,
            progress,
        )?;
    }
    Ok(compared)
}

/// Never shown: media without pictures are refused.
const NO_SIZE: vodmill_model::Size = vodmill_model::Size { width: 0, height: 0 };

fn models(neg: bool) -> Vec<String> {
    let vmaf = ["vmaf_v0.6.1"].into_iter();
    vmaf.chain(neg.then_some("vmaf_v0.6.1neg")).map(str::to_owned).collect()
}

/// A file and what is in it.
struct Medium<'a> {
    path: &'a Path,
    info: MediaInfo,
}

fn probe(
    settings: &Settings,
    name: &str,
    path: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<MediaInfo> {
    let max_pixels = InputPolicy::default().max_pixels;
    let order = ProbeOrder { original: path.to_owned(), max_pixels };
    let bytes = path.metadata().map_or(0, |facts| facts.len());
    let bounds = Bounds::of_reading(bytes, &settings.limits);
    let named = &mut |step: Progress| progress(Progress { of: format!("read {name}"), ..step });
    let info = run_watched(settings, &Assignment::Probe(order), &bounds, None, named);
    let info = info.map_err(|error| about(name, error))?;
    let admitted = planner::admit_to_measure(&info, &InputPolicy::default());
    admitted.map_err(|rejected| about(name, MediaError::from(rejected).into()))?;
    Ok(info)
}

/// The same error, with the name of what it is about.
fn about(name: &str, error: crate::Error) -> crate::Error {
    match error {
        crate::Error::Media(MediaError::Rejected(mut rejected)) => {
            rejected.detail = format!("{name}: {}", rejected.detail);
            MediaError::from(rejected).into()
        }
        crate::Error::Media(MediaError::Failed(mut failed)) => {
            failed.stage = format!("{name}: {}", failed.stage);
            failed.into()
        }
        other => other,
    }
}

/// Candidates that share a grid.
struct Group<'a> {
    reference: &'a Medium<'a>,
    candidates: &'a [Candidate],
    infos: Vec<MediaInfo>,
    plan: MeasurePlan,
}

impl<'a> Group<'a> {
    fn plan(
        settings: &Settings,
        reference: &'a Medium<'a>,
        candidates: &'a [Candidate],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Group<'a>> {
        let mut infos = Vec::new();
        for candidate in candidates {
            infos.push(probe(settings, &candidate.name, &candidate.path, progress)?);
        }
        let input = MeasureInput {
            reference: &reference.info,
            distorted: &infos,
            grid: candidates.first().and_then(|candidate| candidate.grid),
            policy: &InputPolicy::default(),
        };
        let plan = planner::measure(&input).map_err(MediaError::from)?;
        Ok(Group { reference, candidates, infos, plan })
    }

    fn compare(
        &self,
        settings: &Settings,
        options: &MeasureOptions<'_>,
        compared: &mut Compared,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        for note in &self.plan.notes {
            add_once(&mut compared.measurement.reference.notes, note.clone());
        }
        let all: Vec<usize> = (0..self.candidates.len()).collect();
        for batch in all.chunks(BATCH) {
            let measured = self.measure(settings, options, batch, progress)?;
            if let Some(damage) = damage(measured.reference.damaged_frames) {
                let note = format!("of the reference, {damage}");
                add_once(&mut compared.measurement.reference.notes, note);
            }
            for (&number, media) in batch.iter().zip(&measured.distorted) {
                let scores = self.scores(number, media)?;
                let worst = self.worst_frames(settings, options, number, &scores)?;
                compared.measurement.distorted.push(scores);
                compared.worst.push(worst);
            }
        }
        Ok(())
    }

    fn measure(
        &self,
        settings: &Settings,
        options: &MeasureOptions<'_>,
        batch: &[usize],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Measured> {
        let order = MeasureOrder {
            original: self.reference.path.to_owned(),
            decode: self.plan.decode.clone(),
            rate: self.plan.rate,
            chunk: self.plan.chunk.clone(),
            last: true,
            distorted: batch.iter().map(|&number| self.order(number)).collect(),
            subsample: options.subsample,
            neg: options.neg,
        };
        let bytes: u64 = batch.iter().map(|&number| self.candidates[number].bytes).sum();
        let bytes = bytes + self.reference.info.bytes;
        let pictures = self.plan.chunk.frames * (1 + batch.len() as u64);
        let bounds = Bounds::of_measuring(bytes, pictures, &settings.limits);
        let assignment = Assignment::Measure(Box::new(order));
        run_watched(settings, &assignment, &bounds, None, progress)
    }

    fn order(&self, number: usize) -> DistortedOrder {
        let (candidate, plan) = (&self.candidates[number], &self.plan.distorted[number]);
        let (path, decode, seek) = (candidate.path.clone(), plan.decode.clone(), plan.seek);
        DistortedOrder {
            id: candidate.name.clone(),
            media: DistortedMedia::File { path, decode, seek },
            comparison: plan.comparison.clone(),
        }
    }

    fn scores(&self, number: usize, media: &MeasuredMedia) -> Result<DistortedScores> {
        let (candidate, plan) = (&self.candidates[number], &self.plan.distorted[number]);
        let of_both = |score: &&FrameScore| score.frame < plan.frames;
        let scores: Vec<FrameScore> = media.scores.iter().filter(of_both).copied().collect();
        let quality = Quality::of(&scores).ok_or_else(|| {
            Failed::new(format!("measure {}", candidate.name), "it has no frames")
        })?;
        Ok(DistortedScores {
            name: candidate.name.clone(),
            size: plan.size,
            codec: plan.codec.clone(),
            bytes: candidate.bytes,
            bit_rate: bit_rate(candidate.bytes, self.plan.rate.frame_start(plan.frames)),
            frame_rate: self.plan.rate,
            frames: plan.frames,
            depth: plan.comparison.depth,
            quality,
            notes: notes(plan, media, &self.infos[number]),
            scores,
        })
    }
}

fn bit_rate(bytes: u64, duration: Ticks) -> u64 {
    let ticks = u128::from(duration.0.max(1).unsigned_abs());
    let bits = u128::from(bytes) * 8 * 90_000;
    u64::try_from(bits / ticks).unwrap_or(u64::MAX)
}

/// What the plan says of it, and what came out while it was decoded.
fn notes(plan: &DistortedPlan, media: &MeasuredMedia, info: &MediaInfo) -> Vec<String> {
    let mut notes = plan.notes.clone();
    if info.truncated {
        notes.push("the file ends before its index says".to_owned());
    }
    notes.extend(damage(media.pictures.damaged_frames));
    notes
}

fn damage(frames: Frames) -> Option<String> {
    match frames {
        0 => None,
        1 => Some("1 picture is damaged".to_owned()),
        _ => Some(format!("{frames} pictures are damaged")),
    }
}

fn add_once(notes: &mut Vec<String>, note: String) {
    if !notes.contains(&note) {
        notes.push(note);
    }
}
