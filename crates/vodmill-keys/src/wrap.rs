//! Secrets at rest: AES-256-GCM (NIST SP 800-38D) under one key-encryption key.

use std::fmt;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::key::from_hex;
use crate::random::{self, NoRandomness};

/// Bytes of the longest wrapped secret, with its tag, that is looked at.
const MAX_SEALED: usize = 128;

/// The 256-bit key that all stored keys are wrapped under. Never printed;
/// zeroed when dropped.
///
/// Nonces are random, so one key should wrap fewer than 2³² secrets
/// (SP 800-38D §8.3): some million titles a day for a year.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct KeyEncryptionKey([u8; 32]);

/// The key that wraps, and others that still open what they wrapped before: while keys are wrapped
/// anew, both kinds are stored.
#[derive(Clone, Debug)]
pub struct KeyEncryptionKeys {
    current: KeyEncryptionKey,
    others: Vec<KeyEncryptionKey>,
}

/// Why a wrapped secret did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// It was wrapped under another key: the operator configured the wrong one.
    #[error("wrapped under another key-encryption key")]
    WrongKey,
    /// The key is right and the bytes, the kid or the asset are not those
    /// that were wrapped: somebody or something changed them.
    #[error("the wrapped key was changed, or belongs to another kid or asset")]
    Tampered,
    /// Not of the form that [`WrappedKey`] has.
    #[error("not a wrapped key")]
    Malformed,
}

/// A wrapped secret as it is stored: text only, safe to print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedKey {
    /// Which key-encryption key: [`KeyEncryptionKey::id`].
    pub kek: String,
    /// The 96-bit nonce, in hex.
    pub nonce: String,
    /// Ciphertext and 128-bit tag, in hex.
    pub sealed: String,
}

impl KeyEncryptionKey {
    /// A new key from the operating system's generator.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate() -> Result<Self, NoRandomness> {
        random::bytes().map(Self)
    }

    /// A key that exists already.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From exactly 64 hex digits of either case, as in a secret's file.
    pub fn from_hex(text: &str) -> Option<Self> {
        from_hex(text).map(Self)
    }

    /// As 64 hex digits, for the file or secret that keeps it.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0))
    }

    /// A public name for it: 16 hex digits of a one-way hash.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"vodmill kek id 1");
        hash.update(self.0);
        hex::encode(&hash.finalize()[..8])
    }

    /// Wraps `secret`, bound to `context`: it opens with the same one only.
    pub(crate) fn seal(&self, secret: &[u8], context: &[u8]) -> Result<WrappedKey, NoRandomness> {
        let nonce = random::bytes::<12>()?;
        let payload = Payload { msg: secret, aad: context };
        // GCM refuses only messages of 64 GiB; ours have 32 bytes.
        let sealed = self.cipher().encrypt(&nonce.into(), payload).map_err(|_| NoRandomness)?;
        Ok(WrappedKey { kek: self.id(), nonce: hex::encode(nonce), sealed: hex::encode(sealed) })
    }

    /// Opens what [`Self::seal`] made of `N` bytes under the same context.
    pub(crate) fn open<const N: usize>(
        &self,
        wrapped: &WrappedKey,
        context: &[u8],
    ) -> Result<Zeroizing<[u8; N]>, UnwrapError> {
        if wrapped.kek != self.id() {
            return Err(UnwrapError::WrongKey);
        }
        let nonce = from_hex::<12>(&wrapped.nonce).ok_or(UnwrapError::Malformed)?;
        if wrapped.sealed.len() > 2 * MAX_SEALED {
            return Err(UnwrapError::Malformed);
        }
        let sealed = hex::decode(&wrapped.sealed).map_err(|_| UnwrapError::Malformed)?;
        let payload = Payload { msg: &sealed, aad: context };
        let clear = self.cipher().decrypt(&nonce.into(), payload);
        let clear = Zeroizing::new(clear.map_err(|_| UnwrapError::Tampered)?);
        let clear: [u8; N] = clear.as_slice().try_into().map_err(|_| UnwrapError::Malformed)?;
        Ok(Zeroizing::new(clear))
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.0.into())
    }
}

impl KeyEncryptionKeys {
    /// `current` wraps; it and `others` open.
    pub fn new(current: KeyEncryptionKey, others: Vec<KeyEncryptionKey>) -> Self {
        Self { current, others }
    }

    /// The one that wraps.
    pub fn current(&self) -> &KeyEncryptionKey {
        &self.current
    }

    /// The one of this [`KeyEncryptionKey::id`].
    ///
    /// # Errors
    /// [`UnwrapError::WrongKey`] if there is none.
    pub fn find(&self, id: &str) -> Result<&KeyEncryptionKey, UnwrapError> {
        let mut all = std::iter::once(&self.current).chain(&self.others);
        all.find(|key| key.id() == id).ok_or(UnwrapError::WrongKey)
    }
}

impl From<KeyEncryptionKey> for KeyEncryptionKeys {
    fn from(current: KeyEncryptionKey) -> Self {
        Self::new(current, Vec::new())
    }
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyEncryptionKey({}, redacted)", self.id())
    }
}

/// Associated data: a domain, then each part with its length before it, so
/// that no two lists of parts read alike.
pub(crate) fn context(domain: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = domain.as_bytes().to_vec();
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}
