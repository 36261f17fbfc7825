//! Tasks whose attempts are spent: looked at, taken up again, or dropped.

use super::{job_control, jobs, tasks};
use crate::contract::{JobState, QuarantinedTask, TaskState};
use crate::engine::{Tx, params};
use crate::error::{Fault, Sql};

/// How a task that was dropped has `ended_as`.
const DROPPED: &str = "dropped";

pub(super) fn list(tx: &mut dyn Tx, limit: u32) -> Sql<Vec<QuarantinedTask>> {
    let sql = format!(
        "SELECT {}, jobs.id, jobs.name, jobs.pipeline
         FROM tasks JOIN jobs ON jobs.id = tasks.job_id
         WHERE tasks.state = 'quarantined' ORDER BY tasks.ended_at, tasks.id LIMIT ?1",
        tasks::COLUMNS
    );
    tx.all(&sql, params![limit], |row| {
        Ok(QuarantinedTask {
            task: tasks::info(row)?,
            job_id: row.get(20)?,
            job_name: row.get(21)?,
            pipeline: row.get(22)?,
        })
    })
}

pub(super) fn retry(tx: &mut dyn Tx, job: &str, key: &str) -> Sql<()> {
    tx.lock_job(job)?;
    require(tx, job, key)?;
    // A job that failed by it is taken up as a whole; one that had ended before is left alone.
    if jobs::state(tx, job)? == Some(JobState::Failed) {
        job_control::reopen(tx, job)?;
        return job_control::start_over(tx, job);
    }
    let now = tx.now()?;
    tx.execute(
        "UPDATE tasks SET state = 'ready', run_at = ?3, dated_at = ?3, attempts = 0,
           failures = 0, outages = 0, losses = 0, avoid = NULL, holder = NULL, expires_at = NULL,
           ended_as = NULL, ended_at = NULL, progress = NULL
         WHERE job_id = ?1 AND key = ?2",
        params![job, key, now],
    )?;
    tx.wake();
    Ok(())
}

pub(super) fn drop(tx: &mut dyn Tx, job: &str, key: &str) -> Sql<()> {
    tx.lock_job(job)?;
    let sql = "SELECT 1 FROM tasks WHERE job_id = ?1 AND key = ?2 AND ended_as = ?3";
    if !tx.rows(sql, params![job, key, DROPPED])?.is_empty() {
        return Ok(());
    }
    require(tx, job, key)?;
    tx.execute(
        "UPDATE tasks SET state = 'cancelled', ended_as = ?3, expires_at = NULL
         WHERE job_id = ?1 AND key = ?2",
        params![job, key, DROPPED],
    )?;
    Ok(())
}

/// Refuses a task that is not quarantined.
fn require(tx: &mut dyn Tx, job: &str, key: &str) -> Sql<()> {
    if jobs::state(tx, job)?.is_none() {
        return Err(Fault::NoSuchJob(job.to_owned()));
    }
    let sql = "SELECT state FROM tasks WHERE job_id = ?1 AND key = ?2";
    match tx.one(sql, params![job, key], |row| row.get(0))? {
        None => Err(Fault::Refused("there is no such task".into())),
        Some(TaskState::Quarantined) => Ok(()),
        Some(state) => Err(Fault::Refused(format!("it is {state}, not quarantined"))),
    }
}
