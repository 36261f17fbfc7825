//! The key store of a home: one file for each generation, keys wrapped.
//!
//! `kek` holds the key-encryption key, made on first use, readable by its owner only, unless that is
//! kept elsewhere. A file is linked into its place, so that of two writers the first decides; its
//! terms and its wrapping are replaced by renaming, one writer at a time (`lock`). A damaged file
//! costs the keys in it and no others: it is passed over, and named in the log.

mod index;
mod set_file;

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rustix::fs::{FlockOperation, flock};

use self::index::KidIndex;
use super::rewrap::Unopened;
use super::{GenerationKeys, KeyStore, KeyStoreError, StoredKey, backend};
use crate::kek;
use crate::key::Kid;
use crate::private_file::remove_orphans;
use crate::set::{KeySet, WrappedKeySet};
use crate::wrap::KeyEncryptionKeys;

/// Keys in a folder.
pub struct DirectoryKeyStore {
    root: PathBuf,
    keks: KeyEncryptionKeys,
    index: KidIndex,
    seen: Mutex<Seen>,
}

/// What the folder had when it was last looked at.
#[derive(Default)]
struct Seen {
    changed: Option<SystemTime>,
    /// Files whose keys are in the index.
    whole: HashSet<String>,
    /// Files that could not be used, and when they were written: each is told of once.
    damaged: HashMap<String, Option<SystemTime>>,
}

type Result<T> = std::result::Result<T, KeyStoreError>;

impl DirectoryKeyStore {
    /// Opens the store in `root`, making it and its key-encryption key on first use.
    ///
    /// # Errors
    /// [`KeyStoreError::Backend`] if the folder or the key cannot be read or made, or if the keys here
    /// were wrapped with another key: a new one would make keys that an old backup does not open.
    pub fn open(root: impl Into<PathBuf>) -> Result<DirectoryKeyStore> {
        let root = root.into();
        prepare(&root)?;
        let path = root.join("kek");
        if !path.exists() && !sets_in(&generations(&root))?.is_empty() {
            let advice = "is gone, and the keys here cannot be opened without it: put it back";
            return Err(backend(format!("{} {advice}", path.display())));
        }
        let other = format!("{} is not the key", path.display());
        DirectoryKeyStore::start(root, kek::load(&path)?.into(), &other)
    }

