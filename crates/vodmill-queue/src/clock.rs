//! Time, injectable so that tests need not sleep.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type UnixMillis = i64;

/// Where a queue takes the time from.
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> UnixMillis;

    /// Time since some moment, whatever the present time is set to.
    fn uptime(&self) -> Duration;
}

/// The machine's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        millis(since)
    }

    fn uptime(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

/// A clock that stands still until it is moved; for tests.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: AtomicI64,
    uptime: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: UnixMillis) -> Self {
        Self { now: AtomicI64::new(start), uptime: AtomicI64::new(0) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.uptime.fetch_add(millis(by), Ordering::SeqCst);
        self.now.fetch_add(millis(by), Ordering::SeqCst);
    }

    /// Sets the clock to another time, in which no time passes.
    pub fn set(&self, now: UnixMillis) {
        self.now.store(now, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixMillis {
        self.now.load(Ordering::SeqCst)
    }

    fn uptime(&self) -> Duration {
        Duration::from_millis(self.uptime.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// A duration in whole milliseconds, at most what an `i64` takes a thousandth of, so that adding it
/// to a time cannot overflow.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).min(i64::MAX / 1000)
}
