//! The queue in one SQLite file: nothing to start, nothing to configure.

mod mark;
mod schema;

use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, params_from_iter,
};
use vodmill_clock::{Clock, SystemClock, UnixMillis};

use crate::contract::Subscriptions;
use crate::engine::{
    Cell, Engine, LastLook, Param, ReadySignal, Row, SharedSubscriptions, Tx, params,
};
use crate::error::{Error, Fault, Object, Result, Sql};

/// How long one process waits for another's write.
const BUSY: Duration = Duration::from_secs(30);

/// Pause before another process's lock is tried again.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// A queue in one SQLite file. All methods block; share it between threads behind an `Arc`.
///
/// There is one connection for writes and one for reads, each behind a mutex: SQLite's own waiting
/// is not fair and starves some of many writers. Other processes may open the same file at any time,
/// but [`wait`](crate::Leases::wait) is woken only by what this handle writes.
pub struct SqliteQueue {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    clock: Arc<dyn Clock>,
    ready: ReadySignal,
    subscriptions: SharedSubscriptions,
    last_look: LastLook,
}

impl SqliteQueue {
    /// Opens the queue at `path`; creates it, or brings its tables up to date, where needed. The
    /// directory must exist.
    ///
    /// # Errors
    /// [`Error::NewerSchema`], [`Error::NotAQueue`], [`Error::Lost`], [`Error::Damaged`],
    /// [`Error::Database`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with_clock(path, Arc::new(SystemClock))
    }

    /// As [`open`](Self::open), with the time taken from `clock`.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_with_clock(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self> {
        let path = path.as_ref();
        // Looked for before the file is: the first process makes the file, and then the mark.
        let was_there = mark::is_there(path);
        if was_there && is_empty(path) {
            return Err(mark::lost(path));
        }
        make_private(path).map_err(|source| unopened(path, source))?;
        let mut writer = connect(path)?;
        use_wal(&writer).map_err(|source| opening(path, source))?;
        schema::migrate(&mut writer, path, was_there)?;
        mark::leave(path)?;
        Self::with_writer(path, writer, clock)
    }

    /// Opens a queue that is there already; never creates or migrates one. Cheap: for commands that
    /// look at, or steer, a queue that a daemon works on.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], [`Error::Lost`], [`Error::Damaged`], [`Error::NotAQueue`],
    /// [`Error::OlderSchema`], [`Error::NewerSchema`], [`Error::Database`].
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if is_empty(path) && mark::is_there(path) {
            return Err(mark::lost(path));
        }
        if !path.exists() {
            return Err(Error::NoDatabase { place: path.display().to_string() });
        }
        let writer = connect(path)?;
        schema::require_current(&writer, path)?;
        Self::with_writer(path, writer, Arc::new(SystemClock))
    }

    fn with_writer(path: &Path, writer: Connection, clock: Arc<dyn Clock>) -> Result<Self> {
        // Read-write at the level of the file, since a reader of a WAL may have to recover it.
        let reader = connect(path)?;
        reader.pragma_update(None, "query_only", true).map_err(|source| opening(path, source))?;
        Ok(Self {
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            clock,
            ready: ReadySignal::default(),
            subscriptions: SharedSubscriptions::default(),
            last_look: LastLook::default(),
        })
    }

    fn try_write<T>(&self, work: &mut impl FnMut(&mut dyn Tx) -> Sql<T>) -> Sql<T> {
        // A panic in another thread rolled its transaction back, so the connection is sound.
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // Immediate: a read that turns into a write could be refused half-way.
        let inner = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut tx = self.transaction(inner);
        let value = work(&mut tx)?;
        tx.inner.commit()?;
        if tx.wake {
            self.ready.raise();
        }
        Ok(value)
    }

    fn try_read<T>(&self, work: &mut impl FnMut(&mut dyn Tx) -> Sql<T>) -> Sql<T> {
        let mut connection = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = connection.transaction()?;
        work(&mut self.transaction(inner))
    }

    fn transaction<'a>(&'a self, inner: Transaction<'a>) -> SqliteTx<'a> {
        SqliteTx { inner, clock: &*self.clock, subscriptions: &self.subscriptions, wake: false }
    }
}

impl Engine for SqliteQueue {
    fn write<T>(
        &self,
        operation: &'static str,
        object: Object<'_>,
        mut work: impl FnMut(&mut dyn Tx) -> Sql<T>,
    ) -> Result<T> {
        self.try_write(&mut work).map_err(|fault| fault.during(operation, object))
    }

    fn read<T>(
        &self,
        operation: &'static str,
        object: Object<'_>,
        mut work: impl FnMut(&mut dyn Tx) -> Sql<T>,
    ) -> Result<T> {
        self.try_read(&mut work).map_err(|fault| fault.during(operation, object))
    }

    fn ready(&self) -> &ReadySignal {
        &self.ready
    }

    fn subscriptions(&self) -> &SharedSubscriptions {
        &self.subscriptions
    }

    fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    fn last_look(&self) -> &LastLook {
        &self.last_look
    }
}

impl fmt::Debug for SqliteQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteQueue").finish_non_exhaustive()
    }
}

/// A transaction, which has the file to itself from its beginning: there is nothing to lock.
struct SqliteTx<'a> {
    inner: Transaction<'a>,
    clock: &'a dyn Clock,
    subscriptions: &'a SharedSubscriptions,
    wake: bool,
}

