//! Jobs: enqueued, looked at, ended.

use crate::clock::UnixMillis;
use crate::engine::{Param, Row, Tx, params};
use crate::error::{Fault, Sql};
use crate::graph::{self, NewTask, Parent};
use crate::state::JobState;

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

pub(crate) fn enqueue(tx: &mut dyn Tx, job: &NewJob, tasks: &[NewTask]) -> Sql<Enqueued> {
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

pub(crate) fn get(tx: &mut dyn Tx, id: &str) -> Sql<JobInfo> {
    tx.one(&format!("{SELECT} WHERE id = ?1"), params![id], info)?
        .ok_or_else(|| Fault::NoSuchJob(id.to_owned()))
}

pub(crate) fn by_prefix(tx: &mut dyn Tx, prefix: &str, limit: u32) -> Sql<Vec<JobInfo>> {
    let sql = format!("{SELECT} WHERE id >= ?1 ORDER BY id LIMIT ?2");
    let mut found = tx.all(&sql, params![prefix, limit], info)?;
    found.retain(|job| job.id.starts_with(prefix));
    Ok(found)
}

pub(crate) fn list(tx: &mut dyn Tx, filter: &JobFilter, limit: u32) -> Sql<Vec<JobInfo>> {
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

pub(crate) const SELECT: &str = "SELECT id, pipeline, name, source, payload, priority, state,
   reason, asset, source_name, cleaned, created_at, started_at, ended_at FROM jobs";

pub(crate) fn info(row: &Row) -> Sql<JobInfo> {
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
pub(crate) fn state(tx: &mut dyn Tx, job: &str) -> Sql<Option<JobState>> {
    tx.one("SELECT state FROM jobs WHERE id = ?1", params![job], |row| row.get(0))
}

/// Ends a job that has not ended yet, with all its unfinished tasks; whether it did. Its tasks keep
/// holder and expiry: until then a holder may be at work that does not know yet.
pub(crate) fn end(
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
pub(crate) fn is_stranded(tx: &mut dyn Tx, job: &str) -> Sql<bool> {
    let stranded = tx.one(
        "SELECT state IN ('waiting', 'running') AND NOT EXISTS (
           SELECT 1 FROM tasks WHERE job_id = jobs.id AND state IN ('waiting', 'ready', 'leased'))
         FROM jobs WHERE id = ?1",
        params![job],
        |row| row.get(0),
    )?;
    Ok(stranded.unwrap_or(false))
}
