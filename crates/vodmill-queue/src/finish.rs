//! How a lease ends: the task is done, has failed, or found the input at fault.

use std::time::Duration;

use crate::clock::{UnixMillis, millis};
use crate::engine::{Tx, params};
use crate::error::{Fault, Sql};
use crate::graph::{self, NewTask, Parent};
use crate::jobs;
use crate::lease::{COMPLETED, FAILED, Lease, REJECTED, held_unless};
use crate::outbox::{self, News};
use crate::stale::{self, StalePath};
use crate::state::{EventKind, JobState, TaskState};
use crate::sums::{self, Tally};

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
    /// What somebody should know, and what ends nothing; opaque. Each is told of as an event.
    pub warnings: Vec<String>,
    /// Paths whose old content caches are to drop.
    pub stale: Vec<StalePath>,
    /// What it adds to the sums of its pipeline.
    pub tally: Option<Tally>,
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

/// What made an attempt fail. Each is counted by itself: what the world does to a task takes nothing
/// from its own attempts, and no lost lease counts here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The work itself failed.
    Failure,
    /// Something that it needs was away.
    Outage,
}

/// How often, and how far apart, a task is attempted that fails for one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The cause.
    pub cause: Cause,
    /// Attempts that may fail for this cause, the last one included.
    pub max_attempts: u32,
    /// The wait after the first failure; it doubles with each further one.
    pub base_delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
}

/// What became of a task that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It can be claimed again from this time on, by others in half of it.
    Retried {
        /// From when on.
        run_at: UnixMillis,
    },
    /// Its attempts are spent, and its job has failed.
    Quarantined,
}

pub(crate) fn complete(tx: &mut dyn Tx, lease: &Lease, completion: &Completion) -> Sql<()> {
    tx.lock_job(&lease.job_id)?;
    let now = tx.now()?;
    let Some(held) = held_unless(tx, lease, COMPLETED, now)? else { return Ok(()) };
    tx.execute(
        "UPDATE tasks SET state = 'done', result = ?2, ended_at = ?3, error = NULL,
           evidence = NULL, ended_as = ?4 WHERE id = ?1",
        params![held.id, &completion.result, now, COMPLETED],
    )?;
    graph::let_go(tx, held.id, now)?;
    // Before the new tasks come in, for they are to outlive it.
    if let Some(outcome) = &completion.job {
        end_job(tx, &lease.job_id, outcome, now)?;
    }
    add_tasks(tx, lease, &completion.then, now)?;
    tell(tx, lease, completion, now)?;
    if let Some(tally) = &completion.tally {
        sums::add(tx, &lease.pipeline, tally)?;
    }
    match jobs::is_stranded(tx, &lease.job_id)? {
        true => Err(Fault::Refused("it is the last task, and gives no outcome".into())),
        false => Ok(()),
    }
}

/// Writes what is to leave the house because of a completion.
fn tell(tx: &mut dyn Tx, lease: &Lease, completion: &Completion, now: UnixMillis) -> Sql<()> {
    stale::wish(tx, &lease.pipeline, &completion.stale)?;
    let told = |kind, detail| News { kind, task: Some(lease.key.as_str()), detail };
    for warning in &completion.warnings {
        outbox::tell(tx, &lease.job_id, &told(EventKind::Warning, warning), now)?;
    }
    let news = match &completion.job {
        None => return Ok(()),
        Some(JobOutcome::Published) => told(EventKind::Published, &completion.result),
        Some(JobOutcome::Rejected { reason }) => told(EventKind::Rejected, reason),
        Some(JobOutcome::Failed { reason }) => told(EventKind::Failed, reason),
    };
    outbox::tell(tx, &lease.job_id, &news, now)
}

pub(crate) fn fail(
    tx: &mut dyn Tx,
    lease: &Lease,
    error: &str,
    evidence: &str,
    policy: &RetryPolicy,
) -> Sql<Failure> {
    tx.lock_job(&lease.job_id)?;
    let now = tx.now()?;
    let Some(held) = held_unless(tx, lease, FAILED, now)? else { return told(tx, lease) };
    let (failures, outages, spent) = match policy.cause {
        Cause::Failure => (held.failures + 1, held.outages, held.failures + 1),
        Cause::Outage => (held.failures, held.outages + 1, held.outages + 1),
    };
    let sql = "UPDATE tasks SET failures = ?2, outages = ?3 WHERE id = ?1";
    tx.execute(sql, params![held.id, failures, outages])?;
    if spent >= policy.max_attempts {
        let (state, evidence) = (TaskState::Quarantined, Some(evidence));
        let closing = Closing { state, ended_as: FAILED, error, evidence };
        quarantine(tx, held.id, &lease.job_id, &closing, now)?;
        return Ok(Failure::Quarantined);
    }
    let delay = policy.delay(spent);
    let run_at = now.saturating_add(delay);
    // Others come first: what failed may be the machine.
    tx.execute(
        "UPDATE tasks SET state = 'ready', run_at = ?2, error = ?3, evidence = ?4,
           avoid = holder, avoid_until = ?6, holder = NULL, expires_at = NULL, ended_as = ?5,
           dated_at = ?7
         WHERE id = ?1",
        params![held.id, now.saturating_add(delay / 2), error, evidence, FAILED, run_at, now],
    )?;
    if run_at <= now {
        tx.wake();
    }
    Ok(Failure::Retried { run_at })
}

