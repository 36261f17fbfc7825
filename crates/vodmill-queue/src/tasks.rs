//! Looking at a job's tasks.

use crate::clock::UnixMillis;
use crate::engine::{Row, Tx, params};
use crate::error::Sql;
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

pub(crate) fn of_job(tx: &mut dyn Tx, job: &str) -> Sql<Vec<TaskInfo>> {
    let sql = format!("SELECT {COLUMNS} FROM tasks WHERE job_id = ?1 ORDER BY id");
    tx.all(&sql, params![job], info)
}

/// What [`info`] reads.
pub(crate) const COLUMNS: &str = "key, kind, tasks.payload, tasks.priority, tasks.state, pending,
   attempts, losses, holder, error, evidence, progress, result, tasks.created_at, run_at,
   tasks.started_at, expires_at, tasks.ended_at, failures, outages";

pub(crate) fn info(row: &Row) -> Sql<TaskInfo> {
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
        failures: row.get(18)?,
        outages: row.get(19)?,
    })
}
