//! Write, verify, rename: how every file that must survive comes into being.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256, digest};
use vodmill_fault::point;
use vodmill_model::Failed;

use crate::original::hidden;

/// A closure for `map_err` that names the operation and the file.
pub(crate) fn failed<'a, E: std::error::Error + 'static>(
    operation: &'a str,
    path: &'a Path,
) -> impl FnOnce(E) -> Failed + 'a {
    move |error| Failed::from_error(format!("{operation} {}", path.display()), &error)
}

/// A fault point that was ordered to fail is a failure of ours.
pub(crate) fn passed(point: io::Result<()>) -> Result<(), Failed> {
    point.map_err(|error| Failed::from_error("pass", &error))
}

/// Makes a folder and those above it, as open as the umask has it: for others than us too.
pub(crate) fn make_dir(path: &Path) -> Result<(), Failed> {
    fs::create_dir_all(path).map_err(failed("create folder", path))
}

/// Makes a folder and those above it that nobody else gets into.
pub(crate) fn make_private_dir(path: &Path) -> Result<(), Failed> {
    vodmill_secret::make_dir(path).map_err(failed("create folder", path))
}

/// Removes a folder with all in it; one that is not there is no error.
pub(crate) fn remove_dir(path: &Path) -> Result<(), Failed> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(failed("remove folder", path)),
    }
}

/// The hidden name that a file has until it is whole; `writer` tells writers of one process apart.
pub(crate) fn unfinished(path: &Path, writer: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    let end = format!(".{}-{writer}.part", std::process::id());
    path.with_file_name(hidden(name, &end))
}

/// Removes what processes that are gone left under such names in a folder.
pub(crate) fn remove_orphans(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let hidden = name.to_str().and_then(|name| name.strip_prefix('.')?.strip_suffix(".part"));
        let Some((_, writer)) = hidden.and_then(|name| name.rsplit_once('.')) else { continue };
        let Some((process, _)) = writer.split_once('-') else { continue };
        let is_process = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
        if is_process && !Path::new("/proc").join(process).exists() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes a file so that it is there whole, durably, or not at all.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), Failed> {
    remove_orphans(path.parent().unwrap_or(Path::new(".")));
    let part = unfinished(path, "0");
    let written = File::create(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        point!("file.written")?;
        file.sync_all()?;
        point!("file.synced")
    });
    if written.is_err() {
        // Most likely the disk is full, and nobody else would make room.
        let _ = fs::remove_file(&part);
    }
    written.map_err(failed("write", &part))?;
    finish(&part, path)?;
    passed(point!("file.renamed"))
}

/// Gives a synced file its name, durably.
pub(crate) fn finish(part: &Path, path: &Path) -> Result<(), Failed> {
    fs::rename(part, path).map_err(failed("rename to", path))?;
    sync_parent(path)
}

/// Every file below a folder, by its name from there, in no order.
pub(crate) fn files_below(root: &Path) -> Result<Vec<String>, Failed> {
    let mut names = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        let entries = fs::read_dir(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        for entry in entries.map_err(failed("list", &path))? {
            let name = format!("{folder}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().map_err(failed("look at", &entry.path()))?;
            // A link to a folder is no folder of ours.
            if kind.is_dir() { folders.push(format!("{name}/")) } else { names.push(name) }
        }
    }
    Ok(names)
}

pub(crate) fn sync_parent(path: &Path) -> Result<(), Failed> {
    let parent = path.parent().unwrap_or(Path::new("."));
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(failed("sync", parent))
}

/// SHA-256 as 64 hex digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

/// Size and SHA-256 of a file, read once with bounded memory.
pub(crate) fn measure(path: &Path) -> Result<(u64, String), Failed> {
    let mut file = File::open(path).map_err(failed("open", path))?;
    let mut hash = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer).map_err(failed("read", path))?;
        if count == 0 {
            return Ok((bytes, hex::encode(hash.finish())));
        }
        hash.update(&buffer[..count]);
        bytes += count as u64;
    }
}