/// What a failure that is told again was answered.
fn told(tx: &mut dyn Tx, lease: &Lease) -> Sql<Failure> {
    let failure = tx.one(
        "SELECT state, coalesce(avoid_until, run_at) FROM tasks WHERE job_id = ?1 AND key = ?2",
        params![&lease.job_id, &lease.key],
        |row| match row.get(0)? {
            TaskState::Quarantined => Ok(Failure::Quarantined),
            _ => Ok(Failure::Retried { run_at: row.get(1)? }),
        },
    )?;
    failure.ok_or(Fault::LeaseLost)
}

pub(crate) fn reject(tx: &mut dyn Tx, lease: &Lease, reason: &str) -> Sql<()> {
    tx.lock_job(&lease.job_id)?;
    let now = tx.now()?;
    let Some(held) = held_unless(tx, lease, REJECTED, now)? else { return Ok(()) };
    let state = TaskState::Rejected;
    let closing = Closing { state, ended_as: REJECTED, error: reason, evidence: None };
    close(tx, held.id, &closing, now)?;
    if jobs::end(tx, &lease.job_id, JobState::Rejected, Some(reason), now)? {
        let news = News { kind: EventKind::Rejected, task: Some(&lease.key), detail: reason };
        outbox::tell(tx, &lease.job_id, &news, now)?;
    }
    Ok(())
}

impl RetryPolicy {
    /// Milliseconds to wait after this many attempts have failed.
    fn delay(&self, failed: u32) -> i64 {
        let doublings = failed.saturating_sub(1).min(30);
        millis(self.base_delay).saturating_mul(1 << doublings).min(millis(self.max_delay))
    }
}

/// What is noted of a task that is closed without being done.
pub(crate) struct Closing<'a> {
    pub state: TaskState,
    pub ended_as: &'static str,
    pub error: &'a str,
    pub evidence: Option<&'a str>,
}

/// Sets a task aside for good, and fails its job.
pub(crate) fn quarantine(
    tx: &mut dyn Tx,
    task: i64,
    job: &str,
    closing: &Closing<'_>,
    now: UnixMillis,
) -> Sql<()> {
    close(tx, task, closing, now)?;
    if !jobs::end(tx, job, JobState::Failed, Some(closing.error), now)? {
        return Ok(());
    }
    let key = tx.one("SELECT key FROM tasks WHERE id = ?1", params![task], |row| row.get(0))?;
    let key: Option<String> = key;
    let news = News { kind: EventKind::Failed, task: key.as_deref(), detail: closing.error };
    outbox::tell(tx, job, &news, now)
}

fn close(tx: &mut dyn Tx, task: i64, closing: &Closing<'_>, now: UnixMillis) -> Sql<()> {
    let Closing { state, ended_as, error, evidence } = *closing;
    tx.execute(
        "UPDATE tasks SET state = ?2, ended_as = ?3, error = ?4, evidence = ?5, ended_at = ?6
         WHERE id = ?1",
        params![task, state, ended_as, error, evidence, now],
    )?;
    Ok(())
}

fn end_job(tx: &mut dyn Tx, job: &str, outcome: &JobOutcome, now: UnixMillis) -> Sql<()> {
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

fn add_tasks(tx: &mut dyn Tx, lease: &Lease, tasks: &[NewTask], now: UnixMillis) -> Sql<()> {
    if tasks.is_empty() {
        return Ok(());
    }
    let priority = tx
        .one("SELECT priority FROM jobs WHERE id = ?1", params![&lease.job_id], |row| row.get(0))?
        .ok_or_else(|| Fault::NoSuchJob(lease.job_id.clone()))?;
    let parent = Parent { job: &lease.job_id, pipeline: &lease.pipeline, priority, first: false };
    graph::add(tx, &parent, tasks, now)
}
