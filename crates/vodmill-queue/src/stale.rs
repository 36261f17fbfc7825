//! Paths that caches are to drop: wished for by publications, sent in batches.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::chance::random_id;
use crate::clock::{UnixMillis, millis};
use crate::engine::{Row, Tx, params};
use crate::error::Sql;
use crate::outbox::{self, DeliveryPolicy};
use crate::state::BatchState;

/// A path whose old content a cache may still have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StalePath {
    /// The distribution: whose caches.
    pub distribution: String,
    /// The path there, with its leading slash.
    pub path: String,
}

/// How many paths may be in progress at a time for one distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Paths that name one object each.
    pub paths: usize,
    /// Paths that end with a wildcard.
    pub wildcards: usize,
}

/// Paths that are sent together, held by whoever claimed them until the claim expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its name, random: the same at every attempt to send it.
    pub reference: String,
    /// Whose caches.
    pub distribution: String,
    /// The pipeline that wished for the first of its paths.
    pub pipeline: String,
    /// The paths.
    pub paths: Vec<String>,
    /// Where it stands.
    pub state: BatchState,
    /// The name that it has at the distribution's, once it was sent.
    pub remote: Option<String>,
    /// How often it was tried to send it, or to ask for it.
    pub attempts: u32,
    /// What came of the last attempt that failed.
    pub error: Option<String>,
    /// When it was put together.
    pub created_at: UnixMillis,
    /// When it was completed or given up.
    pub ended_at: Option<UnixMillis>,
    /// The fencing token.
    pub token: i64,
}

/// How paths are counted, and when somebody is told of their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted<'a> {
    /// The month, as `2026-11`.
    pub month: &'a str,
    /// The number of paths in a month above which somebody is told.
    pub limit: u64,
    /// What they are told; opaque.
    pub warning: &'a str,
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