impl Tx for SqliteTx<'_> {
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Sql<u64> {
        let changed = self.inner.prepare_cached(sql)?.execute(params_from_iter(params))?;
        Ok(changed as u64)
    }

    fn rows(&mut self, sql: &str, params: &[Param<'_>]) -> Sql<Vec<Row>> {
        let mut statement = self.inner.prepare_cached(sql)?;
        let columns = statement.column_count();
        let rows = statement.query_map(params_from_iter(params), |row| {
            (0..columns).map(|at| cell(row.get_ref(at)?, at)).collect::<rusqlite::Result<_>>()
        })?;
        Ok(rows.map(|cells| cells.map(Row)).collect::<rusqlite::Result<_>>()?)
    }

    fn now(&mut self) -> Sql<UnixMillis> {
        Ok(self.clock.now())
    }

    fn next_token(&mut self) -> Sql<&'static str> {
        self.execute("UPDATE counters SET value = value + 1 WHERE name = 'token'", params![])?;
        Ok("(SELECT value FROM counters WHERE name = 'token')")
    }

    fn wake(&mut self) {
        self.wake = true;
    }

    fn lock_job(&mut self, _job: &str) -> Sql<()> {
        Ok(())
    }

    fn lock(&mut self, _word: &str) -> Sql<()> {
        Ok(())
    }

    fn subscriptions(&self) -> Arc<Subscriptions> {
        self.subscriptions.current()
    }

    fn row_lock(&self) -> &'static str {
        ""
    }

    fn skip_locked(&self) -> &'static str {
        ""
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match *self {
            Param::Int(Some(value)) => value.into(),
            Param::Text(Some(text)) => text.into(),
            Param::Int(None) | Param::Text(None) => ToSqlOutput::Borrowed(ValueRef::Null),
        })
    }
}

fn cell(value: ValueRef<'_>, column: usize) -> rusqlite::Result<Cell> {
    match value {
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Integer(value) => Ok(Cell::Int(value)),
        ValueRef::Text(_) => Ok(Cell::Text(value.as_str()?.to_owned())),
        ValueRef::Real(_) | ValueRef::Blob(_) => {
            Err(rusqlite::Error::InvalidColumnType(column, String::new(), value.data_type()))
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Database(Box::new(error))
    }
}

/// Makes the file where it is not there, its owner's alone. What SQLite makes beside it is as open
/// as the file.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

fn connect(path: &Path) -> Result<Connection> {
    try_connect(path).map_err(|source| opening(path, source))
}

fn try_connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// The mode is kept in the file, so this writes only when the file is new. SQLite does not wait
/// when two processes switch a new file at once, so we do, in real time as SQLite would.
fn use_wal(connection: &Connection) -> rusqlite::Result<()> {
    let deadline = SystemClock.uptime() + BUSY;
    loop {
        match switch_to_wal(connection) {
            Err(error) if is_busy(&error) && SystemClock.uptime() < deadline => {
                SystemClock.sleep(BUSY_PAUSE);
            }
            result => return result,
        }
    }
}

fn switch_to_wal(connection: &Connection) -> rusqlite::Result<()> {
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if mode != "wal" {
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    }
    Ok(())
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// Whether there is nothing in the file, or no file.
fn is_empty(path: &Path) -> bool {
    path.metadata().map_or_else(|error| error.kind() == ErrorKind::NotFound, |it| it.len() == 0)
}

fn opening(path: &Path, source: rusqlite::Error) -> Error {
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            Error::Damaged { place: path.display().to_string(), source: Box::new(source) }
        }
        _ => unopened(path, source),
    }
}

fn unopened(path: &Path, source: impl StdError + Send + Sync + 'static) -> Error {
    Error::Database {
        operation: "open queue",
        object: path.display().to_string(),
        source: Box::new(source),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::operations::heads_sql;

    fn query_plan(queue: &SqliteQueue, sql: &str, values: &[Param<'_>]) -> String {
        let steps = queue
            .read("explain", "query".into(), |tx| tx.all(sql, values, |row| row.get::<String>(3)));
        steps.unwrap().join("; ")
    }

    #[test]
    fn its_files_are_their_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let _queue = SqliteQueue::open(dir.path().join("queue.db")).unwrap();
        for name in ["queue.db", "queue.db-wal", "queue.db-shm", "queue.db.made"] {
            let mode = dir.path().join(name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
        }
    }

    /// Else each of ten thousand originals in an inbox costs a look at all jobs there are.
    #[test]
    fn the_jobs_of_an_original_are_found_by_an_index() {
        let dir = tempfile::tempdir().unwrap();
        let queue = SqliteQueue::open(dir.path().join("queue.db")).unwrap();
        let sql = "EXPLAIN QUERY PLAN SELECT id FROM jobs WHERE 1 = 1 AND state = ?1
          AND pipeline = ?2 AND source = ?3 ORDER BY created_at DESC, id LIMIT 9";
        let plan = query_plan(&queue, sql, params!["waiting", "films", "a"]);
        assert!(plan.contains("jobs_source (source=? AND state=?)"), "{plan}");
    }

    #[test]
    fn claims_walk_the_ready_index() {
        let dir = tempfile::tempdir().unwrap();
        let queue = SqliteQueue::open(dir.path().join("queue.db")).unwrap();
        for kinds in [0, 2] {
            let sql = format!("EXPLAIN QUERY PLAN {}", heads_sql(kinds));
            let values = &params![0, "holder", "a", "b"][..kinds + 2];
            let plan = query_plan(&queue, &sql, values);
            assert!(plan.contains("SEARCH h USING COVERING INDEX tasks_ready"), "{plan}");
            assert!(plan.contains("SEARCH b USING COVERING INDEX tasks_held"), "{plan}");
            assert!(plan.contains("SEARCH s USING COVERING INDEX tasks_served"), "{plan}");
            assert!(!plan.contains("SCAN t"), "{plan}");
        }
    }
}
