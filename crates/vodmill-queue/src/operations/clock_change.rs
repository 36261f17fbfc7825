//! A clock that is set to another time, so that what waits does not wait for the difference, and no
//! holder loses a lease by it.
//!
//! Rows that wait until a time have noted when that time was set (`dated_at`). One that was set in
//! what is now the future shows that the clock was set back: it is given another date, and waits for
//! as long as it was to wait. A clock that was set forward is noticed by a process that has seen it
//! before.

use vodmill_clock::UnixMillis;

use crate::engine::{ClockChange, Engine, Tx, params};
use crate::error::{Result, Sql};

/// Looks whether the clock was set to another time, and gives new dates to what has the old ones. To
/// be called before a time is compared; any number of processes may find and mend the same.
pub(super) fn catch_up(engine: &impl Engine) -> Result<()> {
    let operation = "look at";
    let (now, uptime) = engine
        .read(operation, "the clock".into(), |tx| Ok((tx.now()?, engine.clock().uptime())))?;
    let forward = match engine.last_look().look(now, uptime) {
        ClockChange::None => return Ok(()),
        ClockChange::Unknown => 0,
        ClockChange::By(milliseconds) => {
            tracing::warn!(milliseconds, "the clock was set to another time");
            milliseconds.max(0)
        }
    };
    let dated = engine.write("date again", "what waits".into(), |tx| date_again(tx, forward))?;
    if dated > 0 {
        tracing::info!(rows = dated, "what waits was dated again");
    }
    Ok(())
}

/// Dates rows again whose clock was ahead of this one, or `forward` milliseconds behind it.
fn date_again(tx: &mut dyn Tx, forward: i64) -> Sql<u64> {
    let now = tx.now()?;
    let dated = date_back(tx, now)? + extend_leases(tx, now, forward)?;
    if dated > 0 {
        tx.wake();
    }
    Ok(dated)
}

/// Rows of each table that wait, and what they wait until.
const WAITING: [&str; 4] = [
    "UPDATE tasks SET run_at = run_at - (dated_at - ?1),
       avoid_until = avoid_until - (dated_at - ?1),
       expires_at = expires_at - (dated_at - ?1), dated_at = ?1
     WHERE dated_at > ?1 AND state IN ('waiting', 'ready', 'leased', 'cancelled')",
    "UPDATE jobs SET settle_until = settle_until - (dated_at - ?1), dated_at = ?1
     WHERE ended_at IS NOT NULL AND cleaned = 0 AND dated_at > ?1",
    "UPDATE deliveries SET run_at = run_at - (dated_at - ?1), dated_at = ?1
     WHERE state = 'waiting' AND dated_at > ?1",
    "UPDATE batches SET run_at = run_at - (dated_at - ?1), dated_at = ?1
     WHERE state IN ('open', 'sent') AND dated_at > ?1",
];

/// What was dated by a clock that was ahead.
fn date_back(tx: &mut dyn Tx, now: UnixMillis) -> Sql<u64> {
    let mut dated = 0;
    for sql in WAITING {
        dated += tx.execute(sql, params![now])?;
    }
    Ok(dated)
}

/// Leases that would not have expired yet, had the clock not been set forward.
fn extend_leases(tx: &mut dyn Tx, now: UnixMillis, forward: i64) -> Sql<u64> {
    tx.execute(
        "UPDATE tasks SET expires_at = ?1 + (expires_at - dated_at), dated_at = ?1
         WHERE state IN ('leased', 'cancelled') AND expires_at <= ?1 AND expires_at > ?1 - ?2",
        params![now, forward],
    )
}
