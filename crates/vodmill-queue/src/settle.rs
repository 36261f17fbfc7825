//! Ended jobs, until somebody has cleaned up after them.

use std::time::Duration;

use crate::clock::millis;
use crate::engine::{Tx, params};
use crate::error::{Fault, Sql};
use crate::jobs::{self, JobInfo, SELECT};

pub(crate) fn ended_uncleaned(tx: &mut dyn Tx) -> Sql<Vec<JobInfo>> {
    let sql = format!("{SELECT} WHERE ended_at IS NOT NULL AND cleaned = 0 ORDER BY ended_at, id");
    tx.all(&sql, params![], jobs::info)
}

pub(crate) fn claim(tx: &mut dyn Tx, holder: &str, duration: Duration) -> Sql<Option<JobInfo>> {
    let now = tx.now()?;
    let sql = format!(
        "SELECT id FROM jobs
         WHERE ended_at IS NOT NULL AND cleaned = 0 AND coalesce(settle_until, 0) <= ?1
           AND NOT EXISTS (SELECT 1 FROM tasks WHERE job_id = jobs.id
             AND state IN ('leased', 'cancelled') AND expires_at > ?1)
         ORDER BY ended_at, id LIMIT 1 {}",
        tx.skip_locked()
    );
    let Some(id) = tx.one(&sql, params![now], |row| row.get::<String>(0))? else {
        return Ok(None);
    };
    tx.execute(
        "UPDATE jobs SET settler = ?2, settle_until = ?3, dated_at = ?4 WHERE id = ?1",
        params![&id, holder, now.saturating_add(millis(duration)), now],
    )?;
    jobs::get(tx, &id).map(Some)
}

pub(crate) fn mark_cleaned(tx: &mut dyn Tx, job: &str) -> Sql<()> {
    let changed = tx.execute(
        "UPDATE jobs SET cleaned = 1, settler = NULL, settle_until = NULL
         WHERE id = ?1 AND ended_at IS NOT NULL",
        params![job],
    )?;
    if changed == 0 { Err(Fault::Refused("it has not ended".into())) } else { Ok(()) }
}
