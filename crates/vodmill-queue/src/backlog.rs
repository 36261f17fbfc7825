//! How much there is to do: exact counts, for metrics and autoscaling.

use std::time::Duration;

use rusqlite::Transaction;

use crate::clock::UnixMillis;
use crate::error::Result;
use crate::queue::SqliteQueue;
use crate::state::{JobState, TaskState};

/// What lies in the queue, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Waiting, ready, leased and quarantined tasks; combinations that do not occur are left out.
    pub tasks: Vec<TaskCount>,
    /// Jobs in each state that occurs.
    pub jobs: Vec<JobCount>,
    /// How long the oldest task that could be claimed has been ready; paused pipelines count too.
    pub oldest_ready: Option<Duration>,
    /// Leases held, expired ones that nobody has reaped yet included.
    pub leases: u64,
    /// Tasks set aside.
    pub quarantined: u64,
}

/// The number of tasks of one kind in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskCount {
    /// Their kind.
    pub kind: String,
    /// Their state.
    pub state: TaskState,
    /// How many.
    pub count: u64,
}

/// The number of jobs in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobCount {
    /// Their state.
    pub state: JobState,
    /// How many.
    pub count: u64,
}

impl Backlog {
    /// How many tasks of any kind are in this state.
    pub fn in_state(&self, state: TaskState) -> u64 {
        self.tasks.iter().filter(|count| count.state == state).map(|count| count.count).sum()
    }
}

impl SqliteQueue {
    /// Counts what is to do.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub fn backlog(&self) -> Result<Backlog> {
        self.read("count backlog", "of all tasks".into(), |tx, now| {
            let mut backlog = Backlog {
                tasks: tasks(tx)?,
                jobs: jobs(tx)?,
                oldest_ready: oldest_ready(tx, now)?,
                ..Backlog::default()
            };
            backlog.leases = backlog.in_state(TaskState::Leased);
            backlog.quarantined = backlog.in_state(TaskState::Quarantined);
            Ok(backlog)
        })
    }
}

fn tasks(tx: &Transaction<'_>) -> rusqlite::Result<Vec<TaskCount>> {
    tx.prepare_cached(
        "SELECT kind, state, count(*) FROM tasks
         WHERE state IN ('waiting', 'ready', 'leased', 'quarantined')
         GROUP BY kind, state ORDER BY kind, state",
    )?
    .query_map([], |row| {
        let count: i64 = row.get(2)?;
        Ok(TaskCount { kind: row.get(0)?, state: row.get(1)?, count: count.unsigned_abs() })
    })?
    .collect()
}

fn jobs(tx: &Transaction<'_>) -> rusqlite::Result<Vec<JobCount>> {
    tx.prepare_cached("SELECT state, count(*) FROM jobs GROUP BY state ORDER BY state")?
        .query_map([], |row| {
            let count: i64 = row.get(1)?;
            Ok(JobCount { state: row.get(0)?, count: count.unsigned_abs() })
        })?
        .collect()
}

fn oldest_ready(tx: &Transaction<'_>, now: UnixMillis) -> rusqlite::Result<Option<Duration>> {
    let since: Option<i64> = tx
        .prepare_cached("SELECT min(run_at) FROM tasks WHERE state = 'ready' AND run_at <= ?1")?
        .query_row([now], |row| row.get(0))?;
    Ok(since.map(|since| Duration::from_millis((now - since).unsigned_abs())))
}
