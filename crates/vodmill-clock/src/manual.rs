use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::{Clock, Signal, UnixMillis, millis};

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: AtomicI64,
    uptime: AtomicI64,
    /// What those who wait wait for.
    waiting: Mutex<Vec<Signal>>,
    changed: Condvar,
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
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone();
        waiting.iter().for_each(Signal::nudge);
    }

    /// Sets the clock to another time, in which no time passes.
    pub fn set(&self, now: UnixMillis) {
        self.now.store(now, Ordering::SeqCst);
    }

    /// Returns once `threads` wait by this clock, so that a test advances it when all have come to
    /// rest.
    pub fn until_waiting(&self, threads: usize) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(waiting, |waiting| waiting.len() < threads));
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
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(signal.clone());
        self.changed.notify_all();
        signal.wait_until(seen, None, || self.uptime() >= until);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = waiting.iter().position(|one| one.is(signal)) {
            waiting.swap_remove(at);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::*;

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
        let (clock, signal) = (ManualClock::default(), Signal::default());
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
}
