//! Leases: claiming tasks, keeping them, giving them back.

use std::time::Duration;

use rusqlite::types::ToSql;
use rusqlite::{OptionalExtension, Transaction, params, params_from_iter};

use crate::clock::{UnixMillis, millis};
use crate::error::{Fault, Object, Result};
use crate::queue::SqliteQueue;

/// The right to work on one task until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The task's job.
    pub job_id: String,
    /// The job's pipeline.
    pub pipeline: String,
    /// The job's payload.
    pub job_payload: String,
    /// The task's key within the job.
    pub key: String,
    /// The task's kind.
    pub kind: String,
    /// The task's payload.
    pub payload: String,
    /// The fencing token: greater than that of every earlier lease of the queue.
    pub token: i64,
    /// Which attempt at the task this is, from 1.
    pub attempt: u32,
    /// When the lease expires, unless a heartbeat extends it.
    pub expires_at: UnixMillis,
}

/// Which tasks to claim; the default claims any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimFilter {
    /// Only tasks of one of these kinds; any if empty.
    pub kinds: Vec<String>,
}

impl ClaimFilter {
    /// Tasks of these kinds only.
    pub fn kinds<T: Into<String>>(kinds: impl IntoIterator<Item = T>) -> Self {
        Self { kinds: kinds.into_iter().map(Into::into).collect() }
    }
}

/// What a holder's write needs to know of the task that it holds.
pub(crate) struct Held {
    pub id: i64,
    pub attempts: u32,
}

impl SqliteQueue {
    /// Takes the next ready task for `holder` (an id that is random for each process), if there is
    /// one. Expired leases are not looked at: see [`reap_expired`](Self::reap_expired).
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub fn claim(
        &self,
        holder: &str,
        duration: Duration,
        filter: &ClaimFilter,
    ) -> Result<Option<Lease>> {
        self.write("claim for", holder.into(), |tx, now| {
            let Some(task) = next_ready(tx, filter, now)? else { return Ok(None) };
            let lease = lease(tx, task, holder, now, now.saturating_add(millis(duration)))?;
            tx.prepare_cached(
                "UPDATE jobs SET state = 'running', started_at = coalesce(started_at, ?2)
                 WHERE id = ?1 AND state = 'waiting'",
            )?
            .execute(params![lease.job_id, now])?;
            Ok(Some(lease))
        })
    }

    /// Makes the lease expire `extend` from now, and returns that time.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost), [`Database`](crate::Error::Database).
    pub fn heartbeat(&self, lease: &Lease, extend: Duration) -> Result<UnixMillis> {
        self.write("heartbeat", lease.object(), |tx, now| {
            let held = held(tx, lease, now)?;
            let expires_at = now.saturating_add(millis(extend));
            tx.prepare_cached("UPDATE tasks SET expires_at = ?2 WHERE id = ?1")?
                .execute([held.id, expires_at])?;
            Ok(expires_at)
        })
    }

    /// Notes how far the task is; opaque, replaces what was noted before.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost), [`Database`](crate::Error::Database).
    pub fn progress(&self, lease: &Lease, progress: &str) -> Result<()> {
        self.write("progress", lease.object(), |tx, now| {
            let held = held(tx, lease, now)?;
            tx.prepare_cached("UPDATE tasks SET progress = ?2 WHERE id = ?1")?
                .execute(params![held.id, progress])?;
            Ok(())
        })
    }

    /// Gives the task back, in its old place, without counting the attempt: an orderly stop.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost), [`Database`](crate::Error::Database).
    pub fn release(&self, lease: &Lease) -> Result<()> {
        self.write("release", lease.object(), |tx, now| {
            let held = held(tx, lease, now)?;
            tx.prepare_cached(
                "UPDATE tasks SET state = 'ready', attempts = attempts - 1, holder = NULL,
                   expires_at = NULL, progress = NULL
                 WHERE id = ?1",
            )?
            .execute([held.id])?;
            Ok(())
        })
    }

    /// Gives every leased task back, in its old place, without counting the attempts, and returns
    /// how many: for a process that has the queue to itself and has just started, so that every
    /// holder is gone. A holder that lived on would find its lease lost.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub fn release_all(&self) -> Result<usize> {
        self.write("release", "all leases".into(), |tx, _| {
            Ok(tx.execute(
                "UPDATE tasks SET state = 'ready', attempts = attempts - 1, holder = NULL,
                   expires_at = NULL, progress = NULL
                 WHERE state = 'leased'",
                [],
            )?)
        })
    }
}

