//! The key store of many workers: wrapped keys in the queue's database.
//!
//! The key-encryption key stays out of it: each worker has it from elsewhere. The database holds a
//! mark of it, so that a worker with another one is refused before it makes keys that nobody can
//! open. While keys are wrapped anew, workers have the old key and the new one.

use std::path::Path;
use std::sync::Arc;

use vodmill_queue::{Kept, Secret, Secrets};

use super::rewrap::Unopened;
use super::{GenerationKeys, KeyStore, KeyStoreError, StoredKey, backend};
use crate::kek;
use crate::key::Kid;
use crate::set::{KeySet, WrappedKeySet};
use crate::wrap::KeyEncryptionKeys;

type Result<T> = std::result::Result<T, KeyStoreError>;

/// Name of the mark.
const MARK: &str = "key-encryption-key";

/// How often a change is tried that others got ahead of.
const TRIES: usize = 64;

/// Keys in the database of a queue.
pub struct DatabaseKeyStore {
    queue: Arc<dyn Secrets>,
    keks: KeyEncryptionKeys,
}

impl DatabaseKeyStore {
    /// The key store in `queue`, with the key-encryption key of the file `path`. The first worker of
    /// all makes that file; the others are given a copy.
    ///
    /// # Errors
    /// [`KeyStoreError::Backend`] if the file is missing or not the one that the keys were wrapped
    /// with.
    pub fn open(queue: Arc<dyn Secrets>, path: &Path) -> Result<DatabaseKeyStore> {
        let known = queue.secret(MARK).map_err(backend)?;
        if known.is_some() && !path.exists() {
            let advice = format!(
                "{} is not there: copy it from a machine that works on this queue already",
                path.display()
            );
            return Err(backend(advice));
        }
        DatabaseKeyStore::open_under(queue, kek::load(path)?.into())
    }

    /// As [`open`](Self::open), with key-encryption keys that are kept elsewhere.
    ///
    /// # Errors
    /// [`KeyStoreError::Backend`] if none of them is the one that the keys were wrapped with.
    pub fn open_under(
        queue: Arc<dyn Secrets>,
        keks: KeyEncryptionKeys,
    ) -> Result<DatabaseKeyStore> {
        let mark = keks.current().id();
        match queue.keep_secret(MARK, &[], &mark).map_err(backend)? {
            Kept::Stored(counts) if keks.find(&counts).is_ok() => {
                Ok(DatabaseKeyStore { queue, keks })
            }
            _ => Err(backend(
                "the key-encryption key is not the one that the keys of this queue were wrapped with",
            )),
        }
    }

    fn wrapped(&self, value: &str) -> Result<WrappedKeySet> {
        serde_json::from_str(value).map_err(backend)
    }

    fn unwrap(&self, set: &WrappedKeySet) -> Result<KeySet> {
        Ok(set.unwrap(self.keks.find(set.kek())?)?)
    }

    /// Replaces a set by what `change` makes of it, if anything; whoever changed it meanwhile did so
    /// first. Returns what is stored now.
    fn change(
        &self,
        id: &str,
        change: impl Fn(&WrappedKeySet) -> Result<Option<WrappedKeySet>>,
    ) -> Result<Option<WrappedKeySet>> {
        for _ in 0..TRIES {
            let Some(secret) = self.queue.secret(id).map_err(backend)? else { return Ok(None) };
            let set = self.wrapped(&secret.value)?;
            let Some(changed) = change(&set)? else { return Ok(Some(set)) };
            let json = serde_json::to_string(&changed).map_err(backend)?;
            if self.queue.replace_secret(id, &secret.value, &json).map_err(backend)? {
                return Ok(Some(changed));
            }
        }
        Err(backend("others change these keys all the time"))
    }

    fn under_current(&self, set: &WrappedKeySet) -> Result<Option<WrappedKeySet>> {
        if set.kek() == self.keks.current().id() {
            return Ok(None);
        }
        let keys = self.unwrap(set)?;
        Ok(Some(keys.wrap(self.keks.current(), &set.asset, &set.generation)?))
    }

    /// The sets that can be read, and the number of those that cannot be: each is named in the log,
    /// and costs its own keys alone.
    fn sets(&self) -> Result<(Vec<(Secret, WrappedKeySet)>, usize)> {
        let (mut sets, mut damaged) = (Vec::new(), 0);
        for secret in self.queue.secrets().map_err(backend)? {
            if !secret.id.starts_with(KEYS) {
                continue;
            }
            match self.wrapped(&secret.value) {
                Ok(set) => sets.push((secret, set)),
                Err(error) => {
                    damaged += 1;
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(id = ?secret.id, error, "key set passed over");
                }
            }
        }
        Ok((sets, damaged))
    }
}

/// What ids of key sets begin with.
const KEYS: &str = "keys\n";

