//! How much there is to do: exact counts, for metrics and autoscaling.

use std::time::Duration;

use vodmill_clock::UnixMillis;

use crate::contract::{Backlog, JobCount, KindBacklog, LeaseInfo, TaskState};
use crate::engine::{Row, Tx, params};
use crate::error::Sql;

pub(super) fn count(tx: &mut dyn Tx) -> Sql<Backlog> {
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
            add(last, state, count, delayed, now.saturating_sub(since));
        }
    }
    Ok(kinds)
}

/// Counts tasks of one state, some of them delayed; the oldest is `oldest` milliseconds old.
fn add(backlog: &mut KindBacklog, state: TaskState, count: u64, delayed: u64, oldest: i64) {
    match state {
        TaskState::Ready => {
            backlog.ready = count - delayed;
            backlog.delayed = delayed;
            if backlog.ready > 0 {
                backlog.oldest_ready = Some(Duration::from_millis(oldest.unsigned_abs()));
            }
        }
        TaskState::Leased => backlog.leased = count,
        TaskState::Waiting => backlog.waiting = count,
        TaskState::Quarantined => backlog.quarantined = count,
        TaskState::Done | TaskState::Cancelled | TaskState::Rejected => {}
    }
}

fn jobs(tx: &mut dyn Tx) -> Sql<Vec<JobCount>> {
    tx.all("SELECT state, count(*) FROM jobs GROUP BY state ORDER BY state", params![], |row| {
        Ok(JobCount { state: row.get(0)?, count: row.get(1)? })
    })
}

pub(super) fn leases(tx: &mut dyn Tx) -> Sql<Vec<LeaseInfo>> {
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
