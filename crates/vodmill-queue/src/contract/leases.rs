//! Leases: the right to work on a task.

use std::time::Duration;

use vodmill_clock::UnixMillis;

use super::invalidations::StalePath;
use super::jobs::NewTask;
use super::totals::MonthFigures;
use crate::error::Result;

/// Tasks: claimed, kept and ended by their holders.
///
/// # Contract
///
/// - Every write of a holder is fenced: once its lease has expired, has ended or was taken away with
///   its job, it is answered [`LeaseLost`](crate::Error::LeaseLost) and changes nothing.
/// - **The order of claims.** Ready tasks are claimed by priority (the job's plus the task's, highest
///   first). Among equal ones pipelines take turns: first the pipeline with the fewest leases, then
///   the one that was served longest ago. Within a pipeline the task that has been ready longest
///   goes first, then the order of insertion. So ten thousand tasks of one pipeline do not keep
///   another waiting. Where several claim at the same moment, each takes the next that is free.
/// - A lease that has ended can be ended again: to complete, fail, reject or release it in the same
///   way with the same token is answered as the first time, and changes nothing (as long as nobody
///   has claimed the task again). A claim whose answer was lost is a lease that expires.
/// - A job that has not ended always has an unfinished task: a completion that would strand it is
///   refused.
pub trait Leases: Send + Sync {
    /// Takes the next ready task for `holder` (an id that is random for each process), if there is
    /// one. Expired leases are not looked at: see [`reap_expired`](Self::reap_expired).
    fn claim(
        &self,
        holder: &str,
        duration: Duration,
        filter: &ClaimFilter,
    ) -> Result<Option<Lease>>;

    /// Returns when a task may have become ready since the last claim that found none, or after
    /// `timeout`: to claim again. It may return for nothing, and may miss what other processes do
    /// (SQLite) or what becomes ready by the passing of time (both): keep the timeout short.
    fn wait(&self, timeout: Duration);

    /// Makes the lease expire `extend` from now, and returns that time.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost).
    fn heartbeat(&self, lease: &Lease, extend: Duration) -> Result<UnixMillis>;

    /// Notes how far the task is; opaque, replaces what was noted before.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost).
    fn progress(&self, lease: &Lease, progress: &str) -> Result<()>;

    /// Ends the task well: its successors are counted down, further tasks added and the job ended
    /// in the same transaction.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost); [`Refused`](crate::Error::Refused) if the tasks to
    /// add are wrong, if an unended job would be left with nothing to do, or if the job to end has
    /// ended before.
    fn complete(&self, lease: &Lease, completion: &Completion) -> Result<()>;

    /// Ends this attempt: the task is retried after a while, or quarantined with its evidence, and
    /// its job failed, if it has had all its attempts.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost).
    fn fail(
        &self,
        lease: &Lease,
        error: &str,
        evidence: &str,
        policy: &RetryPolicy,
    ) -> Result<Failure>;

    /// Ends the job as rejected: the input is at fault, and no attempt will mend it.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost).
    fn reject(&self, lease: &Lease, reason: &str) -> Result<()>;

    /// Gives the task back, in its old place, without counting the attempt: an orderly stop. Of a
    /// task that was cancelled with its job it says that the holder has stopped, so that
    /// [`claim_ended`](crate::Settling::claim_ended) need not wait for the lease to expire.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost).
    fn release(&self, lease: &Lease) -> Result<()>;

    /// Gives the task back without counting the attempt, because this holder has no capacity for it
    /// now: others may take it at once, this holder in `delay`. `why` stands as its error meanwhile.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost).
    fn postpone(&self, lease: &Lease, delay: Duration, why: &str) -> Result<()>;

    /// Gives back every task that any holder has, without counting the attempt, and returns how
    /// many: **only for a process that has the queue to itself** and has just started, so that every
    /// holder is gone. Where others work on this queue it takes their tasks away from them.
    fn release_all(&self) -> Result<usize>;

    /// Takes back every lease that has expired, and returns how many. The tasks are ready again at
    /// once; the attempt counts. A task that has lost too many leases
    /// ([`MAX_LOST_LEASES`](crate::MAX_LOST_LEASES)) is quarantined, since it may be what kills its
    /// holders. Call it every few seconds, in any number of processes; it costs one look at an index
    /// when nothing has expired.
    fn reap_expired(&self) -> Result<u64>;
}

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

/// What a completed task leaves behind, all in one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// The task's result; opaque.
    pub result: String,
    /// Tasks to add. They may wait for each other and for tasks that are there. Together with
    /// `job`, they outlive the job's end: for what is to be done afterwards.
    pub then: Vec<NewTask>,
    /// Ends the job.
    pub job: Option<JobOutcome>,
    /// What subscribers should know, and what ends nothing; opaque. Each becomes an event.
    pub warnings: Vec<String>,
    /// Paths whose old content caches are to drop.
    pub stale: Vec<StalePath>,
    /// What it adds to the totals of its pipeline.
    pub figures: Option<MonthFigures>,
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
