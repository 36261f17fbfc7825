//! A clock that is set to another time, so that what waits does not wait for the difference, and who
//! works does not lose a lease by it.
//!
//! Rows that wait until a time have noted when that time was set (`dated_at`). One that was set in
//! what is now the future shows that the clock was set back: it is dated anew, and waits for as long
//! as it was to wait. A clock that was set forward is noticed by whoever has seen it before.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{UnixMillis, millis};
use crate::engine::{Engine, Tx, params};
use crate::error::Sql;

/// A difference that is none: a server's answer may come late.
const TOLERANCE: i64 = 2_000;

/// The clock as it was when it was last looked at, and the time that had passed by then.
#[derive(Debug, Default)]
pub(crate) struct LastLook(Mutex<Option<(UnixMillis, Duration)>>);

/// What a look at the clock showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leap {
    /// It was not looked at before.
    Unknown,
    /// It goes on as it went.
    None,
    /// It was set forward, or back, by so many milliseconds.
    By(i64),
}

impl LastLook {
    fn at(&self, now: UnixMillis, uptime: Duration) -> Leap {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((then, up)) = last.replace((now, uptime)) else { return Leap::Unknown };
        let passed = millis(uptime.saturating_sub(up));
        match now.saturating_sub(then).saturating_sub(passed) {
            leap if leap.abs() < TOLERANCE => Leap::None,
            leap => Leap::By(leap),
        }
    }
}

/// Looks whether the clock was set to another time, and mends what is dated by the old one. To be
/// called before a time is compared; any number of processes may find and mend the same.
pub(crate) fn catch_up(engine: &impl Engine) -> crate::Result<()> {
    let (operation, object) = ("look at", "the clock");
    let (now, uptime) =
        engine.read(operation, object.into(), |tx| Ok((tx.now()?, engine.uptime())))?;
    let forward = match engine.last_look().at(now, uptime) {
        Leap::None => return Ok(()),
        Leap::Unknown => 0,
        Leap::By(milliseconds) => {
            tracing::warn!(milliseconds, "the clock was set to another time");
            milliseconds.max(0)
        }
    };
    let dated = engine.write("date anew", "what waits".into(), |tx| date_anew(tx, forward))?;
    if dated > 0 {
        tracing::info!(rows = dated, "what waits was dated anew");
    }
    Ok(())
}

/// Rows that were dated by a clock that was ahead of this one, or `forward` milliseconds behind it.
fn date_anew(tx: &mut dyn Tx, forward: i64) -> Sql<u64> {
    let now = tx.now()?;
    let mut dated = tx.execute(
        "UPDATE tasks SET run_at = run_at - (dated_at - ?1),
           avoid_until = avoid_until - (dated_at - ?1),
           expires_at = expires_at - (dated_at - ?1), dated_at = ?1
         WHERE dated_at > ?1 AND state IN ('waiting', 'ready', 'leased', 'cancelled')",
        params![now],
    )?;
    dated += tx.execute(
        "UPDATE jobs SET settle_until = settle_until - (dated_at - ?1), dated_at = ?1
         WHERE ended_at IS NOT NULL AND cleaned = 0 AND dated_at > ?1",
        params![now],
    )?;
    dated += tx.execute(
        "UPDATE deliveries SET run_at = run_at - (dated_at - ?1), dated_at = ?1
         WHERE state = 'waiting' AND dated_at > ?1",
        params![now],
    )?;
    dated += tx.execute(
        "UPDATE batches SET run_at = run_at - (dated_at - ?1), dated_at = ?1
         WHERE state IN ('open', 'sent') AND dated_at > ?1",
        params![now],
    )?;
    // What would not have run out yet, had the clock not been set forward.
    dated += tx.execute(
        "UPDATE tasks SET expires_at = ?1 + (expires_at - dated_at), dated_at = ?1
         WHERE state IN ('leased', 'cancelled') AND expires_at <= ?1 AND expires_at > ?1 - ?2",
        params![now, forward],
    )?;
    if dated > 0 {
        tx.wake();
    }
    Ok(dated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_passes_is_no_leap() {
        let last = LastLook::default();
        let seconds = Duration::from_secs;
        assert_eq!(last.at(1_000_000, seconds(7)), Leap::Unknown);
        assert_eq!(last.at(1_060_500, seconds(67)), Leap::None);
        assert_eq!(last.at(1_060_500, seconds(68)), Leap::None, "an answer was late");
        assert_eq!(last.at(4_660_500, seconds(68)), Leap::By(3_600_000));
        assert_eq!(last.at(1_061_500, seconds(69)), Leap::By(-3_600_000));
        assert_eq!(last.at(1_062_500, seconds(70)), Leap::None);
    }
}
