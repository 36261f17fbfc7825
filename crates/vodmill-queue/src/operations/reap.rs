//! Leases whose holder has gone silent.

use vodmill_clock::UnixMillis;

use super::clock_change;
use super::commit_points::commit_points;
use super::finish::{Closing, quarantine};
use super::settings::setting;
use crate::contract::{DEFAULT_MAX_LOST_LEASES, MAX_LOST_LEASES, TaskState};
use crate::engine::{Engine, Tx, params};
use crate::error::{Object, Result, Sql};

/// How a lease that has expired has `ended_as`.
const EXPIRED: &str = "expired";

pub(super) fn reap_expired(engine: &impl Engine) -> Result<u64> {
    clock_change::catch_up(engine)?;
    // Looked at without a write first: nearly always there is nothing to do.
    let lost = engine.read("reap", "leases".into(), |tx| {
        let now = tx.now()?;
        expired(tx, now)
    })?;
    let mut count = 0;
    // A transaction for each, so that no two jobs are locked at once.
    for lost in lost {
        let object = Object::task(&lost.job, &lost.key);
        let reaped = commit_points!("reap").write_if(
            engine,
            "reap",
            object,
            |reaped| *reaped,
            |tx| reap(tx, &lost),
        )?;
        count += u64::from(reaped);
    }
    Ok(count)
}

struct Lost {
    task: i64,
    token: i64,
    job: String,
    key: String,
    losses: u32,
}

fn expired(tx: &mut dyn Tx, now: UnixMillis) -> Sql<Vec<Lost>> {
    tx.all(
        "SELECT id, token, job_id, key, losses FROM tasks
         WHERE state = 'leased' AND expires_at <= ?1 ORDER BY expires_at, id",
        params![now],
        |row| {
            Ok(Lost {
                task: row.get(0)?,
                token: row.get(1)?,
                job: row.get(2)?,
                key: row.get(3)?,
                losses: row.get(4)?,
            })
        },
    )
}

/// Whether the lease was still there, and expired.
fn reap(tx: &mut dyn Tx, lost: &Lost) -> Sql<bool> {
    tx.lock_job(&lost.job)?;
    let now = tx.now()?;
    let limit = max_lost_leases(tx)?;
    let losses = lost.losses + 1;
    let evidence = format!("lease expired {losses} times");
    let changed = tx.execute(
        "UPDATE tasks SET state = 'ready', losses = ?3, run_at = ?4, dated_at = ?4, error = ?5,
           holder = NULL, expires_at = NULL, ended_as = ?6
         WHERE id = ?1 AND token = ?2 AND state = 'leased' AND expires_at <= ?4",
        params![lost.task, lost.token, losses, now, &evidence, EXPIRED],
    )?;
    if changed == 0 {
        return Ok(false);
    }
    if losses >= limit {
        let closing = Closing {
            state: TaskState::Quarantined,
            ended_as: EXPIRED,
            error: &evidence,
            evidence: Some(&evidence),
        };
        quarantine(tx, lost.task, &lost.job, &closing, now)?;
    }
    tx.wake();
    Ok(true)
}

fn max_lost_leases(tx: &mut dyn Tx) -> Sql<u32> {
    let value = setting(tx, MAX_LOST_LEASES)?;
    Ok(value.and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_MAX_LOST_LEASES))
}
