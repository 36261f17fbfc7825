//! The queue in a PostgreSQL database: one truth for many machines.

mod address;
mod link;
mod listen;
mod schema;

use std::fmt;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_postgres::error::SqlState;
use vodmill_clock::{Clock, SystemClock, UnixMillis};

use self::address::Address;
use self::link::{Link, Pool, Taken};
use crate::backoff::jittered;
use crate::contract::Subscriptions;
use crate::engine::{Engine, LastLook, Param, ReadySignal, Row, SharedSubscriptions, Tx, params};
use crate::error::{Error, Fault, Object, Result, Sql};

/// The first pause before a new attempt; it doubles up to the last, and each is jittered.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_secs(2);

/// How a [`PostgresQueue`] behaves.
#[derive(Clone)]
pub struct PostgresOptions {
    /// Connections at most, beside the one that listens: one for each thread that works is enough.
    pub connections: usize,
    /// For how long an operation is tried again while the server cannot be reached, restarts or
    /// breaks a deadlock.
    pub patience: Duration,
    /// Where the time comes from; the server's own clock if none. For tests: with a clock for each
    /// process a lease would be as good as the worst of them. Patience is in real time, always.
    pub clock: Option<Arc<dyn Clock>>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { connections: 8, patience: Duration::from_secs(30), clock: None }
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut options = f.debug_struct("PostgresOptions");
        options.field("connections", &self.connections).field("patience", &self.patience);
        options.field("clock", &self.clock.is_some()).finish()
    }
}

/// A queue in a PostgreSQL database. All methods block, and share a few connections; share it
/// between threads behind an `Arc`. Any number of processes may use one database.
///
/// - The address is `postgres://user:password@host:port/database`, with libpq's parameters. Of
///   `sslmode`, `require` encrypts and proves nothing; `verify-full` (and `verify-ca`, which is as
///   strict) proves the host by the system's authorities or those of `sslrootcert`.
/// - The tables are in the first schema of the `search_path`, which they have to themselves.
/// - The server's clock is the only one that counts.
/// - Connections are kept open, with prepared statements: a pooler between has to keep sessions.
/// - A character U+0000, which PostgreSQL cannot store, is stored as U+FFFD.
pub struct PostgresQueue {
    pool: Arc<Pool>,
    patience: Duration,
    clock: Option<Arc<dyn Clock>>,
    ready: Arc<ReadySignal>,
    subscriptions: SharedSubscriptions,
    last_look: LastLook,
    listening: Once,
    /// Some until the queue is dropped.
    runtime: Option<Runtime>,
}

impl PostgresQueue {
    /// Opens the queue at `url`; creates its tables where needed. The database must exist.
    ///
    /// # Errors
    /// [`Error::BadAddress`], [`Error::NewerSchema`], [`Error::NotAQueue`], [`Error::Database`].
    pub fn open(url: &str) -> Result<Self> {
        Self::open_with(url, &PostgresOptions::default())
    }