impl Lease {
    pub(crate) fn object(&self) -> Object<'_> {
        Object::task(&self.job_id, &self.key)
    }
}

/// The fence: the task, if the lease is still the right to it.
pub(crate) fn held(
    tx: &Transaction<'_>,
    lease: &Lease,
    now: UnixMillis,
) -> std::result::Result<Held, Fault> {
    // Ending a job takes the leased state from its tasks, so the task's own row tells all. An
    // expired lease is lost even before it is reaped: a holder must not depend on who is first.
    tx.prepare_cached(
        "SELECT id, attempts FROM tasks
         WHERE job_id = ?1 AND key = ?2 AND token = ?3 AND state = 'leased' AND expires_at > ?4",
    )?
    .query_row(params![lease.job_id, lease.key, lease.token, now], |row| {
        Ok(Held { id: row.get(0)?, attempts: row.get(1)? })
    })
    .optional()?
    .ok_or(Fault::LeaseLost)
}

fn next_ready(
    tx: &Transaction<'_>,
    filter: &ClaimFilter,
    now: UnixMillis,
) -> rusqlite::Result<Option<i64>> {
    let mut values: Vec<&dyn ToSql> = vec![&now];
    values.extend(filter.kinds.iter().map(|kind| kind as &dyn ToSql));
    tx.prepare_cached(&ready_sql(filter.kinds.len()))?
        .query_row(params_from_iter(values), |row| row.get(0))
        .optional()
}

/// Must be answered from the index `tasks_ready` alone; a test asks the engine.
pub(crate) fn ready_sql(kinds: usize) -> String {
    let marks: Vec<String> = (0..kinds).map(|at| format!("?{}", at + 2)).collect();
    let kinds = match marks.is_empty() {
        true => String::new(),
        false => format!("AND kind IN ({})", marks.join(", ")),
    };
    format!(
        "SELECT id FROM tasks
         WHERE state = 'ready' AND run_at <= ?1 {kinds}
           AND pipeline NOT IN (SELECT pipeline FROM paused)
         ORDER BY priority DESC, run_at, id LIMIT 1"
    )
}

fn lease(
    tx: &Transaction<'_>,
    task: i64,
    holder: &str,
    now: UnixMillis,
    expires_at: UnixMillis,
) -> rusqlite::Result<Lease> {
    let token: i64 = tx
        .prepare_cached(
            "UPDATE counters SET value = value + 1 WHERE name = 'token' RETURNING value",
        )?
        .query_row([], |row| row.get(0))?;
    tx.prepare_cached(
        "UPDATE tasks SET state = 'leased', attempts = attempts + 1, token = ?2, holder = ?3,
           started_at = ?4, expires_at = ?5, progress = NULL
         WHERE id = ?1",
    )?
    .execute(params![task, token, holder, now, expires_at])?;
    describe(tx, task, token, expires_at)
}

fn describe(
    tx: &Transaction<'_>,
    task: i64,
    token: i64,
    expires_at: UnixMillis,
) -> rusqlite::Result<Lease> {
    tx.prepare_cached(
        "SELECT j.id, j.pipeline, j.payload, t.key, t.kind, t.payload, t.attempts
         FROM tasks t JOIN jobs j ON j.id = t.job_id WHERE t.id = ?1",
    )?
    .query_row([task], |row| {
        Ok(Lease {
            job_id: row.get(0)?,
            pipeline: row.get(1)?,
            job_payload: row.get(2)?,
            key: row.get(3)?,
            kind: row.get(4)?,
            payload: row.get(5)?,
            token,
            attempt: row.get(6)?,
            expires_at,
        })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn claims_walk_the_ready_index() {
        let dir = tempfile::tempdir().unwrap();
        let queue = SqliteQueue::open(dir.path().join("queue.db")).unwrap();
        for kinds in [0, 2] {
            let sql = format!("EXPLAIN QUERY PLAN {}", ready_sql(kinds));
            let values: Vec<&str> = ["0", "a", "b"][..=kinds].to_vec();
            let plan: Vec<String> = queue
                .read("explain", "claim".into(), |tx, _| {
                    let mut query = tx.prepare(&sql)?;
                    let rows = query.query_map(params_from_iter(values), |row| row.get(3))?;
                    Ok(rows.collect::<rusqlite::Result<_>>()?)
                })
                .unwrap();
            let plan = plan.join("; ");
            assert!(plan.contains("USING COVERING INDEX tasks_ready"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
