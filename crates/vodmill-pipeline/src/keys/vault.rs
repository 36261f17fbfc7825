//! The key store of many workers: wrapped keys in the queue's database.
//!
//! The key-encryption key stays out of it: each worker has it as a file. The database holds a mark
//! of it, so that a worker with another one is refused before it makes keys that nobody can open.

use std::path::Path;
use std::sync::Arc;

use vodmill_hls::key::Kid;
use vodmill_hls::keyring::{
    GenerationKeys, KeyEncryptionKey, KeySet, KeyStore, KeyStoreError, StoredKey, WrappedKeySet,
};
use vodmill_queue::{Kept, Queue};

use super::dir::{backend, load_kek};

type Result<T> = std::result::Result<T, KeyStoreError>;

/// Name of the mark.
const MARK: &str = "key-encryption-key";

/// Keys in the database of a queue.
pub struct VaultKeyStore {
    queue: Arc<dyn Queue>,
    kek: KeyEncryptionKey,
}

impl VaultKeyStore {
    /// The key store in `queue`, with the key-encryption key of the file `kek`. The first worker of
    /// all makes that file; the others are given a copy.
    ///
    /// # Errors
    /// [`KeyStoreError::Backend`] if the file is missing or not the one that the keys were wrapped
    /// with.
    pub fn open(queue: Arc<dyn Queue>, kek: &Path) -> Result<VaultKeyStore> {
        let known = queue.secret(MARK).map_err(backend)?;
        if known.is_some() && !kek.exists() {
            let advice = format!(
                "{} is not there: copy it from a machine that works on this queue already",
                kek.display()
            );
            return Err(backend(advice));
        }
        let loaded = load_kek(kek)?;
        let mark = loaded.id();
        match queue.keep_secret(MARK, &[], &mark).map_err(backend)? {
            Kept::Stored(counts) if counts == mark => Ok(VaultKeyStore { queue, kek: loaded }),
            _ => Err(backend(format!(
                "{} is not the key that the keys of this queue were wrapped with",
                kek.display()
            ))),
        }
    }

    fn wrapped(&self, value: &str) -> Result<WrappedKeySet> {
        serde_json::from_str(value).map_err(backend)
    }
}

/// The name of a generation's keys; what separates its parts is in neither.
fn id(asset: &str, generation: &str) -> String {
    format!("keys\n{asset}\n{generation}")
}

impl KeyStore for VaultKeyStore {
    fn put(&self, asset: &str, generation: &str, keys: KeySet) -> Result<KeySet> {
        keys.check()?;
        let wrapped = keys.wrap(&self.kek, asset, generation)?;
        let json = serde_json::to_string(&wrapped).map_err(backend)?;
        let kids = keys.kids();
        let names: Vec<String> = kids.iter().map(Kid::to_string).collect();
        match self.queue.keep_secret(&id(asset, generation), &names, &json).map_err(backend)? {
            Kept::Stored(counts) => Ok(self.wrapped(&counts)?.unwrap(&self.kek)?),
            Kept::NameTaken(name) => {
                let taken = kids.into_iter().find(|kid| kid.to_string() == name);
                Err(taken.map_or_else(|| backend("a kid is taken"), KeyStoreError::KidTaken))
            }
        }
    }

    fn get(&self, kid: &Kid) -> Result<Option<StoredKey>> {
        let found = self.queue.secret_by_name(&kid.to_string()).map_err(backend)?;
        let Some(secret) = found else { return Ok(None) };
        let set = self.wrapped(&secret.value)?;
        let Some(period) = set.periods.iter().position(|period| period.kid == *kid) else {
            return Ok(None);
        };
        let key = set.periods[period].unwrap(&self.kek, &set.asset)?.key;
        Ok(Some(StoredKey { asset: set.asset, generation: set.generation, period, key }))
    }

    fn of_generation(&self, asset: &str, generation: &str) -> Result<Option<KeySet>> {
        let secret = self.queue.secret(&id(asset, generation)).map_err(backend)?;
        let set = secret.map(|secret| self.wrapped(&secret.value)).transpose()?;
        Ok(set.map(|set| set.unwrap(&self.kek)).transpose()?)
    }

    fn list(&self) -> Result<Vec<GenerationKeys>> {
        let mut listed = Vec::new();
        for secret in self.queue.secrets().map_err(backend)? {
            if secret.id == MARK {
                continue;
            }
            let set = self.wrapped(&secret.value)?;
            listed.push(GenerationKeys {
                kids: set.periods.iter().map(|period| period.kid).collect(),
                asset: set.asset,
                generation: set.generation,
            });
        }
        listed.sort();
        Ok(listed)
    }
}
