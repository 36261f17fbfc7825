//! AES-128-CBC with PKCS#7 padding, as METHOD=AES-128 wants it
//! (RFC 8216 §4.3.2.4, §5.2; RFC 5652 §6.3 for the padding).
//!
//! Every piece is encrypted by itself: the chain starts anew with its IV, and
//! padding of 1 to 16 bytes is always added. There is no authentication in
//! this format; integrity is the receipt's SHA-256 of each object.

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

use crate::key::{Iv, SegmentKey};

/// Bytes of a cipher block.
pub const BLOCK: usize = 16;

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

/// Encrypts a whole piece in place; it grows by its padding.
pub fn encrypt(key: &SegmentKey, iv: &Iv, piece: &mut Vec<u8>) {
    let padding = BLOCK - piece.len() % BLOCK;
    piece.resize(piece.len() + padding, padding as u8);
    let mut cipher = cbc::Encryptor::<Aes128>::new(key.expose().into(), iv.as_bytes().into());
    let (blocks, _) = Array::slice_as_chunks_mut(piece);
    cipher.encrypt_blocks(blocks);
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
