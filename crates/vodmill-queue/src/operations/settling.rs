//! Ended jobs, until they are settled.

use std::time::Duration;

use vodmill_clock::millis;

use super::commit_points::commit_points;
use super::{clock_change, jobs};
use crate::contract::{JobInfo, Settling};
use crate::engine::{Engine, Tx, params};
use crate::error::{Fault, Object, Result, Sql};

impl<E: Engine> Settling for E {
    fn claim_ended(&self, holder: &str, duration: Duration) -> Result<Option<JobInfo>> {
        clock_change::catch_up(self)?;
        let operation = "claim ended job for";
        let object = Object::from(holder);
        commit_points!("claim_ended")
            .write_if(self, operation, object, Option::is_some, |tx| claim(tx, holder, duration))
    }

    fn mark_cleaned(&self, job: &str) -> Result<()> {
        commit_points!("mark_cleaned")
            .write(self, "mark cleaned: job", job.into(), |tx| mark_cleaned(tx, job))
    }
}

fn claim(tx: &mut dyn Tx, holder: &str, duration: Duration) -> Sql<Option<JobInfo>> {
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

fn mark_cleaned(tx: &mut dyn Tx, job: &str) -> Sql<()> {
    let changed = tx.execute(
        "UPDATE jobs SET cleaned = 1, settler = NULL, settle_until = NULL
         WHERE id = ?1 AND ended_at IS NOT NULL",
        params![job],
    )?;
    if changed == 0 { Err(Fault::Refused("it has not ended".into())) } else { Ok(()) }
}
