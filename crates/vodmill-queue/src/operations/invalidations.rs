//! Stale paths, noted by publications and sent in batches.

use std::collections::BTreeMap;
use std::time::Duration;

use vodmill_clock::{UnixMillis, millis};

use super::commit_points::commit_points;
use super::stale_paths::choose;
use super::{clock_change, outbox, random_id};
use crate::contract::{
    Batch, BatchLimits, BatchState, DeliveryPolicy, Invalidations, MonthlyLimit, StalePath,
};
use crate::engine::{Engine, Row, Tx, params};
use crate::error::{Object, Result, Sql};

impl<E: Engine> Invalidations for E {
    fn mark_stale(&self, pipeline: &str, paths: &[StalePath]) -> Result<()> {
        commit_points!("mark_stale")
            .write(self, "mark stale paths of", pipeline.into(), |tx| note(tx, pipeline, paths))
    }

    fn claim_batch(
        &self,
        distribution: &str,
        limits: &BatchLimits,
        lease: Duration,
    ) -> Result<Option<Batch>> {
        let operation = "claim stale paths of";
        let object = Object::from(distribution);
        clock_change::catch_up(self)?;
        if !self.read(operation, object, |tx| is_due(tx, distribution))? {
            return Ok(None);
        }
        commit_points!("claim_batch").write_if(self, operation, object, Option::is_some, |tx| {
            claim(tx, distribution, limits, lease)
        })
    }

    fn batch_sent(
        &self,
        batch: &Batch,
        remote: &str,
        month: &MonthlyLimit<'_>,
        look_in: Duration,
    ) -> Result<()> {
        let object = Object::from(batch.reference.as_str());
        commit_points!("batch_sent")
            .write(self, "note sent batch", object, |tx| sent(tx, batch, remote, month, look_in))
    }

    fn batch_completed(&self, batch: &Batch) -> Result<()> {
        let object = Object::from(batch.reference.as_str());
        commit_points!("batch_completed")
            .write(self, "note completed batch", object, |tx| completed(tx, batch))
    }

    fn batch_failed(
        &self,
        batch: &Batch,
        error: &str,
        policy: Option<&DeliveryPolicy>,
        warning: &str,
    ) -> Result<BatchState> {
        let object = Object::from(batch.reference.as_str());
        commit_points!("batch_failed").write(self, "note failed batch", object, |tx| {
            failed(tx, batch, error, policy, warning)
        })
    }

    fn stale_paths(&self, limit: u32) -> Result<Vec<StalePath>> {
        self.read("list", "stale paths".into(), |tx| waiting(tx, limit))
    }

    fn batches(&self, limit: u32) -> Result<Vec<Batch>> {
        self.read("list batches", "of all distributions".into(), |tx| batches(tx, limit))
    }

    fn stale_counts(&self, limit: u32) -> Result<Vec<(String, u64)>> {
        self.read("count", "stale paths".into(), |tx| counts(tx, limit))
    }

    fn forget_batches(&self, keep: Duration) -> Result<u64> {
        self.write("forget", "batches".into(), |tx| forget(tx, keep))
    }
}

const COLUMNS: &str = "reference, distribution, pipeline, paths, state, remote, attempts, error,
  created_at, ended_at, token";

fn batch(row: &Row) -> Sql<Batch> {
    let paths: String = row.get(3)?;
    Ok(Batch {
        reference: row.get(0)?,
        distribution: row.get(1)?,
        pipeline: row.get(2)?,
        paths: paths.lines().map(str::to_owned).collect(),
        state: row.get(4)?,
        remote: row.get(5)?,
        attempts: row.get(6)?,
        error: row.get(7)?,
        created_at: row.get(8)?,
        ended_at: row.get(9)?,
        token: row.get(10)?,
    })
}

/// Notes stale paths; one that is waiting already stays as it is.
pub(super) fn note(tx: &mut dyn Tx, pipeline: &str, paths: &[StalePath]) -> Sql<()> {
    let now = tx.now()?;
    for StalePath { distribution, path } in paths {
        tx.execute(
            "INSERT INTO stale_paths (distribution, path, pipeline, created_at)
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT (distribution, path) DO NOTHING",
            params![distribution, path, pipeline, now],
        )?;
    }
    Ok(())
}

/// Whether there may be something to claim; looked at first, since nearly always there is nothing.
fn is_due(tx: &mut dyn Tx, distribution: &str) -> Sql<bool> {
    let now = tx.now()?;
    let sql = "SELECT 1 FROM stale_paths WHERE distribution = ?1
               UNION ALL SELECT 1 FROM batches
               WHERE distribution = ?1 AND state IN ('open', 'sent') AND run_at <= ?2 LIMIT 1";
    Ok(!tx.rows(sql, params![distribution, now])?.is_empty())
}

