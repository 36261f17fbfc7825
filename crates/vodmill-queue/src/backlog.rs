//! How much there is to do: exact counts, for metrics and autoscaling.

use std::time::Duration;

use crate::clock::UnixMillis;
use crate::engine::{Row, Tx, params};
use crate::error::Sql;
use crate::state::{JobState, TaskState};

/// What lies in the queue, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// What there is of each kind of task, by kind; kinds without open tasks are left out.
    pub kinds: Vec<KindBacklog>,
    /// Jobs in each state that occurs.
    pub jobs: Vec<JobCount>,
    /// How long the oldest task that could be claimed has been ready; paused pipelines count too.
    pub oldest_ready: Option<Duration>,
    /// Leases held, expired ones that nobody has reaped yet included.
    pub leases: u64,
    /// Tasks set aside.
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
    /// Those that are set aside.
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

pub(crate) fn count(tx: &mut dyn Tx) -> Sql<Backlog> {
    let now = tx.now()?;
    let kinds = kinds(tx, now)?;
    let mut backlog = Backlog { kinds, jobs: jobs(tx)?, ..Backlog::default() };
    backlog.oldest_ready = backlog.kinds.iter().filter_map(|kind| kind.oldest_ready).max();
    backlog.leases = backlog.in_state(TaskState::Leased);
    backlog.quarantined = backlog.in_state(TaskState::Quarantined);
    Ok(backlog)
}

/// Answered from the index `tasks_open` alone.
fn kinds(tx: &mut dyn Tx, now: UnixMillis) -> Sql<Vec<KindBacklog>> {
    let counts = tx.all(
        "SELECT kind, state, count(*),
           CAST(sum(CASE WHEN run_at > ?1 THEN 1 ELSE 0 END) AS BIGINT), min(run_at)
         FROM tasks WHERE state IN ('waiting', 'ready', 'leased', 'quarantined')
         GROUP BY kind, state ORDER BY kind, state",
        params![now],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
    )?;
    let mut kinds: Vec<KindBacklog> = Vec::new();
    for (kind, state, count, delayed, since) in counts {
        if kinds.last().is_none_or(|last| last.kind != kind) {
            kinds.push(KindBacklog { kind, ..KindBacklog::default() });
        }
        if let Some(last) = kinds.last_mut() {
            last.add(state, count, delayed, now.saturating_sub(since));
        }
    }
    Ok(kinds)
}

impl KindBacklog {
    /// Adds tasks of one state, some of them delayed; the oldest is so many milliseconds old.
    fn add(&mut self, state: TaskState, count: u64, delayed: u64, oldest: i64) {
        match state {
            TaskState::Ready => {
                (self.ready, self.delayed) = (count - delayed, delayed);
                if self.ready > 0 {
                    self.oldest_ready = Some(Duration::from_millis(oldest.unsigned_abs()));
                }
            }
            TaskState::Leased => self.leased = count,
            TaskState::Waiting => self.waiting = count,
            TaskState::Quarantined => self.quarantined = count,
            TaskState::Done | TaskState::Cancelled | TaskState::Rejected => {}
        }
    }
}

fn jobs(tx: &mut dyn Tx) -> Sql<Vec<JobCount>> {
    tx.all("SELECT state, count(*) FROM jobs GROUP BY state ORDER BY state", params![], |row| {
        Ok(JobCount { state: row.get(0)?, count: row.get(1)? })
    })
}

pub(crate) fn leases(tx: &mut dyn Tx) -> Sql<Vec<LeaseInfo>> {
    tx.all(
        "SELECT job_id, pipeline, key, kind, holder, token, attempts, started_at, expires_at
         FROM tasks WHERE state = 'leased' ORDER BY expires_at, id",
        params![],
        lease,
    )
}

fn lease(row: &Row) -> Sql<LeaseInfo> {
    Ok(LeaseInfo {
        job_id: row.get(0)?,
        pipeline: row.get(1)?,
        key: row.get(2)?,
        kind: row.get(3)?,
        holder: row.get(4)?,
        token: row.get(5)?,
        attempt: row.get(6)?,
        started_at: row.get(7)?,
        expires_at: row.get(8)?,
    })
}
