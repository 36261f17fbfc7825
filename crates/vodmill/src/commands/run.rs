//! `vodmill run`: given files in the foreground, with progress.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use vodmill_model::{Rejected, printable, printable_lines};
use vodmill_pipeline::original::{FileOriginal, Original};
use vodmill_pipeline::{Disposal, Stop, StopLevel, Submission, Worker};
use vodmill_queue::{JobInfo, JobState};
use vodmill_store::{Location, StoreError};

use super::shared::{self, open_foreground};
use super::{input, pipeline};
use crate::cli::Run;
use crate::config::Config;
use crate::config::apart::Role;
use crate::inbox::object_settings;
use crate::output::{print, say};
use crate::progress::{Bars, Doubling, Meter, describe, overall};
use crate::signals;

/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// `vodmill run`.
pub fn run(config: &Config, arguments: &Run) -> anyhow::Result<ExitCode> {
    let (name, wanted) = pipeline(config, arguments.pipeline.as_deref())?;
    let files: Vec<PathBuf> =
        arguments.files.iter().map(|file| input(file)).collect::<Result<_, _>>()?;
    let destination = match &arguments.out {
        Some(out) => config.given_place("--out", Role::Destination, out)?,
        None => config.places(name, wanted)?.destination,
    };
    destination
        .try_out(&config.settings.s3)
        .map_err(|error| cannot_publish(&destination, error))?;
    let stop = Arc::new(Stop::default());
    signals::watch(&stop, Duration::from_secs(config.settings.drain_seconds.into()))?;
    let worker = open_foreground(config)?;
    if wanted.encryption.is_some() {
        shared::check_external_keys(config, worker.keys())?;
    }
    if let Some(key_uri) = shared::doubtful_key_uri(config, name) {
        say(&format!(
            "pipeline {name} has no key_uri: players on this machine get keys from {key_uri}, where \
             `vodmill daemon --serve` answers; others need a key_uri"
        ));
    }
    let mut jobs = Vec::new();
    for file in files {
        let submission = Submission {
            original: Original::File(FileOriginal::named(file)?),
            pipeline: name.to_owned(),
            destination: destination.to_string(),
            objects: object_settings(wanted),
            disposal: Disposal::Leave,
        };
        let job = submit(&worker, &submission)?;
        // The same file may be named twice.
        if !jobs.contains(&job) {
            jobs.push(job);
        }
    }
    work(&worker, &jobs, &stop);
    conclude(&worker, &jobs, &destination)
}

/// Why nothing can be published there, found before anything is encoded.
fn cannot_publish(destination: &Location, error: StoreError) -> anyhow::Error {
    use std::io::ErrorKind::{AlreadyExists, NotADirectory, PermissionDenied};
    let remedy = match &error {
        // The error says it by itself.
        StoreError::Remote { .. } | StoreError::BadServer { .. } => "",
        StoreError::Io { source, .. } => match source.kind() {
            AlreadyExists | NotADirectory => {
                "; something is in the way that is no folder, or a link that leads nowhere: remove it, \
                 or name another place with --out"
            }
            PermissionDenied => "; let this user write there, or name another place with --out",
            _ => "; name another place with --out",
        },
        _ => "; name another place with --out",
    };
    anyhow::Error::from(error)
        .context(format!("nothing can be published in {destination}: nothing was done{remedy}"))
}

/// Takes a file on; one that went wrong before is tried again, since it was asked for.
fn submit(worker: &Worker, submission: &Submission) -> anyhow::Result<String> {
    let submitted = worker.submit(submission)?;
    if let Some(JobState::Failed | JobState::Cancelled | JobState::Rejected) = submitted.known {
        worker.retry(&submitted.job)?;
    }
    Ok(submitted.job)
}

