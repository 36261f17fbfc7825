//! Which file of a key store holds which key: a database beside the files, so that no key id, known
//! or not, costs more than a look into it.
//!
//! The files are the truth. What the index lacks is taken from them when the store is opened, and
//! when the folder has changed; an index that is gone or damaged is made anew.

use std::fs;
use std::path::{Path, PathBuf};

use vodmill_queue::{Kept, Secrets as _, SqliteQueue};

use crate::key::Kid;
use crate::store::{KeyStoreError, backend};

/// The database: tables of secrets without any.
pub(super) struct KidIndex {
    names: SqliteQueue,
}

type Result<T> = std::result::Result<T, KeyStoreError>;

impl KidIndex {
    /// The index in a folder; a new one where there is none that can be used.
    pub(super) fn open(root: &Path) -> Result<KidIndex> {
        let path = root.join("index.sqlite");
        let opened = SqliteQueue::open(&path).and_then(|names| {
            // A damaged file may show it only when it is read.
            names.secret("").map(|_| names)
        });
        match opened {
            Ok(names) => Ok(KidIndex { names }),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(path = %path.display(), error, "index of keys is made anew");
                set_aside(&path);
                let names = SqliteQueue::open(&path).map_err(backend)?;
                Ok(KidIndex { names })
            }
        }
    }

    /// The name of the file that holds the key of this id.
    pub(super) fn file_of(&self, kid: &Kid) -> Result<Option<String>> {
        let found = self.names.secret_by_name(&kid.to_string()).map_err(backend)?;
        Ok(found.map(|found| found.value))
    }

    /// Notes that a file holds these keys, before or after it is there.
    ///
    /// # Errors
    /// [`KeyStoreError::KidTaken`] if another file holds one of them.
    pub(super) fn add(&self, file: &str, kids: &[Kid]) -> Result<()> {
        let Some(first) = kids.first() else { return Ok(()) };
        // One entry for each set that the file was to have: of all but the last nothing came.
        let id = format!("keys {file} {first}");
        let names: Vec<String> = kids.iter().map(Kid::to_string).collect();
        match self.names.keep_secret(&id, &names, file).map_err(backend)? {
            Kept::Stored(_) => Ok(()),
            Kept::NameTaken(name) => {
                let taken = Kid::from_hex(&name).ok_or_else(|| backend("a kid is taken"))?;
                Err(KeyStoreError::KidTaken(taken))
            }
        }
    }

    /// Whether all keys of a file are known to be here.
    pub(super) fn is_whole(&self, file: &str) -> Result<bool> {
        let mark = self.names.secret(&mark_of(file)).map_err(backend)?;
        Ok(mark.is_some())
    }

    /// Notes that they are.
    pub(super) fn mark_whole(&self, file: &str) -> Result<()> {
        self.names.keep_secret(&mark_of(file), &[], "").map(drop).map_err(backend)
    }
}

fn mark_of(file: &str) -> String {
    format!("file {file}")
}

/// Whoever has it open goes on with it, and takes what it lacks from the files.
fn set_aside(path: &Path) {
    for ending in ["", "-wal", "-shm", ".made"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let _ = fs::remove_file(PathBuf::from(name));
    }
}
