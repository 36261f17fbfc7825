//! How a claimer that found nothing is woken to look again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vodmill_clock::{Clock, Signal};

/// Counts the moments at which a task may have become ready.
#[derive(Debug, Default)]
pub(crate) struct ReadySignal {
    signal: Signal,
    /// The count at which a claim last found nothing.
    idle: AtomicU64,
}

impl ReadySignal {
    /// A task may be ready.
    pub fn raise(&self) {
        self.signal.raise();
    }

    /// To be asked for before a claim, and handed to [`found_nothing`](Self::found_nothing).
    pub fn count(&self) -> u64 {
        self.signal.count()
    }

    /// A claim that began at this count found nothing.
    pub fn found_nothing(&self, count: u64) {
        self.idle.fetch_max(count, Ordering::SeqCst);
    }

    /// Waits until it was raised since the last claim that found nothing, or for `timeout`.
    pub fn wait(&self, clock: &dyn Clock, timeout: Duration) {
        clock.wait(&self.signal, self.idle.load(Ordering::SeqCst), timeout);
    }
}
