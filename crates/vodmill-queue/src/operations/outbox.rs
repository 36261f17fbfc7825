//! Events, written in the transaction of what they report, and their deliveries.

use std::time::Duration;

use vodmill_clock::{UnixMillis, millis};

use super::commit_points::commit_points;
use super::{clock_change, random_id};
use crate::backoff::{doubled, jittered};
use crate::contract::{
    DeadLetters, Delivery, DeliveryInfo, DeliveryPolicy, DeliveryState, Event, EventKind, Outbox,
    Retention, Subscriptions,
};
use crate::engine::{Engine, Param, Row, Tx, params};
use crate::error::{Fault, Object, Result, Sql};

impl<E: Engine> Outbox for E {
    fn subscribe(&self, subscriptions: Subscriptions) {
        self.subscriptions().replace(subscriptions);
    }

    fn announce(&self, pipeline: &str, detail: &str) -> Result<()> {
        self.write("announce", pipeline.into(), |tx| announce(tx, pipeline, detail))
    }

    fn claim_delivery(&self, target: &str, lease: Duration) -> Result<Option<Delivery>> {
        let operation = "claim delivery to";
        let object = Object::from(target);
        clock_change::catch_up(self)?;
        if !self.read(operation, object, |tx| is_due(tx, target))? {
            return Ok(None);
        }
        commit_points!("claim_delivery")
            .write_if(self, operation, object, Option::is_some, |tx| claim(tx, target, lease))
    }

    fn delivered(&self, delivery: &Delivery) -> Result<bool> {
        commit_points!("delivered").write_if(
            self,
            "note delivery to",
            delivery.target.as_str().into(),
            |noted| *noted,
            |tx| delivered(tx, delivery),
        )
    }

    fn delivery_failed(
        &self,
        delivery: &Delivery,
        error: &str,
        policy: Option<&DeliveryPolicy>,
    ) -> Result<DeliveryState> {
        let object = Object::from(delivery.target.as_str());
        commit_points!("delivery_failed").write(self, "note failed delivery to", object, |tx| {
            failed(tx, delivery, error, policy)
        })
    }

    fn deliveries(&self, state: Option<DeliveryState>, limit: u32) -> Result<Vec<DeliveryInfo>> {
        self.read("list deliveries", "to all".into(), |tx| list(tx, state, limit))
    }

    fn retry_deliveries(&self, which: DeadLetters<'_>) -> Result<u64> {
        self.write("retry", "dead letters".into(), |tx| retry(tx, which))
    }

    fn forget_deliveries(&self, keep: &Retention) -> Result<u64> {
        self.write("forget", "deliveries".into(), |tx| forget(tx, keep))
    }
}

/// What an event is to report, as an operation knows it.
pub(super) struct News<'a> {
    pub kind: EventKind,
    pub task: Option<&'a str>,
    pub detail: &'a str,
}

/// Writes an event about a job, if there are subscribers.
pub(super) fn write(tx: &mut dyn Tx, job: &str, news: &News<'_>, now: UnixMillis) -> Sql<()> {
    if tx.subscriptions().is_empty() {
        return Ok(());
    }
    let sql = "SELECT pipeline, name, asset FROM jobs WHERE id = ?1";
    let facts = tx.one(sql, params![job], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let (pipeline, name, asset) = facts.ok_or_else(|| Fault::NoSuchJob(job.to_owned()))?;
    let event = Event {
        id: random_id(),
        kind: news.kind,
        job: Some(job.to_owned()),
        pipeline,
        name,
        asset,
        task: news.task.map(str::to_owned),
        detail: news.detail.to_owned(),
        at: now,
    };
    put(tx, &event)
}

/// Writes a warning about a pipeline, and no job of it.
pub(super) fn announce(tx: &mut dyn Tx, pipeline: &str, detail: &str) -> Sql<()> {
    let event = Event {
        id: random_id(),
        kind: EventKind::Warning,
        job: None,
        pipeline: pipeline.to_owned(),
        name: String::new(),
        asset: None,
        task: None,
        detail: detail.to_owned(),
        at: tx.now()?,
    };
    put(tx, &event)
}

/// Writes an event, and a delivery of it to each subscriber; nothing if there is none.
fn put(tx: &mut dyn Tx, event: &Event) -> Sql<()> {
    let targets = tx.subscriptions().targets(&event.pipeline, event.kind);
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
fn is_due(tx: &mut dyn Tx, target: &str) -> Sql<bool> {
    let now = tx.now()?;
    let sql = "SELECT 1 FROM deliveries WHERE state = 'waiting' AND target = ?1 AND run_at <= ?2
               LIMIT 1";
    Ok(!tx.rows(sql, params![target, now])?.is_empty())
}

fn claim(tx: &mut dyn Tx, target: &str, lease: Duration) -> Sql<Option<Delivery>> {
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

fn delivered(tx: &mut dyn Tx, delivery: &Delivery) -> Sql<bool> {
    let now = tx.now()?;
    let changed = tx.execute(
        "UPDATE deliveries SET state = 'delivered', error = NULL, ended_at = ?3
         WHERE id = ?1 AND token = ?2 AND state = 'waiting'",
        params![delivery.id, delivery.token, now],
    )?;
    Ok(changed == 1)
}

fn failed(
    tx: &mut dyn Tx,
    delivery: &Delivery,
    error: &str,
    policy: Option<&DeliveryPolicy>,
) -> Sql<DeliveryState> {
    let now = tx.now()?;
    let sql = "SELECT since FROM deliveries WHERE id = ?1 AND token = ?2 AND state = 'waiting'";
    let since: Option<i64> = tx.one(sql, params![delivery.id, delivery.token], |row| row.get(0))?;
    // Another claimer has it now.
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
    pub(super) fn delay(&self, attempts: u32) -> i64 {
        let pause = jittered(doubled(self.base_delay, self.max_delay, attempts));
        millis(pause.max(self.at_least.min(self.max_delay)))
    }
}

fn list(tx: &mut dyn Tx, state: Option<DeliveryState>, limit: u32) -> Sql<Vec<DeliveryInfo>> {
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

fn retry(tx: &mut dyn Tx, which: DeadLetters<'_>) -> Sql<u64> {
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
        "UPDATE deliveries SET state = 'waiting', attempts = 0, run_at = ?1, since = ?1,
           dated_at = ?1, ended_at = NULL WHERE state = 'dead' {only}"
    );
    tx.execute(&sql, &params)
}

fn forget(tx: &mut dyn Tx, keep: &Retention) -> Sql<u64> {
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
