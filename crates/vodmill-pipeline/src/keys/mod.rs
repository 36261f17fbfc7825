//! Where keys are kept: in a folder of one machine, or in the database that all workers share.

mod dir;
mod vault;

pub use dir::{DirKeyStore, keep_kek, load_kek};
pub use vault::VaultKeyStore;

use vodmill_hls::keyring::{KeyEncryptionKeys, KeyStoreError, StoredKey, WrappedKeySet};

/// One key of a set, opened.
fn unwrap_period(
    keks: &KeyEncryptionKeys,
    set: WrappedKeySet,
    period: usize,
) -> Result<StoredKey, KeyStoreError> {
    let key = set.periods[period].unwrap(keks.find(set.kek())?, &set.asset)?.key;
    let WrappedKeySet { asset, generation, terms, .. } = set;
    Ok(StoredKey { asset, generation, period, key, terms })
}
