//! `vodmill measure`: how good pictures are against their original.

mod chart;
mod meter;
mod page;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use vodmill_keys::KeyRing;
use vodmill_model::Measurement;
use vodmill_model::measurement::DistortedScores;
use vodmill_pipeline::{Candidate, MeasureOptions, PackageRungs};

use super::scratch::Scratch;
use super::shared::key_store;
use super::{FOREGROUND, input, worker_settings};
use crate::cli::Measure;
use crate::config::Config;
use crate::exit::Usage;
use crate::output::{bytes, print, print_json, table};
use meter::Meter;

/// `vodmill measure`.
pub fn run(config: &Config, arguments: &Measure) -> anyhow::Result<ExitCode> {
    if !vodmill_av::quality::available() {
        return Err(Usage::error(vodmill_av::quality::WITHOUT));
    }
    let reference = input(&arguments.reference)?;
    refuse_missing_folder(arguments)?;
    let scratch = Scratch::new(config, "measure")?;
    let candidates = candidates(config, arguments, scratch.path())?;
    let options = MeasureOptions {
        subsample: arguments.every.0,
        neg: arguments.neg,
        pictures: if arguments.html.is_some() { arguments.worst.into() } else { 0 },
        scratch: scratch.path(),
    };
    let settings = worker_settings(config, FOREGROUND)?;
    let name = arguments.reference.to_string_lossy();
    let mut meter = Meter::default();
    let compared = vodmill_pipeline::measure(
        &settings,
        (&name, &reference),
        &candidates,
        &options,
        &mut |step| meter.note(&step),
    );
    meter.end();
    let compared = compared?;
    if let Some(file) = &arguments.html {
        let page = page::page(&compared);
        std::fs::write(file, page).with_context(|| format!("write {}", file.display()))?;
    }
    match arguments.json {
        true => print_json(&compared.measurement)?,
        false => print(&describe(&compared.measurement))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A page that cannot be written is said before the work, not after it.
fn refuse_missing_folder(arguments: &Measure) -> anyhow::Result<()> {
    let Some(folder) = arguments.html.as_deref().and_then(Path::parent) else { return Ok(()) };
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    Err(Usage::error(format!("--html: there is no folder {}", folder.display())))
}

/// Everything that is to be compared, packages as their rungs.
fn candidates(
    config: &Config,
    arguments: &Measure,
    scratch: &Path,
) -> anyhow::Result<Vec<Candidate>> {
    let mut candidates = Vec::new();
    let mut packages = Vec::new();
    for path in &arguments.distorted {
        if !path.is_dir() {
            candidates.push(file(path)?);
            continue;
        }
        let folder = path.canonicalize().with_context(|| format!("find {}", path.display()))?;
        packages.push((path, PackageRungs::open(&folder)?, folder));
    }
    refuse_unknown_rungs(arguments, packages.iter().map(|(_, rungs, _)| rungs))?;
    if let Some((path, ..)) = packages.iter().find(|(_, rungs, _)| rungs.names().is_empty()) {
        return Err(Usage::error(format!("{} has no pictures: it is sound only", path.display())));
    }
    for (path, rungs, folder) in &packages {
        let keys = match key_store(config)? {
            Some(store) => vodmill_pipeline::keys_of(&*store, folder)?,
            None => KeyRing::default(),
        };
        for name in wanted(arguments, rungs) {
            let mut candidate = rungs.candidate(name, &keys, scratch)?;
            candidate.name = format!("{}/{name}", path.display().to_string().trim_end_matches('/'));
            candidates.push(candidate);
        }
    }
    Ok(candidates)
}

fn file(path: &Path) -> anyhow::Result<Candidate> {
    let file = input(path)?;
    let facts = file.metadata().with_context(|| format!("read {}", file.display()))?;
    let name = path.to_string_lossy().into_owned();
    Ok(Candidate { name, path: file, bytes: facts.len(), grid: None })
}

/// The rungs that are asked for of a package.
fn wanted<'a>(arguments: &Measure, rungs: &'a PackageRungs) -> Vec<&'a str> {
    if arguments.rung.is_empty() {
        return rungs.default_names();
    }
    rungs.names().into_iter().filter(|name| arguments.rung.iter().any(|it| it == name)).collect()
}

/// A name that no package has is a mistake.
fn refuse_unknown_rungs<'a>(
    arguments: &Measure,
    packages: impl Iterator<Item = &'a PackageRungs> + Clone,
) -> anyhow::Result<()> {
    let known: Vec<&str> = packages.flat_map(PackageRungs::names).collect();
    let unknown = arguments.rung.iter().find(|name| !known.contains(&name.as_str()));
    match unknown {
        None => Ok(()),
        Some(_) if known.is_empty() => {
            Err(Usage::error("--rung is of packages, and none is given"))
        }
        Some(name) => {
            Err(Usage::error(format!("there is no rung {name}; there are {}", known.join(", "))))
        }
    }
}

fn describe(measurement: &Measurement) -> String {
    let neg = measurement.models.len() > 1;
    let mut head = vec!["", "pictures", "size", "kbit/s", "VMAF", "p5", "worst", "SSIM"];
    if neg {
        head.push("NEG");
    }
    let mut rows = vec![head.into_iter().map(str::to_owned).collect()];
    rows.extend(measurement.distorted.iter().map(row));
    let mut text = table(&rows);
    for note in &measurement.reference.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    for one in &measurement.distorted {
        for note in &one.notes {
            text.push_str(&format!("note on {}: {note}\n", one.name));
        }
    }
    text
}

fn row(one: &DistortedScores) -> Vec<String> {
    let quality = &one.quality;
    let mut row = vec![
        one.name.clone(),
        one.size.to_string(),
        bytes(one.bytes),
        (one.bit_rate / 1000).to_string(),
        quality.mean.to_string(),
        quality.p5.to_string(),
        quality.worst.to_string(),
        quality.ssim.to_string(),
    ];
    row.extend(quality.neg.map(|neg| neg.to_string()));
    row
}
