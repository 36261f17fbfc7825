//! The contract of a queue.

use std::time::Duration;

use crate::backlog::{Backlog, LeaseInfo};
use crate::clock::UnixMillis;
use crate::courier::{Outbox, StaleCaches};
use crate::error::Result;
use crate::finish::{Completion, Failure, RetryPolicy};
use crate::graph::NewTask;
use crate::jobs::{Enqueued, JobFilter, JobInfo, NewJob};
use crate::lease::{ClaimFilter, Lease};
use crate::quarantine::QuarantinedTask;
use crate::renditions::RenditionInfo;
use crate::state::JobState;
use crate::sums::Sum;
use crate::tasks::TaskInfo;
use crate::vault::{Kept, Secret};

/// Durable jobs, tasks and leases, and the small truths that their work shares.
///
/// Each method but [`wait`](Self::wait) and [`reap_expired`](Self::reap_expired) is one
/// transaction: it happens whole, and durably, or not at all. All methods block, and none may be
/// called from within an async runtime. Each may fail with [`Error::Database`](crate::Error), which
/// is not said again below.
///
/// # Contract
///
/// - A job is in exactly one [`JobState`]. Once ended it changes only through
///   [`retry`](Self::retry), [`restart`](Self::restart) and
///   [`retry_quarantined`](Self::retry_quarantined).
/// - Ending a job cancels all its unfinished tasks in the same transaction. Only tasks added by the
///   very [`Completion`] that ends it live on (a notification, say); they cannot change its state.
/// - A job that has not ended always has an unfinished task: a completion that would strand it is
///   refused.
/// - Every write of a holder is fenced: once its lease has expired, has ended or was taken away with
///   its job, it is answered [`LeaseLost`](crate::Error::LeaseLost) and changes nothing.
/// - **Whose turn it is.** Ready tasks are claimed by priority (the job's plus the task's, highest
///   first). Among equal ones pipelines take turns: first the pipeline with the fewest leases, then
///   the one that was served longest ago. Within a pipeline the task that has been ready longest
///   goes first, then the order of insertion. So ten thousand tasks of one pipeline do not keep
///   another waiting. Where several claim at the same moment, each takes the next that is free.
/// - **Everything is safe to repeat**, for an answer can be lost with its connection. A lease that
///   has ended is told again how: to complete, fail, reject or release it in the same way with the
///   same token is answered as the first time, and changes nothing (as long as nobody has claimed
///   the task again). A claim whose answer was lost is a lease that expires.
pub trait Queue: Outbox + StaleCaches + Send + Sync {
    /// Adds a job together with its first tasks.
    ///
    /// # Errors
    /// [`Refused`](crate::Error::Refused) if there is no task, two have one key, or they wait for
    /// something unknown or in a circle.
    fn enqueue(&self, job: &NewJob, tasks: &[NewTask]) -> Result<Enqueued>;

    /// Takes the next ready task for `holder` (an id that is random for each process), if there is
    /// one. Expired leases are not looked at: see [`reap_expired`](Self::reap_expired).
    ///
    /// # Errors
    /// Only the database's.
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
    /// [`claim_ended`](Self::claim_ended) need not wait for the lease to expire.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost).
    fn release(&self, lease: &Lease) -> Result<()>;

    /// Gives the task back without counting the attempt, because this holder has no room for it now:
    /// others may take it at once, this holder in `delay`. `why` stands as its error meanwhile.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::Error::LeaseLost).
    fn postpone(&self, lease: &Lease, delay: Duration, why: &str) -> Result<()>;

    /// As [`release`](Self::release), for everything that `holder` holds, and returns how many
    /// tasks were given back: an orderly stop of one process, whose threads no longer work.
    ///
    /// # Errors
    /// Only the database's.
    fn release_holder(&self, holder: &str) -> Result<usize>;

    /// As [`release_holder`](Self::release_holder), for all holders: **only for a process that has
    /// the queue to itself** and has just started, so that every holder is gone. Where others work
    /// on this queue it takes their tasks away from them.
    ///
    /// # Errors
    /// Only the database's.
    fn release_all(&self) -> Result<usize>;

    /// Takes back every lease that has expired, and returns how many. The tasks are ready again at
    /// once; the attempt counts. A task that has lost too many leases
    /// ([`MAX_LOST_LEASES`](crate::MAX_LOST_LEASES)) is quarantined, since it may be what kills its
    /// holders. Call it every few seconds, in any number of processes; it costs one look at an index
    /// when nothing has expired.
    ///
    /// # Errors
    /// Only the database's.
    fn reap_expired(&self) -> Result<u64>;

