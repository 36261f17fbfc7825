//! What commands work on: the queue, keys and store of this home alone, or those that several
//! machines share.

use std::sync::Arc;

use anyhow::Context as _;
use vodmill_hls::keyring::KeyStore;
use vodmill_pipeline::keys::{DirKeyStore, VaultKeyStore};
use vodmill_pipeline::{Mill, Shared, names_path, queue_path};
use vodmill_queue::{PostgresQueue, Queue, SqliteQueue};
use vodmill_store::s3::ObjectSettings;

use super::{DAEMON, FOREGROUND, libav, mill_settings};
use crate::config::Config;

/// The mill of that part of the state: alone, or one of many where a queue is configured.
pub fn open_mill(config: &Config, part: &str) -> anyhow::Result<Mill> {
    let settings = mill_settings(config, part)?;
    Ok(match shared(config)? {
        Some(shared) => Mill::join(settings, libav(), shared)?,
        None => Mill::open(settings, libav())?,
    })
}

/// The mill that works in the foreground: on its own jobs, but with the names and keys of all.
pub fn open_foreground(config: &Config) -> anyhow::Result<Mill> {
    let settings = mill_settings(config, FOREGROUND)?;
    Ok(match shared(config)? {
        Some(shared) => Mill::open_beside(settings, libav(), &shared)?,
        None => Mill::open(settings, libav())?,
    })
}

/// What workers on several machines share, where that is configured.
pub fn shared(config: &Config) -> anyhow::Result<Option<Shared>> {
    let Some(queue) = shared_queue(config)? else { return Ok(None) };
    let work = config.settings.work.as_deref().context("`work` of vodmill.toml is not set")?;
    let work = config.place(work).context("`work` of vodmill.toml")?;
    std::fs::create_dir_all(config.keys()).context("make the folder of the key")?;
    let keys = VaultKeyStore::open(Arc::clone(&queue), &config.keys().join("kek"));
    Ok(Some(Shared {
        keys: Arc::new(keys.context("open the key store")?),
        work: work.open(&config.settings.s3, &ObjectSettings::default()),
        queue,
    }))
}

fn shared_queue(config: &Config) -> anyhow::Result<Option<Arc<dyn Queue>>> {
    let Some(url) = config.queue() else { return Ok(None) };
    Ok(Some(Arc::new(PostgresQueue::open(&url).context("open the shared queue")?)))
}

/// The names of assets and the numbers of generations.
pub fn names(config: &Config) -> anyhow::Result<Arc<dyn Queue>> {
    match shared_queue(config)? {
        Some(queue) => Ok(queue),
        None => Ok(Arc::new(SqliteQueue::open(names_path(&config.keys()))?)),
    }
}

/// The key store, if there is one yet.
pub fn key_store(config: &Config) -> anyhow::Result<Option<Arc<dyn KeyStore>>> {
    if let Some(shared) = shared(config)? {
        return Ok(Some(shared.keys));
    }
    if !config.keys().is_dir() {
        return Ok(None);
    }
    let store = DirKeyStore::open(config.keys()).context("open the key store")?;
    Ok(Some(Arc::new(store)))
}

/// The queue from which a courier carries: of all workers, or the daemon's, if there is one yet.
pub fn carried(config: &Config) -> anyhow::Result<Option<Arc<dyn Queue>>> {
    if let Some(queue) = shared_queue(config)? {
        return Ok(Some(queue));
    }
    match SqliteQueue::open_existing(queue_path(&config.state().join(DAEMON))) {
        Err(vodmill_queue::Error::NoDatabase { .. }) => Ok(None),
        opened => Ok(Some(Arc::new(opened?))),
    }
}

/// The queue of the daemon or of all workers, and that of `run`, as far as they are there.
pub fn queues(config: &Config) -> anyhow::Result<Vec<Arc<dyn Queue>>> {
    let mut queues = Vec::from_iter(shared_queue(config)?);
    let parts = if queues.is_empty() { &[DAEMON, FOREGROUND][..] } else { &[FOREGROUND] };
    for part in parts {
        match SqliteQueue::open_existing(queue_path(&config.state().join(part))) {
            // Nothing has run there, or it has only just begun to.
            Err(vodmill_queue::Error::NoDatabase { .. }) => {}
            opened => queues.push(Arc::new(opened?)),
        }
    }
    Ok(queues)
}
