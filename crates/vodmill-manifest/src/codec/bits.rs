//! Bits, most significant first, and Exp-Golomb codes (ITU-T H.264 §9.1).

use super::CodecError;

/// Reads bits; the end of the bytes is an error, never a panic.
pub(crate) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn bit(&mut self) -> Result<bool, CodecError> {
        let byte = self.bytes.get(self.at / 8).ok_or(CodecError::Short)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(bit == 1)
    }

    /// `count` bits, 32 at most.
    pub(crate) fn take(&mut self, count: u32) -> Result<u32, CodecError> {
        let mut value = 0_u32;
        for _ in 0..count.min(32) {
            value = value << 1 | u32::from(self.bit()?);
        }
        Ok(value)
    }

    /// ue(v).
    pub(crate) fn unsigned(&mut self) -> Result<u32, CodecError> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return Err(CodecError::Value("an Exp-Golomb code"));
            }
        }
        let rest = self.take(zeros)?;
        Ok(((1_u64 << zeros) - 1) as u32 + rest)
    }

    /// se(v).
    pub(crate) fn signed(&mut self) -> Result<i32, CodecError> {
        let code = i64::from(self.unsigned()?);
        let value = if code % 2 == 1 { (code + 1) / 2 } else { -(code / 2) };
        i32::try_from(value).map_err(|_| CodecError::Value("an Exp-Golomb code"))
    }
}