    /// Ends a job and all its unfinished tasks; their holders' leases are lost. Returns the state
    /// after it: a job that had ended already keeps its state.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob).
    fn cancel(&self, job: &str) -> Result<JobState>;

    /// Takes a failed, rejected or cancelled job up again: its unfinished tasks start over with
    /// their attempts reset, and those that are done stay done. If the job's scratch was swept
    /// ([`JobInfo::cleaned`]), what these left there is gone: then [`restart`](Self::restart) it.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob); [`Refused`](crate::Error::Refused) in any other
    /// state, or if no task is unfinished; [`BeingSettled`](crate::Error::BeingSettled) as long as
    /// it is [handed out](Self::claim_ended).
    fn retry(&self, job: &str) -> Result<()>;

    /// Takes a failed, rejected or cancelled job up again from its beginning: the tasks that it was
    /// enqueued with start over, and what completions have added since is forgotten.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob); [`Refused`](crate::Error::Refused) in any other
    /// state; [`BeingSettled`](crate::Error::BeingSettled) as [`retry`](Self::retry).
    fn restart(&self, job: &str) -> Result<()>;

    /// The job of this id.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob).
    fn job(&self, id: &str) -> Result<JobInfo>;

    /// The jobs whose ids begin with `prefix`, in the order of their ids, at most `limit`.
    ///
    /// # Errors
    /// Only the database's.
    fn jobs_by_prefix(&self, prefix: &str, limit: u32) -> Result<Vec<JobInfo>>;

    /// Jobs, the newest first, at most `limit`.
    ///
    /// # Errors
    /// Only the database's.
    fn jobs(&self, filter: &JobFilter, limit: u32) -> Result<Vec<JobInfo>>;

    /// The tasks of a job, in the order in which they were added; none if there is no such job.
    ///
    /// # Errors
    /// Only the database's.
    fn tasks(&self, job: &str) -> Result<Vec<TaskInfo>>;

    /// Counts what is to do.
    ///
    /// # Errors
    /// Only the database's.
    fn backlog(&self) -> Result<Backlog>;

    /// All leases, the first to expire first.
    ///
    /// # Errors
    /// Only the database's.
    fn leases(&self) -> Result<Vec<LeaseInfo>>;

    /// Tasks that were set aside, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// Only the database's.
    fn quarantined(&self, limit: u32) -> Result<Vec<QuarantinedTask>>;

    /// Takes a quarantined task up again, with its attempts reset. A job that failed is taken up as
    /// a whole, as by [`retry`](Self::retry); one that had ended before the task did stays ended.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob); [`Refused`](crate::Error::Refused) if the task is
    /// unknown or not quarantined.
    fn retry_quarantined(&self, job: &str, key: &str) -> Result<()>;

    /// Drops a quarantined task: it is cancelled, and neither listed nor counted any more. Its job
    /// stays as it is; error and evidence stay with the task, in [`tasks`](Self::tasks).
    ///
    /// # Errors
    /// As [`retry_quarantined`](Self::retry_quarantined).
    fn drop_quarantined(&self, job: &str, key: &str) -> Result<()>;

    /// Stops handing out tasks of this pipeline's jobs; leases that are held go on. Pausing twice
    /// is pausing once.
    ///
    /// # Errors
    /// Only the database's.
    fn pause(&self, pipeline: &str) -> Result<()>;

    /// Hands out this pipeline's tasks again.
    ///
    /// # Errors
    /// Only the database's.
    fn resume(&self, pipeline: &str) -> Result<()>;

    /// The paused pipelines, by name.
    ///
    /// # Errors
    /// Only the database's.
    fn paused(&self) -> Result<Vec<String>>;

    /// Jobs that have ended and whose scratch nobody has swept yet, the oldest first: for a list,
    /// and for a process that has the queue to itself and has stopped its own holders. Others take
    /// them by [`claim_ended`](Self::claim_ended).
    ///
    /// # Errors
    /// Only the database's.
    fn ended_uncleaned(&self) -> Result<Vec<JobInfo>>;

    /// Hands the job that ended first and is not cleaned to `holder`, to settle it; to nobody else
    /// before `duration` is over. A job is handed out only when nobody can be at work on it any
    /// more: the leases of its tasks, those too that were cancelled with it, have been
    /// [released](Self::release) or have expired.
    ///
    /// # Errors
    /// Only the database's.
    fn claim_ended(&self, holder: &str, duration: Duration) -> Result<Option<JobInfo>>;

