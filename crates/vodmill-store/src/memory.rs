//! A store in memory, for tests of what uses one.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::access::create_private;
use crate::error::{Result, StoreError};
use crate::local::check_size;
use crate::{Entry, Expected, Headers, Key, PendingUpload, PutOutcome, Store, Upload};

/// Objects in memory; gone with the process, which is the one clause of the contract it breaks.
#[derive(Debug, Default)]
pub struct MemoryStore {
    /// Each with the number of its version.
    objects: Mutex<BTreeMap<Key, (u64, Vec<u8>)>>,
    versions: AtomicU64,
}

impl MemoryStore {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<Key, (u64, Vec<u8>)>> {
        // A map is whole whenever a panic can happen.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, key: &Key, bytes: Vec<u8>) {
        let version = self.next();
        self.objects().insert(key.clone(), (version, bytes));
    }

    fn next(&self) -> u64 {
        self.versions.fetch_add(1, Ordering::Relaxed)
    }
}

impl Store for MemoryStore {
    fn put(&self, key: &Key, bytes: &[u8], _headers: &Headers) -> Result<()> {
        self.insert(key, bytes.to_vec());
        Ok(())
    }

    fn put_if(
        &self,
        key: &Key,
        bytes: &[u8],
        _headers: &Headers,
        expected: &Expected,
    ) -> Result<PutOutcome> {
        let mut objects = self.objects();
        if version(objects.get(key)) != *expected {
            return Ok(PutOutcome::Refused);
        }
        objects.insert(key.clone(), (self.next(), bytes.to_vec()));
        Ok(PutOutcome::Stored)
    }

    fn put_files(&self, files: &[Upload]) -> Result<()> {
        for upload in files {
            let there = self.objects().get(&upload.key).map(|(_, bytes)| bytes.len() as u64);
            if !upload.file.exists() && there == Some(upload.bytes) {
                continue;
            }
            check_size(upload)?;
            let fault = || upload.file.display();
            let bytes = fs::read(&upload.file).map_err(StoreError::io("read", fault()))?;
            self.insert(&upload.key, bytes);
            fs::remove_file(&upload.file).map_err(StoreError::io("remove", fault()))?;
        }
        Ok(())
    }

    fn get(&self, key: &Key) -> Result<Vec<u8>> {
        self.get_version(key).map(|(bytes, _)| bytes)
    }

    fn get_version(&self, key: &Key) -> Result<(Vec<u8>, Expected)> {
        let objects = self.objects();
        let object = objects.get(key).ok_or_else(|| StoreError::NotFound(key.to_string()))?;
        Ok((object.1.clone(), version(Some(object))))
    }

    fn get_file(&self, key: &Key, path: &Path) -> Result<()> {
        let bytes = self.get(key)?;
        let written = create_private(path).and_then(|mut file| file.write_all(&bytes));
        written.map_err(StoreError::io("write", path.display()))
    }

    fn file(&self, _key: &Key) -> Option<PathBuf> {
        None
    }

    fn list(&self, prefix: &Key) -> Result<Vec<Entry>> {
        let objects = self.objects();
        let under = objects.iter().filter(|(key, _)| key.is_under(prefix));
        Ok(under
            .map(|(key, (_, bytes))| Entry { key: key.clone(), bytes: bytes.len() as u64 })
            .collect())
    }

    fn remove(&self, prefix: &Key) -> Result<()> {
        self.objects().retain(|key, _| !key.is_under(prefix));
        Ok(())
    }

    fn remove_if(&self, key: &Key, expected: &Expected) -> Result<()> {
        let mut objects = self.objects();
        if version(objects.get(key)) == *expected {
            objects.remove(key);
        }
        Ok(())
    }

    fn remove_objects(&self, keys: &[Key]) -> Result<()> {
        self.objects().retain(|key, _| !keys.contains(key));
        Ok(())
    }

    fn remove_unfinished(
        &self,
        _prefix: Option<&Key>,
        _is_over: &dyn Fn(&PendingUpload) -> bool,
    ) -> Result<()> {
        Ok(())
    }
}

fn version(object: Option<&(u64, Vec<u8>)>) -> Expected {
    object.map_or(Expected::Nothing, |(version, _)| Expected::Version(version.to_string()))
}
