//! Files of the key store: private, and there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use vodmill_fault::point;

/// Creates a private file durably, unless it is there already.
pub(super) fn create_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = hidden_name(path);
    let linked = write(&part, bytes).and_then(|()| match fs::hard_link(&part, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let linked = linked.and_then(|()| point!("keys.linked"));
    // Whatever came of it, the hidden name has had its time.
    let removed = fs::remove_file(&part);
    linked.and(removed)?;
    sync_folder(path)
}

/// Replaces a private file durably.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = hidden_name(path);
    let replaced = write(&part, bytes)
        .and_then(|()| fs::rename(&part, path))
        .and_then(|()| point!("keys.renamed"));
    if replaced.is_err() {
        let _ = fs::remove_file(&part);
    }
    replaced.and_then(|()| sync_folder(path))
}

/// A name that no other writer has.
fn hidden_name(path: &Path) -> PathBuf {
    static WRITERS: AtomicU64 = AtomicU64::new(0);
    let writer = WRITERS.fetch_add(1, Ordering::Relaxed);
    let part = crate::file::unfinished(path, &writer.to_string());
    // Of a process that had this id before.
    let _ = fs::remove_file(&part);
    part
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    point!("keys.written")
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