fn claim(
    tx: &mut dyn Tx,
    distribution: &str,
    limits: &BatchLimits,
    lease: Duration,
) -> Sql<Option<Batch>> {
    // What is in progress is counted, so one at a time.
    tx.lock(&format!("stale paths of {distribution}"))?;
    let now = tx.now()?;
    let due = "SELECT reference FROM batches
               WHERE distribution = ?1 AND state IN ('open', 'sent') AND run_at <= ?2
               ORDER BY run_at, reference LIMIT 1";
    let due = tx.one(due, params![distribution, now], |row| row.get::<String>(0))?;
    let reference = match due {
        Some(reference) => Some(reference),
        None => put_together(tx, distribution, limits, now)?,
    };
    let Some(reference) = reference else { return Ok(None) };
    let token = tx.next_token()?;
    let sql = format!(
        "UPDATE batches SET attempts = attempts + 1, run_at = ?2, dated_at = ?3, token = {token}
         WHERE reference = ?1 RETURNING {COLUMNS}"
    );
    tx.one(&sql, params![&reference, now.saturating_add(millis(lease)), now], batch)
}

/// Makes a batch of what is waiting, as far as there is room for it; its reference.
fn put_together(
    tx: &mut dyn Tx,
    distribution: &str,
    limits: &BatchLimits,
    now: UnixMillis,
) -> Sql<Option<String>> {
    let Some(room) = room(tx, distribution, limits)? else { return Ok(None) };
    let waiting = waiting_of(tx, distribution)?;
    let pipelines: BTreeMap<String, String> = waiting.iter().cloned().collect();
    let chosen = choose(waiting.into_iter().map(|(path, _)| path).collect(), room);
    let Some(first) = chosen.covered.first() else { return Ok(None) };
    let batch = NewBatch { distribution, pipeline: &pipelines[first], paths: &chosen.paths };
    let reference = insert(tx, &batch, now)?;
    for path in &chosen.covered {
        let sql = "DELETE FROM stale_paths WHERE distribution = ?1 AND path = ?2";
        tx.execute(sql, params![distribution, path])?;
    }
    Ok(Some(reference))
}

/// How many more paths may be in progress; none while a batch is put off: there is no room for
/// another, whatever we count.
fn room(tx: &mut dyn Tx, distribution: &str, limits: &BatchLimits) -> Sql<Option<BatchLimits>> {
    let busy = tx.one(
        "SELECT CAST(coalesce(sum(singles), 0) AS BIGINT),
           CAST(coalesce(sum(wildcards), 0) AS BIGINT),
           CAST(coalesce(sum(CASE WHEN state = 'open' THEN 1 ELSE 0 END), 0) AS BIGINT)
         FROM batches WHERE distribution = ?1 AND state IN ('open', 'sent')",
        params![distribution],
        |row| Ok((row.get::<u32>(0)?, row.get::<u32>(1)?, row.get::<u32>(2)?)),
    )?;
    let (singles, wildcards, open) = busy.unwrap_or_default();
    if open > 0 {
        return Ok(None);
    }
    Ok(Some(BatchLimits {
        paths: limits.paths.saturating_sub(singles as usize),
        wildcards: limits.wildcards.saturating_sub(wildcards as usize),
    }))
}

/// Most paths that are looked at for one batch.
const LOOKED_AT: u32 = 20_000;