/// Notes paths to be dropped; one that is waiting already is one wish.
pub(crate) fn wish(tx: &mut dyn Tx, pipeline: &str, paths: &[StalePath]) -> Sql<()> {
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
pub(crate) fn is_due(tx: &mut dyn Tx, distribution: &str) -> Sql<bool> {
    let now = tx.now()?;
    let sql = "SELECT 1 FROM stale_paths WHERE distribution = ?1
               UNION ALL SELECT 1 FROM batches
               WHERE distribution = ?1 AND state IN ('open', 'sent') AND run_at <= ?2 LIMIT 1";
    Ok(!tx.rows(sql, params![distribution, now])?.is_empty())
}

pub(crate) fn claim(
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
    let busy = tx.one(
        "SELECT count(*), CAST(coalesce(sum(singles), 0) AS BIGINT),
           CAST(coalesce(sum(wildcards), 0) AS BIGINT),
           CAST(coalesce(sum(CASE WHEN state = 'open' THEN 1 ELSE 0 END), 0) AS BIGINT)
         FROM batches WHERE distribution = ?1 AND state IN ('open', 'sent')",
        params![distribution],
        |row| Ok((row.get::<u32>(1)?, row.get::<u32>(2)?, row.get::<u32>(3)?)),
    )?;
    let (singles, wildcards, open) = busy.unwrap_or_default();
    if open > 0 {
        // It was put off: there is no room for another, whatever we count.
        return Ok(None);
    }
    let room = BatchLimits {
        paths: limits.paths.saturating_sub(singles as usize),
        wildcards: limits.wildcards.saturating_sub(wildcards as usize),
    };
    let waiting = tx.all(
        "SELECT path, pipeline FROM stale_paths WHERE distribution = ?1
         ORDER BY created_at, path LIMIT 20000",
        params![distribution],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let pipelines: BTreeMap<String, String> = waiting.iter().cloned().collect();
    let chosen = choose(waiting.into_iter().map(|(path, _)| path).collect(), room);
    let Some(first) = chosen.covered.first() else { return Ok(None) };
    let reference = random_id();
    let wild = chosen.paths.iter().filter(|path| path.ends_with('*')).count();
    tx.execute(
        "INSERT INTO batches (reference, distribution, pipeline, paths, singles, wildcards, state,
           run_at, since, dated_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open', ?7, ?7, ?7, ?7)",
        params![
            &reference,
            distribution,
            &pipelines[first],
            &chosen.paths.join("\n"),
            count(chosen.paths.len() - wild),
            count(wild),
            now
        ],
    )?;
    for path in &chosen.covered {
        let sql = "DELETE FROM stale_paths WHERE distribution = ?1 AND path = ?2";
        tx.execute(sql, params![distribution, path])?;
    }
    Ok(Some(reference))
}

fn count(paths: usize) -> i64 {
    i64::try_from(paths).unwrap_or(i64::MAX)
}

/// What is sent, and the wishes that this fulfils.
#[derive(Debug, Default)]
struct Chosen {
    paths: Vec<String>,
    covered: Vec<String>,
}

/// The wishes in their order, as far as there is room: siblings together as one wildcard while there
/// is room for those, one by one otherwise.
fn choose(waiting: Vec<String>, mut room: BatchLimits) -> Chosen {
    let mut folders: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    let mut order = Vec::new();
    for path in &waiting {
        let folder = &path[..path.rfind('/').map_or(0, |at| at + 1)];
        let siblings = folders.entry(folder).or_default();
        if siblings.is_empty() {
            order.push(folder);
        }
        siblings.push(path);
    }
    let mut chosen = Chosen::default();
    for folder in order {
        let siblings = &folders[folder];
        // The whole site is nobody's sibling.
        let together = siblings.len() > 1 && folder.len() > 1 && room.wildcards > 0;
        if together {
            room.wildcards -= 1;
            chosen.paths.push(format!("{folder}*"));
            chosen.covered.extend(siblings.iter().map(|path| (*path).clone()));
        } else {
            let fit = siblings.len().min(room.paths);
            room.paths -= fit;
            chosen.paths.extend(siblings[..fit].iter().map(|path| (*path).clone()));
            chosen.covered.extend(siblings[..fit].iter().map(|path| (*path).clone()));
        }
    }
    chosen
}

pub(crate) fn sent(
    tx: &mut dyn Tx,
    batch: &Batch,
    remote: &str,
    counted: &Counted<'_>,
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
    let paths = count(batch.paths.len());
    let sql = "INSERT INTO stale_counts (month, paths) VALUES (?1, ?2)
               ON CONFLICT (month) DO UPDATE SET paths = stale_counts.paths + excluded.paths
               RETURNING paths";
    let all = tx.one(sql, params![counted.month, paths], |row| row.get::<i64>(0))?.unwrap_or(0);
    let limit = i64::try_from(counted.limit).unwrap_or(i64::MAX);
    if all > limit && all - paths <= limit {
        outbox::announce(tx, &batch.pipeline, counted.warning)?;
    }
    Ok(())
}

pub(crate) fn completed(tx: &mut dyn Tx, batch: &Batch) -> Sql<()> {
    let now = tx.now()?;
    tx.execute(
        "UPDATE batches SET state = 'completed', error = NULL, ended_at = ?3
         WHERE reference = ?1 AND token = ?2 AND state = 'sent'",
        params![&batch.reference, batch.token, now],
    )?;
    Ok(())
}

pub(crate) fn failed(
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

pub(crate) fn waiting(tx: &mut dyn Tx, limit: u32) -> Sql<Vec<StalePath>> {
    let sql = "SELECT distribution, path FROM stale_paths ORDER BY distribution, created_at, path LIMIT ?1";
    tx.all(sql, params![limit], |row| {
        Ok(StalePath { distribution: row.get(0)?, path: row.get(1)? })
    })
}

pub(crate) fn batches(tx: &mut dyn Tx, limit: u32) -> Sql<Vec<Batch>> {
    let sql = format!(
        "SELECT {} FROM batches ORDER BY created_at DESC, reference LIMIT ?1",
        COLUMNS.replace("token", "coalesce(token, 0)")
    );
    tx.all(&sql, params![limit], batch)
}

pub(crate) fn counts(tx: &mut dyn Tx, limit: u32) -> Sql<Vec<(String, u64)>> {
    let sql = "SELECT month, paths FROM stale_counts ORDER BY month DESC LIMIT ?1";
    tx.all(sql, params![limit], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(crate) fn forget(tx: &mut dyn Tx, keep: Duration) -> Sql<u64> {
    let before = tx.now()? - millis(keep);
    let sql = "DELETE FROM stale_paths WHERE created_at <= ?1";
    let wishes = tx.execute(sql, params![before])?;
    // Those too whose distribution nobody serves any more.
    let sql = "DELETE FROM batches WHERE coalesce(ended_at, since) <= ?1";
    Ok(wishes + tx.execute(sql, params![before])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(waiting: &[&str], paths: usize, wildcards: usize) -> (Vec<String>, usize) {
        let waiting = waiting.iter().map(|path| (*path).to_owned()).collect();
        let chosen = choose(waiting, BatchLimits { paths, wildcards });
        (chosen.paths, chosen.covered.len())
    }

    #[test]
    fn siblings_become_a_wildcard_while_there_is_room() {
        let two = ["/tv/a/index.m3u8", "/tv/b/index.m3u8", "/tv/a/asset.json", "/tv/b/asset.json"];
        assert_eq!(chosen(&two, 9, 9), (vec!["/tv/a/*".to_owned(), "/tv/b/*".to_owned()], 4));
        let (paths, covered) = chosen(&two, 9, 1);
        assert_eq!(paths, ["/tv/a/*", "/tv/b/index.m3u8", "/tv/b/asset.json"]);
        assert_eq!(covered, 4);
        let (paths, covered) = chosen(&two, 1, 0);
        assert_eq!((paths, covered), (vec!["/tv/a/index.m3u8".to_owned()], 1));
        assert_eq!(chosen(&two, 0, 0), (vec![], 0));
    }

    #[test]
    fn the_whole_site_is_never_dropped() {
        let (paths, _) = chosen(&["/a.json", "/b.json"], 9, 9);
        assert_eq!(paths, ["/a.json", "/b.json"]);
        assert_eq!(chosen(&["/tv/a/index.m3u8"], 9, 9).0, ["/tv/a/index.m3u8"], "an only child");
    }
}
