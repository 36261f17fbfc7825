//! Clear keys on their way from the key store to a child, over a pipe and never a disk.

use std::fmt;

use serde::{Deserialize, Serialize};
use vodmill_hls::key::{Iv, IvSeed, Kid, SegmentKey};
use vodmill_hls::keyring::KeySet;

use crate::file::sha256;

/// Keys by their ids. Debug shows no secret.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct KeyTable(Vec<([u8; 16], [u8; 16])>);

impl KeyTable {
    /// The key of that id.
    pub fn get(&self, kid: &Kid) -> Option<SegmentKey> {
        let found = self.0.iter().find(|(id, _)| id == kid.as_bytes());
        found.map(|(_, key)| SegmentKey::from_bytes(*key))
    }

    /// Whether these bytes are one of the keys.
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        self.0.iter().any(|(_, key)| key == bytes)
    }

    /// Adds a key.
    pub fn insert(&mut self, kid: &Kid, key: &SegmentKey) {
        self.0.push((*kid.as_bytes(), *key.expose()));
    }

    /// Keys in it.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for KeyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

/// The keys of one generation, in the order of their periods, and the seed of its IVs.
#[derive(Clone, Serialize, Deserialize)]
pub struct ClearKeys {
    pub(crate) table: KeyTable,
    iv_seed: [u8; 32],
}

impl ClearKeys {
    /// The id and key of a key period.
    pub(crate) fn period(&self, period: usize) -> Option<(Kid, SegmentKey)> {
        let (kid, key) = self.table.0.get(period)?;
        Some((Kid::from_bytes(*kid), SegmentKey::from_bytes(*key)))
    }

    /// The key period of an id.
    pub(crate) fn period_of(&self, kid: &Kid) -> Option<usize> {
        self.table.0.iter().position(|(id, _)| id == kid.as_bytes())
    }

    /// What tells this set from every other, and is no secret.
    pub(crate) fn mark(&self) -> String {
        let kids: Vec<u8> = self.table.0.iter().flat_map(|(kid, _)| *kid).collect();
        sha256(&kids)
    }

    /// The IV of one piece of an object.
    pub(crate) fn iv(&self, object: &str, piece: u64) -> Iv {
        IvSeed::from_bytes(self.iv_seed).iv(object, piece)
    }
}

impl From<&KeySet> for ClearKeys {
    fn from(set: &KeySet) -> ClearKeys {
        let mut table = KeyTable::default();
        for period in &set.periods {
            table.insert(&period.kid, &period.key);
        }
        ClearKeys { table, iv_seed: *set.iv_seed.expose() }
    }
}

impl fmt::Debug for ClearKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table.fmt(f)
    }
}
