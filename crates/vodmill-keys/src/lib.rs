//! Keys: made, used, wrapped, kept and found again.
//!
//! - `key`: segment keys, their ids, IVs and the seed of a generation's IVs;
//! - [`aes128`]: the cipher of segments (RFC 8216, METHOD=AES-128);
//! - `uri`: where players get a key;
//! - `set`: all keys of a generation, clear and wrapped;
//! - `ring`: clear keys with an index by their ids, on their way to a child;
//! - `wrap`: the key-encryption key and secrets under it; [`kek`]: the places where it is;
//! - `store`: where key sets are kept: the contract [`KeyStore`], and a store in memory, in a
//!   folder, in the database of a queue, and behind HTTP;
//! - [`random`]: what every secret of vodmill is made from;
//! - [`private_file`]: files with secrets, there whole or not at all.
//!
//! It knows no media, no playlist and no package.

pub mod aes128;
pub mod kek;
mod key;
pub mod private_file;
pub mod random;
mod ring;
mod set;
mod store;
mod uri;
mod wrap;

pub use key::{Iv, IvSeed, Kid, SegmentKey};
pub use ring::{ClearKeys, KeyRing};
pub use set::{KeySet, KeyTerms, MAX_KEY_PERIODS, PeriodKey, WrappedKeySet, WrappedPeriodKey};
pub use store::http::{HttpKeyStore, HttpKeyStoreError, HttpSettings, wire};
pub use store::{
    DatabaseKeyStore, DirectoryKeyStore, GenerationKeys, KeyStore, KeyStoreError, MemoryKeyStore,
    StoredKey, conformance,
};
pub use uri::{KeyUriError, KeyUriTemplate};
pub use wrap::{KeyEncryptionKey, KeyEncryptionKeys, UnwrapError, WrappedKey};
