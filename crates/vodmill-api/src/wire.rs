//! The JSON that key servers speak with segmenters and operators, for both sides. Keys, kids and
//! seeds are hex. What is not understood is refused: a key that is not what was meant is worse than
//! none.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use vodmill_hls::key::{IvSeed, Kid, SegmentKey};
use vodmill_hls::keyring::{GenerationKeys, KeySet, KeyTerms, PeriodKey, StoredKey};

/// The longest name of an asset or a generation, in bytes.
const MAX_NAME: usize = 1024;

/// `Bytes<16>`: so many bytes, as hex. No Debug: it may be a key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Bytes<const N: usize>(pub(crate) [u8; N]);

/// A key set, with its keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Set {
    pub(crate) asset: String,
    pub(crate) generation: String,
    pub(crate) keys: Vec<Key>,
    pub(crate) iv_seed: Bytes<32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ends: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    pub(crate) kid: Bytes<16>,
    pub(crate) key: Bytes<16>,
}

/// `POST /v1/keys`: a whole set, or how many keys to make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Put {
    pub(crate) asset: String,
    pub(crate) generation: String,
    pub(crate) keys: Option<Vec<Key>>,
    pub(crate) iv_seed: Option<Bytes<32>>,
    pub(crate) periods: Option<usize>,
    pub(crate) max_age: Option<u32>,
}

/// `GET /v1/keys/{kid}`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct One {
    pub(crate) asset: String,
    pub(crate) generation: String,
    pub(crate) period: usize,
    pub(crate) key: Bytes<16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ends: Option<u64>,
}

/// `GET /v1/generations`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listing {
    pub(crate) generations: Vec<Listed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    pub(crate) asset: String,
    pub(crate) generation: String,
    pub(crate) kids: Vec<Bytes<16>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ends: Option<u64>,
}

/// `POST /v1/revoke`: all generations where none is named, now where no time is.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revoke {
    pub(crate) asset: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) generation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<u64>,
}

/// `POST /v1/rotate`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotate {
    pub(crate) asset: String,
    pub(crate) generation: String,
    pub(crate) periods: usize,
    pub(crate) grace_seconds: u64,
    pub(crate) max_age: Option<u32>,
}

/// What was ended, and when.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ended {
    pub(crate) ended: Vec<End>,
    /// Of a new generation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) kids: Vec<Bytes<16>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    pub(crate) generation: String,
    pub(crate) ends: u64,
}

/// `POST /v1/rewrap`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rewrapped {
    pub(crate) rewrapped: usize,
}

/// Why not: a word for programs, a sentence for people.
#[derive(Serialize, Deserialize)]
pub(crate) struct Fault {
    pub(crate) error: String,
    pub(crate) message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kid: Option<Bytes<16>>,
}

/// Whether a name can be one: nothing empty, endless or with control characters.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control)
}

impl Set {
    pub(crate) fn new(asset: &str, generation: &str, set: &KeySet) -> Set {
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
            ends: set.terms.ends,
        }
    }

    pub(crate) fn keys(self) -> KeySet {
        let terms = KeyTerms { max_age: self.max_age, ends: self.ends };
        key_set(self.keys, &self.iv_seed, terms)
    }
}

/// A set from its parts; not checked.
pub(crate) fn key_set(keys: Vec<Key>, iv_seed: &Bytes<32>, terms: KeyTerms) -> KeySet {
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
            ends: stored.terms.ends,
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
            terms: KeyTerms { max_age: one.max_age, ends: one.ends },
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
            ends: keys.terms.ends,
        }
    }
}

impl From<Listed> for GenerationKeys {
    fn from(listed: Listed) -> GenerationKeys {
        GenerationKeys {
            kids: listed.kids.into_iter().map(|kid| Kid::from_bytes(kid.0)).collect(),
            asset: listed.asset,
            generation: listed.generation,
            terms: KeyTerms { max_age: listed.max_age, ends: listed.ends },
        }
    }
}

pub(crate) fn hex_kids(kids: &[Kid]) -> Vec<Bytes<16>> {
    kids.iter().map(|kid| Bytes(*kid.as_bytes())).collect()
}

impl<const N: usize> Serialize for Bytes<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&text)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Bytes<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What is wrong is not shown: it may be most of a key.
        let bad = || D::Error::custom(format!("{} bytes as {} hex digits are needed", N, 2 * N));
        let text = String::deserialize(deserializer).map_err(|_| bad())?;
        let mut out = [0; N];
        if text.len() != 2 * N || !text.is_ascii() {
            return Err(bad());
        }
        for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16).ok_or_else(bad);
            *byte = u8::try_from(digit(0)? << 4 | digit(1)?).map_err(|_| bad())?;
        }
        Ok(Bytes(out))
    }
}
