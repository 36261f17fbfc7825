//! Where keys are kept: in a folder of one machine, or in the database that all workers share.

mod dir;
mod index;
mod kek;
mod private;
mod set_file;
mod vault;

pub use dir::DirKeyStore;
pub use kek::{keep_kek, load_kek, read_kek};
pub use vault::VaultKeyStore;

use vodmill_hls::keyring::{KeyEncryptionKeys, KeyStoreError, StoredKey, WrappedKeySet};

fn backend(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> KeyStoreError {
    KeyStoreError::Backend(error.into())
}

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

/// Sets that could not be wrapped anew: the others are, and the old key is still needed.
#[derive(Default)]
struct Unopened {
    count: usize,
}

impl Unopened {
    fn note(&mut self, set: &WrappedKeySet, error: &KeyStoreError) {
        let (asset, generation) = (&set.asset, &set.generation);
        let error = error as &dyn std::error::Error;
        tracing::error!(asset, generation, error, "keys not wrapped anew");
        self.count += 1;
    }

    fn or(&self, wrapped: usize) -> Result<usize, KeyStoreError> {
        match self.count {
            0 => Ok(wrapped),
            count => Err(backend(format!(
                "{wrapped} generations wrapped anew, and {count} that do not open: the old \
                 key-encryption key is still needed"
            ))),
        }
    }
}
