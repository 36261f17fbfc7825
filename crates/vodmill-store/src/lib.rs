//! Where packages are published: objects under keys, in a directory or in memory. Knows no media.

pub mod conformance;
mod error;
mod key;
mod local;
mod memory;

use std::path::{Path, PathBuf};

pub use error::{Result, StoreError};
pub use key::Key;
pub use local::LocalStore;
pub use memory::MemoryStore;

/// Objects under keys.
///
/// # Contract
/// - **Whole or not at all.** A reader sees an object before or after a `put`, never between.
/// - **Durable before it returns.** What a method stored with `Ok` is there after any crash, with
///   the bytes that were given: a store over a network has them compared by a digest. After an
///   error or a crash each object is the old or the new one; repeating is safe.
/// - **The first decides** where [`put_new`](Store::put_new) is used, among any number of processes
///   and machines, as far as [`Store::claims_hold`] says so.
/// - Methods may be called from many threads and processes. They block, and end in bounded time.
pub trait Store: Send + Sync {
    /// Stores `bytes` under `key`, in place of what is there.
    fn put(&self, key: &Key, bytes: &[u8], headers: &Headers) -> Result<()>;

    /// Stores `bytes` under `key`, unless it has an object.
    fn put_new(&self, key: &Key, bytes: &[u8], headers: &Headers) -> Result<Put>;

    /// Stores files, in place of what is there, and takes them away; many side by side, in any
    /// order. A file that is gone while its object is there, in its size, was stored by an earlier
    /// call.
    fn put_files(&self, files: &[Upload]) -> Result<()>;

    /// The bytes under `key`; [`StoreError::NotFound`] when there are none. For small objects.
    fn get(&self, key: &Key) -> Result<Vec<u8>>;

    /// Writes the bytes under `key` to a new file, unsynced; [`StoreError::NotFound`] when there
    /// are none. On an error the file's content means nothing.
    fn get_file(&self, key: &Key, path: &Path) -> Result<()>;

    /// Where the object is as a file on this machine, for a store that is one.
    fn file(&self, key: &Key) -> Option<PathBuf>;

    /// The objects under `prefix`, in the order of their keys; none for an unknown prefix.
    fn list(&self, prefix: &Key) -> Result<Vec<Entry>>;

    /// Removes every object under `prefix`, and what was begun there and not finished; nothing
    /// there is no error.
    fn remove(&self, prefix: &Key) -> Result<()>;

    /// Removes these objects; those that are not there are no error.
    fn remove_objects(&self, keys: &[Key]) -> Result<()>;

    /// Whether [`put_new`](Store::put_new) has one winner under all circumstances. Some servers
    /// ignore the condition; then two that come at once may both be told that they won.
    fn claims_hold(&self) -> bool {
        true
    }
}

/// What a reader is told about an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
}

/// A file that is to become an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The object's key.
    pub key: Key,
    /// The file.
    pub file: PathBuf,
    /// Its size; another one is an error.
    pub bytes: u64,
    /// What its readers are told.
    pub headers: Headers,
}

/// What became of an object that was to be new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is stored now.
    Stored,
    /// The key has an object since earlier.
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
