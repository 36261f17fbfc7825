//! Events, written in the transaction of what they tell of, and their way to each who is told.

use std::time::Duration;

use crate::chance::{jittered, random_id};
use crate::clock::{UnixMillis, millis};
use crate::engine::{Param, Row, Tx, params};
use crate::error::{Fault, Sql};
use crate::state::{DeliveryState, EventKind};

/// Something that happened, as it was when it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id: random, and the same for all who are told and at every attempt.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// The job that it happened to, if it was a job.
    pub job: Option<String>,
    /// The job's pipeline, or the one that it is about.
    pub pipeline: String,
    /// What people call the job; empty without one.
    pub name: String,
    /// The asset that the job publishes, as far as that was decided.
    pub asset: Option<String>,
    /// The task that ended the job, if one did.
    pub task: Option<String>,
    /// More of it: a result, a reason, an error; opaque.
    pub detail: String,
    /// When it happened.
    pub at: UnixMillis,
}

/// An event on its way to one target, held by whoever claimed it until the claim expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub id: i64,
    /// The fencing token.
    pub token: i64,
    /// Who is to be told.
    pub target: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// What is to be told.
    pub event: Event,
}

/// How far apart deliveries that fail are tried, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryPolicy {
    /// The wait after the first failure; it doubles with each further one. Every wait is cut by
    /// chance, to half of it at most.
    pub base_delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
    /// No shorter wait than this, as far as the longest goes: what the other side has asked for.
    pub at_least: Duration,
    /// How long after the event, or after it was last taken up again, it becomes a dead letter.
    pub give_up_after: Duration,
}

/// A delivery as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryInfo {
    /// Its number.
    pub id: i64,
    /// Who is told.
    pub target: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, if it is waiting.
    pub run_at: UnixMillis,
    /// What came of the last attempt that failed.
    pub error: Option<String>,
    /// When it was delivered or given up.
    pub ended_at: Option<UnixMillis>,
    /// What is told.
    pub event: Event,
}

/// For how long deliveries are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// After they were delivered.
    pub delivered: Duration,
    /// After they were given up.
    pub dead: Duration,
    /// Without an end, before they are given up: longer than any policy, for targets that nobody
    /// serves any more.
    pub unserved: Duration,
}

/// Which dead letters to take up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetters<'a> {
    /// The delivery of this number.
    One(i64),
    /// All of a target.
    Of(&'a str),
    /// All there are.
    All,
}

/// What is to be told, as an operation knows it.
pub(crate) struct News<'a> {
    pub kind: EventKind,
    pub task: Option<&'a str>,
    pub detail: &'a str,
}