    /// As [`open`](Self::open), with these options.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_with(url: &str, options: &PostgresOptions) -> Result<Self> {
        let queue = Self::unchecked(url, options)?;
        queue.opening(|link| {
            link.runtime().block_on(schema::migrate(link.client(), queue.place()))
        })?;
        Ok(queue)
    }

    /// Opens a queue that is there already; never creates tables: for commands that look at, or
    /// steer, a queue that others work on.
    ///
    /// # Errors
    /// [`Error::NoDatabase`] if there are no tables; [`Error::OlderSchema`]; else as `open`.
    pub fn open_existing(url: &str) -> Result<Self> {
        let queue = Self::unchecked(url, &PostgresOptions::default())?;
        queue.opening(|link| {
            link.runtime().block_on(schema::require_current(link.client(), queue.place()))
        })?;
        Ok(queue)
    }

    /// Whether `url` can be the address of a queue. Connects to nothing.
    ///
    /// # Errors
    /// [`Error::BadAddress`].
    pub fn check_address(url: &str) -> Result<()> {
        Address::parse(url).map(drop)
    }

    fn unchecked(url: &str, options: &PostgresOptions) -> Result<Self> {
        let address = Address::parse(url)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("queue-database")
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| Error::Database {
            operation: "open queue",
            object: address.place.clone(),
            source: Box::new(error),
        })?;
        let pool = Pool::new(address, runtime.handle().clone(), options.connections);
        Ok(Self {
            pool: Arc::new(pool),
            patience: options.patience,
            clock: options.clock.clone(),
            ready: Arc::default(),
            subscriptions: SharedSubscriptions::default(),
            last_look: LastLook::default(),
            listening: Once::new(),
            runtime: Some(runtime),
        })
    }

    fn place(&self) -> &str {
        self.pool.place()
    }

    /// Runs what is to be done first on a connection, patiently.
    fn opening(&self, check: impl Fn(&Link) -> Sql<Result<()>>) -> Result<()> {
        let checked = self.patiently(|deadline| {
            let mut taken = self.pool.take(deadline)?;
            let checked = check(taken.link()?)?;
            taken.give_back();
            Ok(checked)
        });
        checked.map_err(|fault| fault.during("open queue", self.place().into()))?
    }

    /// Tries again what fails in a way that passes: in real time, which is the server's.
    fn patiently<T>(&self, mut attempt: impl FnMut(Instant) -> Sql<T>) -> Sql<T> {
        let deadline = Instant::now() + self.patience;
        let mut pause = FIRST_PAUSE;
        loop {
            match attempt(deadline) {
                Err(Fault::Passing(error)) if Instant::now() + pause < deadline => {
                    tracing::debug!(%error, "database failed; trying again");
                    SystemClock.sleep(jittered(pause));
                    pause = (pause * 2).min(LAST_PAUSE);
                }
                result => return result,
            }
        }
    }

    /// One transaction; `begin` says which sort.
    fn transaction<T>(
        &self,
        begin: &'static str,
        deadline: Instant,
        work: &mut impl FnMut(&mut dyn Tx) -> Sql<T>,
    ) -> Sql<T> {
        let mut taken = self.pool.take(deadline)?;
        let link = taken.link()?;
        link.begin(begin);
        let clock = self.clock.as_deref();
        let mut tx = PostgresTx { link, clock, subscriptions: &self.subscriptions, wake: false };
        let result = work(&mut tx);
        let wake = tx.wake;
        match result {
            Ok(value) => {
                link.run("COMMIT")?;
                self.notify(taken, wake);
                Ok(value)
            }
            // Some other connection will do for the next attempt.
            Err(Fault::Passing(error)) => Err(Fault::Passing(error)),
            Err(fault) => {
                if link.run("ROLLBACK").is_ok() {
                    taken.give_back();
                }
                Err(fault)
            }
        }
    }

    /// Wakes waiting claimers, here and elsewhere. It is done after the commit: in it, NOTIFY would
    /// make all commits of the server queue up behind one another's flush to disk.
    fn notify(&self, mut taken: Taken<'_>, wake: bool) {
        if !wake {
            return taken.give_back();
        }
        let notified = taken.link().and_then(|link| link.run(listen::NOTIFY));
        match notified {
            Ok(()) => taken.give_back(),
            // They look again when their time is up.
            Err(fault) => tracing::debug!(?fault, "waiting workers not notified"),
        }
        self.ready.raise();
    }
}

impl Engine for PostgresQueue {
    fn write<T>(
        &self,
        operation: &'static str,
        object: Object<'_>,
        mut work: impl FnMut(&mut dyn Tx) -> Sql<T>,
    ) -> Result<T> {
        self.patiently(|deadline| self.transaction("BEGIN", deadline, &mut work))
            .map_err(|fault| fault.during(operation, object))
    }

