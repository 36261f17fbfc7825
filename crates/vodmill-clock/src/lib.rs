//! Time, and waiting for it, behind a trait.
//!
//! Whatever decides by the time, or waits for it, takes a [`Clock`]: the system's, or one that is
//! moved by hand, under which hours pass in an instant and a wait ends exactly when it should. What
//! waits for something beside the time waits for a [`Signal`]. Threads that wait by a clock are
//! started by [`spawn`] and [`spawn_scoped`], so that a clock that is moved by hand can tell when all
//! of them have come to rest.
//!
//! The clock is not for what a machine outside decides: sockets, child processes and databases have
//! time limits of their own, in real time.

mod manual;
mod signal;
mod system;
mod threads;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use manual::ManualClock;
pub use signal::Signal;
pub use system::SystemClock;
pub use threads::{spawn, spawn_scoped};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type UnixMillis = i64;

/// A clock.
///
/// # Contract
///
/// - [`now`](Self::now) may be set to another time; [`uptime`](Self::uptime) only goes forward.
/// - Waits are measured by `uptime`.
/// - Any number of threads may use a clock, and wait for one signal.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present time.
    fn now(&self) -> UnixMillis;

    /// The present time in whole seconds since 1970-01-01T00:00:00Z.
    fn unix_seconds(&self) -> u64 {
        (self.now() / 1000).try_into().unwrap_or(0)
    }

    /// Time since some moment, whatever the present time is set to.
    fn uptime(&self) -> Duration;

    /// Returns once `signal` has been raised more than `seen` times, or after `timeout`.
    fn wait(&self, signal: &Signal, seen: u64, timeout: Duration);

    /// A thread that may wait by this clock is about to begin.
    fn thread_begins(&self) {}

    /// A thread that had begun has ended.
    fn thread_ends(&self) {}

    /// Returns after `time`.
    fn sleep(&self, time: Duration) {
        self.wait(&Signal::default(), 0, time);
    }
}

/// A duration in whole milliseconds, at most what an `i64` takes a thousandth of, so that adding it
/// to a time cannot overflow.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).min(i64::MAX / 1000)
}

/// A time as files have it.
pub fn system_time(time: UnixMillis) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(time).unwrap_or(0))
}
