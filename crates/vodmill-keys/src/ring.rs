//! Clear keys on their way from the key store to a child, over a pipe and never a disk.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::key::{Iv, IvSeed, Kid, SegmentKey};
use crate::set::KeySet;

/// An id and its key, as they are serialised.
type Pair = ([u8; 16], [u8; 16]);

/// Keys in order, found by their ids at once however many there are. Debug shows no secret.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Pair>", into = "Vec<Pair>")]
pub struct KeyRing {
    keys: Vec<(Kid, SegmentKey)>,
    /// Where in `keys` an id is.
    index: HashMap<Kid, usize>,
}

impl KeyRing {
    /// The key of that id.
    pub fn get(&self, kid: &Kid) -> Option<SegmentKey> {
        let position = self.position(kid)?;
        self.keys.get(position).map(|(_, key)| key.clone())
    }

    /// Whether these bytes are one of the keys.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        self.keys.iter().any(|(_, key)| key.expose() == bytes)
    }

    /// Adds a key; of one id, the first counts.
    pub fn insert(&mut self, kid: &Kid, key: &SegmentKey) {
        self.index.entry(*kid).or_insert(self.keys.len());
        self.keys.push((*kid, key.clone()));
    }

    /// Keys in it.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    fn position(&self, kid: &Kid) -> Option<usize> {
        self.index.get(kid).copied()
    }
}

impl From<Vec<Pair>> for KeyRing {
    fn from(pairs: Vec<Pair>) -> KeyRing {
        let mut ring = KeyRing::default();
        for (kid, key) in pairs {
            ring.insert(&Kid::from_bytes(kid), &SegmentKey::from_bytes(key));
        }
        ring
    }
}

impl From<KeyRing> for Vec<Pair> {
    fn from(ring: KeyRing) -> Vec<Pair> {
        ring.keys.iter().map(|(kid, key)| (*kid.as_bytes(), *key.expose())).collect()
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.keys.len())
    }
}

/// The keys of one generation, in the order of their periods, and the seed of its IVs. Debug shows
/// no secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct ClearKeys {
    ring: KeyRing,
    iv_seed: [u8; 32],
}

impl ClearKeys {
    /// The id and key of a key period.
    pub fn period(&self, period: usize) -> Option<(Kid, SegmentKey)> {
        self.ring.keys.get(period).cloned()
    }

    /// The key period of an id.
    pub fn period_of(&self, kid: &Kid) -> Option<usize> {
        self.ring.position(kid)
    }

    /// What tells this set from every other, and is no secret.
    pub fn mark(&self) -> String {
        let mut hash = Sha256::new();
        for (kid, _) in &self.ring.keys {
            hash.update(kid.as_bytes());
        }
        hex::encode(hash.finalize())
    }

    /// The IV of one piece of an object.
    pub fn iv(&self, object: &str, piece: u64) -> Iv {
        IvSeed::from_bytes(self.iv_seed).iv(object, piece)
    }

    /// The keys by their ids.
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }
}

impl From<&KeySet> for ClearKeys {
    fn from(set: &KeySet) -> ClearKeys {
        let mut ring = KeyRing::default();
        for period in &set.periods {
            ring.insert(&period.kid, &period.key);
        }
        ClearKeys { ring, iv_seed: *set.iv_seed.expose() }
    }
}

impl fmt::Debug for ClearKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ring.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_its_id_and_goes_over_a_pipe_as_it_is() {
        let set = KeySet::generate(300).expect("keys");
        let text = serde_json::to_string(&ClearKeys::from(&set)).expect("JSON");
        let keys: ClearKeys = serde_json::from_str(&text).expect("keys");
        for (number, period) in set.periods.iter().enumerate() {
            assert_eq!(keys.period_of(&period.kid), Some(number));
            assert_eq!(keys.ring().get(&period.kid), Some(period.key.clone()));
            assert_eq!(keys.period(number), Some((period.kid, period.key.clone())));
        }
        assert_eq!(keys.mark(), ClearKeys::from(&set).mark());
        let unknown = Kid::from_bytes([7; 16]);
        assert_eq!((keys.period_of(&unknown), keys.ring().get(&unknown)), (None, None));
    }
}
