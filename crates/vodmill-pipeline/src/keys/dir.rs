//! The key store of a home: one file for each generation, keys wrapped.
//!
//! `kek` holds the key-encryption key, made on first use, readable by its owner only. A file is
//! linked into its place, so that of two writers the first decides.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use vodmill_fault::point;
use vodmill_hls::key::{Kid, SegmentKey};
use vodmill_hls::keyring::{
    GenerationKeys, KeyEncryptionKey, KeySet, KeyStore, KeyStoreError, StoredKey, UnwrapError,
    WrappedKeySet,
};

/// Keys in a folder.
#[derive(Debug)]
pub struct DirKeyStore {
    root: PathBuf,
    kek: KeyEncryptionKey,
    /// Which file holds a kid; grows as files are read.
    known: Mutex<HashMap<Kid, PathBuf>>,
}

type Result<T> = std::result::Result<T, KeyStoreError>;

pub(super) fn backend(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> KeyStoreError {
    KeyStoreError::Backend(error.into())
}

impl DirKeyStore {
    /// Opens the store in `root`, making it and its key-encryption key on first use.
    ///
    /// # Errors
    /// [`KeyStoreError::Backend`] if the folder or the key cannot be read or made, or if the keys here
    /// were wrapped with another key: a new one would make keys that an old backup does not open.
    pub fn open(root: impl Into<PathBuf>) -> Result<DirKeyStore> {
        let root = root.into();
        fs::create_dir_all(root.join("generations")).map_err(backend)?;
        for folder in [root.clone(), root.join("generations")] {
            crate::file::remove_orphans(&folder);
        }
        let kek = kek_of(&root)?;
        Ok(DirKeyStore { root, kek, known: Mutex::default() })
    }

    fn path(&self, asset: &str, generation: &str) -> PathBuf {
        // A digest, since names come from outside and need not be safe in a path.
        let names = crate::file::sha256(format!("{}/{asset}{generation}", asset.len()).as_bytes());
        self.root.join("generations").join(format!("{}.json", &names[..32]))
    }

    fn all(&self) -> Result<Vec<(PathBuf, WrappedKeySet)>> {
        let mut sets = Vec::new();
        for entry in fs::read_dir(self.root.join("generations")).map_err(backend)? {
            let path = entry.map_err(backend)?.path();
            if let Some(set) = is_set(&path).then(|| read(&path)).transpose()?.flatten() {
                self.remember(&path, &set);
                sets.push((path, set));
            }
        }
        Ok(sets)
    }

    fn remember(&self, path: &Path, set: &WrappedKeySet) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(set.periods.iter().map(|period| (period.kid, path.to_owned())));
    }

    fn file_of(&self, kid: &Kid) -> Result<Option<PathBuf>> {
        let look = || self.known.lock().unwrap_or_else(PoisonError::into_inner).get(kid).cloned();
        match look() {
            Some(path) => Ok(Some(path)),
            None => self.all().map(|_| look()),
        }
    }
}

impl KeyStore for DirKeyStore {
    fn put(&self, asset: &str, generation: &str, keys: KeySet) -> Result<KeySet> {
        keys.check()?;
        if let Some(there) = self.of_generation(asset, generation)? {
            return Ok(there);
        }
        for kid in keys.kids() {
            if self.file_of(&kid)?.is_some() {
                return Err(KeyStoreError::KidTaken(kid));
            }
        }
        let json =
            serde_json::to_vec(&keys.wrap(&self.kek, asset, generation)?).map_err(backend)?;
        create_once(&self.path(asset, generation), &json).map_err(backend)?;
        let stored = self.of_generation(asset, generation)?;
        stored.ok_or_else(|| backend("the keys that were just stored are gone"))
    }

    fn get(&self, kid: &Kid) -> Result<Option<StoredKey>> {
        let Some(path) = self.file_of(kid)? else { return Ok(None) };
        let Some(set) = read(&path)? else { return Ok(None) };
        let Some(period) = set.periods.iter().position(|period| period.kid == *kid) else {
            return Ok(None);
        };
        let key: SegmentKey = set.periods[period].unwrap(&self.kek, &set.asset)?.key;
        Ok(Some(StoredKey { asset: set.asset, generation: set.generation, period, key }))
    }

