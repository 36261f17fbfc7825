//! The key store of a home: one file for each generation, keys wrapped.
//!
//! `kek` holds the key-encryption key, made on first use, readable by its owner only, unless that is
//! kept elsewhere. A file is linked into its place, so that of two writers the first decides; its
//! terms and its wrapping are replaced by renaming, one writer at a time (`lock`).

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, flock};
use vodmill_fault::point;
use vodmill_hls::key::Kid;
use vodmill_hls::keyring::{
    GenerationKeys, KeyEncryptionKey, KeyEncryptionKeys, KeySet, KeyStore, KeyStoreError,
    StoredKey, WrappedKeySet,
};

use super::unwrap_period;

/// Keys in a folder.
#[derive(Debug)]
pub struct DirKeyStore {
    root: PathBuf,
    keks: KeyEncryptionKeys,
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
        prepare(&root)?;
        let kek = kek_of(&root)?;
        DirKeyStore::open_under(root, kek.into())
    }

    /// As [`open`](Self::open), with key-encryption keys that are kept elsewhere.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_under(root: impl Into<PathBuf>, keks: KeyEncryptionKeys) -> Result<DirKeyStore> {
        let root = root.into();
        prepare(&root)?;
        if let Some(set) = any_set(&root.join("generations"))?
            && keks.find(set.kek()).is_err()
        {
            let advice = "the keys here were wrapped with another key-encryption key than";
            return Err(backend(format!("{}: {advice} the one given", root.display())));
        }
        Ok(DirKeyStore { root, keks, known: Mutex::default() })
    }

    fn unwrap(&self, set: &WrappedKeySet) -> Result<KeySet> {
        Ok(set.unwrap(self.keks.find(set.kek())?)?)
    }

    /// One writer at a time; the lock goes with the file.
    fn lock(&self) -> Result<File> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600);
        let file = file.open(self.root.join("lock")).map_err(backend)?;
        flock(&file, FlockOperation::LockExclusive).map_err(backend)?;
        Ok(file)
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
        let json = serde_json::to_vec(&keys.wrap(self.keks.current(), asset, generation)?);
        let json = json.map_err(backend)?;
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
        unwrap_period(&self.keks, set, period).map(Some)
    }

    fn of_generation(&self, asset: &str, generation: &str) -> Result<Option<KeySet>> {
        let set = read(&self.path(asset, generation))?;
        set.map(|set| self.unwrap(&set)).transpose()
    }

    fn end(&self, asset: &str, generation: &str, at: u64) -> Result<Option<u64>> {
        let path = self.path(asset, generation);
        let _lock = self.lock()?;
        let Some(mut set) = read(&path)? else { return Ok(None) };
        let terms = set.terms.ending(at);
        if terms != set.terms {
            set.terms = terms;
            replace(&path, &set)?;
        }
        Ok(terms.ends)
    }

    fn rewrap(&self) -> Result<usize> {
        let mut count = 0;
        let _lock = self.lock()?;
        for (path, set) in self.all()? {
            if set.kek() != self.keks.current().id() {
                let keys = self.unwrap(&set)?;
                replace(&path, &keys.wrap(self.keks.current(), &set.asset, &set.generation)?)?;
                count += 1;
            }
        }
        Ok(count)
    }

    fn list(&self) -> Result<Vec<GenerationKeys>> {
        let describe = |(_, set): (PathBuf, WrappedKeySet)| GenerationKeys {
            kids: set.kids(),
            terms: set.terms,
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
    if kept.is_some_and(|set| set.kek() != kek.id()) {
        let advice = "is not the key that the keys here were wrapped with: put that one back";
        return Err(backend(format!("{} {advice}", path.display())));
    }
    Ok(kek)
}

fn prepare(root: &Path) -> Result<()> {
    let generations = root.join("generations");
    fs::create_dir_all(&generations).map_err(backend)?;
    crate::file::remove_orphans(root);
    crate::file::remove_orphans(&generations);
    Ok(())
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

/// The key-encryption key of a file, 64 hex digits; a new one where the file is not there.
///
/// # Errors
/// [`KeyStoreError::Backend`] names the file.
pub fn load_kek(path: &Path) -> Result<KeyEncryptionKey> {
    if !path.exists() {
        let fresh = KeyEncryptionKey::generate()?;
        create_once(path, fresh.to_hex().as_bytes()).map_err(backend)?;
    }
    let text = fs::read_to_string(path).map_err(backend)?;
    let bad = || backend(format!("{} does not hold 64 hex digits", path.display()));
    KeyEncryptionKey::from_hex(text.trim()).ok_or_else(bad)
}

/// Keeps a wrapped key-encryption key in a file, durably, unless there is one: of two processes that
/// begin at once, the first one's counts.
///
/// # Errors
/// The folder's, or the file's.
pub fn keep_kek(path: &Path, wrapped: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    crate::file::remove_orphans(folder);
    create_once(path, wrapped)
}

/// Replaces the file of a set durably.
fn replace(path: &Path, set: &WrappedKeySet) -> Result<()> {
    let json = serde_json::to_vec(set).map_err(backend)?;
    let part = hidden_name(path);
    let replaced = write_private(&part, &json)
        .and_then(|()| fs::rename(&part, path))
        .and_then(|()| point!("keys.renamed"));
    if replaced.is_err() {
        let _ = fs::remove_file(&part);
    }
    let synced =
        replaced.and_then(|()| File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all());
    synced.map_err(backend)
}

/// A name that no other writer has.
fn hidden_name(path: &Path) -> PathBuf {
    static WRITERS: AtomicU64 = AtomicU64::new(0);
    let writer = WRITERS.fetch_add(1, Ordering::Relaxed);
    let part = crate::file::unfinished(path, &writer.to_string());
    // Of a process that had this id before.
    let _ = fs::remove_file(&part);
    part
}

/// Creates a private file durably, unless it is there already.
pub(super) fn create_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = hidden_name(path);
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
    fn a_new_key_encryption_key_takes_the_place_of_the_old() {
        let dir = tempfile::tempdir().expect("scratch");
        let [old, new] = [1, 2].map(|byte| KeyEncryptionKey::from_bytes([byte; 32]));
        let open = |keks| DirKeyStore::open_under(dir.path(), keks);
        let store = open(old.clone().into()).expect("open");
        let keys = KeySet::generate(2).expect("keys");
        let first = store.put("a", "g1", keys).expect("put");
        assert!(open(new.clone().into()).is_err(), "nothing would open");
        let both = KeyEncryptionKeys::new(new.clone(), vec![old.clone()]);
        let store = open(both).expect("open with both");
        assert_eq!(store.of_generation("a", "g1").expect("read"), Some(first.clone()));
        store.put("a", "g2", KeySet::generate(1).expect("keys")).expect("put");
        assert_eq!(store.rewrap().expect("rewrap"), 1);
        assert_eq!(store.rewrap().expect("again"), 0);
        let store = open(new.into()).expect("the new key is enough");
        assert_eq!(store.of_generation("a", "g1").expect("read"), Some(first));
        assert!(open(old.into()).is_err(), "the old key opens nothing");
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
