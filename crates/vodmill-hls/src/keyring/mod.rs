//! Keys of a generation: made, wrapped for storage, kept, and addressed.

pub mod conformance;
mod memory;
mod set;
mod store;
mod uri;
mod wrap;

pub use memory::MemoryKeyStore;
pub use set::{KeySet, KeyTerms, MAX_KEY_PERIODS, PeriodKey, WrappedKeySet, WrappedPeriodKey};
pub use store::{GenerationKeys, KeyStore, KeyStoreError, StoredKey};
pub use uri::{KeyUriError, KeyUriTemplate};
pub use wrap::{KeyEncryptionKey, KeyEncryptionKeys, UnwrapError, WrappedKey};