/// Tells what happened to a job to whoever wants to know.
pub(crate) fn tell(tx: &mut dyn Tx, job: &str, news: &News<'_>, now: UnixMillis) -> Sql<()> {
    if tx.audience().is_empty() {
        return Ok(());
    }
    let sql = "SELECT pipeline, name, asset FROM jobs WHERE id = ?1";
    let facts = tx.one(sql, params![job], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let (pipeline, name, asset): (String, String, Option<String>) =
        facts.ok_or_else(|| Fault::NoSuchJob(job.to_owned()))?;
    put(
        tx,
        &Event {
            id: random_id(),
            kind: news.kind,
            job: Some(job.to_owned()),
            pipeline,
            name,
            asset,
            task: news.task.map(str::to_owned),
            detail: news.detail.to_owned(),
            at: now,
        },
    )
}

/// Tells what happened to a pipeline, and to no job of it.
pub(crate) fn announce(tx: &mut dyn Tx, pipeline: &str, detail: &str) -> Sql<()> {
    let at = tx.now()?;
    put(
        tx,
        &Event {
            id: random_id(),
            kind: EventKind::Warning,
            job: None,
            pipeline: pipeline.to_owned(),
            name: String::new(),
            asset: None,
            task: None,
            detail: detail.to_owned(),
            at,
        },
    )
}

/// Writes an event, and a delivery of it to each who wants to know; nothing if nobody does.
fn put(tx: &mut dyn Tx, event: &Event) -> Sql<()> {
    let targets = tx.audience().targets(&event.pipeline, event.kind);
    if targets.is_empty() {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO events (id, kind, job_id, pipeline, name, asset, task, detail, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            &event.id,
            event.kind,
            event.job.as_deref(),
            &event.pipeline,
            &event.name,
            event.asset.as_deref(),
            event.task.as_deref(),
            &event.detail,
            event.at
        ],
    )?;
    for target in targets {
        tx.execute(
            "INSERT INTO deliveries (event_id, target, state, run_at, since, dated_at)
             VALUES (?1, ?2, 'waiting', ?3, ?3, ?3)",
            params![&event.id, &target, event.at],
        )?;
    }
    Ok(())
}

/// Whether there is something to deliver to `target` now.
pub(crate) fn is_due(tx: &mut dyn Tx, target: &str) -> Sql<bool> {
    let now = tx.now()?;
    let sql = "SELECT 1 FROM deliveries WHERE state = 'waiting' AND target = ?1 AND run_at <= ?2
               LIMIT 1";
    Ok(!tx.rows(sql, params![target, now])?.is_empty())
}

pub(crate) fn claim(tx: &mut dyn Tx, target: &str, lease: Duration) -> Sql<Option<Delivery>> {
    let now = tx.now()?;
    let token = tx.next_token()?;
    let sql = format!(
        "UPDATE deliveries SET attempts = attempts + 1, run_at = ?3, dated_at = ?2, token = {token}
         WHERE id = (SELECT id FROM deliveries
           WHERE state = 'waiting' AND target = ?1 AND run_at <= ?2
           ORDER BY run_at, id LIMIT 1 {})
         RETURNING id, token, attempts, event_id",
        tx.skip_locked()
    );
    let params = params![target, now, now.saturating_add(millis(lease))];
    let claimed = tx.one(&sql, params, |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<String>(3)?))
    })?;
    let Some((id, token, attempt, event)) = claimed else { return Ok(None) };
    let sql = format!("SELECT {EVENT} FROM events WHERE id = ?1");
    let event = tx.one(&sql, params![&event], |row| event_at(row, 0))?;
    let event = event.ok_or_else(|| Fault::Database("a delivery has no event".into()))?;
    Ok(Some(Delivery { id, token, target: target.to_owned(), attempt, event }))
}

pub(crate) fn delivered(tx: &mut dyn Tx, delivery: &Delivery) -> Sql<bool> {
    let now = tx.now()?;
    let changed = tx.execute(
        "UPDATE deliveries SET state = 'delivered', error = NULL, ended_at = ?3
         WHERE id = ?1 AND token = ?2 AND state = 'waiting'",
        params![delivery.id, delivery.token, now],
    )?;
    Ok(changed == 1)
}

pub(crate) fn failed(
    tx: &mut dyn Tx,
    delivery: &Delivery,
    error: &str,
    policy: Option<&DeliveryPolicy>,
) -> Sql<DeliveryState> {
    let now = tx.now()?;
    let sql = "SELECT since FROM deliveries WHERE id = ?1 AND token = ?2 AND state = 'waiting'";
    let since: Option<i64> = tx.one(sql, params![delivery.id, delivery.token], |row| row.get(0))?;
    // Taken over by another, who has the last word.
    let Some(since) = since else { return Ok(DeliveryState::Waiting) };
    let next = policy.filter(|policy| now - since < millis(policy.give_up_after));
    let (state, run_at, ended) = match next {
        Some(policy) => (DeliveryState::Waiting, now + policy.delay(delivery.attempt), None),
        None => (DeliveryState::Dead, now, Some(now)),
    };
    tx.execute(
        "UPDATE deliveries SET state = ?3, run_at = ?4, error = ?5, ended_at = ?6, dated_at = ?7
         WHERE id = ?1 AND token = ?2",
        params![delivery.id, delivery.token, state, run_at, error, ended, now],
    )?;
    Ok(state)
}

