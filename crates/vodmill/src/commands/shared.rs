//! What commands work on: the queue, keys and store of this home alone, or those that several
//! machines share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::Context as _;
use vodmill_keys::{KeyStore, Kid};
use vodmill_pipeline::{RenditionCache, Shared, Worker, names_path, queue_path};
use vodmill_queue::{Names, PostgresOptions, PostgresQueue, Queue, SqliteQueue};
use vodmill_store::s3::ObjectSettings;
use vodmill_store::{LocalStore, Store};

use super::{DAEMON, FOREGROUND, build, key_stores as keys, worker_settings};
use crate::config::Config;
use crate::config::keys::Provider;

/// The worker of that part of the state: alone, or one of many where a queue is configured.
pub fn open_worker(config: &Config, part: &str) -> anyhow::Result<Worker> {
    let settings = worker_settings(config, part)?;
    Ok(match shared(config)? {
        Some(shared) => Worker::shared(settings, build(), shared).open()?,
        None => Worker::local(settings, build()).with_keys(keys::of_home(config)?).open()?,
    })
}

/// The worker that works in the foreground: on its own jobs, but with the names and keys of all.
pub fn open_foreground(config: &Config) -> anyhow::Result<Worker> {
    let settings = worker_settings(config, FOREGROUND)?;
    let worker = Worker::local(settings, build());
    let worker = match shared(config)? {
        Some(shared) => worker.with_names(shared.queue).with_keys(shared.keys),
        None => worker.with_keys(keys::of_home(config)?),
    };
    Ok(worker.open()?)
}

/// What workers on several machines share, where that is configured.
pub fn shared(config: &Config) -> anyhow::Result<Option<Shared>> {
    let Some(queue) = shared_queue(config)? else { return Ok(None) };
    Ok(Some(Shared { keys: keys::of_queue(config, queue.clone())?, work: work(config)?, queue }))
}

fn shared_queue(config: &Config) -> anyhow::Result<Option<Arc<dyn Queue>>> {
    let Some(url) = config.queue() else { return Ok(None) };
    let options = PostgresOptions::default();
    let opened = said_if_slow(options.patience, || PostgresQueue::open_with(&url, &options));
    Ok(Some(Arc::new(opened.context("open the shared queue")?)))
}

/// Does something with a database, and says so where it does not answer soon.
fn said_if_slow<T>(patience: Duration, work: impl FnOnce() -> T) -> T {
    let (answered, waiting) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if waiting.recv_timeout(SLOW) == Err(RecvTimeoutError::Timeout) {
                let seconds = patience.as_secs();
                tracing::error!(seconds, "shared database does not answer; trying for as long");
            }
        });
        let result = work();
        drop(answered);
        result
    })
}

/// Which answer of a database is late.
const SLOW: Duration = Duration::from_millis(1500);

/// Asks an external key server for a key that does not exist: whether it answers, and accepts our
/// credential.
///
/// # Errors
/// If it does not answer, or does not let us in.
pub fn check_external_keys(config: &Config, keys: Arc<dyn KeyStore>) -> anyhow::Result<()> {
    if config.settings.keys.provider == Provider::Http {
        keys.get(&Kid::from_bytes([0; 16])).context("ask the external key server for a key")?;
    }
    Ok(())
}

/// Where players of a pipeline without `key_uri` look for keys, as far as nothing of this home is
/// known to answer them all there.
pub fn doubtful_key_uri<'a>(config: &'a Config, pipeline: &str) -> Option<&'a str> {
    let listens = config.settings.listen.is_some_and(|address| !address.ip().is_unspecified());
    if listens || !config.own_keys.iter().any(|name| name == pipeline) {
        return None;
    }
    let encryption = config.catalogue.pipeline(pipeline)?.encryption.as_ref()?;
    Some(&encryption.key_uri)
}

/// Logs it, for all pipelines.
pub fn warn_of_key_uris(config: &Config) {
    for pipeline in &config.own_keys {
        if let Some(key_uri) = doubtful_key_uri(config, pipeline) {
            tracing::warn!(pipeline, key_uri, "no key_uri: only players on this machine get keys");
        }
    }
}

/// The names of assets and the numbers of generations.
pub fn names(config: &Config) -> anyhow::Result<Arc<dyn Names>> {
    match shared_queue(config)? {
        Some(queue) => Ok(queue),
        None => Ok(Arc::new(SqliteQueue::open(names_path(&config.keys()))?)),
    }
}

