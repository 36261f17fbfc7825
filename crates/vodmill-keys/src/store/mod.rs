//! Where keys are kept: the contract, and the stores that keep it.

pub mod conformance;
mod database;
mod directory;
pub mod http;
mod memory;
mod rewrap;

pub use database::DatabaseKeyStore;
pub use directory::DirectoryKeyStore;
pub use memory::MemoryKeyStore;

use crate::key::{Kid, SegmentKey};
use crate::random::NoRandomness;
use crate::set::{KeySet, KeyTerms, WrappedKeySet};
use crate::wrap::{KeyEncryptionKeys, UnwrapError};

/// Keeps the keys of every generation, apart from the media.
///
/// # Contract
/// - **Once.** The first `put` of an (asset, generation) decides; every later
///   one changes nothing and returns what the first stored. So two workers
///   that package the same generation, at the same time or one after the
///   death of the other, encrypt with the same keys.
/// - **Durable before it returns.** When `put` returned `Ok`, the keys are
///   found by every method, in every process, after any crash: media is
///   published only after that. When it returned an error, either nothing or
///   the whole set is stored, never a part; repeating is safe.
/// - **Kids are unique** over the store: a `put` with one that another
///   generation has is [`KeyStoreError::KidTaken`], and stores nothing.
/// - **No key is ever overwritten or deleted** through this trait: published
///   media needs its keys. That viewers get a generation's keys no more is
///   noted beside them ([`Self::expire`]); the proof of a package still reads
///   them.
/// - **An expiry only ever becomes earlier**: the order in which several are
///   set does not matter, nor how often one is.
/// - Methods may be called from many threads; reads see every finished `put`.
/// - A durable backend stores [`crate::set::WrappedKeySet`], never a clear key.
pub trait KeyStore: Send + Sync {
    /// Stores the keys of a generation unless it has some; returns those it
    /// has now.
    ///
    /// # Errors
    /// See the contract.
    fn put(&self, asset: &str, generation: &str, keys: KeySet) -> Result<KeySet, KeyStoreError>;

    /// The key of this name; `None` when there is none.
    ///
    /// # Errors
    /// [`KeyStoreError::Unwrap`] or [`KeyStoreError::Backend`]; never for an
    /// unknown kid.
    fn get(&self, kid: &Kid) -> Result<Option<StoredKey>, KeyStoreError>;

    /// The keys of a generation; `None` when it has none.
    ///
    /// # Errors
    /// As [`Self::get`].
    fn of_generation(&self, asset: &str, generation: &str)
    -> Result<Option<KeySet>, KeyStoreError>;

    /// Viewers get the keys of this generation no more from `at` on, in Unix
    /// seconds, unless an earlier expiry was set. Returns the expiry that counts
    /// now; `None` when there are no such keys.
    ///
    /// # Errors
    /// As [`Self::get`].
    fn expire(&self, asset: &str, generation: &str, at: u64) -> Result<Option<u64>, KeyStoreError>;

    /// Wraps all keys under the current key-encryption key that are wrapped
    /// under another; returns how many generations that were. May be stopped
    /// at any moment and called again; until it has returned, the other
    /// key-encryption keys are still needed.
    ///
    /// # Errors
    /// As [`Self::get`].
    fn rewrap(&self) -> Result<usize, KeyStoreError>;

    /// Every generation with its kids, and no secret; ordered by asset, then
    /// generation.
    ///
    /// # Errors
    /// As [`Self::get`].
    fn list(&self) -> Result<Vec<GenerationKeys>, KeyStoreError>;
}

/// A key and what it is for. Debug shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// The asset it encrypts.
    pub asset: String,
    /// The generation of it.
    pub generation: String,
    /// Its key period, counted from 0.
    pub period: usize,
    /// The key.
    pub key: SegmentKey,
    /// On which terms viewers get it.
    pub terms: KeyTerms,
}

impl StoredKey {
    /// One key of a wrapped set.
    fn unwrap(
        keks: &KeyEncryptionKeys,
        set: WrappedKeySet,
        period: usize,
    ) -> Result<StoredKey, KeyStoreError> {
        let key = set.periods[period].unwrap(keks.find(set.kek())?, &set.asset)?.key;
        let WrappedKeySet { asset, generation, terms, .. } = set;
        Ok(StoredKey { asset, generation, period, key, terms })
    }
}

/// One generation in a listing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GenerationKeys {
    /// The asset.
    pub asset: String,
    /// The generation of it.
    pub generation: String,
    /// By key period.
    pub kids: Vec<Kid>,
    /// On which terms viewers get them.
    pub terms: KeyTerms,
}

/// Why a key store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// A set without keys, or with one kid twice: nothing could be encrypted
    /// with it. The caller's fault; repeating does not help.
    #[error("a key set needs keys with different kids")]
    BadSet,
    /// Another generation has this kid: a copied set, for chance does not do
    /// it. Repeating does not help.
    #[error("kid {0} belongs to another generation")]
    KidTaken(Kid),
    /// What is stored does not open.
    #[error("stored keys do not open")]
    Unwrap(#[from] UnwrapError),
    /// No random bytes for wrapping.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The place where keys are kept failed. May be tried again.
    #[error("key store: {0}")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}

pub(crate) fn backend(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> KeyStoreError {
    KeyStoreError::Backend(error.into())
}
