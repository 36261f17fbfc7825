//! Digests that S3 knows: CRC-64/NVME and CRC-32 over whole objects, MD5 in ETags.

use aws_smithy_types::base64;
use crc_fast::CrcAlgorithm::{Crc32IsoHdlc, Crc64Nvme};
use md5::{Digest as _, Md5};

/// A checksum over all bytes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// CRC-64/NVME.
    Crc64(u64),
    /// CRC-32 as in gzip.
    Crc32(u32),
}

impl Checksum {
    /// The checksum in S3's words: of the longest kind that is given, over the whole object.
    pub(crate) fn read(crc64: Option<&str>, crc32: Option<&str>, whole: bool) -> Option<Checksum> {
        if !whole {
            return None;
        }
        crc64.and_then(read_crc64).map(Checksum::Crc64).or_else(|| {
            let bytes = base64::decode(crc32?).ok()?;
            Some(Checksum::Crc32(u32::from_be_bytes(bytes.try_into().ok()?)))
        })
    }

    /// Of no bytes at all, of the kind of `self`.
    pub(crate) fn of_nothing(self) -> Checksum {
        self.same_kind(b"")
    }

    /// Of `bytes`, of the kind of `self`.
    pub(crate) fn same_kind(self, bytes: &[u8]) -> Checksum {
        match self {
            Checksum::Crc64(_) => Checksum::Crc64(crc64(bytes)),
            Checksum::Crc32(_) => {
                Checksum::Crc32(u32::try_from(crc_fast::checksum(Crc32IsoHdlc, bytes)).unwrap_or(0))
            }
        }
    }

    /// Of the bytes of `self` and then those of `next`, which are `length`.
    pub(crate) fn then(self, next: Checksum, length: u64) -> Checksum {
        match (self, next) {
            (Checksum::Crc32(one), Checksum::Crc32(two)) => {
                let both = crc_fast::checksum_combine(Crc32IsoHdlc, one.into(), two.into(), length);
                Checksum::Crc32(u32::try_from(both).unwrap_or(0))
            }
            (Checksum::Crc64(one), Checksum::Crc64(two)) => {
                Checksum::Crc64(crc64_then(one, two, length))
            }
            (unlike, _) => unlike,
        }
    }
}

/// CRC-64/NVME.
pub(crate) fn crc64(bytes: &[u8]) -> u64 {
    crc_fast::checksum(Crc64Nvme, bytes)
}

/// The CRC-64 of two runs of bytes, the second of `length`.
pub(crate) fn crc64_then(one: u64, two: u64, length: u64) -> u64 {
    if length == 0 { one } else { crc_fast::checksum_combine(Crc64Nvme, one, two, length) }
}

/// As S3 writes it.
pub(crate) fn write_crc64(crc: u64) -> String {
    base64::encode(crc.to_be_bytes())
}

/// As S3 writes it.
pub(crate) fn read_crc64(text: &str) -> Option<u64> {
    Some(u64::from_be_bytes(base64::decode(text).ok()?.try_into().ok()?))
}

/// MD5.
pub(crate) fn md5(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

/// The `Content-MD5` for a body.
pub(crate) fn content_md5(md5: &[u8; 16]) -> String {
    base64::encode(md5)
}

/// An ETag without its quotes.
pub(crate) fn bare(etag: &str) -> &str {
    etag.trim_matches('"')
}

/// The ETag, without quotes, of an object that was put in one request.
pub fn etag_of_whole(md5: &[u8; 16]) -> String {
    hex::encode(md5)
}

/// The ETag, without quotes, of an object that was put in parts.
pub fn etag_of_parts(parts: &[[u8; 16]]) -> String {
    format!("{}-{}", etag_of_whole(&md5(&parts.concat())), parts.len())
}