/// What the workers of each queue keep: those that work together, and `run`.
pub fn attics(config: &Config) -> anyhow::Result<Vec<RenditionCache>> {
    let shared = shared_queue(config)?;
    let mut attics: Vec<RenditionCache> = Vec::new();
    for (state, queue) in own_queues(config, shared.is_none())? {
        attics.push(RenditionCache::new(queue, Arc::new(LocalStore::private(state))));
    }
    if let Some(queue) = shared {
        attics.push(RenditionCache::new(queue, work(config)?));
    }
    Ok(attics)
}

/// Where workers share what they encode.
fn work(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let work = config.settings.work.as_deref().context("`work` of vodmill.toml is not set")?;
    let work = config.place(work).context("`work` of vodmill.toml")?;
    Ok(work.open_private(&config.settings.s3, &ObjectSettings::default()))
}

/// The key store, if there is one yet.
pub fn key_store(config: &Config) -> anyhow::Result<Option<Arc<dyn KeyStore>>> {
    if let Some(queue) = shared_queue(config)? {
        return keys::of_queue(config, queue).map(Some);
    }
    let external = config.settings.keys.provider == Provider::Http;
    if !external && !config.keys().is_dir() {
        return Ok(None);
    }
    keys::of_home(config).map(Some)
}

/// The key store for a server of keys: it would rather be told soon that the database is away.
pub fn served_key_store(config: &Config) -> anyhow::Result<Arc<dyn KeyStore>> {
    let Some(url) = config.queue() else { return keys::of_home(config) };
    let options = PostgresOptions { patience: PATIENCE, ..PostgresOptions::default() };
    let queue = PostgresQueue::open_with(&url, &options).context("open the shared queue")?;
    keys::of_queue(config, Arc::new(queue))
}

/// How long a server of keys waits for the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// The queue whose notifications are sent: of all workers, or the daemon's, if there is one yet.
pub fn carried(config: &Config) -> anyhow::Result<Option<Arc<dyn Queue>>> {
    if let Some(queue) = shared_queue(config)? {
        return Ok(Some(queue));
    }
    match SqliteQueue::open_existing(queue_path(&config.state().join(DAEMON))) {
        Err(vodmill_queue::Error::NoDatabase { .. }) => Ok(None),
        opened => Ok(Some(Arc::new(opened?))),
    }
}

/// A queue, and the part of the state that it is of, or [`SHARED`].
pub type NamedQueue = (String, Arc<dyn Queue>);

/// Name of the queue that several machines share.
const SHARED: &str = "shared";

/// The queue of the daemon or of all workers, and that of `run`, as far as they are there.
pub fn queues(config: &Config) -> anyhow::Result<Vec<Arc<dyn Queue>>> {
    Ok(named_queues(config)?.into_iter().map(|(_, queue)| queue).collect())
}

/// As [`queues`], with their names.
pub fn named_queues(config: &Config) -> anyhow::Result<Vec<NamedQueue>> {
    let shared = shared_queue(config)?.map(|queue| (SHARED.to_owned(), queue));
    let mut queues = Vec::from_iter(shared);
    for (state, queue) in own_queues(config, queues.is_empty())? {
        let part = state.file_name().unwrap_or_default().to_string_lossy().into_owned();
        queues.push((part, queue));
    }
    Ok(queues)
}

/// Queues that are files of this home, with the folders of the state that they are in: that of `run`
/// and, for a home by itself, the daemon's.
fn own_queues(config: &Config, by_itself: bool) -> anyhow::Result<Vec<(PathBuf, Arc<dyn Queue>)>> {
    let mut queues: Vec<(PathBuf, Arc<dyn Queue>)> = Vec::new();
    for part in if by_itself { &[DAEMON, FOREGROUND][..] } else { &[FOREGROUND] } {
        let state = config.state().join(part);
        let path = queue_path(&state);
        let opened = match SqliteQueue::open_existing(&path) {
            // Nothing has run there, or it has only just begun to.
            Err(vodmill_queue::Error::NoDatabase { .. }) => continue,
            // Of an older vodmill. No daemon brings it up to date.
            Err(vodmill_queue::Error::OlderSchema { .. }) if *part == FOREGROUND => {
                SqliteQueue::open(&path)
            }
            opened => opened,
        };
        queues.push((state, Arc::new(opened?)));
    }
    Ok(queues)
}
