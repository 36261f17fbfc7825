//! `vodmill gc`: remove generations that have had their time, and what is left over.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;
use vodmill_clock::{Clock as _, SystemClock, system_time};
use vodmill_pipeline::{Garbage, GarbageKind, OldGeneration, Sweep, old_scratch, old_uploads};
use vodmill_queue::Jobs;

use super::adopt;
use super::published::Destination;
use super::shared::{attics, names, queues};
use crate::cli;
use crate::config::Config;
use crate::output::{bytes, print, print_json, table};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// More lines of a kind are told by their number.
const LINES: usize = 20;

/// What a sweep is to do.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// Days for which a generation stays after another took its place.
    pub keep_days: u32,
    /// One place, instead of all that pipelines publish in and all that lies about here.
    pub place: Option<&'a str>,
    /// Only finds.
    pub dry: bool,
    /// Asked between two places: whether to go on.
    pub go_on: &'a dyn Fn() -> bool,
}

/// What was found, and removed unless it was a dry run.
#[derive(Debug, Serialize)]
pub struct Swept {
    version: u32,
    dry_run: bool,
    generations: Vec<OldGeneration>,
    litter: Vec<Garbage>,
}

/// `vodmill gc`.
pub fn run(config: &Config, arguments: &cli::Gc) -> anyhow::Result<ExitCode> {
    let keep_days = arguments.keep_days.unwrap_or(config.settings.old_generations_days);
    let (place, dry) = (arguments.place.as_deref(), arguments.dry_run);
    let (swept, troubles) = sweep(config, Order { keep_days, place, dry, go_on: &|| true })?;
    match arguments.json {
        true => print_json(&swept)?,
        false => print(&describe(&swept))?,
    }
    // All that could be done is done by now.
    troubles.into_iter().next().map_or(Ok(ExitCode::SUCCESS), Err)
}

/// Removes old generations everywhere that pipelines publish, or in one place, and what is left
/// over; only finds them in a dry run. Trouble with one of these is no reason to leave the others.
///
/// # Errors
/// If it cannot be found out what is in use.
pub fn sweep(config: &Config, order: Order<'_>) -> anyhow::Result<(Swept, Vec<anyhow::Error>)> {
    let Order { keep_days, place, dry, go_on } = order;
    let destinations = Destination::all(config, place)?;
    let (names, queues) = (names(config)?, queues(config)?);
    let queues: Vec<&dyn Jobs> = queues.iter().map(|queue| &**queue as &dyn Jobs).collect();
    let age = DAY * config.settings.unfinished_days;
    let (mut generations, mut litter) = (Vec::new(), Vec::new());
    let mut troubles = Vec::new();
    for destination in destinations.into_iter().take_while(|_| go_on()) {
        if let Err(error) = adopt::check(config, &destination) {
            troubles.push(error);
            continue;
        }
        let store = destination.open(config);
        let (keep, now) = (DAY * keep_days, system_time(SystemClock.now()));
        let sweep = Sweep { store: &*store, names: &*names, queues: &queues, keep, now };
        let place = &destination.place;
        let old = old_generations(&sweep, dry);
        let old = old.with_context(|| format!("remove old generations in {place}"));
        take(&mut generations, old, &mut troubles);
        let uploads = old_uploads(&*store, &queues, age, dry);
        let whole = |one: Garbage| Garbage { place: format!("{place}/{}", one.place), ..one };
        let uploads = uploads.map(|found| found.into_iter().map(whole).collect());
        let uploads = uploads.with_context(|| format!("abort old uploads in {place}"));
        take(&mut litter, uploads, &mut troubles);
    }
    if place.is_none() && go_on() {
        let scratch = old_scratch(&config.state(), &queues, age, dry);
        take(&mut litter, scratch.context("remove old scratch"), &mut troubles);
        for attic in attics(config)?.into_iter().take_while(|_| go_on()) {
            let swept = attic.sweep(config.settings.keep_renditions.0, dry);
            take(&mut litter, swept.context("remove old renditions"), &mut troubles);
        }
    }
    Ok((Swept { version: 1, dry_run: dry, generations, litter }, troubles))
}

fn old_generations(sweep: &Sweep<'_>, dry: bool) -> vodmill_pipeline::Result<Vec<OldGeneration>> {
    let found = sweep.find()?;
    if !dry {
        sweep.remove(&found)?;
    }
    Ok(found)
}

fn take<T>(all: &mut Vec<T>, some: anyhow::Result<Vec<T>>, troubles: &mut Vec<anyhow::Error>) {
    match some {
        Ok(some) => all.extend(some),
        Err(error) => troubles.push(error),
    }
}

fn describe(swept: &Swept) -> String {
    let Swept { generations, litter, dry_run, .. } = swept;
    let done = if *dry_run { "would be removed" } else { "removed" };
    if generations.is_empty() && litter.is_empty() {
        return "no old generation has had its time, and nothing is left over".to_owned();
    }
    let generation = |one: &OldGeneration| {
        let objects = format!("{} objects", one.objects);
        vec![one.asset.clone(), one.generation.clone(), objects, bytes(one.bytes)]
    };
    let mut text = table(&generations.iter().map(generation).collect::<Vec<_>>());
    for (kind, name) in [
        (GarbageKind::Upload, "unfinished"),
        (GarbageKind::Scratch, "scratch"),
        (GarbageKind::Rendition, "rendition"),
        (GarbageKind::Orphan, "orphan"),
    ] {
        let of_kind: Vec<_> = litter.iter().filter(|one| one.kind == kind).collect();
        let row = |one: &&Garbage| {
            vec![name.to_owned(), one.place.clone(), one.bytes.map(bytes).unwrap_or_default()]
        };
        text += &table(&of_kind.iter().take(LINES).map(row).collect::<Vec<_>>());
        if of_kind.len() > LINES {
            text += &format!("{name}  and {} more\n", of_kind.len() - LINES);
        }
    }
    let known = litter.iter().filter_map(|one| one.bytes);
    let total = generations.iter().map(|one| one.bytes).chain(known).sum();
    let (total, old, left) = (bytes(total), generations.len(), litter.len());
    let left = if left > 0 { format!(", {left} left over") } else { String::new() };
    format!("{text}{total} in {old} generations{left} {done}")
}
