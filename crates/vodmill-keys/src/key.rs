//! Segment keys, their ids, and the IVs that go with them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::random::{self, NoRandomness};

/// Exactly `N` bytes from `2 * N` hex digits of either case.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// A 128-bit key of METHOD=AES-128. Never printed; zeroed when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SegmentKey([u8; 16]);

impl SegmentKey {
    /// A new key from the operating system's generator.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate() -> Result<Self, NoRandomness> {
        random::bytes().map(Self)
    }

    /// A key that exists already.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes that a key server answers with (RFC 8216 §5.1).
    pub const fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for SegmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SegmentKey(redacted)")
    }
}

/// A key's public name: 128 random bits, written as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kid([u8; 16]);

impl Kid {
    /// A new id from the operating system's generator.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate() -> Result<Self, NoRandomness> {
        random::bytes().map(Self)
    }

    /// An id that exists already.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// From exactly 32 hex digits of either case.
    pub fn from_hex(text: &str) -> Option<Self> {
        from_hex(text).map(Self)
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kid({self})")
    }
}

impl Serialize for Kid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Kid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_hex(&text).ok_or_else(|| serde::de::Error::custom("a kid is 32 hex digits"))
    }
}

/// A 128-bit initialization vector. Public: it stands in the playlist.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iv([u8; 16]);

impl Iv {
    /// An IV of these bytes, most significant first.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// From exactly 32 hex digits of either case, without `0x`.
    pub fn from_hex(text: &str) -> Option<Self> {
        from_hex(text).map(Self)
    }

    /// 32 lower-case hex digits, without `0x`.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Debug for Iv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iv(0x{})", self.to_hex())
    }
}

/// The secret from which all IVs of one generation follow.
///
/// An IV is `SHA-256(domain ‖ seed ‖ len(object) ‖ object ‖ piece)`, cut to 16
/// bytes. So:
/// - **redoing a package gives the same bytes**: nothing else goes in, and the
///   seed is kept with the generation's keys;
/// - **no (key, IV) pair serves twice**: a key belongs to one generation, an
///   object name is written once in it, and the name's length and the piece's
///   fixed width make the hashed text of each (object, piece) unique. Two of n
///   inputs then share an IV with probability about n²/2¹²⁹: under 2⁻⁸⁹ for
///   a million pieces;
/// - **an IV cannot be foretold**: the seed is 256 random bits that are stored
///   wrapped. Length extension is no threat: half of the hash is never shown,
///   and IVs authenticate nothing.
///
/// The argument rests on an object's clear bytes not changing within a
/// generation: whoever re-encodes to other bytes takes a new generation.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct IvSeed([u8; 32]);

impl IvSeed {
    /// A new seed from the operating system's generator.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate() -> Result<Self, NoRandomness> {
        random::bytes().map(Self)
    }

    /// A seed that exists already.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, for wrapping.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The IV of one separately encrypted piece of an object: piece 0 of a
    /// segment, piece n of an object that holds many (I-frames, say).
    /// `object` is its name within the generation.
    pub fn iv(&self, object: &str, piece: u64) -> Iv {
        let mut hash = Sha256::new();
        hash.update(b"vodmill iv 1");
        hash.update(self.0);
        hash.update((object.len() as u64).to_be_bytes());
        hash.update(object.as_bytes());
        hash.update(piece.to_be_bytes());
        let digest = hash.finalize();
        let mut iv = [0; 16];
        iv.copy_from_slice(&digest[..16]);
        Iv(iv)
    }
}

impl fmt::Debug for IvSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IvSeed(redacted)")
    }
}
