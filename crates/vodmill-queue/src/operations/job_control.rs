//! Jobs cancelled, retried, restarted.

use super::jobs;
use crate::contract::JobState;
use crate::engine::{Tx, params};
use crate::error::{Fault, Sql};

pub(super) fn cancel(tx: &mut dyn Tx, job: &str) -> Sql<JobState> {
    tx.lock_job(job)?;
    let now = tx.now()?;
    jobs::end(tx, job, JobState::Cancelled, None, now)?;
    jobs::state(tx, job)?.ok_or_else(|| Fault::NoSuchJob(job.to_owned()))
}

pub(super) fn retry(tx: &mut dyn Tx, job: &str) -> Sql<()> {
    reopen(tx, job)?;
    start_over(tx, job)?;
    if jobs::is_stranded(tx, job)? {
        return Err(Fault::Refused("all its tasks are done".into()));
    }
    Ok(())
}

/// Starts over all tasks of a job that ended without being done.
pub(super) fn start_over(tx: &mut dyn Tx, job: &str) -> Sql<()> {
    let now = tx.now()?;
    tx.execute(
        "UPDATE tasks SET state = CASE WHEN pending = 0 THEN 'ready' ELSE 'waiting' END,
           run_at = ?2, dated_at = ?2, attempts = 0, failures = 0, outages = 0, losses = 0,
           avoid = NULL, holder = NULL, expires_at = NULL,
           ended_as = NULL, ended_at = NULL, progress = NULL
         WHERE job_id = ?1 AND state IN ('cancelled', 'rejected', 'quarantined')",
        params![job, now],
    )?;
    tx.wake();
    Ok(())
}

pub(super) fn restart(tx: &mut dyn Tx, job: &str) -> Sql<()> {
    reopen(tx, job)?;
    forget_added_tasks(tx, job)?;
    let now = tx.now()?;
    tx.execute(
        "UPDATE tasks SET pending = (SELECT count(*) FROM edges WHERE task_id = tasks.id),
           run_at = ?2, dated_at = ?2, attempts = 0, failures = 0, outages = 0, losses = 0,
           avoid = NULL, holder = NULL, expires_at = NULL,
           ended_as = NULL, error = NULL, evidence = NULL, progress = NULL, result = NULL,
           started_at = NULL, ended_at = NULL
         WHERE job_id = ?1",
        params![job, now],
    )?;
    tx.execute(
        "UPDATE tasks SET state = CASE WHEN pending = 0 THEN 'ready' ELSE 'waiting' END
         WHERE job_id = ?1",
        params![job],
    )?;
    tx.wake();
    Ok(())
}

/// Removes the tasks that completions have added.
fn forget_added_tasks(tx: &mut dyn Tx, job: &str) -> Sql<()> {
    tx.execute(
        "DELETE FROM edges WHERE task_id IN
           (SELECT id FROM tasks WHERE job_id = ?1 AND first = 0)",
        params![job],
    )?;
    tx.execute("DELETE FROM tasks WHERE job_id = ?1 AND first = 0", params![job])?;
    Ok(())
}

/// Brings an ended job back to waiting; its tasks are left as they are.
pub(super) fn reopen(tx: &mut dyn Tx, job: &str) -> Sql<()> {
    tx.lock_job(job)?;
    match jobs::state(tx, job)?.ok_or_else(|| Fault::NoSuchJob(job.to_owned()))? {
        JobState::Failed | JobState::Rejected | JobState::Cancelled => {}
        state => return Err(Fault::Refused(format!("it is {state}"))),
    }
    refuse_while_settled(tx, job)?;
    tx.execute(
        "UPDATE jobs SET state = 'waiting', reason = NULL, ended_at = NULL, cleaned = 0,
           settler = NULL, settle_until = NULL
         WHERE id = ?1",
        params![job],
    )?;
    Ok(())
}

/// A settler removes what the job stored: what a new attempt stores meanwhile would go too.
fn refuse_while_settled(tx: &mut dyn Tx, job: &str) -> Sql<()> {
    let now = tx.now()?;
    let until = tx.one(
        "SELECT settle_until FROM jobs WHERE id = ?1 AND cleaned = 0 AND settle_until > ?2",
        params![job, now],
        |row| row.get::<i64>(0),
    )?;
    let Some(until) = until else { return Ok(()) };
    Err(Fault::BeingSettled { seconds: (until - now).unsigned_abs() / 1000 + 1 })
}
