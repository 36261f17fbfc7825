//! The tables in SQLite, and how an older file becomes a newer one.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::{mark, opening};
use crate::error::{Error, Result};

/// Step n (from 1) brings a database from version n - 1 to n. Steps are never edited once released.
const STEPS: &[&str] = &[V1, V2, V3, V4, V5, V6];

/// Times are Unix milliseconds.
const V1: &str = "
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO counters (name, value) VALUES ('token', 0);
CREATE TABLE paused (pipeline TEXT PRIMARY KEY);

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  pipeline TEXT NOT NULL,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  payload TEXT NOT NULL,
  priority BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('waiting', 'running', 'published', 'rejected', 'failed', 'cancelled')),
  reason TEXT,
  asset TEXT,
  source_name TEXT,
  cleaned BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  ended_at BIGINT
);
CREATE INDEX jobs_created ON jobs (created_at, id);
CREATE INDEX jobs_state ON jobs (state, created_at, id);
CREATE INDEX jobs_unclean ON jobs (ended_at) WHERE ended_at IS NOT NULL AND cleaned = 0;

CREATE TABLE tasks (
  id INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES jobs (id),
  key TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  priority BIGINT NOT NULL,
  first BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('waiting', 'ready', 'leased', 'done', 'cancelled', 'rejected', 'quarantined')),
  pending BIGINT NOT NULL DEFAULT 0 CHECK (pending >= 0),
  run_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0,
  losses BIGINT NOT NULL DEFAULT 0,
  token BIGINT,
  holder TEXT,
  expires_at BIGINT,
  error TEXT,
  evidence TEXT,
  progress TEXT,
  result TEXT,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  ended_at BIGINT,
  UNIQUE (job_id, key)
);
CREATE TABLE edges (
  needs_id BIGINT NOT NULL REFERENCES tasks (id),
  task_id BIGINT NOT NULL REFERENCES tasks (id),
  PRIMARY KEY (needs_id, task_id)
);
CREATE INDEX edges_task ON edges (task_id);
-- Ready and leased rows have an index each: one query over both took 116 ms at a backlog of
-- 100,000, and these take less than one. Kind and pipeline are in it so that a filtered claim
-- walks the index alone.
CREATE INDEX tasks_ready ON tasks (priority DESC, run_at, id, pipeline, kind)
  WHERE state = 'ready';
CREATE INDEX tasks_leased ON tasks (expires_at) WHERE state = 'leased';
-- What a backlog counts; finished tasks are left out so that history costs nothing.
CREATE INDEX tasks_open ON tasks (kind, state)
  WHERE state IN ('waiting', 'ready', 'leased', 'quarantined');

CREATE TABLE assets (asset TEXT PRIMARY KEY, owner TEXT NOT NULL);
CREATE TABLE generations (
  asset TEXT NOT NULL,
  generation BIGINT NOT NULL,
  job_id TEXT NOT NULL,
  PRIMARY KEY (asset, generation),
  UNIQUE (asset, job_id)
);
";

/// The second engine, and work shared between machines.
const V2: &str = "
-- How the lease of `token` ended, so that telling it twice is telling it once.
ALTER TABLE tasks ADD COLUMN ended_as TEXT;

-- The pipelines and kinds that tasks were ever added of. A claim looks at the head of each lane.
CREATE TABLE lanes (
  pipeline TEXT NOT NULL,
  kind TEXT NOT NULL,
  PRIMARY KEY (pipeline, kind)
);
INSERT INTO lanes SELECT DISTINCT pipeline, kind FROM tasks;
DROP INDEX tasks_ready;
CREATE INDEX tasks_ready ON tasks (pipeline, kind, priority DESC, run_at, id)
  WHERE state = 'ready';
-- Whose turn it is: leases of each pipeline, and its latest token.
CREATE INDEX tasks_held ON tasks (pipeline) WHERE state = 'leased';
CREATE INDEX tasks_served ON tasks (pipeline, token);
-- With the time, to tell ready from delayed.
DROP INDEX tasks_open;
CREATE INDEX tasks_open ON tasks (kind, state, run_at)
  WHERE state IN ('waiting', 'ready', 'leased', 'quarantined');
