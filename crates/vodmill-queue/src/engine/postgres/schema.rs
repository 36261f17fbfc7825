//! The tables in PostgreSQL.

use tokio_postgres::Client;

use super::fault;
use crate::error::{Error, Result, Sql};

/// Version of [`TABLES`]; the same tables as SQLite's of that version.
const FIRST: u32 = 2;

/// Step n (from 0) brings a database from version `FIRST + n` to the next. Steps are never edited
/// once released.
const STEPS: &[&str] = &[V3, V4, V5, V6];

/// The version that this build writes.
const KNOWN: u32 = FIRST + STEPS.len() as u32;

/// Who is not to try again where it failed, and until when.
const V3: &str = r#"
ALTER TABLE tasks ADD COLUMN avoid TEXT COLLATE "C";
ALTER TABLE tasks ADD COLUMN avoid_until BIGINT;
DROP INDEX tasks_ready;
CREATE INDEX tasks_ready ON tasks (pipeline, kind, priority DESC, run_at, id)
  INCLUDE (avoid, avoid_until) WHERE state = 'ready';
"#;

/// What leaves the house.
const V4: &str = r#"
CREATE TABLE events (
  id TEXT COLLATE "C" PRIMARY KEY,
  kind TEXT COLLATE "C" NOT NULL,
  job_id TEXT,
  pipeline TEXT COLLATE "C" NOT NULL,
  name TEXT NOT NULL,
  asset TEXT,
  task TEXT,
  detail TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE TABLE deliveries (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES events (id),
  target TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
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
  distribution TEXT COLLATE "C" NOT NULL,
  path TEXT COLLATE "C" NOT NULL,
  pipeline TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (distribution, path)
);
CREATE TABLE batches (
  reference TEXT COLLATE "C" PRIMARY KEY,
  distribution TEXT COLLATE "C" NOT NULL,
  pipeline TEXT COLLATE "C" NOT NULL,
  paths TEXT NOT NULL,
  singles BIGINT NOT NULL,
  wildcards BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'sent', 'completed', 'dead')),
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
CREATE TABLE stale_counts (month TEXT COLLATE "C" PRIMARY KEY, paths BIGINT NOT NULL);
"#;

/// What is counted by month.
const V5: &str = r#"
CREATE TABLE sums (
  pipeline TEXT COLLATE "C" NOT NULL,
  month TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  value BIGINT NOT NULL,
  PRIMARY KEY (pipeline, month, name)
);
"#;

/// Attempts counted by cause, and since when a row waits.
const V6: &str = r#"
ALTER TABLE tasks ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN outages BIGINT NOT NULL DEFAULT 0;
-- When the row's times to come were set: one that lies ahead shows that the clock was set back.
ALTER TABLE tasks ADD COLUMN dated_at BIGINT;
ALTER TABLE jobs ADD COLUMN dated_at BIGINT;
ALTER TABLE deliveries ADD COLUMN dated_at BIGINT;
ALTER TABLE batches ADD COLUMN dated_at BIGINT;
-- An inbox asks for the jobs of each original that lies there, and a job for its asset.
-- By hash: a source may be longer than an ordered index takes.
CREATE INDEX jobs_source ON jobs USING hash (source);
CREATE INDEX assets_owner ON assets USING hash (owner);
"#;

/// Held while the tables are made, since `CREATE TABLE IF NOT EXISTS` fails when two do it at once.
/// The number is arbitrary.
const LOCK: i64 = 0x766f_646d_696c_6c31;

/// Texts that are compared are in the "C" collation, so that both engines sort alike.
const TABLES: &str = r#"
CREATE TABLE settings (name TEXT COLLATE "C" PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO settings (name, value) VALUES ('schema', '2');
CREATE SEQUENCE lease_tokens AS BIGINT;
CREATE TABLE paused (pipeline TEXT COLLATE "C" PRIMARY KEY);

CREATE TABLE jobs (
  id TEXT COLLATE "C" PRIMARY KEY,
  pipeline TEXT COLLATE "C" NOT NULL,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  payload TEXT NOT NULL,
  priority BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN
    ('waiting', 'running', 'published', 'rejected', 'failed', 'cancelled')),
  reason TEXT,
  asset TEXT,
  source_name TEXT,
  cleaned BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  ended_at BIGINT,
  settler TEXT,
  settle_until BIGINT
);
CREATE INDEX jobs_created ON jobs (created_at, id);
CREATE INDEX jobs_state ON jobs (state, created_at, id);
CREATE INDEX jobs_unclean ON jobs (ended_at, id) WHERE ended_at IS NOT NULL AND cleaned = 0;
CREATE INDEX jobs_open ON jobs (created_at) WHERE ended_at IS NULL;

CREATE TABLE tasks (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id TEXT COLLATE "C" NOT NULL REFERENCES jobs (id),
  key TEXT COLLATE "C" NOT NULL,
  pipeline TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  payload TEXT NOT NULL,
  priority BIGINT NOT NULL,
  first BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN
    ('waiting', 'ready', 'leased', 'done', 'cancelled', 'rejected', 'quarantined')),
  pending BIGINT NOT NULL DEFAULT 0 CHECK (pending >= 0),
  run_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0,
  losses BIGINT NOT NULL DEFAULT 0,
  token BIGINT,
  holder TEXT COLLATE "C",
  expires_at BIGINT,
  ended_as TEXT,
  error TEXT,
  evidence TEXT,
  progress TEXT,
  result TEXT,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  ended_at BIGINT,
  UNIQUE (job_id, key)
);
-- A queue's rows change all the time: dead ones at the head of a lane are what slows claims down.
ALTER TABLE tasks SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX tasks_ready ON tasks (pipeline, kind, priority DESC, run_at, id)
  WHERE state = 'ready';
