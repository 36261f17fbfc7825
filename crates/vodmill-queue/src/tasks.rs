//! Looking at a job's tasks.

use rusqlite::Row;

use crate::clock::UnixMillis;
use crate::error::Result;
use crate::queue::SqliteQueue;
use crate::state::TaskState;

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
    /// How many of these ended by an expired lease.
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

impl SqliteQueue {
    /// The tasks of a job, in the order in which they were added; none if there is no such job.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub fn tasks(&self, job: &str) -> Result<Vec<TaskInfo>> {
        self.read("list tasks of job", job.into(), |tx, _| {
            let mut query = tx.prepare_cached(
                "SELECT key, kind, payload, priority, state, pending, attempts, losses, holder,
                   error, evidence, progress, result, created_at, run_at, started_at, expires_at,
                   ended_at
                 FROM tasks WHERE job_id = ?1 ORDER BY id",
            )?;
            let tasks = query.query_map([job], info)?.collect::<rusqlite::Result<_>>()?;
            Ok(tasks)
        })
    }
}

fn info(row: &Row<'_>) -> rusqlite::Result<TaskInfo> {
    Ok(TaskInfo {
        key: row.get(0)?,
        kind: row.get(1)?,
        payload: row.get(2)?,
        priority: row.get(3)?,
        state: row.get(4)?,
        pending: row.get(5)?,
        attempts: row.get(6)?,
        losses: row.get(7)?,
        holder: row.get(8)?,
        error: row.get(9)?,
        evidence: row.get(10)?,
        progress: row.get(11)?,
        result: row.get(12)?,
        created_at: row.get(13)?,
        run_at: row.get(14)?,
        started_at: row.get(15)?,
        expires_at: row.get(16)?,
        ended_at: row.get(17)?,
    })
}
