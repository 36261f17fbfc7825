//! What operators see and steer.

use std::time::Duration;

use vodmill_clock::UnixMillis;

use super::jobs::TaskInfo;
use super::state::{JobState, TaskState};
use crate::error::Result;

/// The setting that says after how many lost leases a task is quarantined.
pub const MAX_LOST_LEASES: &str = "max_lost_leases";

/// What [`MAX_LOST_LEASES`] is unless it is set.
pub const DEFAULT_MAX_LOST_LEASES: u32 = 5;

/// The queue as a whole: its backlog and leases, quarantined tasks, paused pipelines, settings.
///
/// # Contract
///
/// - Counts are exact, at one moment.
/// - What is paused, quarantined or set stays so until somebody changes it, in whichever process.
pub trait Control: Send + Sync {
    /// Counts what is to do.
    fn backlog(&self) -> Result<Backlog>;

    /// All leases, the first to expire first.
    fn leases(&self) -> Result<Vec<LeaseInfo>>;

    /// Quarantined tasks, the oldest first, at most `limit`.
    fn quarantined(&self, limit: u32) -> Result<Vec<QuarantinedTask>>;

    /// Takes a quarantined task up again, with its attempts reset. A job that failed is taken up as
    /// a whole, as by [`retry`](crate::Jobs::retry); one that had ended before the task did stays
    /// ended.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob); [`Refused`](crate::Error::Refused) if the task is
    /// unknown or not quarantined.
    fn retry_quarantined(&self, job: &str, key: &str) -> Result<()>;

    /// Drops a quarantined task: it is cancelled, and neither listed nor counted any more. Its job
    /// stays as it is; error and evidence stay with the task, in [`tasks`](crate::Jobs::tasks).
    ///
    /// # Errors
    /// As [`retry_quarantined`](Self::retry_quarantined).
    fn drop_quarantined(&self, job: &str, key: &str) -> Result<()>;

    /// Stops handing out tasks of this pipeline's jobs; leases that are held go on.
    fn pause(&self, pipeline: &str) -> Result<()>;

    /// Hands out this pipeline's tasks again.
    fn resume(&self, pipeline: &str) -> Result<()>;

    /// The paused pipelines, by name.
    fn paused(&self) -> Result<Vec<String>>;

    /// The value of a setting, if it was ever set.
    fn setting(&self, name: &str) -> Result<Option<String>>;

    /// Sets a setting, for all processes that use this queue.
    ///
    /// # Errors
    /// [`Refused`](crate::Error::Refused) for `schema`, which is the queue's own.
    fn set_setting(&self, name: &str, value: &str) -> Result<()>;
}

/// What lies in the queue, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// What there is of each kind of task, by kind; kinds without open tasks are left out.
    pub kinds: Vec<KindBacklog>,
    /// Jobs in each state that occurs.
    pub jobs: Vec<JobCount>,
    /// How long the oldest task that could be claimed has been ready; paused pipelines count too.
    pub oldest_ready: Option<Duration>,
    /// Leases held, expired ones that are not reaped yet included.
    pub leases: u64,
    /// Quarantined tasks.
    pub quarantined: u64,
}

/// The open tasks of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KindBacklog {
    /// Their kind.
    pub kind: String,
    /// Those that can be claimed now (or once their pipeline is resumed).
    pub ready: u64,
    /// Those that are ready but for their time, which is to come.
    pub delayed: u64,
    /// Those that are held, under expired leases too.
    pub leased: u64,
    /// Those that wait for other tasks.
    pub waiting: u64,
    /// Those that are quarantined.
    pub quarantined: u64,
    /// How long the oldest ready one has been so.
    pub oldest_ready: Option<Duration>,
}

/// The number of jobs in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobCount {
    /// Their state.
    pub state: JobState,
    /// How many.
    pub count: u64,
}

/// A lease as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseInfo {
    /// The task's job.
    pub job_id: String,
    /// The job's pipeline.
    pub pipeline: String,
    /// The task's key within the job.
    pub key: String,
    /// The task's kind.
    pub kind: String,
    /// Who holds it.
    pub holder: String,
    /// Its fencing token.
    pub token: i64,
    /// Which attempt at the task this is, from 1.
    pub attempt: u32,
    /// When it was claimed.
    pub started_at: UnixMillis,
    /// When it expires; in the past if nobody has reaped it yet.
    pub expires_at: UnixMillis,
}

/// A task whose attempts are spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedTask {
    /// Its job.
    pub job_id: String,
    /// What people call the job.
    pub job_name: String,
    /// The job's pipeline.
    pub pipeline: String,
    /// The task, with its error and evidence.
    pub task: TaskInfo,
}

impl Backlog {
    /// How many tasks of any kind are in this state; delayed ones are ready, and finished ones are
    /// not counted.
    pub fn in_state(&self, state: TaskState) -> u64 {
        self.kinds.iter().map(|kind| kind.in_state(state)).sum()
    }
}

impl KindBacklog {
    /// How many tasks are in this state; delayed ones are ready, and finished ones not counted.
    pub fn in_state(&self, state: TaskState) -> u64 {
        match state {
            TaskState::Ready => self.ready + self.delayed,
            TaskState::Leased => self.leased,
            TaskState::Waiting => self.waiting,
            TaskState::Quarantined => self.quarantined,
            TaskState::Done | TaskState::Cancelled | TaskState::Rejected => 0,
        }
    }
}