fn work(worker: &Worker, jobs: &[String], stop: &Stop) {
    let ended = || {
        let has_ended = |id: &String| worker.queue().job(id).is_ok_and(|job| job.state.has_ended());
        jobs.iter().all(has_ended)
    };
    let idle = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| watch(worker, jobs, &idle));
        worker.work(stop, &ended);
        idle.store(true, Ordering::SeqCst);
    });
    if stop.level() != StopLevel::Running && !ended() {
        eprintln!("stopped; the same command goes on from here");
    }
}

/// Shows progress: bars on a terminal, otherwise now and then a line for each job.
fn watch(worker: &Worker, jobs: &[String], idle: &AtomicBool) {
    let mut screen = std::io::stderr().is_terminal().then(Bars::default);
    let mut meter = Meter::default();
    let mut doubling = Doubling::default();
    let start = Instant::now();
    while !idle.load(Ordering::SeqCst) {
        std::thread::sleep(LOOK);
        let line_is_due = doubling.is_due(start.elapsed());
        for id in jobs {
            let Ok(job) = worker.queue().job(id) else { continue };
            match &mut screen {
                Some(bars) if job.state.has_ended() => bars.end(id),
                Some(bars) => draw(worker, &job, bars, &mut meter),
                None if !job.state.has_ended() => tell(worker, &job, &mut meter, line_is_due),
                None => {}
            }
        }
    }
}

fn draw(worker: &Worker, job: &JobInfo, bars: &mut Bars, meter: &mut Meter) {
    for bar in vodmill_pipeline::progress(worker.queue(), &job.id).unwrap_or_default() {
        let pace = meter.pace(&job.id, &bar, Instant::now());
        bars.draw(&job.id, &job.name, &bar, pace);
    }
}

/// The meter is kept going also when nothing is said.
fn tell(worker: &Worker, job: &JobInfo, meter: &mut Meter, aloud: bool) {
    let bars = vodmill_pipeline::progress(worker.queue(), &job.id).unwrap_or_default();
    let now = Instant::now();
    let paced: Vec<_> = bars.iter().map(|bar| (bar, meter.pace(&job.id, bar, now))).collect();
    if !aloud {
        return;
    }
    let moving = paced.iter().filter(|(bar, _)| bar.done > 0 && bar.done < bar.total);
    let streams: Vec<String> = moving.map(|(bar, pace)| describe(bar, *pace)).collect();
    let (name, total) = (printable(&job.name), overall(&bars));
    match streams.is_empty() {
        true => say(&format!("{name}: {total} %")),
        false => say(&format!("{name}: {total} %: {}", streams.join(", "))),
    }
}

/// Says what became of each job; the worst of them is the exit code.
fn conclude(worker: &Worker, jobs: &[String], destination: &Location) -> anyhow::Result<ExitCode> {
    let mut code = 0;
    for id in jobs {
        let job = worker.queue().job(id)?;
        let (line, this) = outcome(&job, destination);
        print(&printable_lines(&line))?;
        // A failure of ours outranks a refused input.
        code = if code == 1 || this == 1 { 1 } else { code.max(this) };
    }
    Ok(ExitCode::from(code))
}

fn outcome(job: &JobInfo, destination: &Location) -> (String, u8) {
    let name = printable(&job.name);
    let reason = job.reason.as_deref().unwrap_or_default();
    match job.state {
        JobState::Published => {
            let asset = job.asset.as_deref().unwrap_or_default();
            (format!("{name}: published in {destination}/{asset}"), 0)
        }
        JobState::Rejected => match serde_json::from_str::<Rejected>(reason) {
            Ok(why) => (format!("{name}: refused: {why}\n  {}", why.remedy), 3),
            Err(_) => (format!("{name}: refused: {reason}"), 3),
        },
        JobState::Failed => (format!("{name}: failed: {reason}"), 1),
        JobState::Cancelled => (format!("{name}: cancelled"), 1),
        JobState::Waiting | JobState::Running => (format!("{name}: stopped, not published yet"), 1),
    }
}
