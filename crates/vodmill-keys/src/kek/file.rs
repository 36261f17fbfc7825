//! The key-encryption key as a file.

use std::io;
use std::path::Path;

use crate::private_file;
use crate::store::{KeyStoreError, backend};
use crate::wrap::KeyEncryptionKey;

/// The key-encryption key of a file, 64 hex digits; a new one where the file is not there.
///
/// # Errors
/// [`KeyStoreError::Backend`] names the file: it is not such a key, or others have access to it.
pub fn load(path: &Path) -> Result<KeyEncryptionKey, KeyStoreError> {
    if !path.exists() {
        let fresh = KeyEncryptionKey::generate()?;
        private_file::create_once(path, fresh.to_hex().as_bytes()).map_err(backend)?;
    }
    read(path)
}

/// The key-encryption key of a file that is there.
///
/// # Errors
/// As [`load`]. A new one would be made where a disk is not mounted.
pub fn read(path: &Path) -> Result<KeyEncryptionKey, KeyStoreError> {
    let text = vodmill_secret::read(path).map_err(|error| match error.is_not_found() {
        true => backend(format!(
            "there is no {path}: put the key-encryption key back, or, for a home that has no keys yet, \
             make one: (umask 077; openssl rand -hex 32 > {path})",
            path = path.display()
        )),
        false => backend(error),
    })?;
    let bad = || backend(format!("{} does not hold 64 hex digits", path.display()));
    KeyEncryptionKey::from_hex(text.trim()).ok_or_else(bad)
}

/// Keeps a wrapped key-encryption key in a file, durably, unless there is one: of two processes that
/// begin at once, the first one's counts.
///
/// # Errors
/// The folder's, or the file's.
pub fn keep_wrapped(path: &Path, wrapped: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    vodmill_secret::make_dir(folder)?;
    private_file::remove_orphans(folder);
    private_file::create_once(path, wrapped)
}