CREATE INDEX tasks_leased ON tasks (expires_at) WHERE state = 'leased';
CREATE INDEX tasks_held ON tasks (pipeline) WHERE state = 'leased';
CREATE INDEX tasks_served ON tasks (pipeline, token);
CREATE INDEX tasks_open ON tasks (kind, state, run_at)
  WHERE state IN ('waiting', 'ready', 'leased', 'quarantined');
CREATE INDEX tasks_leaving ON tasks (holder)
  WHERE state = 'cancelled' AND expires_at IS NOT NULL;
CREATE INDEX tasks_quarantined ON tasks (ended_at, id) WHERE state = 'quarantined';
CREATE TABLE edges (
  needs_id BIGINT NOT NULL REFERENCES tasks (id),
  task_id BIGINT NOT NULL REFERENCES tasks (id),
  PRIMARY KEY (needs_id, task_id)
);
CREATE INDEX edges_task ON edges (task_id);
CREATE TABLE lanes (
  pipeline TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (pipeline, kind)
);

CREATE TABLE assets (asset TEXT COLLATE "C" PRIMARY KEY, owner TEXT COLLATE "C" NOT NULL);
CREATE TABLE generations (
  asset TEXT COLLATE "C" NOT NULL,
  generation BIGINT NOT NULL,
  job_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (asset, generation),
  UNIQUE (asset, job_id)
);
CREATE TABLE renditions (
  digest TEXT COLLATE "C" PRIMARY KEY,
  place TEXT COLLATE "C" NOT NULL,
  bytes BIGINT NOT NULL,
  facts TEXT NOT NULL,
  used_at BIGINT NOT NULL
);
CREATE INDEX renditions_used ON renditions (used_at, digest);
CREATE TABLE secrets (id TEXT COLLATE "C" PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE secret_names (
  name TEXT COLLATE "C" PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL REFERENCES secrets (id)
);
CREATE INDEX secret_names_id ON secret_names (id, name);
"#;

/// Creates the tables or brings them up to date; many may do so at once.
pub(super) async fn migrate(client: &Client, place: &str) -> Sql<Result<()>> {
    if let Ok(Some(KNOWN)) = checked_version(client, place).await? {
        return Ok(Ok(()));
    }
    client.batch_execute("BEGIN").await.map_err(fault)?;
    let lock = format!("SELECT pg_advisory_xact_lock({LOCK})");
    client.batch_execute(&lock).await.map_err(fault)?;
    // Another process may have made them while we waited.
    let checked = checked_version(client, place).await?;
    if let Ok(found) = checked {
        bring_up_to_date(client, found).await?;
    }
    client.batch_execute("COMMIT").await.map_err(fault)?;
    Ok(checked.map(drop))
}

async fn bring_up_to_date(client: &Client, found: Option<u32>) -> Sql<()> {
    if found.is_none() {
        client.batch_execute(TABLES).await.map_err(fault)?;
    }
    let done = found.unwrap_or(FIRST) - FIRST;
    for step in STEPS.iter().skip(done as usize) {
        client.batch_execute(step).await.map_err(fault)?;
    }
    let sql = format!("UPDATE settings SET value = '{KNOWN}' WHERE name = 'schema'");
    client.batch_execute(&sql).await.map_err(fault)
}

/// Refuses a database that this build would have to create or migrate first.
pub(super) async fn require_current(client: &Client, place: &str) -> Sql<Result<()>> {
    let place = place.to_owned();
    Ok(match checked_version(client, &place).await? {
        Err(error) => Err(error),
        Ok(None) => Err(Error::NoDatabase { place }),
        Ok(Some(found)) if found < KNOWN => Err(Error::OlderSchema { place, found, known: KNOWN }),
        Ok(Some(_)) => Ok(()),
    })
}

/// The schema's version, none if there are no tables; refuses what is not ours or is too new.
async fn checked_version(client: &Client, place: &str) -> Sql<Result<Option<u32>>> {
    let place = place.to_owned();
    let sql = "SELECT count(*), count(*) FILTER (WHERE tablename IN ('settings', 'jobs', 'tasks'))
               FROM pg_tables WHERE schemaname = current_schema()";
    let row = client.query_one(sql, &[]).await.map_err(fault)?;
    match (row.get::<_, i64>(0), row.get::<_, i64>(1)) {
        (0, _) => return Ok(Ok(None)),
        (_, 3) => {}
        _ => return Ok(Err(Error::NotAQueue { place })),
    }
    let sql = "SELECT value FROM settings WHERE name = 'schema'";
    let row = client.query_opt(sql, &[]).await.map_err(fault)?;
    let found = row.and_then(|row| row.get::<_, String>(0).parse().ok());
    Ok(match found {
        None => Err(Error::NotAQueue { place }),
        Some(found) if found > KNOWN => Err(Error::NewerSchema { place, found, known: KNOWN }),
        Some(found) if found < FIRST => Err(Error::OlderSchema { place, found, known: KNOWN }),
        Some(found) => Ok(Some(found)),
    })
}
