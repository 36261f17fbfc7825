//! Claiming: which task is next, and for whom.
//!
//! Tasks stand in lanes, one for each pipeline and kind. A claim looks at the head of every lane,
//! one step into an index each, so that it costs the same behind one task and behind a hundred
//! thousand.

use std::time::Duration;

use vodmill_clock::{UnixMillis, millis};

use super::outbox::{self, News};
use crate::contract::{ClaimFilter, EventKind, JobState, Lease};
use crate::engine::{Param, Tx, params};
use crate::error::{Fault, Sql};

/// How often a claim looks again when others have taken what it had chosen. They got something to
/// do, so the queue as a whole moves on.
const LOOKS: usize = 8;

/// Who claims, and from when to when.
struct Claim<'a> {
    holder: &'a str,
    now: UnixMillis,
    expires_at: UnixMillis,
}

pub(super) fn claim(
    tx: &mut dyn Tx,
    holder: &str,
    duration: Duration,
    filter: &ClaimFilter,
) -> Sql<Option<Lease>> {
    let now = tx.now()?;
    let claim = Claim { holder, now, expires_at: now.saturating_add(millis(duration)) };
    let Some(mut lease) = next_ready(tx, filter, &claim)? else { return Ok(None) };
    lease.job_payload = begin_job(tx, &lease.job_id, now)?;
    Ok(Some(lease))
}

/// Marks the job as running, and returns its payload. Its row is passed over if another has locked
/// it, and not waited for, since a task is held by now: that other is a claim, which marks it too,
/// or ends the job.
fn begin_job(tx: &mut dyn Tx, job: &str, now: UnixMillis) -> Sql<String> {
    let sql = "SELECT payload, state FROM jobs WHERE id = ?1";
    let found = tx.one(sql, params![job], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (payload, state): (String, JobState) =
        found.ok_or_else(|| Fault::NoSuchJob(job.to_owned()))?;
    if state == JobState::Waiting {
        let sql = format!(
            "UPDATE jobs SET state = 'running', started_at = coalesce(started_at, ?2)
             WHERE id IN (SELECT id FROM jobs WHERE id = ?1 AND state = 'waiting' {})",
            tx.skip_locked()
        );
        if tx.execute(&sql, params![job, now])? == 1 {
            let news = News { kind: EventKind::Progressing, task: None, detail: "" };
            outbox::write(tx, job, &news, now)?;
        }
    }
    Ok(payload)
}

/// A lane, and the priority of its head.
struct Head {
    pipeline: String,
    kind: String,
    priority: i64,
}

fn next_ready(tx: &mut dyn Tx, filter: &ClaimFilter, claim: &Claim<'_>) -> Sql<Option<Lease>> {
    let mut params = vec![Param::from(claim.now), Param::from(claim.holder)];
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
            if let Some(lease) = take(tx, &head, claim)? {
                return Ok(Some(lease));
            }
        }
    }
    Ok(None)
}

/// The lanes that have a task, the next one first: by priority; then the pipeline with the fewest
/// leases; then the one that was served longest ago; then age.
pub(crate) fn heads_sql(kinds: usize) -> String {
    let marks: Vec<String> = (0..kinds).map(|at| format!("?{}", at + 3)).collect();
    let of_kinds = if marks.is_empty() {
        String::new()
    } else {
        format!("AND l.kind IN ({})", marks.join(", "))
    };
    format!(
        "SELECT l.pipeline, l.kind, t.priority
         FROM lanes l JOIN tasks t ON t.id = (
           SELECT h.id FROM tasks h
           WHERE h.state = 'ready' AND h.pipeline = l.pipeline AND h.kind = l.kind
             AND h.run_at <= ?1 AND (h.avoid IS NULL OR h.avoid <> ?2 OR h.avoid_until <= ?1)
           ORDER BY h.priority DESC, h.run_at, h.id LIMIT 1)
         WHERE l.pipeline NOT IN (SELECT pipeline FROM paused) {of_kinds}
         ORDER BY t.priority DESC,
           (SELECT count(*) FROM tasks b WHERE b.state = 'leased' AND b.pipeline = l.pipeline),
           coalesce((SELECT s.token FROM tasks s
             WHERE s.pipeline = l.pipeline AND s.token IS NOT NULL
             ORDER BY s.token DESC LIMIT 1), 0),
           t.run_at, t.id
         LIMIT 8"
    )
}

/// Leases the first task of a lane that nobody else has locked; the job's payload is still to come.
fn take(tx: &mut dyn Tx, head: &Head, claim: &Claim<'_>) -> Sql<Option<Lease>> {
    let token = tx.next_token()?;
    let sql = format!(
        "UPDATE tasks SET state = 'leased', attempts = attempts + 1, token = {token},
           holder = ?5, started_at = ?4, dated_at = ?4, expires_at = ?6, progress = NULL,
           ended_as = NULL, avoid = NULL, avoid_until = NULL
         WHERE id = (
           SELECT id FROM tasks
           WHERE state = 'ready' AND pipeline = ?1 AND kind = ?2 AND priority <= ?3
             AND run_at <= ?4 AND (avoid IS NULL OR avoid <> ?5 OR avoid_until <= ?4)
           ORDER BY priority DESC, run_at, id LIMIT 1 {})
         RETURNING job_id, key, payload, attempts, token",
        tx.skip_locked()
    );
    let Claim { holder, now, expires_at } = *claim;
    let params = params![&head.pipeline, &head.kind, head.priority, now, holder, expires_at];
    tx.one(&sql, params, |row| {
        Ok(Lease {
            job_id: row.get(0)?,
            pipeline: head.pipeline.clone(),
            job_payload: String::new(),
            key: row.get(1)?,
            kind: head.kind.clone(),
            payload: row.get(2)?,
            token: row.get(4)?,
            attempt: row.get(3)?,
            expires_at,
        })
    })
}
