//! `vodmill daemon`: watch the inboxes and work until stopped.

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use vodmill_api::{Folder, ReadObject, Server, Site, Tree, ViewerPlaylists};
use vodmill_clock::{spawn, spawn_scoped};
use vodmill_keys::KeyStore;
use vodmill_pipeline::{Stop, StopLevel};
use vodmill_store::{Key, Location, Store, StoreError};

use super::keys::serve::key_server;
use super::published::{Destination, store};
use super::shared::{open_worker, warn_of_key_uris};
use super::sign::signer;
use super::{DAEMON, adopt, gc};
use crate::cli::Daemon;
use crate::config::Config;
use crate::config::keys::ViewerKind;
use crate::inbox::Inboxes;
use crate::{notifications, signals};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// `vodmill daemon`.
pub fn run(config: Config, arguments: &Daemon) -> anyhow::Result<ExitCode> {
    let config = &settled(config)?;
    let stop = Arc::new(Stop::default());
    signals::watch(&stop, Duration::from_secs(config.settings.drain_seconds.into()))?;
    let dispatcher = notifications::dispatcher(config)?;
    warn_of_key_uris(config);
    let worker = Arc::new(open_worker(config, DAEMON)?);
    adopt::check_all(config)?;
    worker.queue().subscribe(dispatcher.subscriptions());
    let inboxes = Inboxes::open(config)?;
    let server = match config.settings.listen {
        Some(address) => Some(serve(config, arguments, address, worker.keys())?),
        None => None,
    };
    let tried = config.clone();
    // Nothing waits for it, so it may take its time.
    std::thread::spawn(move || try_destinations(&tried));
    let watch = inboxes.watch(&worker, &stop)?;
    sweep_now_and_then(config.clone(), Arc::clone(&stop))?;
    std::thread::scope(|scope| {
        spawn_scoped(&**stop.clock(), scope, || notifications::run(&dispatcher, &worker, &stop));
        worker.work(&stop, &|| false);
    });
    watch.leave();
    if let Some(server) = server {
        server.stop();
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Says at once what will keep packages from being published. Work goes on: it may be mended
/// before the first package is made.
fn try_destinations(config: &Config) {
    for destination in Destination::all(config, None).unwrap_or_default() {
        if let Err(error) = destination.place.try_out(&config.settings.s3) {
            let error = &error as &dyn std::error::Error;
            tracing::error!(destination = %destination.place, error, "nothing can be published");
        }
    }
}

/// Any free port is one that packages can name, before the first of them is made.
fn settled(config: Config) -> anyhow::Result<Config> {
    let Some(address) = config.settings.listen.filter(|address| address.port() == 0) else {
        return Ok(config);
    };
    if !config.own_keys.is_empty() {
        tracing::warn!(
            pipelines = ?config.own_keys,
            "what is published without a key_uri plays until the daemon stops, for its port is another \
             one then: set `listen` or key_uri"
        );
    }
    let free = TcpListener::bind(address).and_then(|listener| listener.local_addr());
    Ok(config.listening_at(free.with_context(|| format!("find a port on {}", address.ip()))?))
}

/// Removes old generations, and what is left over, now and then. Nobody waits for it: a bucket may
/// take hours to list, and what was not done, or failed, is done next time.
fn sweep_now_and_then(config: Config, stop: Arc<Stop>) -> anyhow::Result<()> {
    let clock = Arc::clone(stop.clock());
    spawn(&clock, "sweep", move || sweep(&config, &stop)).context("begin to sweep")?;
    Ok(())
}

fn sweep(config: &Config, stop: &Stop) {
    let is_running = || stop.level() == StopLevel::Running;
    let keep_days = config.settings.old_generations_days;
    while is_running() {
        let order = gc::Order { keep_days, place: None, dry: false, go_on: &is_running };
        let swept = gc::sweep(config, order);
        for error in swept.map_or_else(|error| vec![error], |(_, troubles)| troubles) {
            tracing::warn!(error = format!("{error:#}"), "not all swept");
        }
        stop.pause(DAY);
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
    let folders = Folder::name_all(folders);
    let keys = key_server(config, keys, address)?;
    let viewers = viewers(config, address)?;
    let site = Site { folders, keys, viewers, player_js: arguments.player_js.clone() };
    let server = Server::start(site, address)?;
    tracing::info!(address = %server.address(), "serving");
    Ok(server)
}

/// Playlists for viewers, where the CDN's address is configured, and something that lets viewers in
/// there: a signature, or their own tokens. A server that asks for no tokens does not know who a
/// viewer is, so others may not reach it: whatever does know stands before it.
fn viewers(config: &Config, address: SocketAddr) -> anyhow::Result<Option<ViewerPlaylists>> {
    let signer = signer(config)?;
    let asks = config.settings.key_server.viewers != ViewerKind::Anyone;
    if signer.is_none() && !asks {
        return Ok(None);
    }
    if !asks && !address.ip().is_loopback() {
        tracing::warn!(
            %address,
            "no playlists for viewers: without key_server.viewers on a loopback address only"
        );
        return Ok(None);
    }
    let mut trees = Vec::new();
    for (name, pipeline) in &config.catalogue.pipelines {
        let Some(delivery) = &pipeline.delivery else { continue };
        let store = store(config, (name, pipeline)).context("open destination")?;
        let base_url = delivery.base_url.clone();
        trees.push(Tree { name: name.clone(), base_url, read: reader(store) });
    }
    let delivery = &config.settings.delivery;
    let (valid_seconds, token) = (delivery.valid_seconds.into(), delivery.token.clone());
    Ok(Some(ViewerPlaylists { trees, signer, valid_seconds, token }))
}

/// Reads objects of a destination; what is no key is not there.
fn reader(store: Arc<dyn Store>) -> ReadObject {
    Arc::new(move |name| {
        let Ok(key) = Key::new(name) else { return Ok(None) };
        match store.get(&key) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(std::io::Error::other(error)),
        }
    })
}
