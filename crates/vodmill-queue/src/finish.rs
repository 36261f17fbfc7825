//! How a lease ends: the task is done, has failed, or found the input at fault.

use std::time::Duration;

use rusqlite::{Transaction, params};

use crate::clock::{UnixMillis, millis};
use crate::error::{Fault, Result};
use crate::graph::{self, NewTask, Parent};
use crate::jobs;
use crate::lease::{Lease, held};
use crate::queue::SqliteQueue;
use crate::state::{JobState, TaskState};

/// What a completed task leaves behind, all in one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// The task's result; opaque.
    pub result: String,
    /// Tasks to add. They may wait for each other and for tasks that are there. Together with
    /// `job`, they outlive the job's end: for what is to be told afterwards.
    pub then: Vec<NewTask>,
    /// Ends the job.
    pub job: Option<JobOutcome>,
}

/// How a completed task ends its job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobOutcome {
    /// Well.
    Published,
    /// The input is at fault.
    Rejected {
        /// Why; opaque.
        reason: String,
    },
    /// We or the world are at fault.
    Failed {
        /// Why; opaque.
        reason: String,
    },
}

/// How often, and how far apart, a failing task is attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub max_attempts: u32,
    /// The wait after the first failure; it doubles with each further one.
    pub base_delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
}

/// What became of a task that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It can be claimed again from this time on.
    Retried {
        /// From when on.
        run_at: UnixMillis,
    },
    /// Its attempts are spent, and its job has failed.
    Quarantined,
}

impl SqliteQueue {
    /// Ends the task well: its successors are counted down, further tasks added and the job ended
    /// in the same transaction.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost); [`Refused`](crate::Error::Refused) if the tasks to
    /// add are wrong, if an unended job would be left with nothing to do, or if the job to end has
    /// ended before; [`Database`](crate::Error::Database).
    pub fn complete(&self, lease: &Lease, completion: &Completion) -> Result<()> {
        self.write("complete", lease.object(), |tx, now| {
            let held = held(tx, lease, now)?;
            tx.prepare_cached(
                "UPDATE tasks SET state = 'done', result = ?2, ended_at = ?3, error = NULL,
                   evidence = NULL WHERE id = ?1",
            )?
            .execute(params![held.id, completion.result, now])?;
            graph::let_go(tx, held.id, now)?;
            // Before the new tasks come in, for they are to outlive it.
            if let Some(outcome) = &completion.job {
                end_job(tx, &lease.job_id, outcome, now)?;
            }
            add_tasks(tx, lease, &completion.then, now)?;
            match jobs::is_stranded(tx, &lease.job_id)? {
                true => Err(Fault::Refused("it is the last task, and gives no outcome".into())),
                false => Ok(()),
            }
        })
    }

    /// Ends this attempt: the task is retried after a while, or quarantined with its evidence, and
    /// its job failed, if it has had all its attempts.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost), [`Database`](crate::Error::Database).
    pub fn fail(
        &self,
        lease: &Lease,
        error: &str,
        evidence: &str,
        policy: &RetryPolicy,
    ) -> Result<Failure> {
        self.write("fail", lease.object(), |tx, now| {
            let held = held(tx, lease, now)?;
            if held.attempts >= policy.max_attempts {
                quarantine(tx, held.id, &lease.job_id, error, evidence, now)?;
                return Ok(Failure::Quarantined);
            }
            let run_at = now.saturating_add(policy.delay(held.attempts));
            tx.prepare_cached(
                "UPDATE tasks SET state = 'ready', run_at = ?2, error = ?3, evidence = ?4,
                   holder = NULL, expires_at = NULL
                 WHERE id = ?1",
            )?
            .execute(params![held.id, run_at, error, evidence])?;
            Ok(Failure::Retried { run_at })
        })
    }

    /// Ends the job as rejected: the input is at fault, and no attempt will mend it.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost), [`Database`](crate::Error::Database).
    pub fn reject(&self, lease: &Lease, reason: &str) -> Result<()> {
        self.write("reject", lease.object(), |tx, now| {
            let held = held(tx, lease, now)?;
            close(tx, held.id, TaskState::Rejected, reason, None, now)?;
            jobs::end(tx, &lease.job_id, JobState::Rejected, Some(reason), now)?;
            Ok(())
        })
    }
}

impl RetryPolicy {
    /// Milliseconds to wait after this many attempts.
    fn delay(&self, attempts: u32) -> i64 {
        let doublings = attempts.saturating_sub(1).min(30);
        millis(self.base_delay).saturating_mul(1 << doublings).min(millis(self.max_delay))
    }
}

/// Sets a task aside for good, and fails its job.
pub(crate) fn quarantine(
    tx: &Transaction<'_>,
    task: i64,
    job: &str,
    error: &str,
    evidence: &str,
    now: UnixMillis,
) -> rusqlite::Result<()> {
    close(tx, task, TaskState::Quarantined, error, Some(evidence), now)?;
    jobs::end(tx, job, JobState::Failed, Some(error), now)?;
    Ok(())
}

fn close(
    tx: &Transaction<'_>,
    task: i64,
    state: TaskState,
    error: &str,
    evidence: Option<&str>,
    now: UnixMillis,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE tasks SET state = ?2, error = ?3, evidence = ?4, ended_at = ?5 WHERE id = ?1",
    )?
    .execute(params![task, state, error, evidence, now])?;
    Ok(())
}

fn end_job(
    tx: &Transaction<'_>,
    job: &str,
    outcome: &JobOutcome,
    now: UnixMillis,
) -> std::result::Result<(), Fault> {
    let (state, reason) = match outcome {
        JobOutcome::Published => (JobState::Published, None),
        JobOutcome::Rejected { reason } => (JobState::Rejected, Some(reason.as_str())),
        JobOutcome::Failed { reason } => (JobState::Failed, Some(reason.as_str())),
    };
    match jobs::end(tx, job, state, reason, now)? {
        true => Ok(()),
        false => Err(Fault::Refused("its job has ended already".into())),
    }
}

fn add_tasks(
    tx: &Transaction<'_>,
    lease: &Lease,
    tasks: &[NewTask],
    now: UnixMillis,
) -> std::result::Result<(), Fault> {
    if tasks.is_empty() {
        return Ok(());
    }
    let priority = tx
        .prepare_cached("SELECT priority FROM jobs WHERE id = ?1")?
        .query_row([&lease.job_id], |row| row.get(0))?;
    let parent = Parent { job: &lease.job_id, pipeline: &lease.pipeline, priority, first: false };
    graph::add(tx, &parent, tasks, now)
}
