//! Opening a worker: alone in its home, or beside others on one queue.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustix::fs::{FlockOperation, flock};
use vodmill_keys::KeyStore;
use vodmill_model::Failed;
use vodmill_model::plan::Build;
use vodmill_queue::{Names, Queue, SqliteQueue};
use vodmill_store::LocalStore;

use super::{Admission, Shared, Worker, names_path};
use crate::file::{failed, make_private_dir, remove_dir};
use crate::original::LateWriters;
use crate::renditions::{Cache, Renditions};
use crate::settings::{Layout, Settings};
use crate::{Error, Result};

/// How a worker is to be opened.
pub struct WorkerBuilder {
    settings: Settings,
    build: Build,
    shared: Option<Shared>,
    names: Option<Arc<dyn Names>>,
    keys: Option<Arc<dyn KeyStore>>,
}

impl Worker {
    /// A worker with a queue, keys and renditions of its own in its state folder, made on first use.
    pub fn local(settings: Settings, build: Build) -> WorkerBuilder {
        WorkerBuilder { settings, build, shared: None, names: None, keys: None }
    }

    /// A worker that shares queue, keys and renditions with others. Its state folder is for scratch
    /// alone, and its own.
    pub fn shared(settings: Settings, build: Build, shared: Shared) -> WorkerBuilder {
        WorkerBuilder { shared: Some(shared), ..Worker::local(settings, build) }
    }
}

impl WorkerBuilder {
    /// Takes names of assets and numbers of generations from elsewhere than the home.
    pub fn with_names(self, names: Arc<dyn Names>) -> WorkerBuilder {
        WorkerBuilder { names: Some(names), ..self }
    }

    /// Takes keys from elsewhere than the home.
    pub fn with_keys(self, keys: Arc<dyn KeyStore>) -> WorkerBuilder {
        WorkerBuilder { keys: Some(keys), ..self }
    }

    /// Opens the worker and takes up what an earlier process left: scratch is emptied and jobs that
    /// have ended are settled. In a home of its own, leases are released too, since whoever held
    /// them is gone.
    ///
    /// # Errors
    /// [`Error::Busy`] while another process works in the folder; else what failed.
    pub fn open(self) -> Result<Worker> {
        let layout = Layout::new(self.settings.state.clone());
        let lock = take(&layout)?;
        if let Some(shared) = self.shared {
            let names = self.names.unwrap_or_else(|| shared.queue.clone());
            return start(self.settings, self.build, shared, names, lock);
        }
        let keys = match self.keys {
            Some(keys) => keys,
            None => Arc::new(vodmill_keys::DirectoryKeyStore::open(&self.settings.keys)?),
        };
        let names = match self.names {
            Some(names) => names,
            None => Arc::new(SqliteQueue::open(names_path(&self.settings.keys))?),
        };
        let queue: Arc<dyn Queue> = Arc::new(SqliteQueue::open(layout.queue())?);
        queue.release_all()?;
        let work = Arc::new(LocalStore::private(layout.root()));
        start(self.settings, self.build, Shared { queue, keys, work }, names, lock)
    }
}

fn start(
    settings: Settings,
    build: Build,
    shared: Shared,
    names: Arc<dyn Names>,
    lock: File,
) -> Result<Worker> {
    let layout = Layout::new(settings.state.clone());
    let Shared { queue, keys, work } = shared;
    let cache = Cache::new(layout.cache(), settings.keep_renditions);
    let worker = Worker {
        admission: Admission::new(layout.root().clone()),
        renditions: Renditions::new(queue.clone(), queue.clone(), work, cache),
        build,
        holder: format!("{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond()),
        queue,
        names,
        keys,
        layout,
        settings,
        settling: Mutex::default(),
        late: LateWriters::default(),
        _lock: lock,
    };
    // Whatever lies there is of processes that are gone.
    remove_dir(&worker.layout.work())?;
    worker.settle_ended();
    worker.recall_put_away();
    if let Err(error) = worker.renditions.sweep() {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "renditions not swept");
    }
    Ok(worker)
}

/// Makes the state folder and takes it for this process.
fn take(layout: &Layout) -> Result<File> {
    make_private_dir(layout.root())?;
    lock(&layout.lock())
}

fn lock(path: &Path) -> Result<File> {
    let file = vodmill_secret::create(path).map_err(failed("create", path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Busy(path.to_owned())),
        Err(error) => Err(Failed::from_error(format!("lock {}", path.display()), &error).into()),
    }
}
