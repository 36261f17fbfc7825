//! `vodmill daemon`: watch the inboxes and work until stopped.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vodmill_api::{Folder, Server, Site};
use vodmill_hls::keyring::KeyStore;
use vodmill_pipeline::{Stop, StopLevel};
use vodmill_store::Location;

use super::keys::serve::key_server;
use super::shared::open_mill;
use super::{DAEMON, gc};
use crate::cli::Daemon;
use crate::config::Config;
use crate::inbox::Inboxes;
use crate::signals;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// `vodmill daemon`.
pub fn run(config: &Config, arguments: &Daemon) -> anyhow::Result<ExitCode> {
    let stop = Arc::new(Stop::default());
    signals::watch(&stop, Duration::from_secs(config.settings.drain_seconds.into()))?;
    let mill = open_mill(config, DAEMON)?;
    let mut inboxes = Inboxes::open(config)?;
    let server = match arguments.serve.or(config.settings.listen) {
        Some(address) => Some(serve(config, arguments, address, mill.keys())?),
        None => None,
    };
    std::thread::scope(|scope| {
        scope.spawn(|| inboxes.watch(&mill, &stop));
        scope.spawn(|| sweep(config, &stop));
        mill.work(&stop, &|| false);
    });
    if let Some(server) = server {
        server.stop();
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Removes old generations now and then. Nobody waits for it: what fails is tried again next time.
fn sweep(config: &Config, stop: &Stop) {
    let keep = DAY * config.settings.old_generations_days;
    while stop.level() == StopLevel::Running {
        if let Err(error) = gc::sweep(config, keep, None, false) {
            tracing::warn!(error = format!("{error:#}"), "old generations not removed");
        }
        let next = Instant::now() + DAY;
        while stop.level() == StopLevel::Running && Instant::now() < next {
            stop.wait(DAY);
        }
    }
}

fn serve(
    config: &Config,
    arguments: &Daemon,
    address: SocketAddr,
    keys: Arc<dyn KeyStore>,
) -> anyhow::Result<Server> {
    let mut folders = Vec::new();
    for (name, pipeline) in &config.catalogue.pipelines {
        match config.places(name, pipeline)?.destination {
            Location::Folder(folder) => folders.push(folder),
            // A bucket has a server of its own.
            Location::Bucket { .. } => {}
        }
    }
    let keys = key_server(config, keys, address)?;
    let site =
        Site { folders: Folder::name_all(folders), keys, player_js: arguments.player_js.clone() };
    let server = Server::start(site, address)?;
    tracing::info!(address = %server.address(), "serving");
    Ok(server)
}
