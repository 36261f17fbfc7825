//! Threads that their clock knows.

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};

use crate::Clock;

/// Tells the clock that a thread has ended, by a panic too.
struct Ends<'a>(&'a dyn Clock);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.thread_ends();
    }
}

/// Runs `work` in a thread of its own that may wait by `clock`.
///
/// # Errors
/// If the system has no room for another thread.
pub fn spawn(
    clock: &Arc<dyn Clock>,
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let clock = Arc::clone(clock);
    // Before it runs: else a clock could take all others for all there are.
    clock.thread_begins();
    let known = Arc::clone(&clock);
    let spawned = Builder::new().name(name.to_owned()).spawn(move || {
        let _ends = Ends(&*known);
        work();
    });
    if spawned.is_err() {
        clock.thread_ends();
    }
    spawned
}

/// Runs `work` in a thread of `scope` that may wait by `clock`.
///
/// # Panics
/// As [`Scope::spawn`].
pub fn spawn_scoped<'scope>(
    clock: &'scope dyn Clock,
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() + Send + 'scope,
) -> ScopedJoinHandle<'scope, ()> {
    clock.thread_begins();
    scope.spawn(move || {
        let _ends = Ends(clock);
        work();
    })
}
