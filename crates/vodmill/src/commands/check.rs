//! `vodmill check`: prove a published package again, from its files alone.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use vodmill_keys::{KeyRing, Kid, SegmentKey};
use vodmill_model::asset::AssetHead;
use vodmill_model::pipeline::ProofLevel;
use vodmill_model::printable;
use vodmill_pipeline::{CheckReport, Finding};
use vodmill_store::Location;
use vodmill_store::s3::ObjectSettings;

use super::scratch::Scratch;
use super::shared::key_store;
use super::{FOREGROUND, worker_settings};
use crate::cli::Check;
use crate::config::Config;
use crate::config::apart::Role;
use crate::exit::Usage;
use crate::output::{bytes, print, table};

/// `vodmill check`.
pub fn run(config: &Config, arguments: &Check) -> anyhow::Result<ExitCode> {
    if let Some(folder) = &arguments.keys {
        config.given_path("--keys", Role::ExportedKeys, folder)?;
    }
    let scratch;
    let package = match Location::parse(&arguments.package) {
        Ok(Location::Bucket { bucket, prefix }) => {
            scratch = Scratch::new(config, "check")?;
            fetch(config, &Location::Bucket { bucket, prefix }, scratch.path())?;
            scratch.path().to_owned()
        }
        _ => match Path::new(&arguments.package).canonicalize() {
            Ok(folder) => folder,
            Err(_) => return Err(Usage::error(format!("{} is not there", arguments.package))),
        },
    };
    let keys = match (&arguments.keys, key_store(config)?) {
        (Some(folder), _) => exported(folder)?,
        (None, Some(store)) => vodmill_pipeline::keys_of(&*store, &package)?,
        (None, None) => KeyRing::default(),
    };
    let settings = worker_settings(config, FOREGROUND)?;
    let level = if arguments.full { ProofLevel::Full } else { ProofLevel::Standard };
    let report = vodmill_pipeline::check(&settings, &package, keys, level)?;
    print(&describe(&report))?;
    // 1 although nothing of ours failed: scripts ask whether the package is sound.
    Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Brings the pointer of an asset here, and the generation that it leads to.
fn fetch(config: &Config, asset: &Location, to: &Path) -> anyhow::Result<()> {
    let not_there = || Usage::error(format!("there is no package at {asset}"));
    let Location::Bucket { bucket, prefix: Some(prefix) } = asset else { return Err(not_there()) };
    let root = Location::Bucket { bucket: bucket.clone(), prefix: None };
    let store = root.open(&config.settings.s3, &ObjectSettings::default());
    let objects = store.list(prefix).with_context(|| format!("list {asset}"))?;
    let pointer = objects.iter().find(|entry| entry.key.as_str() == format!("{prefix}/asset.json"));
    let pointer = store.get(&pointer.ok_or_else(not_there)?.key).context("read asset.json")?;
    let generation = AssetHead::read(&pointer).context("read asset.json")?.generation;
    let mut meter = Meter::new(objects.len());
    for entry in objects {
        let name = entry.key.as_str().get(prefix.as_str().len() + 1..).unwrap_or_default();
        if name.starts_with(&format!("{generation}/")) || !name.contains('/') {
            let file = to.join(name);
            vodmill_secret::make_dir(file.parent().unwrap_or(to)).context("make folder")?;
            store.get_file(&entry.key, &file)?;
        }
        meter.step();
    }
    Ok(())
}

/// Says on a terminal how many objects have come.
struct Meter {
    done: usize,
    total: usize,
    shown: bool,
}

impl Meter {
    fn new(total: usize) -> Meter {
        Meter { done: 0, total, shown: std::io::stderr().is_terminal() }
    }

    fn step(&mut self) {
        self.done += 1;
        if self.shown {
            let end = if self.done == self.total { "\n" } else { "" };
            eprint!("\rfetching: {} of {} objects{end}", self.done, self.total);
        }
    }
}

fn describe(report: &CheckReport) -> String {
    let CheckReport { objects, segments, iframes, without_key, findings, .. } = report;
    let (asset, generation) = (printable(&report.asset), printable(&report.generation));
    let read = bytes(report.bytes);
    let iframes = if *iframes > 0 { format!(", {iframes} I-frames") } else { String::new() };
    let mut text =
        format!("{asset} {generation}: {objects} objects, {read}, {segments} segments{iframes}\n");
    if *without_key > 0 {
        text.push_str(&format!(
            "{without_key} segments and I-frames without their key: digests proved only\n"
        ));
    }
    match (findings.len(), *without_key) {
        (0, 0) => text.push_str("sound\n"),
        (0, _) => text.push_str("sound, as far as it could be opened\n"),
        (1, _) => text.push_str("1 finding\n"),
        (many, _) => text.push_str(&format!("{many} findings\n")),
    }
    let row =
        |one: &Finding| vec![format!("  {}", one.object), one.code.clone(), one.detail.clone()];
    text.push_str(&table(&findings.iter().map(row).collect::<Vec<_>>()));
    text
}

/// Keys as `vodmill keys export` leaves them: the kid is in the name.
fn exported(folder: &Path) -> anyhow::Result<KeyRing> {
    let mut keys = KeyRing::default();
    let list = std::fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    for entry in list {
        let entry = entry.context("list keys")?;
        let name = entry.file_name();
        let Some(kid) = name.to_str().and_then(kid_in) else { continue };
        let path = entry.path();
        let bytes = std::fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        let Ok(key) = <[u8; 16]>::try_from(bytes) else {
            return Err(Usage::error(format!("{} does not hold 16 bytes", path.display())));
        };
        keys.insert(&kid, &SegmentKey::from_bytes(key));
    }
    Ok(keys)
}

/// The first run of 32 hex digits in a file's name.
fn kid_in(name: &str) -> Option<Kid> {
    (0..name.len()).find_map(|start| name.get(start..start + 32).and_then(Kid::from_hex))
}
