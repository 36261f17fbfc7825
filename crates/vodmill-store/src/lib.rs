//! Where packages are published: objects under keys, in a directory, in a bucket, or in memory.
//! Knows no media.

mod access;
pub mod conformance;
mod error;
pub mod events;
mod key;
mod local;
mod location;
mod memory;
pub mod s3;
pub mod sync;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use error::{Result, StoreError};
pub use key::Key;
pub use local::LocalStore;
pub use location::Location;
pub use memory::MemoryStore;

/// Objects under keys.
///
/// # Contract
/// - **Whole or not at all.** A reader sees an object before or after a `put`, never between.
/// - **Durable before it returns.** What a method stored with `Ok` is there after any crash, with
///   the bytes that were given: a store over a network has them compared by a digest. After an
///   error or a crash each object is the old or the new one; repeating is safe.
/// - **One wins** among those that come to [`put_if`](Store::put_if) with the same expectation, in
///   any number of processes and machines, as far as [`Store::claims_hold`] says so.
/// - Methods may be called from many threads and processes. They block, and end in bounded time.
pub trait Store: Send + Sync {
    /// Stores `bytes` under `key`, in place of what is there.
    fn put(&self, key: &Key, bytes: &[u8], headers: &Headers) -> Result<()>;

    /// Stores `bytes` under `key` if what is there is what is `expected`: nothing, or that version.
    fn put_if(
        &self,
        key: &Key,
        bytes: &[u8],
        headers: &Headers,
        expected: &Expected,
    ) -> Result<PutOutcome>;

    /// Stores files, in place of what is there, and takes them away; many side by side, in any
    /// order. A file that is gone while its object is there, in its size, was stored by an earlier
    /// call.
    fn put_files(&self, files: &[Upload]) -> Result<()>;

    /// The bytes under `key`; [`StoreError::NotFound`] when there are none. For small objects.
    fn get(&self, key: &Key) -> Result<Vec<u8>>;

    /// The bytes under `key`, as [`get`](Store::get) gives them, and which version they are, to be
    /// replaced with [`put_if`](Store::put_if).
    fn get_version(&self, key: &Key) -> Result<(Vec<u8>, Expected)>;

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

    /// Removes an object if it is still the `expected` one: anything else there is not touched, and
    /// nothing there is no error.
    fn remove_if(&self, key: &Key, expected: &Expected) -> Result<()>;

    /// Removes what was begun under `prefix`, or anywhere without one, and not finished, where
    /// `is_over` says that no work on it goes on.
    fn remove_unfinished(
        &self,
        prefix: Option<&Key>,
        is_over: &dyn Fn(&PendingUpload) -> bool,
    ) -> Result<()>;

    /// Whether [`put_if`](Store::put_if) has one winner under all circumstances. Some servers
    /// ignore the condition: then of two that come at once both may win.
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
    /// Whether it is of the kind that makes up the bulk of a store, and may be kept otherwise.
    pub bulk: bool,
}

/// What has to be under a key: the precondition of [`Store::put_if`] and [`Store::remove_if`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// No object.
    Nothing,
    /// This version of an object, in the store's own words.
    Version(String),
}

/// The outcome of [`Store::put_if`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// It is stored now.
    Stored,
    /// The key had something else; nothing was changed.
    Refused,
}

/// An object that was begun and not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingUpload {
    /// Its key.
    pub key: Key,
    /// When it was begun, or last written to, where that is known.
    pub since: Option<SystemTime>,
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// Its size.
    pub bytes: u64,
}
