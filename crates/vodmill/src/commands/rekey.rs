//! `vodmill rekey`: other keys for a published asset.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use vodmill_clock::{Clock as _, SystemClock};
use vodmill_keys::KeyStore;
use vodmill_model::transcode::Progress;
use vodmill_pipeline::{Rekey, Rekeyed};
use vodmill_queue::StalePath;
use vodmill_store::Location;

use super::adopt;
use super::published::{self, Destination};
use super::shared::{carried, key_store, names};
use crate::cli;
use crate::config::Config;
use crate::exit::Usage;
use crate::output::{bytes, print, print_json};

const DAY: u64 = 24 * 3600;

/// Folder for what is under way, in a folder of assets.
const SCRATCH: &str = ".vodmill";

/// The objects that are replaced.
const POINTER: [&str; 2] = ["index.m3u8", "asset.json"];

/// `vodmill rekey`.
pub fn run(config: &Config, arguments: &cli::Rekey) -> anyhow::Result<ExitCode> {
    let destination = published::find(config, &arguments.asset, arguments.place.as_deref())?;
    adopt::check(config, &destination)?;
    let keys =
        key_store(config)?.ok_or_else(|| Usage::error("no keys yet: nothing has run here"))?;
    let names = names(config)?;
    let store = destination.open(config);
    // The name of an attempt that was killed, so that the next one clears up after it.
    let under_way = format!("rekey-{}", arguments.asset);
    let scratch = match &destination.place {
        // On the same file system objects are renamed into their places.
        Location::Folder(folder) => folder.join(SCRATCH).join(&under_way),
        Location::Bucket { .. } => config.state().join(&under_way),
    };
    let bar = bar()?;
    let watch = |progress: Progress| {
        bar.set_length(progress.total.unwrap_or_default());
        bar.set_position(progress.done);
    };
    let begun = Instant::now();
    let rekey = Rekey {
        store: &*store,
        keys: &*keys,
        names: &*names,
        asset: &arguments.asset,
        scratch,
        watch: &watch,
    };
    let done = rekey.run();
    bar.finish_and_clear();
    if let Location::Folder(folder) = &destination.place {
        // Only if nothing else is in it.
        let _ = std::fs::remove_dir(folder.join(SCRATCH));
    }
    let done = done?;
    invalidate(config, &destination, &arguments.asset)?;
    end_old_keys(config, &*keys, &done);
    say(&done, begun, arguments.json)?;
    Ok(ExitCode::SUCCESS)
}

/// When the old generation is swept, viewers get its keys no more.
fn end_old_keys(config: &Config, keys: &dyn KeyStore, done: &Rekeyed) {
    let days = u64::from(config.settings.old_generations_days);
    let now = SystemClock.unix_seconds();
    // The asset has its new keys: this is no reason to say otherwise.
    if let Err(error) = keys.expire(&done.asset, &done.before, now + days * DAY) {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, generation = done.before, "old keys have no end: revoke them");
    }
}

/// Has the caches told that the pointer has moved. Without one, its `max-age` does.
fn invalidate(config: &Config, destination: &Destination, asset: &str) -> anyhow::Result<()> {
    for (name, pipeline) in &config.catalogue.pipelines {
        let Some(cdn) = &pipeline.invalidation else { continue };
        if config.places(name, pipeline)?.destination != destination.place {
            continue;
        }
        let Some(queue) = carried(config)? else { continue };
        let stale = POINTER.map(|object| StalePath {
            distribution: cdn.distribution.clone(),
            path: cdn.path_of(&format!("{asset}/{object}")),
        });
        queue.mark_stale(name, &stale).context("have caches drop the pointer")?;
    }
    Ok(())
}

fn bar() -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bytes} of {total_bytes} {binary_bytes_per_sec}");
    Ok(ProgressBar::new(0).with_style(style.context("draw progress")?))
}

fn say(done: &Rekeyed, begun: Instant, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return print_json(done);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let Rekeyed { asset, before, generation, encrypted_bytes, .. } = done;
    let rate = (*encrypted_bytes as f64 / seconds.max(0.001)) as u64;
    let (all, rate) = (bytes(*encrypted_bytes), bytes(rate));
    Ok(print(&format!(
        "{asset}: {generation} instead of {before}; {all} encrypted anew in {seconds:.1} s, {rate}/s"
    ))?)
}
