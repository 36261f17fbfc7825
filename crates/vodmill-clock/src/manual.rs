use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{Clock, Signal, UnixMillis, millis};

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: AtomicI64,
    uptime: AtomicI64,
    users: Mutex<Users>,
    changed: Condvar,
}

/// The threads that use a clock.
#[derive(Debug, Default)]
struct Users {
    /// Threads that have begun and not ended.
    threads: usize,
    /// The waits that some of them are in.
    waits: Vec<Wait>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Wait {
    signal: Signal,
    seen: u64,
    until: Duration,
}

impl Wait {
    fn is_over(&self, uptime: Duration) -> bool {
        uptime >= self.until || self.signal.count() > self.seen
    }
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: UnixMillis) -> Self {
        Self { now: AtomicI64::new(start), ..Self::default() }
    }

    /// Lets time pass; waits that are over by then end.
    pub fn advance(&self, by: Duration) {
        self.uptime.fetch_add(millis(by), Ordering::SeqCst);
        self.now.fetch_add(millis(by), Ordering::SeqCst);
        let waits = self.users().waits.clone();
        waits.iter().for_each(|wait| wait.signal.nudge());
    }

    /// Sets the clock to another time, in which no time passes.
    pub fn set(&self, now: UnixMillis) {
        self.now.store(now, Ordering::SeqCst);
    }

    /// Returns once `threads` wait by this clock.
    pub fn until_waiting(&self, threads: usize) {
        let mut users = self.users();
        while self.at_rest(&users) < threads {
            users = self.changed.wait(users).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Returns once all threads that were [spawned](crate::spawn) with this clock wait by it, or have
    /// ended: nothing happens any more unless it is advanced.
    pub fn until_idle(&self) {
        let mut users = self.users();
        while self.at_rest(&users) < users.threads {
            users = self.changed.wait(users).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Threads whose waits are not over.
    fn at_rest(&self, users: &Users) -> usize {
        let uptime = self.uptime();
        users.waits.iter().filter(|wait| !wait.is_over(uptime)).count()
    }

    fn users(&self) -> MutexGuard<'_, Users> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixMillis {
        self.now.load(Ordering::SeqCst)
    }

    fn uptime(&self) -> Duration {
        Duration::from_millis(self.uptime.load(Ordering::SeqCst).unsigned_abs())
    }

    fn wait(&self, signal: &Signal, seen: u64, timeout: Duration) {
        let until = self.uptime().saturating_add(timeout);
        let wait = Wait { signal: signal.clone(), seen, until };
        self.users().waits.push(wait.clone());
        self.changed.notify_all();
        signal.wait_until(seen, None, || self.uptime() >= until);
        let mut users = self.users();
        if let Some(at) = users.waits.iter().position(|one| *one == wait) {
            users.waits.swap_remove(at);
        }
    }

    fn thread_begins(&self) {
        self.users().threads += 1;
    }

    fn thread_ends(&self) {
        self.users().threads -= 1;
        self.changed.notify_all();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32};
    use std::thread;

    use super::*;
    use crate::spawn_scoped;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_wait_ends_when_its_time_has_passed_and_no_sooner() {
        let clock = ManualClock::new(1_000_000);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let sleeper = scope.spawn(|| {
                clock.sleep(HOUR);
                is_over.store(true, Ordering::SeqCst);
            });
            clock.until_waiting(1);
            clock.advance(HOUR - Duration::from_millis(1));
            clock.set(9_000_000_000);
            assert!(!is_over.load(Ordering::SeqCst), "another time of day is no time that passed");
            clock.advance(Duration::from_millis(1));
            sleeper.join().unwrap();
        });
        assert_eq!(clock.uptime(), HOUR);
    }

    #[test]
    fn a_signal_ends_every_wait_for_it() {
        let clock = ManualClock::default();
        let signal = Signal::default();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| clock.wait(&signal, 0, HOUR));
            }
            clock.until_waiting(3);
            signal.raise();
        });
        assert_eq!(clock.uptime(), Duration::ZERO);
        // Raised since it was looked at: there is nothing to wait for.
        clock.wait(&signal, 0, HOUR);
        assert_eq!(signal.count(), 1);
    }

    #[test]
    fn all_that_is_to_happen_by_a_time_has_happened_when_its_threads_are_at_rest() {
        let clock = ManualClock::default();
        let rounds = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                spawn_scoped(&clock, scope, || {
                    for _ in 0..3 {
                        clock.sleep(HOUR);
                        rounds.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            for round in 1..=3 {
                clock.until_idle();
                clock.advance(HOUR);
                clock.until_idle();
                assert_eq!(rounds.load(Ordering::SeqCst), 4 * round);
            }
        });
    }
}
