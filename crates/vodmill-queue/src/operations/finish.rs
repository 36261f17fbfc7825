//! How a lease ends: the task is done, has failed, or found the input at fault.

use vodmill_clock::{UnixMillis, millis};

use super::graph::{self, Parent};
use super::leases::{COMPLETED, FAILED, Held, REJECTED, held_unless};
use super::outbox::{self, News};
use super::{invalidations, jobs, totals};
use crate::backoff::doubled;
use crate::contract::{
    Cause, Completion, EventKind, Failure, JobOutcome, JobState, Lease, NewTask, RetryPolicy,
    TaskState,
};
use crate::engine::{Tx, params};
use crate::error::{Fault, Sql};

pub(super) fn complete(tx: &mut dyn Tx, lease: &Lease, completion: &Completion) -> Sql<()> {
    tx.lock_job(&lease.job_id)?;
    let now = tx.now()?;
    let Some(held) = held_unless(tx, lease, COMPLETED, now)? else { return Ok(()) };
    tx.execute(
        "UPDATE tasks SET state = 'done', result = ?2, ended_at = ?3, error = NULL,
           evidence = NULL, ended_as = ?4 WHERE id = ?1",
        params![held.id, &completion.result, now, COMPLETED],
    )?;
    graph::release_successors(tx, held.id, now)?;
    // Before the new tasks come in, for they are to outlive it.
    if let Some(outcome) = &completion.job {
        end_job(tx, &lease.job_id, outcome, now)?;
    }
    add_tasks(tx, lease, &completion.then, now)?;
    invalidations::note(tx, &lease.pipeline, &completion.stale)?;
    write_events(tx, lease, completion, now)?;
    if let Some(figures) = &completion.figures {
        totals::add(tx, &lease.pipeline, figures)?;
    }
    if jobs::is_stranded(tx, &lease.job_id)? {
        return Err(Fault::Refused("it is the last task, and gives no outcome".into()));
    }
    Ok(())
}

fn write_events(
    tx: &mut dyn Tx,
    lease: &Lease,
    completion: &Completion,
    now: UnixMillis,
) -> Sql<()> {
    let task = Some(lease.key.as_str());
    for warning in &completion.warnings {
        let news = News { kind: EventKind::Warning, task, detail: warning };
        outbox::write(tx, &lease.job_id, &news, now)?;
    }
    let (kind, detail) = match &completion.job {
        None => return Ok(()),
        Some(JobOutcome::Published) => (EventKind::Published, &completion.result),
        Some(JobOutcome::Rejected { reason }) => (EventKind::Rejected, reason),
        Some(JobOutcome::Failed { reason }) => (EventKind::Failed, reason),
    };
    outbox::write(tx, &lease.job_id, &News { kind, task, detail }, now)
}

pub(super) fn fail(
    tx: &mut dyn Tx,
    lease: &Lease,
    error: &str,
    evidence: &str,
    policy: &RetryPolicy,
) -> Sql<Failure> {
    tx.lock_job(&lease.job_id)?;
    let now = tx.now()?;
    let Some(held) = held_unless(tx, lease, FAILED, now)? else {
        return earlier_failure(tx, lease);
    };
    let spent = count_failure(tx, &held, policy.cause)?;
    if spent >= policy.max_attempts {
        let closing = Closing {
            state: TaskState::Quarantined,
            ended_as: FAILED,
            error,
            evidence: Some(evidence),
        };
        quarantine(tx, held.id, &lease.job_id, &closing, now)?;
        return Ok(Failure::Quarantined);
    }
    let delay = millis(doubled(policy.base_delay, policy.max_delay, spent));
    retry_after(tx, held.id, delay, (error, evidence), now)
}

/// Makes a task ready again in `delay` milliseconds.
fn retry_after(
    tx: &mut dyn Tx,
    task: i64,
    delay: i64,
    (error, evidence): (&str, &str),
    now: UnixMillis,
) -> Sql<Failure> {
    let run_at = now.saturating_add(delay);
    // Others come first: what failed may be the machine.
    tx.execute(
        "UPDATE tasks SET state = 'ready', run_at = ?2, error = ?3, evidence = ?4,
           avoid = holder, avoid_until = ?6, holder = NULL, expires_at = NULL, ended_as = ?5,
           dated_at = ?7
         WHERE id = ?1",
        params![task, now.saturating_add(delay / 2), error, evidence, FAILED, run_at, now],
    )?;
    if run_at <= now {
        tx.wake();
    }
    Ok(Failure::Retried { run_at })
}

/// Counts one more attempt that failed for this cause; how many these are.
fn count_failure(tx: &mut dyn Tx, held: &Held, cause: Cause) -> Sql<u32> {
    let mut failures = held.failures;
    let mut outages = held.outages;
    let counter = match cause {
        Cause::Failure => &mut failures,
        Cause::Outage => &mut outages,
    };
    *counter += 1;
    let spent = *counter;
    let sql = "UPDATE tasks SET failures = ?2, outages = ?3 WHERE id = ?1";
    tx.execute(sql, params![held.id, failures, outages])?;
    Ok(spent)
}

/// What came of this failure when it was noted first.
fn earlier_failure(tx: &mut dyn Tx, lease: &Lease) -> Sql<Failure> {
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

pub(super) fn reject(tx: &mut dyn Tx, lease: &Lease, reason: &str) -> Sql<()> {
    tx.lock_job(&lease.job_id)?;
    let now = tx.now()?;
    let Some(held) = held_unless(tx, lease, REJECTED, now)? else { return Ok(()) };
    let closing =
        Closing { state: TaskState::Rejected, ended_as: REJECTED, error: reason, evidence: None };
    close(tx, held.id, &closing, now)?;
    if jobs::end(tx, &lease.job_id, JobState::Rejected, Some(reason), now)? {
        let news = News { kind: EventKind::Rejected, task: Some(&lease.key), detail: reason };
        outbox::write(tx, &lease.job_id, &news, now)?;
    }
    Ok(())
}

/// What is noted of a task that is closed without being done.
pub(super) struct Closing<'a> {
    pub state: TaskState,
    pub ended_as: &'static str,
    pub error: &'a str,
    pub evidence: Option<&'a str>,
}

/// Gives a task up, and fails its job.
pub(super) fn quarantine(
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
    outbox::write(tx, job, &news, now)
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
    if !jobs::end(tx, job, state, reason, now)? {
        return Err(Fault::Refused("its job has ended already".into()));
    }
    Ok(())
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
