//! Leases: keeping them, and giving them back.

use std::time::Duration;

use vodmill_clock::{UnixMillis, millis};

use super::commit_points::commit_points;
use super::{claim, clock_change, finish, reap};
use crate::contract::{ClaimFilter, Completion, Failure, Lease, Leases, RetryPolicy};
use crate::engine::{Engine, Row, Tx, params};
use crate::error::{Fault, Object, Result, Sql};

impl<E: Engine> Leases for E {
    fn claim(
        &self,
        holder: &str,
        duration: Duration,
        filter: &ClaimFilter,
    ) -> Result<Option<Lease>> {
        let count = self.ready().count();
        let object = Object::from(holder);
        let lease =
            commit_points!("claim").write_if(self, "claim for", object, Option::is_some, |tx| {
                claim::claim(tx, holder, duration, filter)
            })?;
        if lease.is_none() {
            self.ready().found_nothing(count);
        }
        Ok(lease)
    }

    fn wait(&self, timeout: Duration) {
        self.ready().wait(self.clock(), timeout);
    }

    fn heartbeat(&self, lease: &Lease, extend: Duration) -> Result<UnixMillis> {
        clock_change::catch_up(self)?;
        commit_points!("heartbeat")
            .write(self, "heartbeat", lease.object(), |tx| heartbeat(tx, lease, extend))
    }

    fn progress(&self, lease: &Lease, progress: &str) -> Result<()> {
        clock_change::catch_up(self)?;
        commit_points!("progress")
            .write(self, "progress", lease.object(), |tx| note_progress(tx, lease, progress))
    }

    fn complete(&self, lease: &Lease, completion: &Completion) -> Result<()> {
        commit_points!("complete")
            .write(self, "complete", lease.object(), |tx| finish::complete(tx, lease, completion))
    }

    fn fail(
        &self,
        lease: &Lease,
        error: &str,
        evidence: &str,
        policy: &RetryPolicy,
    ) -> Result<Failure> {
        commit_points!("fail").write(self, "fail", lease.object(), |tx| {
            finish::fail(tx, lease, error, evidence, policy)
        })
    }

    fn reject(&self, lease: &Lease, reason: &str) -> Result<()> {
        commit_points!("reject")
            .write(self, "reject", lease.object(), |tx| finish::reject(tx, lease, reason))
    }

    fn release(&self, lease: &Lease) -> Result<()> {
        commit_points!("release").write(self, "release", lease.object(), |tx| release(tx, lease))
    }

    fn postpone(&self, lease: &Lease, delay: Duration, why: &str) -> Result<()> {
        commit_points!("postpone")
            .write(self, "postpone", lease.object(), |tx| postpone(tx, lease, delay, why))
    }

    fn release_all(&self) -> Result<usize> {
        let object = Object::from("all leases");
        commit_points!("release_all").write_if(
            self,
            "release",
            object,
            |released| *released > 0,
            release_all,
        )
    }

    fn reap_expired(&self) -> Result<u64> {
        reap::reap_expired(self)
    }
}

// How a lease has ended, as `ended_as` has it.
pub(super) const COMPLETED: &str = "completed";
pub(super) const FAILED: &str = "failed";
pub(super) const REJECTED: &str = "rejected";
const RELEASED: &str = "released";
const POSTPONED: &str = "postponed";

/// What a holder's write needs to know of the task that it holds.
pub(super) struct Held {
    pub id: i64,
    /// Attempts that have failed by themselves, and for want of what they need.
    pub failures: u32,
    pub outages: u32,
}

impl Lease {
    pub(super) fn object(&self) -> Object<'_> {
        Object::task(&self.job_id, &self.key)
    }
}

/// The fence: the task, if the lease is still the right to it.
fn held(tx: &mut dyn Tx, lease: &Lease, now: UnixMillis) -> Sql<Held> {
    // Ending a job takes the leased state from its tasks, so the task's own row says it all. An
    // expired lease is lost even before it is reaped: a holder must not depend on who is first.
    let sql = format!(
        "SELECT id, failures, outages FROM tasks
         WHERE job_id = ?1 AND key = ?2 AND token = ?3 AND state = 'leased' AND expires_at > ?4 {}",
        tx.row_lock()
    );
    let params = params![&lease.job_id, &lease.key, lease.token, now];
    tx.one(&sql, params, held_in)?.ok_or(Fault::LeaseLost)
}

fn held_in(row: &Row) -> Sql<Held> {
    Ok(Held { id: row.get(0)?, failures: row.get(1)?, outages: row.get(2)? })
}

/// As [`held`], but `None` if this very lease has ended in this way before: the holder repeats itself,
/// since the answer was lost.
pub(super) fn held_unless(
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

fn heartbeat(tx: &mut dyn Tx, lease: &Lease, extend: Duration) -> Sql<UnixMillis> {
    let now = tx.now()?;
    let held = held(tx, lease, now)?;
    let expires_at = now.saturating_add(millis(extend));
    let sql = "UPDATE tasks SET expires_at = ?2, dated_at = ?3 WHERE id = ?1";
    tx.execute(sql, params![held.id, expires_at, now])?;
    Ok(expires_at)
}

fn note_progress(tx: &mut dyn Tx, lease: &Lease, progress: &str) -> Sql<()> {
    let now = tx.now()?;
    let held = held(tx, lease, now)?;
    tx.execute("UPDATE tasks SET progress = ?2 WHERE id = ?1", params![held.id, progress])?;
    Ok(())
}

fn release(tx: &mut dyn Tx, lease: &Lease) -> Sql<()> {
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

fn postpone(tx: &mut dyn Tx, lease: &Lease, delay: Duration, why: &str) -> Sql<()> {
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

/// Gives back all that anybody holds.
fn release_all(tx: &mut dyn Tx) -> Sql<usize> {
    // In one order, lest two of these wait for each other.
    let sql = format!(
        "UPDATE tasks SET state = 'ready', attempts = attempts - 1, holder = NULL,
           expires_at = NULL, progress = NULL, ended_as = 'taken'
         WHERE id IN (SELECT id FROM tasks WHERE state = 'leased' ORDER BY id {})",
        tx.row_lock()
    );
    let released = tx.execute(&sql, params![])?;
    tx.execute(
        "UPDATE tasks SET expires_at = NULL WHERE state = 'cancelled' AND expires_at IS NOT NULL",
        params![],
    )?;
    // Nor does anybody settle a job any more.
    tx.execute(
        "UPDATE jobs SET settler = NULL, settle_until = NULL
         WHERE cleaned = 0 AND settler IS NOT NULL",
        params![],
    )?;
    tx.wake();
    Ok(usize::try_from(released).unwrap_or(usize::MAX))
}
