//! Jobs: enqueued, looked at, ended.

use vodmill_clock::UnixMillis;

use super::commit_points::commit_points;
use super::graph::{self, Parent};
use super::{job_control, names, tasks};
use crate::contract::{Enqueued, JobFilter, JobInfo, JobState, Jobs, NewJob, NewTask, TaskInfo};
use crate::engine::{Engine, Param, Row, Tx, params};
use crate::error::{Fault, Result, Sql};

impl<E: Engine> Jobs for E {
    fn enqueue(&self, job: &NewJob, tasks: &[NewTask]) -> Result<Enqueued> {
        commit_points!("enqueue")
            .write(self, "enqueue job", job.id.as_str().into(), |tx| enqueue(tx, job, tasks))
    }

    fn job(&self, id: &str) -> Result<JobInfo> {
        self.read("look at job", id.into(), |tx| get(tx, id))
    }

    fn jobs_by_prefix(&self, prefix: &str, limit: u32) -> Result<Vec<JobInfo>> {
        self.read("find job", prefix.into(), |tx| by_prefix(tx, prefix, limit))
    }

    fn jobs(&self, filter: &JobFilter, limit: u32) -> Result<Vec<JobInfo>> {
        self.read("list jobs", "of all states".into(), |tx| list(tx, filter, limit))
    }

    fn tasks(&self, job: &str) -> Result<Vec<TaskInfo>> {
        self.read("list tasks of job", job.into(), |tx| tasks::of_job(tx, job))
    }

    fn cancel(&self, job: &str) -> Result<JobState> {
        commit_points!("cancel")
            .write(self, "cancel job", job.into(), |tx| job_control::cancel(tx, job))
    }

    fn retry(&self, job: &str) -> Result<()> {
        self.write("retry job", job.into(), |tx| job_control::retry(tx, job))
    }

    fn restart(&self, job: &str) -> Result<()> {
        commit_points!("restart")
            .write(self, "restart job", job.into(), |tx| job_control::restart(tx, job))
    }

    fn set_job_asset(&self, job: &str, asset: &str, source_name: &str) -> Result<()> {
        commit_points!("set_job_asset").write(self, "set asset of job", job.into(), |tx| {
            names::set_on_job(tx, job, asset, source_name)
        })
    }
}

fn enqueue(tx: &mut dyn Tx, job: &NewJob, tasks: &[NewTask]) -> Sql<Enqueued> {
    let now = tx.now()?;
    if !insert(tx, job, now)? {
        let state = state(tx, &job.id)?.ok_or_else(|| Fault::NoSuchJob(job.id.clone()))?;
        return Ok(Enqueued::Existing(state));
    }
    if tasks.is_empty() {
        return Err(Fault::Refused("a job needs at least one task".into()));
    }
    let priority = i64::from(job.priority);
    let parent = Parent { job: &job.id, pipeline: &job.pipeline, priority, first: true };
    graph::add(tx, &parent, tasks, now)?;
    Ok(Enqueued::New)
}

pub(super) fn get(tx: &mut dyn Tx, id: &str) -> Sql<JobInfo> {
    tx.one(&format!("{SELECT} WHERE id = ?1"), params![id], info)?
        .ok_or_else(|| Fault::NoSuchJob(id.to_owned()))
}

fn by_prefix(tx: &mut dyn Tx, prefix: &str, limit: u32) -> Sql<Vec<JobInfo>> {
    let sql = format!("{SELECT} WHERE id >= ?1 ORDER BY id LIMIT ?2");
    let mut found = tx.all(&sql, params![prefix, limit], info)?;
    found.retain(|job| job.id.starts_with(prefix));
    Ok(found)
}

fn list(tx: &mut dyn Tx, filter: &JobFilter, limit: u32) -> Sql<Vec<JobInfo>> {
    let state = filter.state.map(JobState::as_str);
    let mut sql = format!("{SELECT} WHERE 1 = 1");
    let mut params = vec![Param::from(limit)];
    let wanted = [
        ("state", state),
        ("pipeline", filter.pipeline.as_deref()),
        ("source", filter.source.as_deref()),
        ("asset", filter.asset.as_deref()),
    ];
    for (column, value) in wanted {
        if let Some(value) = value {
            params.push(value.into());
            sql.push_str(&format!(" AND {column} = ?{}", params.len()));
        }
    }
    sql.push_str(" ORDER BY created_at DESC, id LIMIT ?1");
    tx.all(&sql, &params, info)
}

pub(super) const SELECT: &str = "SELECT id, pipeline, name, source, payload, priority, state,
   reason, asset, source_name, cleaned, created_at, started_at, ended_at FROM jobs";

pub(super) fn info(row: &Row) -> Sql<JobInfo> {
    Ok(JobInfo {
        id: row.get(0)?,
        pipeline: row.get(1)?,
        name: row.get(2)?,
        source: row.get(3)?,
        payload: row.get(4)?,
        priority: row.get(5)?,
        state: row.get(6)?,
        reason: row.get(7)?,
        asset: row.get(8)?,
        source_name: row.get(9)?,
        cleaned: row.get(10)?,
        created_at: row.get(11)?,
        started_at: row.get(12)?,
        ended_at: row.get(13)?,
    })
}

/// Whether there was none of this id.
fn insert(tx: &mut dyn Tx, job: &NewJob, now: UnixMillis) -> Sql<bool> {
    let added = tx.execute(
        "INSERT INTO jobs (id, pipeline, name, source, payload, priority, state, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', ?7) ON CONFLICT (id) DO NOTHING",
        params![&job.id, &job.pipeline, &job.name, &job.source, &job.payload, job.priority, now],
    )?;
    Ok(added == 1)
}

/// The state of a job, `None` if there is no such job.
pub(super) fn state(tx: &mut dyn Tx, job: &str) -> Sql<Option<JobState>> {
    tx.one("SELECT state FROM jobs WHERE id = ?1", params![job], |row| row.get(0))
}

/// Ends a job that has not ended yet, with all its unfinished tasks; whether it did. Its tasks keep
/// holder and expiry: until then a holder may be at work that does not know yet.
pub(super) fn end(
    tx: &mut dyn Tx,
    job: &str,
    state: JobState,
    reason: Option<&str>,
    now: UnixMillis,
) -> Sql<bool> {
    let changed = tx.execute(
        "UPDATE jobs SET state = ?2, reason = ?3, ended_at = ?4, cleaned = 0,
           settler = NULL, settle_until = NULL
         WHERE id = ?1 AND state IN ('waiting', 'running')",
        params![job, state, reason, now],
    )?;
    if changed == 0 {
        return Ok(false);
    }
    tx.execute(
        "UPDATE tasks SET state = 'cancelled', ended_at = ?2
         WHERE job_id = ?1 AND state IN ('waiting', 'ready', 'leased')",
        params![job, now],
    )?;
    Ok(true)
}

/// Whether a job that has not ended has nothing left to do: it would wait for ever.
pub(super) fn is_stranded(tx: &mut dyn Tx, job: &str) -> Sql<bool> {
    let stranded = tx.one(
        "SELECT state IN ('waiting', 'running') AND NOT EXISTS (
           SELECT 1 FROM tasks WHERE job_id = jobs.id AND state IN ('waiting', 'ready', 'leased'))
         FROM jobs WHERE id = ?1",
        params![job],
        |row| row.get(0),
    )?;
    Ok(stranded.unwrap_or(false))
}
