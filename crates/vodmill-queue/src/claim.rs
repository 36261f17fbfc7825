//! Claiming: which task is next, and for whom.
//!
//! Tasks stand in lanes, one for each pipeline and kind. A claim looks at the head of every lane,
//! one step into an index each, so that it costs the same behind one task and behind a hundred
//! thousand.

use std::time::Duration;

use crate::clock::{UnixMillis, millis};
use crate::engine::{Param, Tx, params};
use crate::error::{Fault, Sql};
use crate::lease::{ClaimFilter, Lease};

/// How often a claim looks again when others have taken what it had chosen. Whoever took it got
/// something to do, so the queue as a whole moves on.
const LOOKS: usize = 8;

pub(crate) fn claim(
    tx: &mut dyn Tx,
    holder: &str,
    duration: Duration,
    filter: &ClaimFilter,
) -> Sql<Option<Lease>> {
    let now = tx.now()?;
    let Some(task) = next_ready(tx, filter, now)? else { return Ok(None) };
    let token = tx.next_token()?;
    let expires_at = now.saturating_add(millis(duration));
    tx.execute(
        "UPDATE tasks SET state = 'leased', attempts = attempts + 1, token = ?2, holder = ?3,
           started_at = ?4, expires_at = ?5, progress = NULL, ended_as = NULL
         WHERE id = ?1",
        params![task, token, holder, now, expires_at],
    )?;
    let lease = describe(tx, task, token, expires_at)?;
    begin_job(tx, &lease.job_id, now)?;
    Ok(Some(lease))
}

/// Marks the job as running. Its row is passed over if another has locked it, and not waited for,
/// since a task is held by now: that other is a claim, which marks it too, or ends the job.
fn begin_job(tx: &mut dyn Tx, job: &str, now: UnixMillis) -> Sql<()> {
    let sql = format!(
        "UPDATE jobs SET state = 'running', started_at = coalesce(started_at, ?2)
         WHERE id IN (SELECT id FROM jobs WHERE id = ?1 AND state = 'waiting' {})",
        tx.skip_locked()
    );
    tx.execute(&sql, params![job, now])?;
    Ok(())
}

/// A lane, and the priority of its head.
struct Head {
    pipeline: String,
    kind: String,
    priority: i64,
}

fn next_ready(tx: &mut dyn Tx, filter: &ClaimFilter, now: UnixMillis) -> Sql<Option<i64>> {
    let mut params = vec![Param::from(now)];
    params.extend(filter.kinds.iter().map(Param::from));
    let sql = heads_sql(filter.kinds.len());
    for _ in 0..LOOKS {
        let heads = tx.all(&sql, &params, |row| {
            Ok(Head { pipeline: row.get(0)?, kind: row.get(1)?, priority: row.get(2)? })
        })?;
        if heads.is_empty() {
            return Ok(None);
        }
        for head in heads {
            if let Some(task) = take(tx, &head, now)? {
                return Ok(Some(task));
            }
        }
    }
    Ok(None)
}

/// The lanes that have a task, the next one first: by priority; then the pipeline with the fewest
/// leases; then the one that was served longest ago; then age.
pub(crate) fn heads_sql(kinds: usize) -> String {
    let marks: Vec<String> = (0..kinds).map(|at| format!("?{}", at + 2)).collect();
    let kinds = match marks.is_empty() {
        true => String::new(),
        false => format!("AND l.kind IN ({})", marks.join(", ")),
    };
    format!(
        "SELECT l.pipeline, l.kind, t.priority
         FROM lanes l JOIN tasks t ON t.id = (
           SELECT h.id FROM tasks h
           WHERE h.state = 'ready' AND h.pipeline = l.pipeline AND h.kind = l.kind
             AND h.run_at <= ?1
           ORDER BY h.priority DESC, h.run_at, h.id LIMIT 1)
         WHERE l.pipeline NOT IN (SELECT pipeline FROM paused) {kinds}
         ORDER BY t.priority DESC,
           (SELECT count(*) FROM tasks b WHERE b.state = 'leased' AND b.pipeline = l.pipeline),
           (SELECT coalesce(max(s.token), 0) FROM tasks s WHERE s.pipeline = l.pipeline),
           t.run_at, t.id
         LIMIT 8"
    )
}

/// Locks the first task of a lane that nobody else has locked.
fn take(tx: &mut dyn Tx, head: &Head, now: UnixMillis) -> Sql<Option<i64>> {
    let sql = format!(
        "SELECT id FROM tasks
         WHERE state = 'ready' AND pipeline = ?1 AND kind = ?2 AND priority <= ?3 AND run_at <= ?4
         ORDER BY priority DESC, run_at, id LIMIT 1 {}",
        tx.skip_locked()
    );
    tx.one(&sql, params![&head.pipeline, &head.kind, head.priority, now], |row| row.get(0))
}

fn describe(tx: &mut dyn Tx, task: i64, token: i64, expires_at: UnixMillis) -> Sql<Lease> {
    let lease = tx.one(
        "SELECT j.id, j.pipeline, j.payload, t.key, t.kind, t.payload, t.attempts
         FROM tasks t JOIN jobs j ON j.id = t.job_id WHERE t.id = ?1",
        params![task],
        |row| {
            Ok(Lease {
                job_id: row.get(0)?,
                pipeline: row.get(1)?,
                job_payload: row.get(2)?,
                key: row.get(3)?,
                kind: row.get(4)?,
                payload: row.get(5)?,
                token,
                attempt: row.get(6)?,
                expires_at,
            })
        },
    )?;
    lease.ok_or_else(|| Fault::Database("a claimed task is gone".into()))
}
