//! Where packages are published: objects under keys, in a directory or in memory. Knows no media.

pub mod conformance;
mod error;
mod key;
mod local;
mod memory;

use std::path::Path;

pub use error::{Result, StoreError};
pub use key::Key;
pub use local::LocalStore;
pub use memory::MemoryStore;

/// Objects under keys.
///
/// # Contract
/// - **Whole or not at all.** A reader sees an object before or after a `put`, never between.
/// - **Durable before it returns.** What `put` and `put_tree` stored with `Ok` is there after any
///   crash. After an error or a crash, each object is the old or the new one; repeating is safe.
/// - **A tree is immutable.** `put_tree` gives a prefix its objects once. Repeating it, with its
///   directory there or already gone, changes nothing and answers [`Tree::AlreadyThere`].
/// - Methods may be called from many threads and processes.
pub trait Store: Send + Sync {
    /// Stores `bytes` under `key`, in place of what is there.
    fn put(&self, key: &Key, bytes: &[u8]) -> Result<()>;

    /// Stores every file of `dir` under `prefix`, with `/` between folders, and takes the
    /// directory away.
    fn put_tree(&self, prefix: &Key, dir: &Path) -> Result<Tree>;

    /// The bytes under `key`; [`StoreError::NotFound`] when there are none.
    fn get(&self, key: &Key) -> Result<Vec<u8>>;

    /// The objects under `prefix`, in the order of their keys; none for an unknown prefix.
    fn list(&self, prefix: &Key) -> Result<Vec<Entry>>;

    /// Removes every object under `prefix`; nothing there is no error.
    fn remove(&self, prefix: &Key) -> Result<()>;
}

/// What became of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// It is stored now.
    Stored,
    /// The prefix has its objects since an earlier call.
    AlreadyThere,
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// Its size.
    pub bytes: u64,
}
