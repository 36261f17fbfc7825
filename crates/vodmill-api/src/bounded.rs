//! A map that never outgrows its bound.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks side by side, so that requests seldom wait for each other.
const SHARDS: usize = 16;

/// Keeps about `capacity` values, those used lately rather than others. In each shard there are two
/// halves: what is used goes into the young one; when that is full, the old one is dropped and they
/// change places.
pub(crate) struct Bounded<K, V> {
    shards: Vec<Mutex<Halves<K, V>>>,
    hash: RandomState,
    half: usize,
}

struct Halves<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq, V: Clone> Bounded<K, V> {
    /// An empty one.
    pub(crate) fn new(capacity: usize) -> Bounded<K, V> {
        let empty = || Mutex::new(Halves { young: HashMap::new(), old: HashMap::new() });
        Bounded {
            shards: (0..SHARDS).map(|_| empty()).collect(),
            hash: RandomState::new(),
            half: (capacity / SHARDS / 2).max(1),
        }
    }

    /// Changes the value of a key, or a new one.
    pub(crate) fn change<R>(
        &self,
        key: K,
        new: impl FnOnce() -> V,
        change: impl FnOnce(&mut V) -> R,
    ) -> R {
        let mut shard = self.shard(&key);
        let Halves { young, old } = &mut *shard;
        if !young.contains_key(&key) && young.len() >= self.half {
            *old = std::mem::take(young);
        }
        let kept = || old.get(&key).cloned();
        match young.get_mut(&key) {
            Some(value) => change(value),
            None => {
                let value = kept().unwrap_or_else(new);
                change(young.entry(key).or_insert(value))
            }
        }
    }

    /// What is kept of a key; that counts as a use.
    pub(crate) fn get(&self, key: K) -> Option<V> {
        let found = {
            let shard = self.shard(&key);
            shard.young.get(&key).or_else(|| shard.old.get(&key)).cloned()?
        };
        self.change(key, || found.clone(), |_| ());
        Some(found)
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.young.clear();
            shard.old.clear();
        }
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, Halves<K, V>> {
        let index = self.hash.hash_one(key) as usize % SHARDS;
        // What is changed under the lock is a counter or a pointer, whole at any moment.
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let map: Bounded<u32, u32> = Bounded::new(SHARDS * 64);
        for key in 0..100_000 {
            map.change(key, || key, |_| ());
            map.change(7, || 7, |count| *count += 1);
        }
        let count = map.change(7, || 0, |count| *count);
        assert_eq!(count, 100_007, "it was never dropped");
        let kept = |shard: &Mutex<Halves<u32, u32>>| {
            let shard = shard.lock().expect("whole");
            shard.young.len() + shard.old.len()
        };
        assert!(map.shards.iter().map(kept).sum::<usize>() <= SHARDS * 64);
    }
}
