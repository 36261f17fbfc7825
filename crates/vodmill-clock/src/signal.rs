use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Ends waits: it counts how often it was raised, so that a waiter misses none. Clones are the same
/// signal.
#[derive(Debug, Clone, Default)]
pub struct Signal(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Signal {
    /// Ends all waits for it.
    pub fn raise(&self) {
        *self.0.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.changed.notify_all();
    }

    /// How often it was raised: to be asked before looking whether to wait.
    pub fn count(&self) -> u64 {
        *self.0.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it was raised more than `seen` times, `is_over` says so, or `timeout` of real
    /// time has passed.
    pub(crate) fn wait_until(
        &self,
        seen: u64,
        timeout: Option<Duration>,
        is_over: impl Fn() -> bool,
    ) {
        let Inner { count, changed } = &*self.0;
        let count = count.lock().unwrap_or_else(PoisonError::into_inner);
        match timeout {
            None => drop(changed.wait_while(count, |count| *count <= seen && !is_over())),
            Some(timeout) => drop(
                changed.wait_timeout_while(count, timeout, |count| *count <= seen && !is_over()),
            ),
        }
    }

    /// Has every waiter ask again whether its wait is over.
    pub(crate) fn nudge(&self) {
        // Under the lock, so that no waiter is between asking and waiting.
        let _count = self.0.count.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.changed.notify_all();
    }
}

impl PartialEq for Signal {
    fn eq(&self, other: &Signal) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Signal {}