    fn read<T>(
        &self,
        operation: &'static str,
        object: Object<'_>,
        mut work: impl FnMut(&mut dyn Tx) -> Sql<T>,
    ) -> Result<T> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        self.patiently(|deadline| self.transaction(begin, deadline, &mut work))
            .map_err(|fault| fault.during(operation, object))
    }

    fn ready(&self) -> &ReadySignal {
        // Only claimers need to hear from the server.
        self.listening.call_once(|| {
            if let Some(runtime) = &self.runtime {
                runtime.spawn(listen::listen(self.pool.clone(), self.ready.clone()));
            }
        });
        &self.ready
    }

    fn subscriptions(&self) -> &SharedSubscriptions {
        &self.subscriptions
    }

    fn clock(&self) -> &dyn Clock {
        self.clock.as_deref().unwrap_or(&SystemClock)
    }

    fn last_look(&self) -> &LastLook {
        &self.last_look
    }
}

impl Drop for PostgresQueue {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Also from within a runtime's thread, where waiting would panic.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for PostgresQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresQueue").field("place", &self.place()).finish_non_exhaustive()
    }
}

struct PostgresTx<'a> {
    link: &'a mut Link,
    clock: Option<&'a dyn Clock>,
    subscriptions: &'a SharedSubscriptions,
    wake: bool,
}

impl Tx for PostgresTx<'_> {
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Sql<u64> {
        self.link.execute(sql, params)
    }

    fn rows(&mut self, sql: &str, params: &[Param<'_>]) -> Sql<Vec<Row>> {
        self.link.rows(sql, params)
    }

    fn now(&mut self) -> Sql<UnixMillis> {
        if let Some(clock) = self.clock {
            return Ok(clock.now());
        }
        // Not now(), which stands still from the beginning of the transaction.
        let sql = "SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)";
        let now = (self as &mut dyn Tx).one(sql, params![], |row| row.get(0))?;
        now.ok_or_else(|| Fault::Database("the server does not know the time".into()))
    }

    fn next_token(&mut self) -> Sql<&'static str> {
        Ok("nextval('lease_tokens')")
    }

    fn wake(&mut self) {
        self.wake = true;
    }

    fn lock_job(&mut self, job: &str) -> Sql<()> {
        self.rows("SELECT 1 FROM jobs WHERE id = ?1 FOR NO KEY UPDATE", params![job])?;
        Ok(())
    }

    fn lock(&mut self, word: &str) -> Sql<()> {
        let sql = "SELECT 1 FROM pg_advisory_xact_lock(hashtextextended(?1, 0))";
        self.rows(sql, params![word])?;
        Ok(())
    }

    fn subscriptions(&self) -> Arc<Subscriptions> {
        self.subscriptions.current()
    }

    fn row_lock(&self) -> &'static str {
        "FOR NO KEY UPDATE"
    }

    fn skip_locked(&self) -> &'static str {
        "FOR NO KEY UPDATE SKIP LOCKED"
    }
}

/// Whether a failure may pass: connections that broke, servers that start, stop or are full, and
/// deadlocks, which the server has broken.
fn fault(error: tokio_postgres::Error) -> Fault {
    let passing = match error.code() {
        Some(code) => passes(code),
        // Not the server's word: the connection's. What cannot be mended by trying again
        // (a password, a certificate) is told by the server or by the handshake.
        None => error.is_closed() || caused_by_io(&error),
    };
    if passing { Fault::Passing(error.into()) } else { Fault::Database(error.into()) }
}

fn passes(code: &SqlState) -> bool {
    // 08: connection exceptions; 57P: an operator's intervention.
    code.code().starts_with("08")
        || [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::QUERY_CANCELED,
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            // The old primary, after a failover.
            SqlState::READ_ONLY_SQL_TRANSACTION,
        ]
        .contains(code)
}

fn caused_by_io(error: &tokio_postgres::Error) -> bool {
    let source = std::error::Error::source(error);
    let io = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    // A certificate that is refused comes as invalid data.
    io.is_some_and(|error| error.kind() != std::io::ErrorKind::InvalidData)
        || (source.is_none() && error.to_string().contains("timed out"))
}
