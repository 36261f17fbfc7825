//! AES-128-CBC with PKCS#7 padding, as METHOD=AES-128 wants it
//! (RFC 8216 §4.3.2.4, §5.2; RFC 5652 §6.3 for the padding).
//!
//! Every piece is encrypted by itself: the chain starts anew with its IV, and
//! padding of 1 to 16 bytes is always added. There is no authentication in
//! this format; integrity is the receipt's SHA-256 of each object.

use std::io::{self, Write};

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

use crate::key::{Iv, SegmentKey};

/// Bytes of a cipher block.
pub const BLOCK: usize = 16;

/// Bytes that a [`CbcWriter`] gathers before it hands them on.
const BUFFER: usize = 16 * 1024;

/// Why bytes did not decrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// Empty, or not a whole number of blocks: cut, or never encrypted.
    #[error("{0} bytes are not a positive number of 16-byte blocks")]
    Length(usize),
    /// The padding is wrong: another key, another IV or damaged bytes.
    #[error("bad padding: wrong key, wrong IV or damaged")]
    Padding,
}

/// Size of `clear` bytes once encrypted.
pub const fn encrypted_len(clear: u64) -> u64 {
    (clear / BLOCK as u64 + 1) * BLOCK as u64
}

/// Encrypts a whole piece in place; it grows by its padding.
pub fn encrypt(key: &SegmentKey, iv: &Iv, piece: &mut Vec<u8>) {
    let padding = BLOCK - piece.len() % BLOCK;
    piece.resize(piece.len() + padding, padding as u8);
    encrypt_blocks(&mut encryptor(key, iv), piece);
}

/// Decrypts a whole piece in place and takes its padding off.
///
/// # Errors
/// [`DecryptError`]; the buffer's content is then undefined.
pub fn decrypt(key: &SegmentKey, iv: &Iv, piece: &mut Vec<u8>) -> Result<(), DecryptError> {
    if piece.is_empty() || !piece.len().is_multiple_of(BLOCK) {
        return Err(DecryptError::Length(piece.len()));
    }
    let cipher = cbc::Decryptor::<Aes128>::new(key.expose().into(), iv.as_bytes().into());
    let clear = cipher.decrypt_padded::<Pkcs7>(piece).map_err(|_| DecryptError::Padding)?.len();
    piece.truncate(clear);
    Ok(())
}

/// Encrypts what is written to it on its way to `inner`, holding no more than
/// a few kilobytes.
///
/// [`CbcWriter::finish`] must be called: without it the last block and the
/// padding are missing, and the piece does not decrypt.
pub struct CbcWriter<W: Write> {
    inner: W,
    cipher: cbc::Encryptor<Aes128>,
    pending: Vec<u8>,
}

impl<W: Write> CbcWriter<W> {
    /// Starts a piece.
    pub fn new(inner: W, key: &SegmentKey, iv: &Iv) -> Self {
        Self { inner, cipher: encryptor(key, iv), pending: Vec::with_capacity(BUFFER) }
    }

    /// Writes the rest with its padding and gives `inner` back, not flushed.
    ///
    /// # Errors
    /// Those of `inner`; the piece is then incomplete.
    pub fn finish(mut self) -> io::Result<W> {
        self.drain()?;
        let padding = BLOCK - self.pending.len();
        self.pending.resize(BLOCK, padding as u8);
        encrypt_blocks(&mut self.cipher, &mut self.pending);
        self.inner.write_all(&self.pending)?;
        Ok(self.inner)
    }

    /// Hands all whole blocks on; less than one block stays.
    fn drain(&mut self) -> io::Result<()> {
        let whole = self.pending.len() - self.pending.len() % BLOCK;
        encrypt_blocks(&mut self.cipher, &mut self.pending[..whole]);
        // Taken out before the write: after an error nothing is sent twice.
        let rest = self.pending.split_off(whole);
        let sealed = std::mem::replace(&mut self.pending, rest);
        self.inner.write_all(&sealed)
    }
}

impl<W: Write> Write for CbcWriter<W> {
    fn write(&mut self, clear: &[u8]) -> io::Result<usize> {
        if self.pending.len() >= BUFFER {
            self.drain()?;
        }
        let taken = clear.len().min(BUFFER - self.pending.len());
        self.pending.extend_from_slice(&clear[..taken]);
        Ok(taken)
    }

    /// Flushes what is out already; a started block has to wait for its rest.
    fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.inner.flush()
    }
}

fn encryptor(key: &SegmentKey, iv: &Iv) -> cbc::Encryptor<Aes128> {
    cbc::Encryptor::new(key.expose().into(), iv.as_bytes().into())
}

/// `bytes` is a whole number of blocks.
fn encrypt_blocks(cipher: &mut cbc::Encryptor<Aes128>, bytes: &mut [u8]) {
    let (blocks, _) = Array::slice_as_chunks_mut(bytes);
    cipher.encrypt_blocks(blocks);
}
