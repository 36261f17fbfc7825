//! Looking at a job's tasks.

use crate::contract::TaskInfo;
use crate::engine::{Row, Tx, params};
use crate::error::Sql;

pub(super) fn of_job(tx: &mut dyn Tx, job: &str) -> Sql<Vec<TaskInfo>> {
    let sql = format!("SELECT {COLUMNS} FROM tasks WHERE job_id = ?1 ORDER BY id");
    tx.all(&sql, params![job], info)
}

/// What [`info`] reads.
pub(super) const COLUMNS: &str = "key, kind, tasks.payload, tasks.priority, tasks.state, pending,
   attempts, losses, holder, error, evidence, progress, result, tasks.created_at, run_at,
   tasks.started_at, expires_at, tasks.ended_at, failures, outages";

pub(super) fn info(row: &Row) -> Sql<TaskInfo> {
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
