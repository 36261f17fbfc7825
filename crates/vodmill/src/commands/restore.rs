//! `vodmill restore`: an archived original is brought back.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;
use vodmill_pipeline::original::Whereabouts;
use vodmill_pipeline::whereabouts;
use vodmill_queue::{JobFilter, JobInfo, JobState};
use vodmill_store::Location;
use vodmill_store::s3::{Archive, Bucket, RestoreOptions, Stage, Tier};

use super::shared::queues;
use crate::cli::Restore;
use crate::config::Config;
use crate::exit::Usage;
use crate::output::{print, print_json};

/// Days that a copy is kept unless the caller says how many.
const DAYS: u32 = 7;

/// The pause between two looks doubles from the first to the second.
const LOOKS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The slowest of all restores takes two days.
const PATIENCE: Duration = Duration::from_secs(72 * 3600);

/// An object that is to come back.
struct Object {
    bucket: Bucket,
    key: String,
}

/// What is said of it.
#[derive(Serialize)]
struct Output<'a> {
    version: u32,
    object: String,
    storage_class: &'a str,
    /// `readable`, `ongoing` or `restored`.
    stage: &'a str,
    /// Whether this call has asked S3 for it.
    asked: bool,
    until: Option<&'a str>,
}

/// `vodmill restore`.
pub fn run(config: &Config, arguments: &Restore) -> anyhow::Result<ExitCode> {
    let object = match arguments.what.strip_prefix("s3://") {
        Some(rest) => named(config, rest)?,
        None => original(config, arguments)?,
    };
    let before = object.look()?;
    let asked = object.ask(&before, arguments)?;
    let mut archive = if asked { object.look()? } else { before };
    if asked && archive.stage == Stage::Archived {
        // It may take a moment before it says so.
        archive.stage = Stage::Ongoing;
    }
    if arguments.wait && archive.stage == Stage::Ongoing {
        archive = object.wait()?;
    }
    match arguments.json {
        true => print_json(&object.output(&archive, asked))?,
        false => {
            print(&object.describe(&archive, asked, arguments.tier.unwrap_or(Tier::Standard)))?
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn named(config: &Config, rest: &str) -> anyhow::Result<Object> {
    let whole = rest.split_once('/').filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
    let (bucket, key) =
        whole.ok_or_else(|| Usage::error("an object is named as s3://BUCKET/KEY"))?;
    Ok(Object { bucket: Bucket::open(bucket, &config.settings.s3), key: key.to_owned() })
}

/// The original from which an asset was published last.
fn original(config: &Config, arguments: &Restore) -> anyhow::Result<Object> {
    let asset = &arguments.what;
    let (place, _) = publication(config, asset, arguments.place.as_deref())?;
    let (places, bytes) = match place {
        Whereabouts::Objects { places, bytes } => (places, bytes),
        Whereabouts::File { folder, name } => {
            return Err(Usage::error(format!(
                "the original of {asset}, {name}, is a file in {folder}: nothing is archived there"
            )));
        }
    };
    for (bucket, key) in &places {
        let bucket = Bucket::open(bucket, &config.settings.s3);
        if bucket.head(key)?.is_some_and(|info| info.bytes == bytes) {
            return Ok(Object { bucket, key: key.clone() });
        }
    }
    let places: Vec<_> =
        places.iter().map(|(bucket, key)| format!("s3://{bucket}/{key}")).collect();
    Err(Usage::error(format!(
        "the original of {asset} is not there: neither {}",
        places.join(" nor ")
    )))
}

/// Where the original of the asset's last publication is, and where that was published.
fn publication(
    config: &Config,
    asset: &str,
    place: Option<&str>,
) -> anyhow::Result<(Whereabouts, String)> {
    let place = place.map(Location::parse).transpose();
    let place = place.map_err(|error| Usage::because(error.into()))?;
    let mut jobs: Vec<JobInfo> = Vec::new();
    for queue in queues(config)? {
        let filter = JobFilter {
            state: Some(JobState::Published),
            asset: Some(asset.to_owned()),
            ..JobFilter::default()
        };
        jobs.extend(queue.jobs(&filter, u32::MAX)?);
    }
    jobs.sort_by_key(|job| std::cmp::Reverse(job.ended_at));
    for job in &jobs {
        let found = whereabouts(job)?;
        let is_there = |place: &Location| Location::parse(&found.1).is_ok_and(|at| at == *place);
        if place.as_ref().is_none_or(is_there) {
            return Ok(found);
        }
    }
    Err(Usage::error(format!(
        "no job has published {asset} there; an object is named as s3://BUCKET/KEY"
    )))
}

impl Object {
    fn look(&self) -> anyhow::Result<Archive> {
        let found = self.bucket.archive(&self.key)?;
        found.ok_or_else(|| Usage::error(format!("there is no object {}", self.name())))
    }

    /// Asks S3 for it, where there is something to ask for; whether it did. What is on its way or back
    /// is not asked for again by itself: a faster tier and more days cost more.
    fn ask(&self, archive: &Archive, arguments: &Restore) -> anyhow::Result<bool> {
        let days = match archive.stage {
            Stage::Readable => return Ok(false),
            Stage::Restored { .. } if arguments.days.is_none() => return Ok(false),
            Stage::Ongoing if arguments.tier.is_none() => return Ok(false),
            _ if archive.stays() => None,
            _ => Some(arguments.days.unwrap_or(DAYS)),
        };
        let tier = arguments.tier.unwrap_or(Tier::Standard);
        if archive.is_deep() && tier == Tier::Expedited {
            return Err(Usage::error(format!(
                "{} is in a deep archive, from which nothing is expedited: --tier standard takes {}",
                self.name(),
                archive.usual_time(Tier::Standard)
            )));
        }
        let options = RestoreOptions { days, tier };
        self.bucket.restore(&self.key, &options)?;
        Ok(true)
    }

    /// Looks until it can be read.
    fn wait(&self) -> anyhow::Result<Archive> {
        let (begun, mut pause) = (Instant::now(), LOOKS.0);
        while begun.elapsed() < PATIENCE {
            thread::sleep(pause);
            pause = (pause * 2).min(LOOKS.1);
            let archive = self.look().context("wait")?;
            if matches!(archive.stage, Stage::Readable | Stage::Restored { .. }) {
                return Ok(archive);
            }
        }
        anyhow::bail!("{} is not back after three days", self.name())
    }

    fn name(&self) -> String {
        format!("s3://{}/{}", self.bucket.name(), self.key)
    }

    fn output<'a>(&self, archive: &'a Archive, asked: bool) -> Output<'a> {
        let (stage, until) = match &archive.stage {
            Stage::Readable => ("readable", None),
            Stage::Archived | Stage::Ongoing => ("ongoing", None),
            Stage::Restored { until } => ("restored", until.as_deref()),
        };
        let storage_class = archive.class.as_str();
        Output { version: 1, object: self.name(), storage_class, stage, asked, until }
    }

    fn describe(&self, archive: &Archive, asked: bool, tier: Tier) -> String {
        let name = self.name();
        let class = &archive.class;
        match &archive.stage {
            Stage::Readable => format!("{name} can be read: it is in no archive ({class})"),
            Stage::Restored { until: Some(until) } => format!("{name} can be read until {until}"),
            Stage::Restored { until: None } => format!("{name} can be read"),
            Stage::Archived | Stage::Ongoing if asked => format!(
                "{name} is asked for ({class}, {tier}); that usually takes {}",
                archive.usual_time(tier)
            ),
            Stage::Archived | Stage::Ongoing => format!("{name} is on its way ({class})"),
        }
    }
}
