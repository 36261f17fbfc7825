//! One file of a key store: the wrapped key set of a generation.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

use crate::private_file;
use crate::set::WrappedKeySet;
use crate::store::{KeyStoreError, backend};

/// Bytes of the largest set: [`crate::MAX_KEY_PERIODS`] keys have a third of it.
const LARGEST: u64 = 64 << 20;

/// The name of the file that has the keys of a generation.
pub(super) fn name_of(asset: &str, generation: &str) -> String {
    // A digest, since names come from outside and need not be safe in a path.
    let digest = Sha256::digest(format!("{}/{asset}{generation}", asset.len()));
    format!("{}.json", hex::encode(&digest[..16]))
}

/// Whether a file of this name is a key set.
pub(super) fn is_set(name: &str) -> bool {
    name.ends_with(".json") && !name.starts_with('.')
}

/// The set in a file; none where the file is not there.
///
/// # Errors
/// [`KeyStoreError::Backend`] names the file: it cannot be read, is damaged, or has the keys of
/// another generation than its name says.
pub(super) fn read(path: &Path) -> Result<Option<WrappedKeySet>, KeyStoreError> {
    let named = |what: String| backend(format!("key set {}: {what}", path.display()));
    let bytes = match bytes_of(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| named(error.to_string()))?,
    };
    let set: WrappedKeySet = serde_json::from_slice(&bytes)
        .map_err(|error| named(format!("it is damaged: put it back from a backup ({error})")))?;
    if path.file_name().is_none_or(|name| *name != *name_of(&set.asset, &set.generation)) {
        let (asset, generation) = (&set.asset, &set.generation);
        return Err(named(format!(
            "it holds the keys of {asset} {generation}, under another name"
        )));
    }
    Ok(Some(set))
}

fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe in its place must not hold anybody up.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let facts = file.metadata()?;
    if !facts.is_file() || facts.len() > LARGEST {
        return Err(io::Error::other("it is no file with keys"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Stores a set unless its file is there already.
pub(super) fn create_once(path: &Path, set: &WrappedKeySet) -> Result<(), KeyStoreError> {
    let json = serde_json::to_vec(set).map_err(backend)?;
    private_file::create_once(path, &json).map_err(|error| unwritten(path, &error))
}

/// Replaces the file of a set durably.
pub(super) fn replace(path: &Path, set: &WrappedKeySet) -> Result<(), KeyStoreError> {
    let json = serde_json::to_vec(set).map_err(backend)?;
    private_file::replace(path, &json).map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &io::Error) -> KeyStoreError {
    backend(format!("write key set {}: {error}", path.display()))
}