    /// Notes that an ended job's scratch is gone.
    ///
    /// # Errors
    /// [`Refused`](crate::Error::Refused) if the job is unknown or has not ended (it may have been
    /// retried meanwhile).
    fn mark_cleaned(&self, job: &str) -> Result<()>;

    /// Reserves an asset name for `owner`: `wanted` if it is free or already the owner's, otherwise
    /// `wanted-` and six hex digits of the owner's SHA-256. The same call always gives the same
    /// answer; names are never given back. What the owner has under another name, of those that it was
    /// known by `before`, it keeps.
    ///
    /// # Errors
    /// Only the database's.
    fn claim_asset(&self, wanted: &str, owner: &str, before: &[String]) -> Result<String>;

    /// The number under which this job publishes this asset: one more than the highest so far, from
    /// 1; the same job always gets the same number.
    ///
    /// # Errors
    /// Only the database's.
    fn next_generation(&self, asset: &str, job: &str) -> Result<u32>;

    /// The assets that have had more than one number, by name.
    ///
    /// # Errors
    /// Only the database's.
    fn republished_assets(&self) -> Result<Vec<String>>;

    /// Notes on the job which asset it publishes, and the name that its source went by.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob).
    fn set_job_asset(&self, job: &str, asset: &str, source_name: &str) -> Result<()>;

    /// What completions have [counted](Completion::tally), by pipeline, month and name.
    ///
    /// # Errors
    /// Only the database's.
    fn sums(&self) -> Result<Vec<Sum>>;

    /// The value of a setting, if it was ever set.
    ///
    /// # Errors
    /// Only the database's.
    fn setting(&self, name: &str) -> Result<Option<String>>;

    /// Sets a setting, for all processes that use this queue. `schema` is not for callers.
    ///
    /// # Errors
    /// [`Refused`](crate::Error::Refused) for `schema`.
    fn set_setting(&self, name: &str, value: &str) -> Result<()>;

    /// The rendition of this digest, if it is kept; it is now used.
    ///
    /// # Errors
    /// Only the database's.
    fn rendition(&self, digest: &str) -> Result<Option<RenditionInfo>>;

    /// Keeps a rendition whose bytes are in their place. The first for a digest decides: returned is
    /// the row that counts, and a caller that gets another place than its own removes its bytes.
    ///
    /// # Errors
    /// Only the database's.
    fn keep_rendition(&self, rendition: &RenditionInfo) -> Result<RenditionInfo>;

    /// Forgets renditions, the longest unused first, until the others have at most `keep_bytes`, and
    /// returns them: their bytes are now the caller's to remove. None that was used since the oldest
    /// job that has not ended was enqueued.
    ///
    /// # Errors
    /// Only the database's.
    fn evict_renditions(&self, keep_bytes: u64) -> Result<Vec<RenditionInfo>>;

    /// What [`evict_renditions`](Self::evict_renditions) would forget now.
    ///
    /// # Errors
    /// Only the database's.
    fn evictable_renditions(&self, keep_bytes: u64) -> Result<Vec<RenditionInfo>>;

    /// Forgets a rendition whose bytes are missing or torn, if it is still the one in this place.
    ///
    /// # Errors
    /// Only the database's.
    fn forget_rendition(&self, digest: &str, place: &str) -> Result<()>;

    /// The places of renditions that begin with `prefix`, by digest; it looks at all of them, and
    /// marks nothing as used.
    ///
    /// # Errors
    /// Only the database's.
    fn rendition_places(&self, prefix: &str) -> Result<Vec<String>>;

    /// Keeps a secret. The first for an id decides: its value and names count. A name belongs to one
    /// id.
    ///
    /// # Errors
    /// Only the database's.
    fn keep_secret(&self, id: &str, names: &[String], value: &str) -> Result<Kept>;

    /// Replaces the value of a secret if it is still the expected one; its names stay. False if it
    /// is another by now, or there is no such secret.
    ///
    /// # Errors
    /// Only the database's.
    fn replace_secret(&self, id: &str, expected: &str, value: &str) -> Result<bool>;

    /// The secret of this id.
    ///
    /// # Errors
    /// Only the database's.
    fn secret(&self, id: &str) -> Result<Option<Secret>>;

    /// The secret that this name leads to.
    ///
    /// # Errors
    /// Only the database's.
    fn secret_by_name(&self, name: &str) -> Result<Option<Secret>>;

    /// All secrets, by id.
    ///
    /// # Errors
    /// Only the database's.
    fn secrets(&self) -> Result<Vec<Secret>>;
}
