//! `vodmill check`: prove a published package again, from its files alone.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use vodmill_hls::key::{Kid, SegmentKey};
use vodmill_pipeline::keys::DirKeyStore;
use vodmill_pipeline::{CheckReport, Finding, KeyTable};

use super::{FOREGROUND, mill_settings};
use crate::cli::Check;
use crate::config::Config;
use crate::exit::Usage;
use crate::output::{bytes, print, table};

/// `vodmill check`.
pub fn run(config: &Config, arguments: &Check) -> anyhow::Result<ExitCode> {
    let Ok(package) = arguments.dir.canonicalize() else {
        return Err(Usage::error(format!("{} is not there", arguments.dir.display())));
    };
    let keys = match &arguments.keys {
        Some(folder) => exported(folder)?,
        None if config.keys().is_dir() => {
            let store = DirKeyStore::open(config.keys()).context("open the key store")?;
            vodmill_pipeline::keys_of(&store, &package)?
        }
        None => KeyTable::default(),
    };
    let settings = mill_settings(config, FOREGROUND)?;
    let report = vodmill_pipeline::check(&settings, &package, keys)?;
    print(&describe(&report))?;
    // 1 although nothing of ours failed: scripts ask whether the package is sound.
    Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn describe(report: &CheckReport) -> String {
    let CheckReport { asset, generation, objects, segments, without_key, findings, .. } = report;
    let read = bytes(report.bytes);
    let mut text =
        format!("{asset} {generation}: {objects} objects, {read}, {segments} segments\n");
    if *without_key > 0 {
        text.push_str(&format!("{without_key} segments without their key: digests proved only\n"));
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
fn exported(folder: &Path) -> anyhow::Result<KeyTable> {
    let mut keys = KeyTable::default();
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
