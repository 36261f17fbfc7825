//! Every clip through every pipeline, by a worker of its own in a scratch home.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use vodmill_model::{Catalogue, Rejected};
use vodmill_pipeline::original::{FileOriginal, Original as Source};
use vodmill_pipeline::{Disposal, Settings, Stop, StopLevel, Submission, Worker};
use vodmill_queue::{JobInfo, JobState};
use vodmill_store::s3::ObjectSettings;

use super::clips::Original;
use super::pipelines;
use super::scratch::Scratch;
use crate::commands::{FOREGROUND, build, worker_settings};
use crate::config::Config;
use crate::output::say;
use crate::progress::{Doubling, overall};

/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// What was encoded.
pub struct Encoded {
    /// The worker, whose renditions are still there.
    pub worker: Worker,
    /// What it was told.
    pub settings: Settings,
    /// Where packages are.
    pub published: PathBuf,
    /// The jobs.
    pub jobs: Vec<Job>,
}

/// A clip in a pipeline.
pub struct Job {
    /// The job.
    pub id: String,
    /// The pipeline.
    pub pipeline: String,
    /// The clip.
    pub clip: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What became of it.
    pub outcome: JobInfo,
}

/// Encodes, proves and publishes in `scratch`.
pub fn run(
    config: &Config,
    catalogue: &Catalogue,
    originals: &[Original],
    scratch: &Scratch,
    stop: &Stop,
) -> anyhow::Result<Encoded> {
    let settings = settings(config, catalogue, scratch)?;
    let worker = Worker::local(settings.clone(), build()).open()?;
    let mut submitted = Vec::new();
    for pipeline in catalogue.pipelines.keys() {
        let takes = |original: &&Original| {
            original.made.is_none_or(|clip| pipelines::takes(catalogue, pipeline, clip))
        };
        for original in originals.iter().filter(takes) {
            let id = submit(&worker, pipeline, original, scratch)?;
            submitted.push((id, pipeline.clone(), original));
        }
    }
    let ids: Vec<&str> = submitted.iter().map(|(id, ..)| id.as_str()).collect();
    work(&worker, &ids, stop);
    go_on(stop)?;
    let mut jobs = Vec::new();
    for (id, pipeline, original) in submitted {
        let outcome = worker.queue().job(&id)?;
        let (clip, path) = (original.name.clone(), original.path.clone());
        jobs.push(Job { id, pipeline, clip, path, outcome });
    }
    Ok(Encoded { worker, settings, published: scratch.published(), jobs })
}

/// Those of `run`, but in the scratch home, where all renditions stay.
fn settings(config: &Config, catalogue: &Catalogue, scratch: &Scratch) -> anyhow::Result<Settings> {
    Ok(Settings {
        state: scratch.state(),
        keys: scratch.keys(),
        home: scratch.path().to_owned(),
        catalogue: catalogue.clone(),
        keep_renditions: u64::MAX,
        ..worker_settings(config, FOREGROUND)?
    })
}

/// Fails once the process was told to stop.
pub fn go_on(stop: &Stop) -> anyhow::Result<()> {
    if stop.level() != StopLevel::Running {
        bail!("stopped; nothing was compared");
    }
    Ok(())
}

fn submit(
    worker: &Worker,
    pipeline: &str,
    original: &Original,
    scratch: &Scratch,
) -> anyhow::Result<String> {
    let submission = Submission {
        original: Source::File(FileOriginal::named(original.path.clone())?),
        pipeline: pipeline.to_owned(),
        destination: scratch.published().display().to_string(),
        objects: ObjectSettings::default(),
        disposal: Disposal::Leave,
    };
    Ok(worker.submit(&submission)?.job)
}

fn work(worker: &Worker, jobs: &[&str], stop: &Stop) {
    let has_ended = |id: &&str| worker.queue().job(id).is_ok_and(|job| job.state.has_ended());
    let idle = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| watch(worker, jobs, &idle));
        worker.work(stop, &|| jobs.iter().all(has_ended));
        idle.store(true, Ordering::SeqCst);
    });
}

/// Shows how far all jobs are: a bar on a terminal, otherwise a line now and then.
fn watch(worker: &Worker, jobs: &[&str], idle: &AtomicBool) {
    let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(100).with_style(style()));
    let mut doubling = Doubling::default();
    let start = Instant::now();
    while !idle.load(Ordering::SeqCst) {
        std::thread::sleep(LOOK);
        let line_is_due = doubling.is_due(start.elapsed());
        if bar.is_none() && !line_is_due {
            continue;
        }
        let (ended, percent) = progress(worker, jobs);
        match &bar {
            Some(bar) => {
                bar.set_position(percent);
                bar.set_message(format!("{ended} of {} encodes", jobs.len()));
            }
            None => say(&format!("encoding: {percent} %, {ended} of {} done", jobs.len())),
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    let template = "encoding {bar:30} {percent:>3} % {msg}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Jobs that have ended, and whole per cent of all.
fn progress(worker: &Worker, jobs: &[&str]) -> (usize, u64) {
    let (mut ended, mut sum) = (0, 0);
    for id in jobs {
        if worker.queue().job(id).is_ok_and(|job| job.state.has_ended()) {
            ended += 1;
            sum += 100;
        } else {
            let bars = vodmill_pipeline::progress(worker.queue(), id).unwrap_or_default();
            sum += if bars.is_empty() { 0 } else { overall(&bars) };
        }
    }
    (ended, sum / jobs.len().max(1) as u64)
}

impl Job {
    /// Why there is no package, if there is none.
    pub fn failure(&self) -> Option<String> {
        let reason = self.outcome.reason.as_deref().unwrap_or_default();
        let first = reason.lines().next().unwrap_or_default();
        match self.outcome.state {
            JobState::Published => None,
            JobState::Rejected => {
                let why = serde_json::from_str(reason).map(|why: Rejected| why.to_string());
                let why = why.unwrap_or_else(|_| first.to_owned());
                Some(format!("the clip is refused: {why}"))
            }
            _ => Some(format!("there is no package: {first}")),
        }
    }
}
