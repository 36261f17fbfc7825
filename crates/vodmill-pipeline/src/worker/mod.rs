//! The worker: one process that takes tasks from a queue, and the state folder that is its own.

mod admission;
mod open;
mod progress;
mod run;
mod stop;
mod submit;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use vodmill_clock::Clock;
use vodmill_keys::KeyStore;
use vodmill_model::plan::Build;
use vodmill_queue::{Names, Queue};
use vodmill_store::Store;

pub(crate) use admission::{Admission, Needs};
pub use open::WorkerBuilder;
pub(crate) use progress::Totals;
pub use progress::{Bar, progress};
pub(crate) use run::refusal;
pub use stop::{Stop, StopLevel};
pub use submit::{Submitted, retry};

use crate::original::LateWriters;
use crate::renditions::Renditions;
use crate::settings::{Layout, Settings};

/// One worker process: what it works with, and the folder that is its alone.
pub struct Worker {
    pub(crate) settings: Settings,
    pub(crate) layout: Layout,
    pub(crate) queue: Arc<dyn Queue>,
    /// Names of assets and numbers of generations: one truth for all that share key stores.
    pub(crate) names: Arc<dyn Names>,
    pub(crate) keys: Arc<dyn KeyStore>,
    pub(crate) renditions: Renditions,
    pub(crate) admission: Admission,
    pub(crate) build: Build,
    pub(crate) clock: Arc<dyn Clock>,
    /// Random for each process.
    pub(crate) holder: String,
    /// Held while ended jobs are settled.
    pub(crate) settling: Mutex<()>,
    /// Originals that were put away lately.
    pub(crate) late: LateWriters,
    /// Held for as long as the worker lives.
    _lock: File,
}

/// What workers on several machines have in common.
#[derive(Clone)]
pub struct Shared {
    /// Jobs, tasks, names and numbers.
    pub queue: Arc<dyn Queue>,
    /// Keys.
    pub keys: Arc<dyn KeyStore>,
    /// Renditions: a private place.
    pub work: Arc<dyn Store>,
}

impl Worker {
    /// The queue, to look at jobs.
    pub fn queue(&self) -> &dyn Queue {
        &*self.queue
    }

    /// The clock that it works by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The key store.
    pub fn keys(&self) -> Arc<dyn KeyStore> {
        Arc::clone(&self.keys)
    }
}

/// Where a worker with that state folder has its queue, to look into from another process.
pub fn queue_path(state: &Path) -> PathBuf {
    Layout::new(state.to_owned()).queue()
}

/// Where a worker with that folder of keys has the names of assets and the numbers of generations.
pub fn names_path(keys: &Path) -> PathBuf {
    keys.with_file_name("names.sqlite")
}
