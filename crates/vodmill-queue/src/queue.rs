//! The handle on the database: opening, transactions, settings.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior,
};

use crate::clock::{Clock, SystemClock, UnixMillis};
use crate::error::{Error, Fault, Object, Result};
use crate::schema;

/// How long one process waits for another's write.
const BUSY: Duration = Duration::from_secs(30);

/// A queue in one SQLite file. All methods block; share it between threads behind an `Arc`.
///
/// There is one connection for writes and one for reads, each behind a mutex: SQLite's own waiting
/// is not fair and starves some of many writers. Other processes may open the same file at any time.
pub struct SqliteQueue {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    clock: Arc<dyn Clock>,
}

impl SqliteQueue {
    /// Opens the queue at `path`; creates it, or brings its tables up to date, where needed. The
    /// directory must exist.
    ///
    /// # Errors
    /// [`Error::NewerSchema`], [`Error::NotAQueue`], [`Error::Database`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with_clock(path, Arc::new(SystemClock))
    }

    /// As [`open`](Self::open), with the time taken from `clock`.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_with_clock(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self> {
        let path = path.as_ref();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut writer = connect(path, flags)?;
        use_wal(&writer).map_err(|source| opening(path, source))?;
        schema::migrate(&mut writer, path)?;
        Self::with_writer(path, writer, clock)
    }

    /// Opens a queue that is there already; never creates or migrates one. Cheap: for commands that
    /// look at, or steer, a queue that a daemon works on.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], [`Error::NotAQueue`], [`Error::OlderSchema`],
    /// [`Error::NewerSchema`], [`Error::Database`].
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if !path.exists() {
            return Err(Error::NoDatabase { path: path.to_path_buf() });
        }
        let writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        schema::require_current(&writer, path)?;
        Self::with_writer(path, writer, Arc::new(SystemClock))
    }

    fn with_writer(path: &Path, writer: Connection, clock: Arc<dyn Clock>) -> Result<Self> {
        // Read-write at the level of the file, since a reader of a WAL may have to recover it.
        let reader = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        reader.pragma_update(None, "query_only", true).map_err(|source| opening(path, source))?;
        Ok(Self { writer: Mutex::new(writer), reader: Mutex::new(reader), clock })
    }

    /// The value of a setting, if it was ever set.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn setting(&self, name: &str) -> Result<Option<String>> {
        self.read("read setting", name.into(), |tx, _| Ok(setting(tx, name)?))
    }

    /// Sets a setting, for all processes that use this queue. `schema` is not for callers.
    ///
    /// # Errors
    /// [`Error::Refused`] for `schema`, [`Error::Database`].
    pub fn set_setting(&self, name: &str, value: &str) -> Result<()> {
        self.write("set", name.into(), |tx, _| {
            if name == "schema" {
                return Err(Fault::Refused("the schema's version is not a setting".into()));
            }
            tx.execute(
                "INSERT INTO settings (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                [name, value],
            )?;
            Ok(())
        })
    }

    /// Runs `work` in one write transaction: all of it is committed, and on disk, or none.
    pub(crate) fn write<T>(
        &self,
        operation: &'static str,
        object: Object<'_>,
        work: impl FnOnce(&Transaction<'_>, UnixMillis) -> std::result::Result<T, Fault>,
    ) -> Result<T> {
        // A panic in another thread rolled its transaction back, so the connection is sound.
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = || {
            // Immediate: a read that turns into a write could be refused half-way.
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Read the clock under the lock, so that a long wait cannot bring back an old time.
            let value = work(&tx, self.clock.now())?;
            tx.commit()?;
            Ok(value)
        };
        (attempt)().map_err(|fault: Fault| fault.during(operation, object))
    }

    /// Runs `work` on one consistent view.
    pub(crate) fn read<T>(
        &self,
        operation: &'static str,
        object: Object<'_>,
        work: impl FnOnce(&Transaction<'_>, UnixMillis) -> std::result::Result<T, Fault>,
    ) -> Result<T> {
        let mut connection = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = || work(&connection.transaction()?, self.clock.now());
        (attempt)().map_err(|fault: Fault| fault.during(operation, object))
    }
}

impl fmt::Debug for SqliteQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteQueue").finish_non_exhaustive()
    }
}

pub(crate) fn setting(tx: &Transaction<'_>, name: &str) -> rusqlite::Result<Option<String>> {
    tx.prepare_cached("SELECT value FROM settings WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    (open)().map_err(|source| opening(path, source))
}

/// The mode is kept in the file, so this writes only when the file is new. SQLite does not wait
/// when two processes switch a new file at once, so we do.
fn use_wal(connection: &Connection) -> rusqlite::Result<()> {
    let start = Instant::now();
    loop {
        match switch_to_wal(connection) {
            Err(error) if is_busy(&error) && start.elapsed() < BUSY => {
                thread::sleep(Duration::from_millis(5));
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

fn opening(path: &Path, source: rusqlite::Error) -> Error {
    Error::Database { operation: "open queue", object: path.display().to_string(), source }
}
