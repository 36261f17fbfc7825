//! Time, and waiting for it, behind a trait.
//!
//! Whatever decides by the time, or waits for it, takes a [`Clock`]: the system's, or one that is
//! moved by hand, under which hours pass in an instant and a wait ends exactly when it should. What
//! waits for something beside the time waits for a [`Signal`].
//!
//! The clock is not for what a machine outside decides: sockets, child processes and databases have
//! time limits of their own, in real time.

mod manual;
mod signal;
mod system;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use manual::ManualClock;
pub use signal::Signal;
pub use system::SystemClock;

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

    /// Time since some moment, whatever the present time is set to.
    fn uptime(&self) -> Duration;

    /// Returns once `signal` has been raised more than `seen` times, or after `timeout`.
    fn wait(&self, signal: &Signal, seen: u64, timeout: Duration);

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
