//! Values on their way into a database and out of it.

use crate::contract::{BatchState, DeliveryState, EventKind, JobState, TaskState};
use crate::error::{Fault, Sql};

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
