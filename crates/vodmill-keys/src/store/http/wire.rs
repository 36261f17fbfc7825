//! The JSON that key servers speak with segmenters and operators, for both sides. Keys, kids and
//! seeds are hex. What is not understood is refused: a key that is not what was meant is worse than
//! none.
#![expect(missing_docs, reason = "the protocol is in docs/delivery.md")]

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::key::{IvSeed, Kid, SegmentKey, from_hex};
use crate::set::{KeySet, KeyTerms, PeriodKey};
use crate::store::{GenerationKeys, StoredKey};

/// The longest name of an asset or a generation, in bytes.
const MAX_NAME: usize = 1024;

/// `Bytes<16>`: so many bytes, as hex. No Debug: it may be a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes<const N: usize>(pub [u8; N]);

/// A key set, with its keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    pub asset: String,
    pub generation: String,
    pub keys: Vec<Key>,
    pub iv_seed: Bytes<32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    #[serde(rename = "ends", default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub kid: Bytes<16>,
    pub key: Bytes<16>,
}

/// `POST /v1/keys`: a whole set, or how many keys to make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Put {
    pub asset: String,
    pub generation: String,
    pub keys: Option<Vec<Key>>,
    pub iv_seed: Option<Bytes<32>>,
    pub periods: Option<usize>,
    pub max_age: Option<u32>,
}

/// `GET /v1/keys/{kid}`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct One {
    pub asset: String,
    pub generation: String,
    pub period: usize,
    pub key: Bytes<16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    #[serde(rename = "ends", default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
}

/// `GET /v1/generations`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    pub generations: Vec<Listed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    pub asset: String,
    pub generation: String,
    pub kids: Vec<Bytes<16>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    #[serde(rename = "ends", default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
}

/// `POST /v1/revoke`: all generations where none is named, now where no time is.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    pub asset: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
}

/// `POST /v1/rotate`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    pub asset: String,
    pub generation: String,
    pub periods: usize,
    pub grace_seconds: u64,
    pub max_age: Option<u32>,
}

/// The expiry of generations.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expiries {
    pub ended: Vec<Expiry>,
    /// Of a new generation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kids: Vec<Bytes<16>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expiry {
    pub generation: String,
    #[serde(rename = "ends")]
    pub at: u64,
}

/// `POST /v1/rewrap`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrapped {
    pub rewrapped: usize,
}

/// Why not: a word for programs, a sentence for people.
#[derive(Serialize, Deserialize)]
pub struct Fault {
    pub error: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<Bytes<16>>,
}

/// Whether a name can be one: nothing empty, endless or with control characters.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control)
}

impl Set {
    pub fn new(asset: &str, generation: &str, set: &KeySet) -> Set {
        let key = |period: &PeriodKey| Key {
            kid: Bytes(*period.kid.as_bytes()),
            key: Bytes(*period.key.expose()),
        };
        Set {
            asset: asset.to_owned(),
            generation: generation.to_owned(),
            keys: set.periods.iter().map(key).collect(),
            iv_seed: Bytes(*set.iv_seed.expose()),
            max_age: set.terms.max_age,
            expires: set.terms.expires,
        }
    }

    pub fn keys(self) -> KeySet {
        let terms = KeyTerms { max_age: self.max_age, expires: self.expires };
        key_set(self.keys, &self.iv_seed, terms)
    }
}

/// A set from its parts; not checked.
pub fn key_set(keys: Vec<Key>, iv_seed: &Bytes<32>, terms: KeyTerms) -> KeySet {
    let period = |key: Key| PeriodKey {
        kid: Kid::from_bytes(key.kid.0),
        key: SegmentKey::from_bytes(key.key.0),
    };
    let periods = keys.into_iter().map(period).collect();
    KeySet { periods, iv_seed: IvSeed::from_bytes(iv_seed.0), terms }
}

impl From<StoredKey> for One {
    fn from(stored: StoredKey) -> One {
        One {
            key: Bytes(*stored.key.expose()),
            asset: stored.asset,
            generation: stored.generation,
            period: stored.period,
            max_age: stored.terms.max_age,
            expires: stored.terms.expires,
        }
    }
}

impl From<One> for StoredKey {
    fn from(one: One) -> StoredKey {
        StoredKey {
            key: SegmentKey::from_bytes(one.key.0),
            asset: one.asset,
            generation: one.generation,
            period: one.period,
            terms: KeyTerms { max_age: one.max_age, expires: one.expires },
        }
    }
}

impl From<GenerationKeys> for Listed {
    fn from(keys: GenerationKeys) -> Listed {
        Listed {
            kids: hex_kids(&keys.kids),
            asset: keys.asset,
            generation: keys.generation,
            max_age: keys.terms.max_age,
            expires: keys.terms.expires,
        }
    }
}

impl From<Listed> for GenerationKeys {
    fn from(listed: Listed) -> GenerationKeys {
        GenerationKeys {
            kids: listed.kids.into_iter().map(|kid| Kid::from_bytes(kid.0)).collect(),
            asset: listed.asset,
            generation: listed.generation,
            terms: KeyTerms { max_age: listed.max_age, expires: listed.expires },
        }
    }
}

pub fn hex_kids(kids: &[Kid]) -> Vec<Bytes<16>> {
    kids.iter().map(|kid| Bytes(*kid.as_bytes())).collect()
}

impl<const N: usize> Serialize for Bytes<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Bytes<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What is wrong is not shown: it may be most of a key.
        let bad = || D::Error::custom(format!("{} bytes as {} hex digits are needed", N, 2 * N));
        let text = String::deserialize(deserializer).map_err(|_| bad())?;
        from_hex(&text).map(Bytes).ok_or_else(bad)
    }
}
