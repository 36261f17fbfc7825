//! A store in memory, for tests of what uses one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Result, StoreError};
use crate::local::{files_of, remove_dir};
use crate::{Entry, Key, Store, Tree};

/// Objects in memory; gone with the process, which is the one clause of the contract it breaks.
#[derive(Debug, Default)]
pub struct MemoryStore {
    objects: Mutex<BTreeMap<Key, Vec<u8>>>,
}

impl MemoryStore {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<Key, Vec<u8>>> {
        // A map is whole whenever a panic can happen.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn put(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        self.objects().insert(key.clone(), bytes.to_vec());
        Ok(())
    }

    fn put_tree(&self, prefix: &Key, dir: &Path) -> Result<Tree> {
        let mut objects = self.objects();
        let removed = || remove_dir(dir).map_err(StoreError::io("remove", dir.display()));
        if objects.keys().any(|key| key.is_under(prefix)) {
            return removed().map(|()| Tree::AlreadyThere);
        }
        let mut tree = BTreeMap::new();
        for (name, path) in files_of(dir)? {
            let bytes = std::fs::read(&path).map_err(StoreError::io("read", path.display()))?;
            tree.insert(prefix.join(&name)?, bytes);
        }
        objects.append(&mut tree);
        removed().map(|()| Tree::Stored)
    }

    fn get(&self, key: &Key) -> Result<Vec<u8>> {
        self.objects().get(key).cloned().ok_or_else(|| StoreError::NotFound(key.to_string()))
    }

    fn list(&self, prefix: &Key) -> Result<Vec<Entry>> {
        let objects = self.objects();
        let under = objects.iter().filter(|(key, _)| key.is_under(prefix));
        Ok(under
            .map(|(key, bytes)| Entry { key: key.clone(), bytes: bytes.len() as u64 })
            .collect())
    }

    fn remove(&self, prefix: &Key) -> Result<()> {
        self.objects().retain(|key, _| !key.is_under(prefix));
        Ok(())
    }
}