-- Holders that may not know yet that their task was cancelled with its job.
CREATE INDEX tasks_leaving ON tasks (holder)
  WHERE state = 'cancelled' AND expires_at IS NOT NULL;
CREATE INDEX tasks_quarantined ON tasks (ended_at, id) WHERE state = 'quarantined';

-- Who settles an ended job, and until when nobody else may.
ALTER TABLE jobs ADD COLUMN settler TEXT;
ALTER TABLE jobs ADD COLUMN settle_until BIGINT;

CREATE TABLE renditions (
  digest TEXT PRIMARY KEY,
  place TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  facts TEXT NOT NULL,
  used_at BIGINT NOT NULL
);
CREATE INDEX renditions_used ON renditions (used_at, digest);

CREATE TABLE secrets (id TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE secret_names (name TEXT PRIMARY KEY, id TEXT NOT NULL REFERENCES secrets (id));
CREATE INDEX secret_names_id ON secret_names (id, name);
";

/// Who is not to try again where it failed, and until when.
const V3: &str = "
ALTER TABLE tasks ADD COLUMN avoid TEXT;
ALTER TABLE tasks ADD COLUMN avoid_until BIGINT;
DROP INDEX tasks_ready;
CREATE INDEX tasks_ready ON tasks (pipeline, kind, priority DESC, run_at, id, avoid, avoid_until)
  WHERE state = 'ready';
";

/// What leaves the house.
const V4: &str = "
CREATE TABLE events (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  job_id TEXT,
  pipeline TEXT NOT NULL,
  name TEXT NOT NULL,
  asset TEXT,
  task TEXT,
  detail TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES events (id),
  target TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
  run_at BIGINT NOT NULL,
  since BIGINT NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0,
  token BIGINT,
  error TEXT,
  ended_at BIGINT,
  UNIQUE (event_id, target)
);
CREATE INDEX deliveries_due ON deliveries (target, run_at, id) WHERE state = 'waiting';
CREATE INDEX deliveries_ended ON deliveries (state, ended_at) WHERE ended_at IS NOT NULL;

-- A row is a wish; it goes when a batch has it.
CREATE TABLE stale_paths (
  distribution TEXT NOT NULL,
  path TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (distribution, path)
);
CREATE TABLE batches (
  reference TEXT PRIMARY KEY,
  distribution TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  paths TEXT NOT NULL,
  singles BIGINT NOT NULL,
  wildcards BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'sent', 'completed', 'dead')),
  remote TEXT,
  run_at BIGINT NOT NULL,
  since BIGINT NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0,
  token BIGINT,
  error TEXT,
  created_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX batches_open ON batches (distribution, run_at) WHERE state IN ('open', 'sent');
CREATE TABLE stale_counts (month TEXT PRIMARY KEY, paths BIGINT NOT NULL);
";

/// What is counted by month.
const V5: &str = "
CREATE TABLE sums (
  pipeline TEXT NOT NULL,
  month TEXT NOT NULL,
  name TEXT NOT NULL,
  value BIGINT NOT NULL,
  PRIMARY KEY (pipeline, month, name)
);
";

/// Attempts counted by cause, and since when a row waits.
const V6: &str = "
ALTER TABLE tasks ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN outages BIGINT NOT NULL DEFAULT 0;
-- When the row's times to come were set: one that lies ahead shows that the clock was set back.
ALTER TABLE tasks ADD COLUMN dated_at BIGINT;
ALTER TABLE jobs ADD COLUMN dated_at BIGINT;
ALTER TABLE deliveries ADD COLUMN dated_at BIGINT;
ALTER TABLE batches ADD COLUMN dated_at BIGINT;
-- An inbox asks for the jobs of each original that lies there, and a job for its asset.
CREATE INDEX jobs_source ON jobs (source, state, created_at, id);
CREATE INDEX assets_owner ON assets (owner);
";

/// The version that this build writes.
fn known() -> u32 {
    STEPS.len() as u32
}

