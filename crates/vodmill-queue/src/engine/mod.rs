//! What the operations need of a database: transactions, and a little SQL in two dialects.
//!
//! The operations are written once, with `?1` for placeholders. What the engines do not share is
//! asked of [`Tx`]: the time, locks on rows, fencing tokens.

mod last_look;
pub(crate) mod postgres;
mod signal;
pub(crate) mod sqlite;
mod subscriptions;
mod value;

use std::sync::Arc;

use vodmill_clock::{Clock, UnixMillis};

pub(crate) use self::last_look::{ClockChange, LastLook};
pub(crate) use self::signal::ReadySignal;
pub(crate) use self::subscriptions::SharedSubscriptions;
pub(crate) use self::value::{Cell, Param, Row, params};
use crate::contract::Subscriptions;
use crate::error::{Object, Result, Sql};

/// A database that holds a queue. Every engine is a [`Queue`](crate::Queue).
pub(crate) trait Engine: Send + Sync {
    /// Runs `work` in one write transaction: all of it is committed, and on disk, or none. It may
    /// be run again, if the first transaction failed in a way that passes; where the answer to a
    /// commit was lost, it is run again although it has happened.
    fn write<T>(
        &self,
        operation: &'static str,
        object: Object<'_>,
        work: impl FnMut(&mut dyn Tx) -> Sql<T>,
    ) -> Result<T>;

    /// Runs `work` on one consistent view.
    fn read<T>(
        &self,
        operation: &'static str,
        object: Object<'_>,
        work: impl FnMut(&mut dyn Tx) -> Sql<T>,
    ) -> Result<T>;

    /// What tells waiting claimers that a task may be ready.
    fn ready(&self) -> &ReadySignal;

    /// The subscriptions of this process.
    fn subscriptions(&self) -> &SharedSubscriptions;

    /// What waits are measured by; not always where [`Tx::now`] takes the time from.
    fn clock(&self) -> &dyn Clock;

    /// The clock when it was last looked at.
    fn last_look(&self) -> &LastLook;
}

/// A transaction.
///
/// The order of locks, where there is more than one writer: the job's row, then its tasks'. What
/// holds a task and has not locked its job does not wait for the job.
pub(crate) trait Tx {
    /// Runs a statement; how many rows it changed.
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Sql<u64>;

    /// Runs a query.
    fn rows(&mut self, sql: &str, params: &[Param<'_>]) -> Sql<Vec<Row>>;

    /// The present time; to be asked for after locks were waited for, or it brings back an old one.
    fn now(&mut self) -> Sql<UnixMillis>;

    /// An expression that is a number greater than all before it, to be used once.
    fn next_token(&mut self) -> Sql<&'static str>;

    /// Notes that a task has become ready: waiting claimers are woken once that is committed.
    fn wake(&mut self);

    /// Keeps other writers off a job and, by convention, its graph, until the end.
    fn lock_job(&mut self, job: &str) -> Sql<()>;

    /// Keeps off all others that lock the same word, until the end.
    fn lock(&mut self, word: &str) -> Sql<()>;

    /// The subscriptions of this process.
    fn subscriptions(&self) -> Arc<Subscriptions>;

    /// Ends a SELECT that is to wait for, and then lock, its rows.
    fn row_lock(&self) -> &'static str;

    /// Ends a SELECT that is to lock its rows, and to pass over those that others have locked.
    fn skip_locked(&self) -> &'static str;
}

impl dyn Tx + '_ {
    /// The first row of a query, if there is one.
    pub fn one<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl Fn(&Row) -> Sql<T>,
    ) -> Sql<Option<T>> {
        self.rows(sql, params)?.first().map(read).transpose()
    }

    /// All rows of a query.
    pub fn all<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl Fn(&Row) -> Sql<T>,
    ) -> Sql<Vec<T>> {
        self.rows(sql, params)?.iter().map(read).collect()
    }
}
