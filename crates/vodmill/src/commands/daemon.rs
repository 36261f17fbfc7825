//! `vodmill daemon`: watch the inboxes and work until stopped.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use vodmill_api::{Folder, Server, Site};
use vodmill_pipeline::keys::DirKeyStore;
use vodmill_pipeline::{Mill, Stop};

use super::{DAEMON, libav, mill_settings};
use crate::cli::Daemon;
use crate::config::Config;
use crate::inbox::Inboxes;
use crate::signals;

/// `vodmill daemon`.
pub fn run(config: &Config, arguments: &Daemon) -> anyhow::Result<ExitCode> {
    let stop = Arc::new(Stop::default());
    signals::watch(&stop, Duration::from_secs(config.settings.drain_seconds.into()))?;
    let mill = Mill::open(mill_settings(config, DAEMON)?, libav())?;
    let mut inboxes = Inboxes::open(config)?;
    let server = match arguments.serve.or(config.settings.listen) {
        Some(address) => Some(serve(config, arguments, address)?),
        None => None,
    };
    std::thread::scope(|scope| {
        scope.spawn(|| inboxes.watch(&mill, &stop));
        mill.work(&stop, &|| false);
    });
    if let Some(server) = server {
        server.stop();
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

fn serve(config: &Config, arguments: &Daemon, address: SocketAddr) -> anyhow::Result<Server> {
    let pipelines = config.catalogue.pipelines.iter();
    let destinations = pipelines.map(|(name, pipeline)| config.folders(name, pipeline).destination);
    let site = Site {
        folders: Folder::name_all(destinations),
        keys: Arc::new(DirKeyStore::open(config.keys()).context("open the key store")?),
        player_js: arguments.player_js.clone(),
    };
    let server = Server::start(site, address)?;
    tracing::info!(address = %server.address(), "serving");
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "keys are served to everyone who can connect");
    }
    Ok(server)
}
