//! Opening a worker: alone in its home, or beside others on one queue.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustix::fs::{FlockOperation, flock};
use vodmill_clock::{Clock, SystemClock};
use vodmill_keys::KeyStore;
use vodmill_model::Failed;
use vodmill_model::plan::Build;
use vodmill_queue::{Leases as _, Names, SqliteQueue};
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
    clock: Arc<dyn Clock>,
}

impl Worker {
    /// A worker with a queue, keys and renditions of its own in its state folder, made on first use.
    pub fn local(settings: Settings, build: Build) -> WorkerBuilder {
        WorkerBuilder {
            settings,
            build,
            shared: None,
            names: None,
            keys: None,
            clock: Arc::new(SystemClock),
        }
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

    /// Works by another clock than the system's.
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> WorkerBuilder {
        WorkerBuilder { clock, ..self }
    }

    /// Opens the worker and takes up what an earlier process left: scratch is emptied and jobs that
    /// have ended are settled. In a home of its own, leases are released too, since their holders
    /// are gone.
    ///
    /// # Errors
    /// [`Error::Busy`] while another process works in the folder; else what failed.
    pub fn open(self) -> Result<Worker> {
        let layout = Layout::new(self.settings.state.clone());
        let lock = take(&layout)?;
        let WorkerBuilder { settings, build, shared, names, keys, clock } = self;
        let names = match (names, &shared) {
            (Some(names), _) => names,
            (None, Some(shared)) => shared.queue.clone(),
            (None, None) => {
                let path = names_path(&settings.keys);
                Arc::new(SqliteQueue::open_with_clock(path, Arc::clone(&clock))?)
            }
        };
        let Shared { queue, keys, work } = match shared {
            Some(shared) => shared,
            None => own(&settings, &layout, keys, &clock)?,
        };
        let cache = Cache::new(layout.cache(), settings.keep_renditions);
        let worker = Worker {
            admission: Admission::new(layout.root().clone()),
            renditions: Renditions::new(queue.clone(), queue.clone(), work, cache),
            late: LateWriters::new(Arc::clone(&clock)),
            build,
            clock,
            holder: format!("{}-{:016x}", std::process::id(), rand::random::<u64>()),
            queue,
            names,
            keys,
            layout,
            settings,
            settling: Mutex::default(),
            _lock: lock,
        };
        worker.take_up()?;
        Ok(worker)
    }
}

/// Queue, keys and renditions in a home of its own. Leases are those of processes that are gone.
fn own(
    settings: &Settings,
    layout: &Layout,
    keys: Option<Arc<dyn KeyStore>>,
    clock: &Arc<dyn Clock>,
) -> Result<Shared> {
    let keys = match keys {
        Some(keys) => keys,
        None => Arc::new(vodmill_keys::DirectoryKeyStore::open(&settings.keys)?),
    };
    let queue = SqliteQueue::open_with_clock(layout.queue(), Arc::clone(clock))?;
    queue.release_all()?;
    let work = Arc::new(LocalStore::private(layout.root()));
    Ok(Shared { queue: Arc::new(queue), keys, work })
}

impl Worker {
    /// Takes up what an earlier process left in the state folder, and of its jobs.
    fn take_up(&self) -> Result<()> {
        // Whatever lies there is of processes that are gone.
        remove_dir(&self.layout.work())?;
        self.settle_ended();
        self.recall_put_away();
        if let Err(error) = self.renditions.sweep() {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "renditions not swept");
        }
        Ok(())
    }
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
