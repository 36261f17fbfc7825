//! Secrets under an id and names.

use std::fmt;

use crate::error::Result;

/// Secrets, each under an id and found by names. Values are opaque here: callers wrap them.
///
/// # Contract
///
/// - The first for an id decides: its value and names count.
/// - A name belongs to one id.
/// - A value is replaced by comparison; names never change.
pub trait Secrets: Send + Sync {
    /// Keeps a secret, unless there is one of this id or with one of these names.
    fn keep_secret(&self, id: &str, names: &[String], value: &str) -> Result<Kept>;

    /// Replaces the value of a secret if it is still the expected one. False if it is another by
    /// now, or there is no such secret.
    fn replace_secret(&self, id: &str, expected: &str, value: &str) -> Result<bool>;

    /// The secret of this id.
    fn secret(&self, id: &str) -> Result<Option<Secret>>;

    /// The secret that this name leads to.
    fn secret_by_name(&self, name: &str) -> Result<Option<Secret>>;

    /// All secrets, by id.
    fn secrets(&self) -> Result<Vec<Secret>>;
}

/// A secret that is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its id.
    pub id: String,
    /// The names that lead to it, sorted.
    pub names: Vec<String>,
    /// The value; opaque.
    pub value: String,
}

// The value stays out of logs, wrapped as it is.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut secret = f.debug_struct("Secret");
        secret.field("id", &self.id).field("names", &self.names).finish_non_exhaustive()
    }
}

/// What became of a secret that was to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// This value counts for the id: the given one, or that of an earlier caller.
    Stored(String),
    /// This name belongs to another id; nothing was stored.
    NameTaken(String),
}
