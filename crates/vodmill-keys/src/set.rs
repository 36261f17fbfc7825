//! The keys of one generation, clear and wrapped.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::key::{IvSeed, Kid, SegmentKey};
use crate::random::NoRandomness;
use crate::store::KeyStoreError;
use crate::wrap::{KeyEncryptionKey, UnwrapError, WrappedKey, context};

/// The most key periods of one generation.
pub const MAX_KEY_PERIODS: usize = 100_000;

/// The key of one key period: the same run of segments in all rungs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodKey {
    /// Its public name.
    pub kid: Kid,
    /// The key.
    pub key: SegmentKey,
}

/// All that encrypts one generation of one asset. Debug shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet {
    /// By key period, in order; at least one.
    pub periods: Vec<PeriodKey>,
    /// The seed of its IVs.
    pub iv_seed: IvSeed,
    /// On which terms viewers get its keys.
    pub terms: KeyTerms,
}

/// On which terms viewers get the keys of a generation. No secret, and not sealed: whoever can write
/// to the place where keys are kept can change them, and learns no key by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyTerms {
    /// Seconds for which a player may keep a key; none: it asks each time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    /// Their expiry: from then on, in Unix seconds, viewers get the keys no more, since they were
    /// revoked or replaced by those of a later generation. None: for as long as they are kept.
    #[serde(rename = "ends", skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
}

impl KeyTerms {
    /// Whether viewers get no more keys at `now`, in Unix seconds.
    pub fn have_expired(&self, now: u64) -> bool {
        self.expires.is_some_and(|expiry| expiry <= now)
    }

    /// The same, but expiring at `at` in Unix seconds, unless they expire earlier.
    #[must_use]
    pub fn expiring(self, at: u64) -> KeyTerms {
        KeyTerms { expires: Some(self.expires.map_or(at, |expiry| expiry.min(at))), ..self }
    }

    fn are_usual(&self) -> bool {
        *self == KeyTerms::default()
    }
}

/// A [`KeySet`] for storage, with its asset and generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedKeySet {
    /// The asset it encrypts.
    pub asset: String,
    /// The generation of it.
    pub generation: String,
    /// By key period, in order.
    pub periods: Vec<WrappedPeriodKey>,
    /// The wrapped seed of its IVs.
    pub iv_seed: WrappedKey,
    /// On which terms viewers get its keys.
    #[serde(default, skip_serializing_if = "KeyTerms::are_usual")]
    pub terms: KeyTerms,
}

/// A [`PeriodKey`] for storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedPeriodKey {
    /// Its public name.
    pub kid: Kid,
    /// The wrapped key, bound to kid and asset.
    pub key: WrappedKey,
}

impl PeriodKey {
    /// A new key under a new name.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate() -> Result<Self, NoRandomness> {
        Ok(Self { kid: Kid::generate()?, key: SegmentKey::generate()? })
    }

    /// Wrapped with kid and asset as associated data: stored under another of
    /// either, it does not open.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn wrap(
        &self,
        kek: &KeyEncryptionKey,
        asset: &str,
    ) -> Result<WrappedPeriodKey, NoRandomness> {
        let key = kek.seal(self.key.expose(), &key_context(&self.kid, asset))?;
        Ok(WrappedPeriodKey { kid: self.kid, key })
    }
}

impl WrappedPeriodKey {
    /// The key again.
    ///
    /// # Errors
    /// [`UnwrapError`] tells a wrong key-encryption key from changed bytes.
    pub fn unwrap(&self, kek: &KeyEncryptionKey, asset: &str) -> Result<PeriodKey, UnwrapError> {
        let key = kek.open::<16>(&self.key, &key_context(&self.kid, asset))?;
        Ok(PeriodKey { kid: self.kid, key: SegmentKey::from_bytes(*key) })
    }
}

impl KeySet {
    /// New keys for `periods` key periods (1 to [`MAX_KEY_PERIODS`]; other
    /// numbers are taken as the nearest of these).
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate(periods: usize) -> Result<Self, NoRandomness> {
        let count = periods.clamp(1, MAX_KEY_PERIODS);
        let periods: Result<_, _> = (0..count).map(|_| PeriodKey::generate()).collect();
        Ok(Self { periods: periods?, iv_seed: IvSeed::generate()?, terms: KeyTerms::default() })
    }

    /// Its public names, by key period.
    pub fn kids(&self) -> Vec<Kid> {
        self.periods.iter().map(|period| period.kid).collect()
    }

    /// What every [`crate::store::KeyStore`] asks of a set: keys, at most
    /// [`MAX_KEY_PERIODS`], with different kids.
    ///
    /// # Errors
    /// [`KeyStoreError::BadSet`].
    pub fn check(&self) -> Result<(), KeyStoreError> {
        let kids: HashSet<Kid> = self.kids().into_iter().collect();
        if kids.is_empty() || kids.len() != self.periods.len() || kids.len() > MAX_KEY_PERIODS {
            return Err(KeyStoreError::BadSet);
        }
        Ok(())
    }

    /// Wrapped for storage.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn wrap(
        &self,
        kek: &KeyEncryptionKey,
        asset: &str,
        generation: &str,
    ) -> Result<WrappedKeySet, NoRandomness> {
        let periods: Result<_, _> = self.periods.iter().map(|key| key.wrap(kek, asset)).collect();
        let iv_seed = kek.seal(self.iv_seed.expose(), &seed_context(asset, generation))?;
        Ok(WrappedKeySet {
            asset: asset.to_owned(),
            generation: generation.to_owned(),
            periods: periods?,
            iv_seed,
            terms: self.terms,
        })
    }
}

impl WrappedKeySet {
    /// The keys again.
    ///
    /// # Errors
    /// [`UnwrapError`] of the first that does not open;
    /// [`UnwrapError::Malformed`] for no periods or too many.
    pub fn unwrap(&self, kek: &KeyEncryptionKey) -> Result<KeySet, UnwrapError> {
        if self.periods.is_empty() || self.periods.len() > MAX_KEY_PERIODS {
            return Err(UnwrapError::Malformed);
        }
        let periods: Result<_, _> =
            self.periods.iter().map(|period| period.unwrap(kek, &self.asset)).collect();
        let seed = kek.open::<32>(&self.iv_seed, &seed_context(&self.asset, &self.generation))?;
        let iv_seed = IvSeed::from_bytes(*seed);
        Ok(KeySet { periods: periods?, iv_seed, terms: self.terms })
    }

    /// The [`KeyEncryptionKey::id`] of the key that it is wrapped under.
    pub fn kek(&self) -> &str {
        &self.iv_seed.kek
    }

    /// Its public names, by key period.
    pub fn kids(&self) -> Vec<Kid> {
        self.periods.iter().map(|period| period.kid).collect()
    }
}

fn key_context(kid: &Kid, asset: &str) -> Vec<u8> {
    context("vodmill segment key 1", &[kid.as_bytes(), asset.as_bytes()])
}

fn seed_context(asset: &str, generation: &str) -> Vec<u8> {
    context("vodmill iv seed 1", &[asset.as_bytes(), generation.as_bytes()])
}
