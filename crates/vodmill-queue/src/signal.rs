//! How a claimer that found nothing is told to look again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Counts the moments at which a task may have become ready.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    count: Mutex<u64>,
    changed: Condvar,
    /// What the count was when a claim last found nothing.
    idle: AtomicU64,
}

impl Signal {
    /// A task may be ready.
    pub fn ring(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// To be asked for before a claim, and handed to [`found_nothing`](Self::found_nothing).
    pub fn count(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A claim that began at this count found nothing.
    pub fn found_nothing(&self, count: u64) {
        self.idle.fetch_max(count, Ordering::SeqCst);
    }

    /// Waits until it has rung since the last claim that found nothing, or for so long.
    pub fn wait(&self, timeout: Duration) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let quiet = |count: &mut u64| *count <= self.idle.load(Ordering::SeqCst);
        let waited = self.changed.wait_timeout_while(count, timeout, quiet);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}
