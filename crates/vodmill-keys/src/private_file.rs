//! Files with secrets: private, and there whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use vodmill_fault::point;

/// Creates a private file durably, unless it is there already.
///
/// # Errors
/// If it cannot be written.
pub fn create_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
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
///
/// # Errors
/// If it cannot be written.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
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
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}-{writer}.part", process::id()));
    let part = path.with_file_name(name);
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

/// Removes from a folder what processes that are gone left there under hidden names.
pub(crate) fn remove_orphans(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let writer = name.to_str().and_then(writer_of);
        if writer.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The process that a hidden name belongs to.
fn writer_of(name: &str) -> Option<&str> {
    let (_, writer) = name.strip_prefix('.')?.strip_suffix(".part")?.rsplit_once('.')?;
    let (process, _) = writer.split_once('-')?;
    let is_number = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(process)
}