    fn of_generation(&self, asset: &str, generation: &str) -> Result<Option<KeySet>> {
        let set = read(&self.path(asset, generation))?;
        Ok(set.map(|set| set.unwrap(&self.kek)).transpose()?)
    }

    fn list(&self) -> Result<Vec<GenerationKeys>> {
        let describe = |(_, set): (PathBuf, WrappedKeySet)| GenerationKeys {
            kids: set.periods.iter().map(|period| period.kid).collect(),
            asset: set.asset,
            generation: set.generation,
        };
        let mut listed: Vec<_> = self.all()?.into_iter().map(describe).collect();
        listed.sort();
        Ok(listed)
    }
}

/// The key that all keys of a store are wrapped with; a new one only where there are none yet.
fn kek_of(root: &Path) -> Result<KeyEncryptionKey> {
    let path = root.join("kek");
    let kept = any_set(&root.join("generations"))?;
    if kept.is_some() && !path.exists() {
        let advice = "is gone, and the keys here cannot be opened without it: put it back";
        return Err(backend(format!("{} {advice}", path.display())));
    }
    let kek = load_kek(&path)?;
    if kept.is_some_and(|set| matches!(set.unwrap(&kek), Err(UnwrapError::WrongKey))) {
        let advice = "is not the key that the keys here were wrapped with: put that one back";
        return Err(backend(format!("{} {advice}", path.display())));
    }
    Ok(kek)
}

fn is_set(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

fn read(path: &Path) -> Result<Option<WrappedKeySet>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(backend(error)),
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(backend),
    }
}

/// One of the sets of a folder, if there are any.
fn any_set(folder: &Path) -> Result<Option<WrappedKeySet>> {
    for entry in fs::read_dir(folder).map_err(backend)? {
        let path = entry.map_err(backend)?.path();
        if is_set(&path) {
            return read(&path);
        }
    }
    Ok(None)
}

pub(super) fn load_kek(path: &Path) -> Result<KeyEncryptionKey> {
    if !path.exists() {
        let fresh = KeyEncryptionKey::generate()?;
        create_once(path, fresh.to_hex().as_bytes()).map_err(backend)?;
    }
    let text = fs::read_to_string(path).map_err(backend)?;
    let bad = || backend(format!("{} does not hold 64 hex digits", path.display()));
    KeyEncryptionKey::from_hex(text.trim()).ok_or_else(bad)
}

/// Creates a private file durably, unless it is there already.
fn create_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static WRITERS: AtomicU64 = AtomicU64::new(0);
    let writer = WRITERS.fetch_add(1, Ordering::Relaxed);
    let part = crate::file::unfinished(path, &writer.to_string());
    let _ = fs::remove_file(&part);
    let linked = write_private(&part, bytes).and_then(|()| match fs::hard_link(&part, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let linked = linked.and_then(|()| point!("keys.linked"));
    // Whatever came of it, the hidden name has had its time.
    let removed = fs::remove_file(&part);
    linked.and(removed)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    point!("keys.written")
}

#[cfg(test)]
mod tests {
    use vodmill_hls::keyring::conformance::{key_store_conformance, key_store_survives};

    use super::*;

    #[test]
    fn keeps_the_contract_of_key_stores() {
        let dir = tempfile::tempdir().expect("scratch");
        let store = DirKeyStore::open(dir.path().join("keys")).expect("open");
        key_store_conformance(&store).expect("contract");
        drop(store);
        let store = DirKeyStore::open(dir.path().join("keys")).expect("open again");
        key_store_survives(&store).expect("durable");
    }

    #[test]
    fn keys_are_not_stored_in_the_clear() {
        let dir = tempfile::tempdir().expect("scratch");
        let store = DirKeyStore::open(dir.path()).expect("open");
        let keys = store.put("a", "g1", KeySet::generate(1).expect("keys")).expect("put");
        let file = fs::read_to_string(store.path("a", "g1")).expect("read");
        assert!(!file.contains(&crate::file::hex(keys.periods[0].key.expose())));
    }
}
