//! Leases: keeping them, and giving them back.

use std::time::Duration;

use crate::clock::{UnixMillis, millis};
use crate::engine::{Row, Tx, params};
use crate::error::{Fault, Object, Sql};

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

// How a lease has ended, as `ended_as` has it.
pub(crate) const COMPLETED: &str = "completed";
pub(crate) const FAILED: &str = "failed";
pub(crate) const REJECTED: &str = "rejected";
const RELEASED: &str = "released";
const POSTPONED: &str = "postponed";

/// What a holder's write needs to know of the task that it holds.
pub(crate) struct Held {
    pub id: i64,
    /// Attempts that have failed by themselves, and for want of what they need.
    pub failures: u32,
    pub outages: u32,
}

impl Lease {
    pub(crate) fn object(&self) -> Object<'_> {
        Object::task(&self.job_id, &self.key)
    }
}

/// The fence: the task, if the lease is still the right to it.
fn held(tx: &mut dyn Tx, lease: &Lease, now: UnixMillis) -> Sql<Held> {
    // Ending a job takes the leased state from its tasks, so the task's own row tells all. An
    // expired lease is lost even before it is reaped: a holder must not depend on who is first.
    let sql = format!(
        "SELECT id, failures, outages FROM tasks
         WHERE job_id = ?1 AND key = ?2 AND token = ?3 AND state = 'leased' AND expires_at > ?4 {}",
        tx.row_lock()
    );
    let params = params![&lease.job_id, &lease.key, lease.token, now];
    let read =
        |row: &Row| Ok(Held { id: row.get(0)?, failures: row.get(1)?, outages: row.get(2)? });
    tx.one(&sql, params, read)?.ok_or(Fault::LeaseLost)
}

/// As [`held`], but `None` if this very lease has ended in this way before: it is told again, since
/// the answer was lost.
pub(crate) fn held_unless(
    tx: &mut dyn Tx,
    lease: &Lease,
    ended_as: &str,
    now: UnixMillis,
) -> Sql<Option<Held>> {
    match held(tx, lease, now) {
        Err(Fault::LeaseLost) if has_ended(tx, lease, ended_as)? => Ok(None),
        held => held.map(Some),
    }
}

fn has_ended(tx: &mut dyn Tx, lease: &Lease, ended_as: &str) -> Sql<bool> {
    let sql = "SELECT 1 FROM tasks
               WHERE job_id = ?1 AND key = ?2 AND token = ?3 AND ended_as = ?4";
    let params = params![&lease.job_id, &lease.key, lease.token, ended_as];
    Ok(!tx.rows(sql, params)?.is_empty())
}

pub(crate) fn heartbeat(tx: &mut dyn Tx, lease: &Lease, extend: Duration) -> Sql<UnixMillis> {
    let now = tx.now()?;
    let held = held(tx, lease, now)?;
    let expires_at = now.saturating_add(millis(extend));
    let sql = "UPDATE tasks SET expires_at = ?2, dated_at = ?3 WHERE id = ?1";
    tx.execute(sql, params![held.id, expires_at, now])?;
    Ok(expires_at)
}

pub(crate) fn progress(tx: &mut dyn Tx, lease: &Lease, progress: &str) -> Sql<()> {
    let now = tx.now()?;
    let held = held(tx, lease, now)?;
    tx.execute("UPDATE tasks SET progress = ?2 WHERE id = ?1", params![held.id, progress])?;
    Ok(())
}

pub(crate) fn release(tx: &mut dyn Tx, lease: &Lease) -> Sql<()> {
    let now = tx.now()?;
    let held = match held_unless(tx, lease, RELEASED, now) {
        Ok(Some(held)) => held,
        Ok(None) => return Ok(()),
        Err(Fault::LeaseLost) => return leave(tx, lease),
        Err(fault) => return Err(fault),
    };
    tx.execute(
        "UPDATE tasks SET state = 'ready', attempts = attempts - 1, holder = NULL,
           expires_at = NULL, progress = NULL, ended_as = ?2
         WHERE id = ?1",
        params![held.id, RELEASED],
    )?;
    tx.wake();
    Ok(())
}

pub(crate) fn postpone(tx: &mut dyn Tx, lease: &Lease, delay: Duration, why: &str) -> Sql<()> {
    let now = tx.now()?;
    let Some(held) = held_unless(tx, lease, POSTPONED, now)? else { return Ok(()) };
    tx.execute(
        "UPDATE tasks SET state = 'ready', attempts = attempts - 1, avoid = holder,
           avoid_until = ?2, error = ?3, holder = NULL, expires_at = NULL, progress = NULL,
           ended_as = ?4, dated_at = ?5
         WHERE id = ?1",
        params![held.id, now.saturating_add(millis(delay)), why, POSTPONED, now],
    )?;
    tx.wake();
    Ok(())
}

/// Notes that the holder of a task that was cancelled with its job has stopped.
fn leave(tx: &mut dyn Tx, lease: &Lease) -> Sql<()> {
    let left = tx.execute(
        "UPDATE tasks SET expires_at = NULL
         WHERE job_id = ?1 AND key = ?2 AND token = ?3 AND state = 'cancelled'
           AND ended_as IS NULL",
        params![&lease.job_id, &lease.key, lease.token],
    )?;
    if left == 0 { Err(Fault::LeaseLost) } else { Ok(()) }
}

/// Gives back what `holder` holds, or all that anybody holds.
pub(crate) fn release_of(tx: &mut dyn Tx, holder: Option<&str>) -> Sql<usize> {
    let (whose, params) = match holder {
        Some(holder) => ("AND holder = ?1", vec![holder.into()]),
        None => ("", Vec::new()),
    };
    // In one order, lest two of these wait for each other.
    let sql = format!(
        "UPDATE tasks SET state = 'ready', attempts = attempts - 1, holder = NULL,
           expires_at = NULL, progress = NULL, ended_as = 'taken'
         WHERE id IN (SELECT id FROM tasks WHERE state = 'leased' {whose} ORDER BY id {})",
        tx.row_lock()
    );
    let released = tx.execute(&sql, &params)?;
    let sql = format!(
        "UPDATE tasks SET expires_at = NULL
         WHERE state = 'cancelled' AND expires_at IS NOT NULL {whose}"
    );
    tx.execute(&sql, &params)?;
    // Nor does it settle a job any more.
    let sql = format!(
        "UPDATE jobs SET settler = NULL, settle_until = NULL
         WHERE cleaned = 0 AND settler IS NOT NULL {}",
        whose.replace("holder", "settler")
    );
    tx.execute(&sql, &params)?;
    tx.wake();
    Ok(usize::try_from(released).unwrap_or(usize::MAX))
}
