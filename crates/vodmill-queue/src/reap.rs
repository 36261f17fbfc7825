//! Leases whose holder has gone silent.

use rusqlite::{Transaction, params};

use crate::clock::UnixMillis;
use crate::error::Result;
use crate::finish::quarantine;
use crate::queue::{SqliteQueue, setting};

/// The setting that says after how many lost leases a task is quarantined.
pub const MAX_LOST_LEASES: &str = "max_lost_leases";

/// What [`MAX_LOST_LEASES`] is unless it is set.
pub const DEFAULT_MAX_LOST_LEASES: u32 = 5;

impl SqliteQueue {
    /// Takes back every lease that has expired, and returns how many. The tasks are ready again at
    /// once; the attempt counts. A task that has lost too many leases ([`MAX_LOST_LEASES`]) is
    /// quarantined, since it may be what kills its holders. Call it every few seconds; it costs one
    /// look at an index when nothing has expired.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub fn reap_expired(&self) -> Result<u64> {
        let object = "leases";
        // Looked at without the write lock first: nearly always there is nothing to do.
        let expired = self.read("reap", object.into(), |tx, now| Ok(expired(tx, now)?))?;
        if expired.is_empty() {
            return Ok(0);
        }
        self.write("reap", object.into(), |tx, now| {
            let limit = max_lost_leases(tx)?;
            let mut count = 0;
            for lost in self::expired(tx, now)? {
                count += u64::from(reap(tx, &lost, limit, now)?);
            }
            Ok(count)
        })
    }
}

struct Lost {
    task: i64,
    job: String,
    losses: u32,
}

fn expired(tx: &Transaction<'_>, now: UnixMillis) -> rusqlite::Result<Vec<Lost>> {
    tx.prepare_cached(
        "SELECT id, job_id, losses FROM tasks WHERE state = 'leased' AND expires_at <= ?1",
    )?
    .query_map([now], |row| Ok(Lost { task: row.get(0)?, job: row.get(1)?, losses: row.get(2)? }))?
    .collect()
}

/// Whether the task was still leased: a sister's quarantine may have cancelled it just now.
fn reap(tx: &Transaction<'_>, lost: &Lost, limit: u32, now: UnixMillis) -> rusqlite::Result<bool> {
    let losses = lost.losses + 1;
    let evidence = format!("lease expired {losses} times");
    let changed = tx
        .prepare_cached(
            "UPDATE tasks SET state = 'ready', losses = ?2, run_at = ?3, error = ?4,
               holder = NULL, expires_at = NULL
             WHERE id = ?1 AND state = 'leased'",
        )?
        .execute(params![lost.task, losses, now, evidence])?;
    if changed == 1 && losses >= limit {
        quarantine(tx, lost.task, &lost.job, &evidence, &evidence, now)?;
    }
    Ok(changed == 1)
}

fn max_lost_leases(tx: &Transaction<'_>) -> rusqlite::Result<u32> {
    let value = setting(tx, MAX_LOST_LEASES)?;
    Ok(value.and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_MAX_LOST_LEASES))
}
