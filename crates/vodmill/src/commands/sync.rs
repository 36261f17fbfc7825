//! `vodmill sync`: a folder to a bucket.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use vodmill_delivery::asset_path;
use vodmill_store::Location;
use vodmill_store::s3::{Bucket, ObjectSettings, S3Settings};
use vodmill_store::sync::{self, Event, Filter, Report, SyncError};

use self::deploy::CachePolicy;
use self::progress::ProgressLine;
use crate::cli::Sync;
use crate::config::Config;
use crate::config::apart::Role;
use crate::exit::Usage;
use crate::output::{bytes, print, print_line, say};

mod deploy;
mod progress;

/// The exit code of a refusal, as for refused inputs: the same command will be refused again.
const REFUSED: u8 = 3;

/// `vodmill sync`.
pub fn run(config: &Config, arguments: &Sync) -> anyhow::Result<ExitCode> {
    let dir = folder(&arguments.dir)?;
    config.given_path("DIR", Role::Upload, &dir)?;
    let (bucket, prefix) = destination(arguments)?;
    let usage = |error: SyncError| Usage::because(error.into());
    let filter = Filter::new(&arguments.exclude, &arguments.include).map_err(usage)?;
    let policy = CachePolicy::new(&arguments.cache_control).map_err(usage)?;
    let manifest = match &arguments.manifest {
        Some(file) => file.clone(),
        None => manifest(&dir, arguments)?,
    };
    let settings =
        ObjectSettings { storage_class: arguments.storage_class.clone(), ..Default::default() };
    // By the whole path: DIR may be a generation, or a folder in it.
    let is_private = |name: &str| asset_path::is_private(&format!("{}/{name}", dir.display()));
    let sync = sync::Sync {
        dir: &dir,
        bucket: &bucket,
        prefix: &prefix,
        manifest: &manifest,
        filter: &filter,
        leave_out: &|name| !arguments.private && is_private(name),
        headers: &|tree, name| policy.headers(tree, name, is_private(name)),
        phase: &deploy::phase,
        settings: &settings,
        delete: arguments.delete.then_some(arguments.max_delete),
        checksum: arguments.checksum,
        dry_run: arguments.dry_run,
        jobs: arguments.jobs.get().into(),
    };
    watched(&sync, arguments)
}

/// Runs it with everything said that is to be said.
fn watched(sync: &sync::Sync<'_>, arguments: &Sync) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let mut progress = ProgressLine::new(std::io::stderr().is_terminal() && !arguments.dry_run);
    let mut broken = Ok(());
    let list = arguments.verbose || arguments.dry_run;
    let result = sync.run(&mut |event| {
        progress.see(&event);
        if list && broken.is_ok() {
            broken = line(&event).map_or(Ok(()), |line| progress.aside(|| print_line(&line)));
        }
        if let Some(complaint) = complaint(&event) {
            progress.aside(|| say(&complaint));
        }
    });
    progress.end();
    broken.context("write to standard output")?;
    match result {
        Ok(report) => conclude(&report, arguments, began.elapsed()),
        Err(error @ SyncError::TooManyDeletes { .. }) => {
            say(&format!(
                "vodmill: {error}\n  See that DIR is the right one, or raise --max-delete."
            ));
            Ok(ExitCode::from(REFUSED))
        }
        Err(error) => Err(error.into()),
    }
}

/// What is listed on standard output.
fn line(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Uploaded { name, bytes: size, reason } => {
            Some(format!("upload {name} ({}, {reason})", bytes(*size)))
        }
        Event::Deleted { name } => Some(format!("delete {name}")),
        _ => None,
    }
}

/// What is said on standard error, whatever was asked for.
fn complaint(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Skipped(it) => Some(format!("skipped {:?}: {}", it.name, it.why)),
        Event::Failed(it) => Some(format!("failed {:?}: {}", it.name, it.error)),
        _ => None,
    }
}

fn conclude(report: &Report, arguments: &Sync, took: Duration) -> anyhow::Result<ExitCode> {
    print(&summary(report, arguments, took))?;
    if report.left_there > 0 {
        eprintln!(
            "{} holds {} objects below private/ of packages, which are left as they are: see that \
             nobody can read them, or make them equal with --private",
            arguments.to, report.left_there
        );
    }
    Ok(if report.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One line.
fn summary(report: &Report, arguments: &Sync, took: Duration) -> String {
    let (would, destination) = (if arguments.dry_run { "would be " } else { "" }, &arguments.to);
    let mut line = format!(
        "{destination}: {} files, {} unchanged, {would}uploaded {} ({}), {would}deleted {}",
        report.files,
        report.unchanged,
        report.uploaded,
        bytes(report.uploaded_bytes),
        report.deleted
    );
    let rest = [
        ("failed", report.failures.len()),
        ("held back", report.held_back),
        ("not deleted", report.spared),
        ("skipped", report.skipped.len()),
        ("private and left out", report.left_out),
    ];
    for (what, count) in rest.into_iter().filter(|(_, count)| *count > 0) {
        line.push_str(&format!(", {what} {count}"));
    }
    line.push_str(&format!("; {:.1} s\n", took.as_secs_f64()));
    line
}

/// The folder as its real path, by which it is remembered.
fn folder(dir: &Path) -> anyhow::Result<PathBuf> {
    match dir.canonicalize() {
        Ok(path) if path.is_dir() => Ok(path),
        _ => Err(Usage::error(format!("{} is not a folder", dir.display()))),
    }
}

fn destination(arguments: &Sync) -> anyhow::Result<(Bucket, String)> {
    let location = Location::parse(&arguments.to).map_err(|error| Usage::because(error.into()))?;
    let Location::Bucket { bucket, prefix } = location else {
        return Err(Usage::error(format!("{} is not s3://BUCKET/PREFIX", arguments.to)));
    };
    let settings = S3Settings {
        endpoint: arguments.endpoint.clone(),
        region: arguments.region.clone(),
        profile: arguments.profile.clone(),
        ..S3Settings::default()
    };
    let prefix = prefix.map_or(String::new(), |prefix| format!("{prefix}/"));
    Ok((Bucket::open(&bucket, &settings), prefix))
}

/// Where it is remembered what went from this folder to this place.
fn manifest(dir: &Path, arguments: &Sync) -> anyhow::Result<PathBuf> {
    let home = || std::env::home_dir().map(|home| home.join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.filter(|path| path.is_absolute()).or_else(home);
    let Some(cache) = cache else {
        return Err(Usage::error("there is no HOME to remember uploads in; give --manifest FILE"));
    };
    let name = sync::manifest_name(dir, &arguments.to, arguments.endpoint.as_deref());
    Ok(cache.join("vodmill/sync").join(name))
}