/// Paths that wait, with the pipelines that noted them, the oldest first.
fn waiting_of(tx: &mut dyn Tx, distribution: &str) -> Sql<Vec<(String, String)>> {
    tx.all(
        "SELECT path, pipeline FROM stale_paths WHERE distribution = ?1
         ORDER BY created_at, path LIMIT ?2",
        params![distribution, LOOKED_AT],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

struct NewBatch<'a> {
    distribution: &'a str,
    pipeline: &'a str,
    paths: &'a [String],
}

/// Writes a batch that is to be sent now; its reference.
fn insert(tx: &mut dyn Tx, batch: &NewBatch<'_>, now: UnixMillis) -> Sql<String> {
    let reference = random_id();
    let wildcards = batch.paths.iter().filter(|path| path.ends_with('*')).count();
    tx.execute(
        "INSERT INTO batches (reference, distribution, pipeline, paths, singles, wildcards, state,
           run_at, since, dated_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open', ?7, ?7, ?7, ?7)",
        params![
            &reference,
            batch.distribution,
            batch.pipeline,
            &batch.paths.join("\n"),
            count(batch.paths.len() - wildcards),
            count(wildcards),
            now
        ],
    )?;
    Ok(reference)
}

fn count(paths: usize) -> i64 {
    i64::try_from(paths).unwrap_or(i64::MAX)
}

fn sent(
    tx: &mut dyn Tx,
    batch: &Batch,
    remote: &str,
    month: &MonthlyLimit<'_>,
    look_in: Duration,
) -> Sql<()> {
    let now = tx.now()?;
    let changed = tx.execute(
        "UPDATE batches SET state = 'sent', remote = ?3, error = NULL, attempts = 0, run_at = ?4,
           since = ?5, dated_at = ?5 WHERE reference = ?1 AND token = ?2 AND state = 'open'",
        params![&batch.reference, batch.token, remote, now + millis(look_in), now],
    )?;
    if changed == 0 {
        return Ok(());
    }
    count_paths(tx, batch, month)
}

/// Adds the paths of a batch to those of the month; subscribers are warned when the limit is passed.
fn count_paths(tx: &mut dyn Tx, batch: &Batch, month: &MonthlyLimit<'_>) -> Sql<()> {
    let paths = count(batch.paths.len());
    let sql = "INSERT INTO stale_counts (month, paths) VALUES (?1, ?2)
               ON CONFLICT (month) DO UPDATE SET paths = stale_counts.paths + excluded.paths
               RETURNING paths";
    let all = tx.one(sql, params![month.month, paths], |row| row.get::<i64>(0))?.unwrap_or(0);
    let limit = i64::try_from(month.limit).unwrap_or(i64::MAX);
    if all > limit && all - paths <= limit {
        outbox::announce(tx, &batch.pipeline, month.warning)?;
    }
    Ok(())
}

fn completed(tx: &mut dyn Tx, batch: &Batch) -> Sql<()> {
    let now = tx.now()?;
    tx.execute(
        "UPDATE batches SET state = 'completed', error = NULL, ended_at = ?3
         WHERE reference = ?1 AND token = ?2 AND state = 'sent'",
        params![&batch.reference, batch.token, now],
    )?;
    Ok(())
}

fn failed(
    tx: &mut dyn Tx,
    batch: &Batch,
    error: &str,
    policy: Option<&DeliveryPolicy>,
    warning: &str,
) -> Sql<BatchState> {
    let now = tx.now()?;
    let sql = "SELECT since, state FROM batches
               WHERE reference = ?1 AND token = ?2 AND state IN ('open', 'sent')";
    let found = tx.one(sql, params![&batch.reference, batch.token], |row| {
        Ok((row.get::<i64>(0)?, row.get::<BatchState>(1)?))
    })?;
    let Some((since, state)) = found else { return Ok(batch.state) };
    let next = policy.filter(|policy| now - since < millis(policy.give_up_after));
    let (state, run_at, ended) = match next {
        Some(policy) => (state, now + policy.delay(batch.attempts), None),
        None => (BatchState::Dead, now, Some(now)),
    };
    tx.execute(
        "UPDATE batches SET state = ?3, run_at = ?4, error = ?5, ended_at = ?6, dated_at = ?7
         WHERE reference = ?1 AND token = ?2",
        params![&batch.reference, batch.token, state, run_at, error, ended, now],
    )?;
    if state == BatchState::Dead {
        outbox::announce(tx, &batch.pipeline, warning)?;
    }
    Ok(state)
}

fn waiting(tx: &mut dyn Tx, limit: u32) -> Sql<Vec<StalePath>> {
    let sql = "SELECT distribution, path FROM stale_paths
               ORDER BY distribution, created_at, path LIMIT ?1";
    tx.all(sql, params![limit], |row| {
        Ok(StalePath { distribution: row.get(0)?, path: row.get(1)? })
    })
}

fn batches(tx: &mut dyn Tx, limit: u32) -> Sql<Vec<Batch>> {
    let sql = format!(
        "SELECT {} FROM batches ORDER BY created_at DESC, reference LIMIT ?1",
        COLUMNS.replace("token", "coalesce(token, 0)")
    );
    tx.all(&sql, params![limit], batch)
}

fn counts(tx: &mut dyn Tx, limit: u32) -> Sql<Vec<(String, u64)>> {
    let sql = "SELECT month, paths FROM stale_counts ORDER BY month DESC LIMIT ?1";
    tx.all(sql, params![limit], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn forget(tx: &mut dyn Tx, keep: Duration) -> Sql<u64> {
    let before = tx.now()? - millis(keep);
    let sql = "DELETE FROM stale_paths WHERE created_at <= ?1";
    let paths = tx.execute(sql, params![before])?;
    // Those too whose distribution nobody serves any more.
    let sql = "DELETE FROM batches WHERE coalesce(ended_at, since) <= ?1";
    Ok(paths + tx.execute(sql, params![before])?)
}