/// The name of a generation's keys; what separates its parts is in neither.
fn id(asset: &str, generation: &str) -> String {
    format!("{KEYS}{asset}\n{generation}")
}

impl KeyStore for DatabaseKeyStore {
    fn put(&self, asset: &str, generation: &str, keys: KeySet) -> Result<KeySet> {
        keys.check()?;
        let wrapped = keys.wrap(self.keks.current(), asset, generation)?;
        let json = serde_json::to_string(&wrapped).map_err(backend)?;
        let kids = keys.kids();
        let names: Vec<String> = kids.iter().map(Kid::to_string).collect();
        match self.queue.keep_secret(&id(asset, generation), &names, &json).map_err(backend)? {
            Kept::Stored(counts) => self.unwrap(&self.wrapped(&counts)?),
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
        StoredKey::unwrap(&self.keks, set, period).map(Some)
    }

    fn of_generation(&self, asset: &str, generation: &str) -> Result<Option<KeySet>> {
        let secret = self.queue.secret(&id(asset, generation)).map_err(backend)?;
        secret.map(|secret| self.unwrap(&self.wrapped(&secret.value)?)).transpose()
    }

    fn expire(&self, asset: &str, generation: &str, at: u64) -> Result<Option<u64>> {
        let set = self.change(&id(asset, generation), |set| {
            let terms = set.terms.expiring(at);
            Ok((terms != set.terms).then(|| WrappedKeySet { terms, ..set.clone() }))
        })?;
        Ok(set.and_then(|set| set.terms.expires))
    }

    fn rewrap(&self) -> Result<usize> {
        let current = self.keks.current().id();
        let (sets, damaged) = self.sets()?;
        let (mut count, mut unopened) = (0, Unopened { count: damaged });
        for (secret, set) in sets.into_iter().filter(|(_, set)| set.kek() != current) {
            match self.change(&secret.id, |set| self.under_current(set)) {
                Err(error @ KeyStoreError::Unwrap(_)) => unopened.note(&set, &error),
                changed => {
                    changed?;
                    count += 1;
                }
            }
        }
        unopened.or(count)?;
        // From now on nobody is let in who has the old key alone.
        if let Some(mark) = self.queue.secret(MARK).map_err(backend)?
            && mark.value != current
        {
            self.queue.replace_secret(MARK, &mark.value, &current).map_err(backend)?;
        }
        Ok(count)
    }

    fn list(&self) -> Result<Vec<GenerationKeys>> {
        let describe = |(_, set): (Secret, WrappedKeySet)| GenerationKeys {
            kids: set.kids(),
            terms: set.terms,
            asset: set.asset,
            generation: set.generation,
        };
        let mut listed: Vec<_> = self.sets()?.0.into_iter().map(describe).collect();
        listed.sort();
        Ok(listed)
    }
}

#[cfg(test)]
mod tests {
    use vodmill_queue::SqliteQueue;

    use super::*;
    use crate::store::conformance::{key_store_conformance, key_store_survives};
    use crate::wrap::KeyEncryptionKey;

    fn queue(dir: &Path) -> Arc<dyn Secrets> {
        Arc::new(SqliteQueue::open(dir.join("queue.sqlite")).expect("a queue"))
    }

    #[test]
    fn keeps_the_contract_of_key_stores() {
        let dir = tempfile::tempdir().expect("scratch");
        let kek = dir.path().join("kek");
        let store = DatabaseKeyStore::open(queue(dir.path()), &kek).expect("open");
        key_store_conformance(&store).expect("contract");
        drop(store);
        let store = DatabaseKeyStore::open(queue(dir.path()), &kek).expect("open again");
        key_store_survives(&store).expect("durable");
    }

    #[test]
    fn a_new_key_encryption_key_takes_the_place_of_the_old() {
        let dir = tempfile::tempdir().expect("scratch");
        let [old, new] = [1, 2].map(|byte| KeyEncryptionKey::from_bytes([byte; 32]));
        let open = |keks| DatabaseKeyStore::open_under(queue(dir.path()), keks);
        let store = open(old.clone().into()).expect("open");
        let first = store.put("a", "g1", KeySet::generate(2).expect("keys")).expect("put");
        store.expire("a", "g1", 5).expect("end");
        assert!(open(new.clone().into()).is_err(), "nothing would open");
        let both = KeyEncryptionKeys::new(new.clone(), vec![old.clone()]);
        assert_eq!(open(both).expect("open with both").rewrap().expect("rewrap"), 1);
        let store = open(new.into()).expect("the new key is enough");
        let read = store.of_generation("a", "g1").expect("read").expect("there");
        assert_eq!((read.periods, read.terms.expires), (first.periods, Some(5)));
        assert!(open(old.into()).is_err(), "the old key is let in no more");
    }
}
