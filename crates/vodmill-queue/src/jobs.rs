//! Jobs: in, out, looked at, cancelled, retried, swept after.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::clock::UnixMillis;
use crate::error::{Fault, Result};
use crate::graph::{self, NewTask, Parent};
use crate::queue::SqliteQueue;
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
#[allow(missing_docs, reason = "the fields of NewJob")]
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
}

impl SqliteQueue {
    /// Adds a job together with its first tasks.
    ///
    /// # Errors
    /// [`Refused`](crate::Error::Refused) if there is no task, two have one key, or they wait for
    /// something unknown or in a circle; [`Database`](crate::Error::Database).
    pub fn enqueue(&self, job: &NewJob, tasks: &[NewTask]) -> Result<Enqueued> {
        self.write("enqueue job", job.id.as_str().into(), |tx, now| {
            if let Some(state) = state(tx, &job.id)? {
                return Ok(Enqueued::Existing(state));
            }
            if tasks.is_empty() {
                return Err(Fault::Refused("a job needs at least one task".into()));
            }
            insert(tx, job, now)?;
            let priority = i64::from(job.priority);
            let parent = Parent { job: &job.id, pipeline: &job.pipeline, priority, first: true };
            graph::add(tx, &parent, tasks, now)?;
            Ok(Enqueued::New)
        })
    }

    /// The job of this id.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob), [`Database`](crate::Error::Database).
    pub fn job(&self, id: &str) -> Result<JobInfo> {
        self.read("look at job", id.into(), |tx, _| {
            tx.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?
                .query_row([id], info)
                .optional()?
                .ok_or_else(|| Fault::NoSuchJob(id.to_owned()))
        })
    }

    /// The job whose id is, or begins with, `prefix`.
    ///
    /// # Errors
    /// [`NoSuchJob`](crate::Error::NoSuchJob), [`AmbiguousJob`](crate::Error::AmbiguousJob),
    /// [`Database`](crate::Error::Database).
    pub fn find_job(&self, prefix: &str) -> Result<JobInfo> {
        self.read("find job", prefix.into(), |tx, _| {
            let mut query =
                tx.prepare_cached(&format!("{SELECT} WHERE id >= ?1 ORDER BY id LIMIT 2"))?;
            let mut found =
                query.query_map([prefix], info)?.collect::<rusqlite::Result<Vec<_>>>()?;
            found.retain(|job| job.id.starts_with(prefix));
            // The exact id sorts first.
            if found.len() > 1 && found[0].id != prefix {
                return Err(Fault::AmbiguousJob(prefix.to_owned()));
            }
            found.into_iter().next().ok_or_else(|| Fault::NoSuchJob(prefix.to_owned()))
        })
    }

    /// Jobs, the newest first, at most `limit`.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub fn jobs(&self, filter: &JobFilter, limit: u32) -> Result<Vec<JobInfo>> {
        self.read("list jobs", "of all states".into(), |tx, _| {
            let mut query = tx.prepare_cached(&format!(
                "{SELECT} WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR pipeline = ?2)
                 ORDER BY created_at DESC, id LIMIT ?3"
            ))?;
            let jobs = query.query_map(params![filter.state, filter.pipeline, limit], info)?;
            Ok(jobs.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Jobs that have ended and whose scratch nobody has swept yet, the oldest first. A holder
    /// whose lease was lost may still be writing: stop it before sweeping.
    ///
    /// # Errors
    /// [`Database`](crate::Error::Database).
    pub fn ended_uncleaned(&self) -> Result<Vec<JobInfo>> {
        self.read("list jobs", "to be cleaned".into(), |tx, _| {
            let mut query = tx.prepare_cached(&format!(
                "{SELECT} WHERE ended_at IS NOT NULL AND cleaned = 0 ORDER BY ended_at"
            ))?;
            let jobs = query.query_map([], info)?.collect::<rusqlite::Result<_>>()?;
            Ok(jobs)
        })
    }

    /// Notes that an ended job's scratch is gone.
    ///
    /// # Errors
    /// [`Refused`](crate::Error::Refused) if the job is unknown or has not ended (it may have been
    /// retried meanwhile), [`Database`](crate::Error::Database).
    pub fn mark_cleaned(&self, job: &str) -> Result<()> {
        self.write("mark cleaned: job", job.into(), |tx, _| {
            let changed = tx.execute(
                "UPDATE jobs SET cleaned = 1 WHERE id = ?1 AND ended_at IS NOT NULL",
                [job],
            )?;
            if changed == 0 { Err(Fault::Refused("it has not ended".into())) } else { Ok(()) }
        })
    }
}

const SELECT: &str = "SELECT id, pipeline, name, source, payload, priority, state, reason, asset,
   source_name, cleaned, created_at, started_at, ended_at FROM jobs";

fn info(row: &Row<'_>) -> rusqlite::Result<JobInfo> {
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

fn insert(tx: &Transaction<'_>, job: &NewJob, now: UnixMillis) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO jobs (id, pipeline, name, source, payload, priority, state, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', ?7)",
    )?
    .execute(params![
        job.id,
        job.pipeline,
        job.name,
        job.source,
        job.payload,
        job.priority,
        now
    ])?;
    Ok(())
}

/// The state of a job, `None` if there is no such job.
pub(crate) fn state(tx: &Transaction<'_>, job: &str) -> rusqlite::Result<Option<JobState>> {
    tx.prepare_cached("SELECT state FROM jobs WHERE id = ?1")?
        .query_row([job], |row| row.get(0))
        .optional()
}

/// Ends a job that has not ended yet, with all its unfinished tasks; whether it did.
pub(crate) fn end(
    tx: &Transaction<'_>,
    job: &str,
    state: JobState,
    reason: Option<&str>,
    now: UnixMillis,
) -> rusqlite::Result<bool> {
    let changed = tx
        .prepare_cached(
            "UPDATE jobs SET state = ?2, reason = ?3, ended_at = ?4, cleaned = 0
             WHERE id = ?1 AND state IN ('waiting', 'running')",
        )?
        .execute(params![job, state, reason, now])?;
    if changed == 0 {
        return Ok(false);
    }
    tx.prepare_cached(
        "UPDATE tasks SET state = 'cancelled', ended_at = ?2
         WHERE job_id = ?1 AND state IN ('waiting', 'ready', 'leased')",
    )?
    .execute(params![job, now])?;
    Ok(true)
}

/// Whether a job that has not ended has nothing left to do: it would wait for ever.
pub(crate) fn is_stranded(tx: &Transaction<'_>, job: &str) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT state IN ('waiting', 'running') AND NOT EXISTS (
           SELECT 1 FROM tasks WHERE job_id = jobs.id AND state IN ('waiting', 'ready', 'leased'))
         FROM jobs WHERE id = ?1",
    )?
    .query_row([job], |row| row.get(0))
}
