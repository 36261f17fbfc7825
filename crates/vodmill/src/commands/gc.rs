//! `vodmill gc`: remove generations that have had their time.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use vodmill_pipeline::{OldGeneration, Sweep};
use vodmill_queue::Queue;

use super::published::Destination;
use super::shared::{names, queues};
use crate::cli;
use crate::config::Config;
use crate::output::{bytes, print, print_json, table};

const DAY: u64 = 24 * 3600;

/// `vodmill gc`.
pub fn run(config: &Config, arguments: &cli::Gc) -> anyhow::Result<ExitCode> {
    let days = arguments.keep_days.unwrap_or(config.settings.old_generations_days);
    let keep = Duration::from_secs(u64::from(days) * DAY);
    let swept = sweep(config, keep, arguments.place.as_deref(), arguments.dry_run)?;
    if arguments.json {
        print_json(&swept)?;
    } else {
        print(&describe(&swept, arguments.dry_run))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Removes old generations everywhere that pipelines publish, or in one place; only finds them in a
/// dry run.
pub fn sweep(
    config: &Config,
    keep: Duration,
    place: Option<&str>,
    dry: bool,
) -> anyhow::Result<Vec<OldGeneration>> {
    let (names, queues) = (names(config)?, queues(config)?);
    let queues: Vec<&dyn Queue> = queues.iter().map(|queue| &**queue).collect();
    let mut swept = Vec::new();
    for destination in Destination::all(config, place)? {
        let store = destination.open(config);
        let now = SystemTime::now();
        let sweep = Sweep { store: &*store, names: &*names, queues: &queues, keep, now };
        let place = &destination.place;
        let found = sweep.find().with_context(|| format!("look for old generations in {place}"))?;
        if !dry {
            sweep.remove(&found).with_context(|| format!("remove old generations in {place}"))?;
        }
        swept.extend(found);
    }
    Ok(swept)
}

fn describe(swept: &[OldGeneration], dry: bool) -> String {
    let row = |one: &OldGeneration| {
        let objects = format!("{} objects", one.objects);
        vec![one.asset.clone(), one.generation.clone(), objects, bytes(one.bytes)]
    };
    let total = bytes(swept.iter().map(|one| one.bytes).sum());
    let what = match (swept.is_empty(), dry) {
        (true, _) => return "no old generation has had its time".to_owned(),
        (false, true) => "would be removed",
        (false, false) => "removed",
    };
    format!(
        "{}{total} in {} generations {what}",
        table(&swept.iter().map(row).collect::<Vec<_>>()),
        swept.len()
    )
}
