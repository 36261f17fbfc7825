//! A key store that ends with its process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{GenerationKeys, KeyStore, KeyStoreError, StoredKey};
use crate::key::Kid;
use crate::set::KeySet;

/// Keys in memory, for tests and trials: keeps the whole [`KeyStore`] contract
/// but durability.
#[derive(Debug, Default)]
pub struct MemoryKeyStore {
    tables: Mutex<Tables>,
}

type Generation = (String, String);

#[derive(Debug, Default)]
struct Tables {
    sets: BTreeMap<Generation, KeySet>,
    kids: HashMap<Kid, (Generation, usize)>,
}

impl MemoryKeyStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// No method can panic between two writes, so a poisoned lock is whole.
    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyStore for MemoryKeyStore {
    fn put(&self, asset: &str, generation: &str, keys: KeySet) -> Result<KeySet, KeyStoreError> {
        let mut tables = self.lock();
        let name = (asset.to_owned(), generation.to_owned());
        if let Some(first) = tables.sets.get(&name) {
            return Ok(first.clone());
        }
        keys.check()?;
        if let Some(taken) = keys.kids().iter().find(|kid| tables.kids.contains_key(kid)) {
            return Err(KeyStoreError::KidTaken(*taken));
        }
        for (period, kid) in keys.kids().into_iter().enumerate() {
            tables.kids.insert(kid, (name.clone(), period));
        }
        tables.sets.insert(name, keys.clone());
        Ok(keys)
    }

    fn get(&self, kid: &Kid) -> Result<Option<StoredKey>, KeyStoreError> {
        let tables = self.lock();
        let found = tables.kids.get(kid).and_then(|(name, period)| {
            let set = tables.sets.get(name)?;
            let key = set.periods.get(*period)?.key.clone();
            let (asset, generation) = name.clone();
            Some(StoredKey { asset, generation, period: *period, key, terms: set.terms })
        });
        Ok(found)
    }

    fn of_generation(
        &self,
        asset: &str,
        generation: &str,
    ) -> Result<Option<KeySet>, KeyStoreError> {
        let name = (asset.to_owned(), generation.to_owned());
        Ok(self.lock().sets.get(&name).cloned())
    }

    fn expire(&self, asset: &str, generation: &str, at: u64) -> Result<Option<u64>, KeyStoreError> {
        let mut tables = self.lock();
        let set = tables.sets.get_mut(&(asset.to_owned(), generation.to_owned()));
        Ok(set.and_then(|set| {
            set.terms = set.terms.expiring(at);
            set.terms.expires
        }))
    }

    /// Nothing is wrapped here.
    fn rewrap(&self) -> Result<usize, KeyStoreError> {
        Ok(0)
    }

    fn list(&self) -> Result<Vec<GenerationKeys>, KeyStoreError> {
        let tables = self.lock();
        let entry = |((asset, generation), set): (&Generation, &KeySet)| GenerationKeys {
            asset: asset.clone(),
            generation: generation.clone(),
            kids: set.kids(),
            terms: set.terms,
        };
        Ok(tables.sets.iter().map(entry).collect())
    }
}