/// Creates the tables, unless they `were_there` before, or brings them up to date.
pub(crate) fn migrate(connection: &mut Connection, path: &Path, were_there: bool) -> Result<()> {
    match checked_version(connection, path)? {
        found if found == known() => return Ok(()),
        0 if were_there => return Err(mark::lost(path)),
        _ => {}
    }
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let tx = begun.map_err(|source| opening(path, source))?;
    // Another process may have migrated while we waited for the write lock.
    let found = checked_version(&tx, path)?;
    take_steps(tx, found).map_err(|source| opening(path, source))
}

/// Takes all steps behind the `found` version.
fn take_steps(tx: Transaction<'_>, found: u32) -> rusqlite::Result<()> {
    for step in &STEPS[found as usize..] {
        tx.execute_batch(step)?;
    }
    tx.execute(
        "INSERT INTO settings (name, value) VALUES ('schema', ?1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [known().to_string()],
    )?;
    tx.commit()
}

/// Refuses a database that this build would have to create or migrate first.
pub(crate) fn require_current(connection: &Connection, path: &Path) -> Result<()> {
    let place = path.display().to_string();
    match checked_version(connection, path)? {
        // Somebody is creating it at this moment.
        0 => Err(Error::NoDatabase { place }),
        found if found < known() => Err(Error::OlderSchema { place, found, known: known() }),
        _ => Ok(()),
    }
}

/// The schema's version, 0 for an empty database; refuses what is not ours or is too new.
fn checked_version(connection: &Connection, path: &Path) -> Result<u32> {
    let place = path.display().to_string();
    let found = version(connection).map_err(|source| opening(path, source))?;
    match found {
        None => Err(Error::NotAQueue { place }),
        Some(found) if found > known() => Err(Error::NewerSchema { place, found, known: known() }),
        Some(found) => Ok(found),
    }
}

/// `None` if there are tables, but not ours.
fn version(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    let count = "SELECT count(*) FROM sqlite_master WHERE type = 'table'";
    let tables: i64 = connection.query_row(count, [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(Some(0));
    }
    let ours: i64 = connection.query_row(
        &format!("{count} AND name IN ('settings', 'jobs', 'tasks')"),
        [],
        |row| row.get(0),
    )?;
    if ours < 3 {
        return Ok(None);
    }
    let value: Option<String> = connection
        .query_row("SELECT value FROM settings WHERE name = 'schema'", [], |row| row.get(0))
        .optional()?;
    Ok(value.and_then(|text| text.parse().ok()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{ClaimFilter, Lease, Leases, SqliteQueue};

    /// As the first release wrote them.
    const ROWS: &str = "
    INSERT INTO settings (name, value) VALUES ('schema', '1');
    UPDATE counters SET value = 7;
    INSERT INTO jobs (id, pipeline, name, source, payload, priority, state, created_at)
      VALUES ('j', 'films', 'j.mov', 'inbox/j.mov', '{}', 0, 'running', 1);
    INSERT INTO tasks (job_id, key, pipeline, kind, payload, priority, first, state, run_at,
      attempts, token, holder, expires_at, created_at) VALUES
      ('j', 'a', 'films', 'work', '{}', 0, 1, 'ready', 1, 0, NULL, NULL, NULL, 1),
      ('j', 'b', 'films', 'other', '{}', 0, 1, 'leased', 1, 1, 7, 'me', 9, 1);
    ";

    fn claim(queue: &SqliteQueue) -> Lease {
        let claimed = queue.claim("me", Duration::from_secs(9), &ClaimFilter::default());
        claimed.unwrap().unwrap()
    }

    #[test]
    fn the_first_schema_is_brought_up_to_date() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("queue.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(V1).unwrap();
        old.execute_batch(ROWS).unwrap();
        drop(old);
        let refused = SqliteQueue::open_existing(&path).unwrap_err();
        assert!(matches!(refused, Error::OlderSchema { found: 1, known: 6, .. }), "{refused}");
        let queue = SqliteQueue::open(&path).unwrap();
        assert_eq!(queue.reap_expired().unwrap(), 1);
        let first = claim(&queue);
        assert_eq!((first.key.as_str(), first.token), ("a", 8));
        let second = claim(&queue);
        assert_eq!((second.key.as_str(), second.attempt), ("b", 2));
        assert!(SqliteQueue::open_existing(&path).is_ok());
    }
}
