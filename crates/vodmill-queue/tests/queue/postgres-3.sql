-- A database as the release with schema 3 made it: its first tables, then its one step. Not to be edited.
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

ALTER TABLE tasks ADD COLUMN avoid TEXT COLLATE "C";
ALTER TABLE tasks ADD COLUMN avoid_until BIGINT;
DROP INDEX tasks_ready;
CREATE INDEX tasks_ready ON tasks (pipeline, kind, priority DESC, run_at, id)
  INCLUDE (avoid, avoid_until) WHERE state = 'ready';
UPDATE settings SET value = '3' WHERE name = 'schema';

-- A job under way, another that waits, and keys.
INSERT INTO jobs (id, pipeline, name, source, payload, priority, state, asset, created_at, started_at) VALUES
  ('j', 'films', 'j.mov', 'inbox/j.mov', '{}', 0, 'running', 'j', 1, 2),
  ('k', 'films', 'k.mov', 'inbox/k.mov', '{}', 0, 'waiting', NULL, 3, NULL);
INSERT INTO tasks (job_id, key, pipeline, kind, payload, priority, first, state, run_at, attempts,
  token, holder, expires_at, created_at, avoid, avoid_until) VALUES
  ('j', 'publish', 'films', 'work', '{}', 0, 1, 'leased', 1, 1, nextval('lease_tokens'), 'gone', 9, 1, NULL, NULL),
  ('k', 'plan', 'films', 'work', '{}', 0, 2, 'ready', 1, 1, NULL, NULL, NULL, 3, 'me', 1);
INSERT INTO lanes (pipeline, kind) VALUES ('films', 'work');
INSERT INTO assets (asset, owner) VALUES ('j', 'films/j.mov');
INSERT INTO generations (asset, generation, job_id) VALUES ('j', 1, 'j');
INSERT INTO secrets (id, value) VALUES ('keys', 'wrapped');
INSERT INTO secret_names (name, id) VALUES ('kid', 'keys');
