//! What the operations need of a database: transactions, and a little SQL in two dialects.
//!
//! The operations are written once, with `?1` for placeholders. What the engines do not share is
//! asked of [`Tx`]: the time, locks on rows, fencing tokens.

use std::sync::Arc;
use std::time::Duration;

use crate::audience::{Audience, Hall};
use crate::clock::UnixMillis;
use crate::error::{Fault, Object, Result, Sql};
use crate::leap::LastLook;
use crate::signal::Signal;
use crate::state::{BatchState, DeliveryState, EventKind, JobState, TaskState};

/// A database that holds a queue. Whatever is one is a [`Queue`](crate::Queue).
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
    fn signal(&self) -> &Signal;

    /// Who is told of what happens in this process.
    fn audience(&self) -> &Hall;

    /// Time since some moment, whatever the clock is set to.
    fn uptime(&self) -> Duration;

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

    /// Notes that a task has become ready, to be told once that is committed.
    fn wake(&mut self);

    /// Keeps other writers off a job and, by convention, its graph, until the end.
    fn lock_job(&mut self, job: &str) -> Sql<()>;

    /// Keeps off whoever locks the same word, until the end.
    fn lock(&mut self, word: &str) -> Sql<()>;

    /// Who is told of what happens.
    fn audience(&self) -> Arc<Audience>;

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

/// A value for a placeholder. A null has a type, since PostgreSQL asks for it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Param<'a> {
    Int(Option<i64>),
    Text(Option<&'a str>),
}

/// The values of a statement's placeholders.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::engine::Param::from($value)),*] };
}
pub(crate) use params;

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<u32> for Param<'_> {
    fn from(value: u32) -> Self {
        Self::Int(Some(value.into()))
    }
}

impl From<i32> for Param<'_> {
    fn from(value: i32) -> Self {
        Self::Int(Some(value.into()))
    }
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::Int(Some(value.into()))
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<i64>> for Param<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl<'a> From<Option<&'a str>> for Param<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value)
    }
}

macro_rules! param_of_word {
    ($($word:ty),*) => { $(
        impl From<$word> for Param<'_> {
            fn from(value: $word) -> Self {
                Self::Text(Some(value.as_str()))
            }
        }
    )* };
}
param_of_word!(JobState, TaskState, EventKind, DeliveryState, BatchState);

/// A row of a result.
#[derive(Debug)]
pub(crate) struct Row(pub Vec<Cell>);

/// A value of a row; booleans are 0 and 1.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(String),
}

impl Row {
    /// The value of a column, from 0.
    pub fn get<T: FromCell>(&self, column: usize) -> Sql<T> {
        let value = self.0.get(column).and_then(T::from_cell);
        value.ok_or_else(|| {
            let found = self.0.get(column);
            Fault::Database(format!("column {column} cannot be {found:?}").into())
        })
    }
}

/// A type that a column can be read as.
pub(crate) trait FromCell: Sized {
    /// `None` if it is not of this type.
    fn from_cell(cell: &Cell) -> Option<Self>;
}

macro_rules! from_int {
    ($($int:ty),*) => { $(
        impl FromCell for $int {
            fn from_cell(cell: &Cell) -> Option<Self> {
                match cell { Cell::Int(value) => (*value).try_into().ok(), _ => None }
            }
        }
    )* };
}
from_int!(i64, u64, i32, u32);

impl FromCell for bool {
    fn from_cell(cell: &Cell) -> Option<Self> {
        i64::from_cell(cell).map(|value| value != 0)
    }
}

impl FromCell for String {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

macro_rules! from_word {
    ($($word:ty),*) => { $(
        impl FromCell for $word {
            fn from_cell(cell: &Cell) -> Option<Self> {
                String::from_cell(cell).and_then(|word| Self::from_word(&word))
            }
        }
    )* };
}
from_word!(JobState, TaskState, EventKind, DeliveryState, BatchState);

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}
