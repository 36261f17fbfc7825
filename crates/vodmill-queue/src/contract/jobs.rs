//! Jobs and their tasks.

use vodmill_clock::UnixMillis;

use super::state::{JobState, TaskState};
use crate::error::Result;

/// Jobs: enqueued, looked at, cancelled and taken up again.
///
/// # Contract
///
/// - A job is in exactly one [`JobState`]. Once ended it changes only through
///   [`retry`](Self::retry), [`restart`](Self::restart) and
///   [`retry_quarantined`](crate::Control::retry_quarantined).
/// - Its id is the caller's: enqueuing it again finds the job that is there, and changes nothing.
/// - Ending a job cancels all its unfinished tasks in the same transaction. Only tasks added by the
///   very [`Completion`](crate::Completion) that ends it live on; they cannot change its state.
/// - A job that has not ended always has an unfinished task.
pub trait Jobs: Send + Sync {
    /// Adds a job together with its first tasks.
    ///
    /// # Errors
    /// [`Refused`](crate::Error::Refused) if there is no task, two have one key, or they wait for
    /// something unknown or in a circle.
    fn enqueue(&self, job: &NewJob, tasks: &[NewTask]) -> Result<Enqueued>;

    /// The job of this id.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob).
    fn job(&self, id: &str) -> Result<JobInfo>;

    /// The jobs whose ids begin with `prefix`, in the order of their ids, at most `limit`.
    fn jobs_by_prefix(&self, prefix: &str, limit: u32) -> Result<Vec<JobInfo>>;

    /// Jobs, the newest first, at most `limit`.
    fn jobs(&self, filter: &JobFilter, limit: u32) -> Result<Vec<JobInfo>>;

    /// The tasks of a job, in the order in which they were added; none if there is no such job.
    fn tasks(&self, job: &str) -> Result<Vec<TaskInfo>>;

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
    /// it is [handed out](crate::Settling::claim_ended).
    fn retry(&self, job: &str) -> Result<()>;

    /// Takes a failed, rejected or cancelled job up again from its beginning: the tasks that it was
    /// enqueued with start over, and what completions have added since is forgotten.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob); [`Refused`](crate::Error::Refused) in any other
    /// state; [`BeingSettled`](crate::Error::BeingSettled) as [`retry`](Self::retry).
    fn restart(&self, job: &str) -> Result<()>;

    /// Notes on the job which asset it publishes, and the name that its source went by.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob).
    fn set_job_asset(&self, job: &str, asset: &str, source_name: &str) -> Result<()>;
}

/// A job to be enqueued.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewJob {
    /// Its identity; enqueuing it again finds the job that is there.
    pub id: String,
    /// The pipeline that it runs through; pipelines can be paused.
    pub pipeline: String,
    /// What people call it.
    pub name: String,
    /// Where its original is; opaque.
    pub source: String,
    /// What all its workers are told; opaque.
    pub payload: String,
    /// Higher goes first.
    pub priority: i32,
}

/// What became of an enqueued job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It is in the queue now.
    New,
    /// It was there already, in this state; nothing was changed.
    Existing(JobState),
}

/// A job as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of NewJob")]
pub struct JobInfo {
    pub id: String,
    pub pipeline: String,
    pub name: String,
    pub source: String,
    pub payload: String,
    pub priority: i32,
    /// Where it stands.
    pub state: JobState,
    /// Why it was rejected or failed.
    pub reason: Option<String>,
    /// The asset that it publishes.
    pub asset: Option<String>,
    /// The name that its source went by when the asset was named.
    pub source_name: Option<String>,
    /// Whether its scratch was swept after it ended.
    pub cleaned: bool,
    /// When it was enqueued.
    pub created_at: UnixMillis,
    /// When its first task was claimed.
    pub started_at: Option<UnixMillis>,
    /// When it ended.
    pub ended_at: Option<UnixMillis>,
}

/// Which jobs to list; the default lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only those in this state.
    pub state: Option<JobState>,
    /// Only those of this pipeline.
    pub pipeline: Option<String>,
    /// Only those of this source.
    pub source: Option<String>,
    /// Only those that publish this asset.
    pub asset: Option<String>,
}

/// A task to be added to a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewTask {
    /// Its name, unique within the job.
    pub key: String,
    /// What sort of work it is; claims can be limited to some kinds.
    pub kind: String,
    /// What the worker is told; opaque.
    pub payload: String,
    /// Keys of the tasks that must be done first: of this job, existing or added together with it.
    pub after: Vec<String>,
    /// Added to the job's priority; higher goes first.
    pub priority: i32,
}

/// A task as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskInfo {
    /// Its name within the job.
    pub key: String,
    /// What sort of work it is.
    pub kind: String,
    /// What the worker is told.
    pub payload: String,
    /// Its own and its job's priority together.
    pub priority: i64,
    /// Where it stands.
    pub state: TaskState,
    /// How many tasks it still waits for.
    pub pending: u32,
    /// Attempts begun, released ones not counted; reset when the job is retried.
    pub attempts: u32,
    /// How many of these failed by themselves.
    pub failures: u32,
    /// How many failed for want of something that was away.
    pub outages: u32,
    /// How many ended by an expired lease.
    pub losses: u32,
    /// Who holds it, or did last if it has ended.
    pub holder: Option<String>,
    /// What went wrong last; gone once the task is done.
    pub error: Option<String>,
    /// What a failing worker left to show why.
    pub evidence: Option<String>,
    /// What the holder noted last.
    pub progress: Option<String>,
    /// What it left when it was done.
    pub result: Option<String>,
    /// When it was added.
    pub created_at: UnixMillis,
    /// Since when, or from when on, it can be claimed (once it is ready).
    pub run_at: UnixMillis,
    /// When the last attempt began.
    pub started_at: Option<UnixMillis>,
    /// When the lease expires.
    pub expires_at: Option<UnixMillis>,
    /// When it was done or given up.
    pub ended_at: Option<UnixMillis>,
}
