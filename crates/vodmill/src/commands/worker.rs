//! `vodmill worker`: one of many on a shared queue.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use vodmill_clock::spawn_scoped;
use vodmill_pipeline::{Error, Stop, Worker};

use super::adopt;
use super::shared::{shared, warn_of_key_uris};
use super::{build, worker_settings};
use crate::config::Config;
use crate::exit::Usage;
use crate::{notifications, signals};

/// Most workers that share one home.
const MOST: u32 = 1000;

/// `vodmill worker`.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let stop = Arc::new(Stop::default());
    signals::watch(&stop, Duration::from_secs(config.settings.drain_seconds.into()))?;
    let dispatcher = notifications::dispatcher(config)?;
    warn_of_key_uris(config);
    let worker = join(config)?;
    adopt::check_all(config)?;
    worker.queue().subscribe(dispatcher.subscriptions());
    tracing::info!("working");
    std::thread::scope(|scope| {
        spawn_scoped(&**stop.clock(), scope, || notifications::run(&dispatcher, &worker, &stop));
        worker.work(&stop, &|| false);
    });
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Joins with the first scratch folder of this home that no other worker has.
fn join(config: &Config) -> anyhow::Result<Worker> {
    let Some(shared) = shared(config)? else {
        return Err(Usage::error(
            "there is no shared queue: set `queue` and `work` in vodmill.toml, or use \
             `vodmill daemon` on one machine",
        ));
    };
    for number in 0..MOST {
        let settings = worker_settings(config, &format!("worker-{number}"))?;
        match Worker::shared(settings, build(), shared.clone()).open() {
            Err(Error::Busy(_)) => {}
            joined => return Ok(joined?),
        }
    }
    Err(Usage::error(format!("{MOST} workers share this home already")))
}
