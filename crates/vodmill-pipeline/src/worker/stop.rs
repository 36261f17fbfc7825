//! How the daemon is told to leave.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A request to stop, shared by everything that works. It only ever grows stronger.
#[derive(Debug, Default)]
pub struct Stop {
    level: AtomicU8,
    deadline: Mutex<Option<Instant>>,
    changed: Condvar,
}

/// How strongly to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopLevel {
    /// Not at all.
    Running,
    /// Take nothing new; finish what can be finished until the deadline, park the rest.
    Draining,
    /// Park everything now.
    Aborting,
}

impl Stop {
    /// Drain: running tasks have `grace` to finish.
    pub fn drain(&self, grace: Duration) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Instant::now() + grace);
        self.level.fetch_max(1, Ordering::SeqCst);
        self.changed.notify_all();
    }

    /// Abort: nothing more is finished.
    pub fn abort(&self) {
        let _lock = self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        self.level.store(2, Ordering::SeqCst);
        self.changed.notify_all();
    }

    /// How strongly to stop now.
    pub fn level(&self) -> StopLevel {
        match self.level.load(Ordering::SeqCst) {
            0 => StopLevel::Running,
            1 => StopLevel::Draining,
            _ => StopLevel::Aborting,
        }
    }

    /// Whether running tasks must be parked: aborted, or drained past the deadline.
    pub fn must_park(&self) -> bool {
        match self.level() {
            StopLevel::Running => false,
            StopLevel::Aborting => true,
            StopLevel::Draining => {
                let deadline = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
                deadline.is_none_or(|deadline| Instant::now() >= deadline)
            }
        }
    }

    /// Waits up to `timeout`, less when a stop is asked for or [`wake`](Stop::wake) is called.
    pub fn wait(&self, timeout: Duration) {
        let guard = self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        if self.level() == StopLevel::Running {
            drop(self.changed.wait_timeout(guard, timeout));
        }
    }

    /// Ends every wait: there may be something to do.
    pub fn wake(&self) {
        let _lock = self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.notify_all();
    }
}