impl DeliveryPolicy {
    /// Milliseconds to wait after this many attempts.
    pub(crate) fn delay(&self, attempts: u32) -> i64 {
        let doublings = attempts.saturating_sub(1).min(30);
        let pause = self.base_delay.saturating_mul(1 << doublings).min(self.max_delay);
        millis(jittered(pause).max(self.at_least.min(self.max_delay)))
    }
}

pub(crate) fn list(
    tx: &mut dyn Tx,
    state: Option<DeliveryState>,
    limit: u32,
) -> Sql<Vec<DeliveryInfo>> {
    let mut params = vec![Param::from(limit)];
    let mut only = "";
    if let Some(state) = state {
        params.push(state.into());
        only = "WHERE d.state = ?2";
    }
    let sql = format!(
        "SELECT {EVENT}, d.id, d.target, d.state, d.attempts, d.run_at, d.error, d.ended_at
         FROM deliveries d JOIN events ON events.id = d.event_id {only}
         ORDER BY d.id DESC LIMIT ?1"
    );
    tx.all(&sql, &params, |row| {
        Ok(DeliveryInfo {
            event: event_at(row, 0)?,
            id: row.get(9)?,
            target: row.get(10)?,
            state: row.get(11)?,
            attempts: row.get(12)?,
            run_at: row.get(13)?,
            error: row.get(14)?,
            ended_at: row.get(15)?,
        })
    })
}

pub(crate) fn retry(tx: &mut dyn Tx, which: DeadLetters<'_>) -> Sql<u64> {
    let now = tx.now()?;
    let mut params = vec![Param::from(now)];
    let only = match which {
        DeadLetters::One(id) => {
            params.push(id.into());
            "AND id = ?2"
        }
        DeadLetters::Of(target) => {
            params.push(target.into());
            "AND target = ?2"
        }
        DeadLetters::All => "",
    };
    let sql = format!(
        "UPDATE deliveries SET state = 'waiting', attempts = 0, run_at = ?1, since = ?1, dated_at = ?1,
           ended_at = NULL WHERE state = 'dead' {only}"
    );
    tx.execute(&sql, &params)
}

pub(crate) fn forget(tx: &mut dyn Tx, keep: &Retention) -> Sql<u64> {
    let now = tx.now()?;
    tx.execute(
        "UPDATE deliveries SET state = 'dead', ended_at = ?1,
           error = coalesce(error, 'nobody serves this target any more')
         WHERE state = 'waiting' AND since <= ?2",
        params![now, now - millis(keep.unserved)],
    )?;
    let mut gone = 0;
    let ages = [(DeliveryState::Delivered, keep.delivered), (DeliveryState::Dead, keep.dead)];
    for (state, age) in ages {
        let sql = "DELETE FROM deliveries WHERE state = ?1 AND ended_at <= ?2";
        gone += tx.execute(sql, params![state, now - millis(age)])?;
    }
    if gone > 0 {
        let sql = "DELETE FROM events WHERE NOT EXISTS
                     (SELECT 1 FROM deliveries WHERE event_id = events.id)";
        tx.execute(sql, params![])?;
    }
    Ok(gone)
}

const EVENT: &str = "events.id, events.kind, events.job_id, events.pipeline, events.name,
  events.asset, events.task, events.detail, events.created_at";

fn event_at(row: &Row, first: usize) -> Sql<Event> {
    Ok(Event {
        id: row.get(first)?,
        kind: row.get(first + 1)?,
        job: row.get(first + 2)?,
        pipeline: row.get(first + 3)?,
        name: row.get(first + 4)?,
        asset: row.get(first + 5)?,
        task: row.get(first + 6)?,
        detail: row.get(first + 7)?,
        at: row.get(first + 8)?,
    })
}
