//! Steering jobs: cancelled, retried, restarted.

use rusqlite::{Transaction, params};

use crate::error::{Fault, Result};
use crate::jobs;
use crate::queue::SqliteQueue;
use crate::state::JobState;

impl SqliteQueue {
    /// Ends a job and all its unfinished tasks; their holders' leases are lost. Returns the state
    /// after it: a job that had ended already keeps its state.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob), [`Database`](crate::Error::Database).
    pub fn cancel(&self, job: &str) -> Result<JobState> {
        self.write("cancel job", job.into(), |tx, now| {
            jobs::end(tx, job, JobState::Cancelled, None, now)?;
            jobs::state(tx, job)?.ok_or_else(|| Fault::NoSuchJob(job.to_owned()))
        })
    }

    /// Takes a failed, rejected or cancelled job up again: its unfinished tasks start over with
    /// their attempts reset, and those that are done stay done. If the job's scratch was swept
    /// ([`JobInfo::cleaned`](crate::JobInfo::cleaned)), what these left there is gone: then
    /// [`restart`](Self::restart) it.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob); [`Refused`](crate::Error::Refused) in any other
    /// state, or if no task is unfinished; [`Database`](crate::Error::Database).
    pub fn retry(&self, job: &str) -> Result<()> {
        self.write("retry job", job.into(), |tx, now| {
            reopen(tx, job)?;
            tx.execute(
                "UPDATE tasks SET state = CASE WHEN pending = 0 THEN 'ready' ELSE 'waiting' END,
                   run_at = ?2, attempts = 0, losses = 0, ended_at = NULL, progress = NULL
                 WHERE job_id = ?1 AND state IN ('cancelled', 'rejected', 'quarantined')",
                params![job, now],
            )?;
            match jobs::is_stranded(tx, job)? {
                true => Err(Fault::Refused("all its tasks are done".into())),
                false => Ok(()),
            }
        })
    }

    /// Takes a failed, rejected or cancelled job up again from its beginning: the tasks that it was
    /// enqueued with start over, and what completions have added since is forgotten.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob); [`Refused`](crate::Error::Refused) in any other
    /// state; [`Database`](crate::Error::Database).
    pub fn restart(&self, job: &str) -> Result<()> {
        self.write("restart job", job.into(), |tx, now| {
            reopen(tx, job)?;
            tx.execute(
                "DELETE FROM edges WHERE task_id IN
                   (SELECT id FROM tasks WHERE job_id = ?1 AND first = 0)",
                [job],
            )?;
            tx.execute("DELETE FROM tasks WHERE job_id = ?1 AND first = 0", [job])?;
            tx.execute(
                "UPDATE tasks SET pending = (SELECT count(*) FROM edges WHERE task_id = tasks.id),
                   run_at = ?2, attempts = 0, losses = 0, holder = NULL, expires_at = NULL,
                   error = NULL, evidence = NULL, progress = NULL, result = NULL,
                   started_at = NULL, ended_at = NULL
                 WHERE job_id = ?1",
                params![job, now],
            )?;
            tx.execute(
                "UPDATE tasks SET state = CASE WHEN pending = 0 THEN 'ready' ELSE 'waiting' END
                 WHERE job_id = ?1",
                [job],
            )?;
            Ok(())
        })
    }
}

/// Brings an ended job back to waiting; its tasks are left as they are.
fn reopen(tx: &Transaction<'_>, job: &str) -> std::result::Result<(), Fault> {
    match jobs::state(tx, job)?.ok_or_else(|| Fault::NoSuchJob(job.to_owned()))? {
        JobState::Failed | JobState::Rejected | JobState::Cancelled => {}
        state => return Err(Fault::Refused(format!("it is {state}"))),
    }
    tx.execute(
        "UPDATE jobs SET state = 'waiting', reason = NULL, ended_at = NULL, cleaned = 0
         WHERE id = ?1",
        [job],
    )?;
    Ok(())
}