    /// As [`open`](Self::open), with key-encryption keys that are kept elsewhere.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_under(
        root: impl Into<PathBuf>,
        keks: KeyEncryptionKeys,
    ) -> Result<DirectoryKeyStore> {
        let root = root.into();
        prepare(&root)?;
        DirectoryKeyStore::start(root, keks, "the key-encryption key that is given is not the one")
    }

    fn start(root: PathBuf, keks: KeyEncryptionKeys, other: &str) -> Result<DirectoryKeyStore> {
        let index = KidIndex::open(&root)?;
        let store = DirectoryKeyStore { root, keks, index, seen: Mutex::default() };
        if !store.fits()? {
            let advice = "that the keys here were wrapped with: put that one back";
            return Err(backend(format!("{}: {other} {advice}", store.root.display())));
        }
        store.catch_up()?;
        Ok(store)
    }

    /// Whether one of the sets opens with the keys that are given, or none can be read.
    fn fits(&self) -> Result<bool> {
        let mut others = false;
        for name in sets_in(&generations(&self.root))? {
            if let Ok(Some(set)) = set_file::read(&self.path(&name)) {
                if self.keks.find(set.kek()).is_ok() {
                    return Ok(true);
                }
                others = true;
            }
        }
        Ok(!others)
    }

    fn unwrap(&self, set: &WrappedKeySet) -> Result<KeySet> {
        Ok(set.unwrap(self.keks.find(set.kek())?)?)
    }

    /// One writer at a time; the lock goes with the file.
    fn lock(&self) -> Result<File> {
        let file = vodmill_secret::create(&self.root.join("lock")).map_err(backend)?;
        flock(&file, FlockOperation::LockExclusive).map_err(backend)?;
        Ok(file)
    }

    fn path(&self, name: &str) -> PathBuf {
        generations(&self.root).join(name)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes into the index what others, or a backup, have put into the folder. Nothing where the
    /// folder is as it was.
    fn catch_up(&self) -> Result<()> {
        let folder = generations(&self.root);
        let changed = written(&folder);
        let mut seen = self.seen();
        if changed.is_some() && seen.changed == changed {
            return Ok(());
        }
        for name in sets_in(&folder)? {
            if seen.whole.contains(&name) {
                continue;
            }
            if self.index.is_whole(&name)? || self.take_in(&name, &mut seen)? {
                seen.whole.insert(name);
            }
        }
        seen.changed = changed;
        Ok(())
    }

    /// Whether the keys of a file are in the index now; false for one that cannot be used.
    fn take_in(&self, name: &str, seen: &mut Seen) -> Result<bool> {
        let path = self.path(name);
        let set = match set_file::read(&path) {
            Ok(Some(set)) => set,
            Ok(None) => return Ok(false),
            Err(error) => {
                seen.tell(name, &path, &error);
                return Ok(false);
            }
        };
        match self.index.add(name, &set.kids()) {
            Ok(()) => self.index.mark_whole(name).map(|()| true),
            Err(error @ KeyStoreError::KidTaken(_)) => {
                seen.tell(name, &path, &error);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The name of the file with a key.
    fn file_of(&self, kid: &Kid) -> Result<Option<String>> {
        if let Some(name) = self.index.file_of(kid)? {
            return Ok(Some(name));
        }
        self.catch_up()?;
        self.index.file_of(kid)
    }

    /// Every set that can be read, one after the other. Gives the number of those that cannot be.
    fn each(&self, mut take: impl FnMut(PathBuf, WrappedKeySet) -> Result<()>) -> Result<usize> {
        let mut damaged = 0;
        for name in sets_in(&generations(&self.root))? {
            let path = self.path(&name);
            match set_file::read(&path) {
                Ok(Some(set)) => take(path, set)?,
                Ok(None) => {}
                Err(error) => {
                    damaged += 1;
                    self.seen().tell(&name, &path, &error);
                }
            }
        }
        Ok(damaged)
    }
}

impl KeyStore for DirectoryKeyStore {
    fn put(&self, asset: &str, generation: &str, keys: KeySet) -> Result<KeySet> {
        keys.check()?;
        let name = set_file::name_of(asset, generation);
        let _lock = self.lock()?;
        if self.of_generation(asset, generation)?.is_none() {
            // First the index: keys that are stored can be found.
            self.index.add(&name, &keys.kids())?;
            let wrapped = keys.wrap(self.keks.current(), asset, generation)?;
            set_file::create_once(&self.path(&name), &wrapped)?;
        }
        self.catch_up()?;
        let stored = self.of_generation(asset, generation)?;
        stored.ok_or_else(|| backend("the keys that were just stored are gone"))
    }

    fn get(&self, kid: &Kid) -> Result<Option<StoredKey>> {
        let Some(name) = self.file_of(kid)? else { return Ok(None) };
        let Some(set) = set_file::read(&self.path(&name))? else { return Ok(None) };
        let Some(period) = set.periods.iter().position(|period| period.kid == *kid) else {
            return Ok(None);
        };
        StoredKey::unwrap(&self.keks, set, period).map(Some)
    }

    fn of_generation(&self, asset: &str, generation: &str) -> Result<Option<KeySet>> {
        let set = set_file::read(&self.path(&set_file::name_of(asset, generation)))?;
        set.map(|set| self.unwrap(&set)).transpose()
    }

    fn expire(&self, asset: &str, generation: &str, at: u64) -> Result<Option<u64>> {
        let path = self.path(&set_file::name_of(asset, generation));
        let _lock = self.lock()?;
        let Some(mut set) = set_file::read(&path)? else { return Ok(None) };
        let terms = set.terms.expiring(at);
        if terms != set.terms {
            set.terms = terms;
            set_file::replace(&path, &set)?;
        }
        Ok(terms.expires)
    }

    fn rewrap(&self) -> Result<usize> {
        let mut count = 0;
        let mut unopened = Unopened::default();
        let _lock = self.lock()?;
        let damaged = self.each(|path, set| {
            if set.kek() == self.keks.current().id() {
                return Ok(());
            }
            match self.unwrap(&set) {
                Ok(keys) => {
                    let set = keys.wrap(self.keks.current(), &set.asset, &set.generation)?;
                    count += 1;
                    set_file::replace(&path, &set)
                }
                Err(error) => {
                    unopened.note(&set, &error);
                    Ok(())
                }
            }
        })?;
        unopened.count += damaged;
        unopened.or(count)
    }

    fn list(&self) -> Result<Vec<GenerationKeys>> {
        let mut listed = Vec::new();
        self.each(|_, set| {
            listed.push(GenerationKeys {
                kids: set.kids(),
                terms: set.terms,
                asset: set.asset,
                generation: set.generation,
            });
            Ok(())
        })?;
        listed.sort();
        Ok(listed)
    }
}

impl Seen {
    /// Tells once of a file that cannot be used, and again when it was written anew.
    fn tell(&mut self, name: &str, path: &Path, error: &KeyStoreError) {
        let at = written(path);
        if self.damaged.insert(name.to_owned(), at) != Some(at) {
            let error = error as &dyn std::error::Error;
            tracing::error!(path = %path.display(), error, "key set passed over");
        }
    }
}

fn generations(root: &Path) -> PathBuf {
    root.join("generations")
}

fn prepare(root: &Path) -> Result<()> {
    let generations = generations(root);
    vodmill_secret::make_dir(&generations).map_err(backend)?;
    remove_orphans(root);
    remove_orphans(&generations);
    Ok(())
}

/// The names of the key sets in a folder.
fn sets_in(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(backend)? {
        let name = entry.map_err(backend)?.file_name();
        names.extend(name.into_string().ok().filter(|name| set_file::is_set(name)));
    }
    Ok(names)
}

/// When a folder or a file was last written to.
fn written(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|facts| facts.modified()).ok()
}

#[cfg(test)]
mod tests;
