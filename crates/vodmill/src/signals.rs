//! SIGTERM and SIGINT: the first drains, the second aborts. Either ends the process in time.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context as _;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use vodmill_pipeline::Stop;

/// How long work may take to be parked when it has to be.
const LAST_GRACE: Duration = Duration::from_secs(5);

/// Turns signals into requests to stop, in a thread of its own, until the process ends.
///
/// # Errors
/// If the system does not let us.
pub fn watch(stop: &Arc<Stop>, grace: Duration) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT]).context("watch for signals")?;
    let stop = Arc::clone(stop);
    let watch = move || {
        let mut signals = signals.forever();
        if signals.next().is_some() {
            tracing::info!(grace_seconds = grace.as_secs(), "draining");
            stop.drain(grace);
            std::thread::spawn(move || leave_by_force(grace + LAST_GRACE));
        }
        if signals.next().is_some() {
            tracing::warn!("aborting");
            stop.abort();
            leave_by_force(LAST_GRACE);
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(watch).context("watch signals")?;
    Ok(())
}

/// Everything survives a kill, so nothing that hangs, a dead network disk say, or that takes long, may
/// hold a process that was told to go.
fn leave_by_force(after: Duration) {
    std::thread::sleep(after);
    tracing::error!("left by force; the next start goes on from here");
    std::process::exit(1);
}

/// For children: Ctrl-C and service managers signal the whole group of processes, but when a child
/// ends is its parent's decision.
///
/// # Errors
/// If the system does not let us.
pub fn leave_to_parent() -> anyhow::Result<()> {
    for signal in [SIGTERM, SIGINT] {
        let noted = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal, noted).context("leave signals to the parent")?;
    }
    Ok(())
}
