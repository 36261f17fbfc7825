//! How a process is told to leave.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use vodmill_clock::{Clock, Signal, SystemClock};

/// A request to stop, shared by everything that works. It only ever grows stronger.
#[derive(Debug)]
pub struct Stop {
    level: AtomicU8,
    /// The uptime at which draining ends.
    deadline: Mutex<Option<Duration>>,
    changed: Signal,
    clock: Arc<dyn Clock>,
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

impl Default for Stop {
    fn default() -> Stop {
        Stop::new(Arc::new(SystemClock))
    }
}

impl Stop {
    /// A request that nobody has made yet. Waits for it are by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Stop {
        Stop {
            level: AtomicU8::new(0),
            deadline: Mutex::default(),
            changed: Signal::default(),
            clock,
        }
    }

    /// The clock that its waits are by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Drain: running tasks have `grace` to finish.
    pub fn drain(&self, grace: Duration) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(self.clock.uptime() + grace);
        self.level.fetch_max(1, Ordering::SeqCst);
        self.changed.raise();
    }

    /// Abort: nothing more is finished.
    pub fn abort(&self) {
        self.level.store(2, Ordering::SeqCst);
        self.changed.raise();
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
                deadline.is_none_or(|deadline| self.clock.uptime() >= deadline)
            }
        }
    }

    /// Waits up to `timeout`, less when a stop is asked for or [`wake`](Stop::wake) is called.
    pub fn wait(&self, timeout: Duration) {
        let seen = self.changed.count();
        if self.level() == StopLevel::Running {
            self.clock.wait(&self.changed, seen, timeout);
        }
    }

    /// Waits for `time`, less only when a stop is asked for; whether to go on.
    pub fn pause(&self, time: Duration) -> bool {
        let until = self.clock.uptime().saturating_add(time);
        while self.level() == StopLevel::Running && self.clock.uptime() < until {
            self.wait(until.saturating_sub(self.clock.uptime()));
        }
        self.level() == StopLevel::Running
    }

    /// Ends every wait: there may be something to do.
    pub fn wake(&self) {
        self.changed.raise();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use vodmill_clock::ManualClock;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn stop_by_hand() -> (Arc<ManualClock>, Stop) {
        let clock = Arc::new(ManualClock::default());
        (Arc::clone(&clock), Stop::new(clock))
    }

    #[test]
    fn a_pause_ends_with_its_time_or_with_a_stop_and_not_before() {
        let (clock, stop) = stop_by_hand();
        std::thread::scope(|scope| {
            let pause = scope.spawn(|| stop.pause(HOUR));
            clock.until_waiting(1);
            stop.wake();
            clock.until_waiting(1);
            assert!(!pause.is_finished());
            clock.advance(HOUR);
            assert!(pause.join().unwrap());
            let pause = scope.spawn(|| stop.pause(HOUR));
            clock.until_waiting(1);
            stop.drain(HOUR);
            assert!(!pause.join().unwrap());
        });
    }

    #[test]
    fn draining_ends_at_its_deadline() {
        let (clock, stop) = stop_by_hand();
        stop.drain(HOUR);
        clock.advance(HOUR - Duration::from_millis(1));
        assert!(!stop.must_park());
        clock.advance(Duration::from_millis(1));
        assert!(stop.must_park());
    }
}
