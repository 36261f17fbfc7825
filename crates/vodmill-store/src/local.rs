//! A store in a directory.
//!
//! An object is written beside its place under a hidden name, synced, and renamed. A tree is
//! renamed as a whole; where it lies on another file system it is first copied beside its place.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Result, StoreError};
use crate::{Entry, Key, Store, Tree};

/// Names that begin so are unfinished work and never objects.
const HIDDEN: &str = ".vodmill-";

/// Objects as files under a root directory, which is made on the first write.
#[derive(Clone, Debug)]
pub struct LocalStore {
    root: PathBuf,
}

impl LocalStore {
    /// The store in `root`. Touches nothing.
    pub fn new(root: impl Into<PathBuf>) -> LocalStore {
        LocalStore { root: root.into() }
    }

    /// Where `key` is on disk.
    pub fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// The place of `key` and the hidden one beside it, their directory made.
    fn place(&self, key: &Key) -> Result<(PathBuf, PathBuf)> {
        let path = self.path(key);
        let parent = path.parent().unwrap_or(&self.root).to_owned();
        fs::create_dir_all(&parent).map_err(StoreError::io("create folder", parent.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        remove_orphans(&parent, &name);
        Ok((path, parent.join(format!("{HIDDEN}{}-{name}", std::process::id()))))
    }
}

impl Store for LocalStore {
    fn put(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        let (path, hidden) = self.place(key)?;
        let written = write_synced(&hidden, bytes).and_then(|()| fs::rename(&hidden, &path));
        if written.is_err() {
            // The hidden file has no value; the error that is reported is the write's.
            let _ = fs::remove_file(&hidden);
        }
        written.and_then(|()| sync_parents(&path, &self.root)).map_err(StoreError::io("put", key))
    }

    fn put_tree(&self, prefix: &Key, dir: &Path) -> Result<Tree> {
        let (path, hidden) = self.place(prefix)?;
        if path.exists() {
            remove_dir(dir).map_err(StoreError::io("remove", dir.display()))?;
            return Ok(Tree::AlreadyThere);
        }
        files_of(dir)?;
        sync_file_system(dir).map_err(StoreError::io("sync", dir.display()))?;
        match fs::rename(dir, &path) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                let copied = copy_tree(dir, &hidden, &path);
                if copied.is_err() {
                    // Most likely the disk is full, and nobody else would make room.
                    let _ = remove_dir(&hidden);
                }
                copied.map_err(StoreError::io("copy", dir.display()))?;
                remove_dir(dir).map_err(StoreError::io("remove", dir.display()))?;
            }
            renamed => renamed.map_err(StoreError::io("publish", prefix))?,
        }
        sync_parents(&path, &self.root).map_err(StoreError::io("sync", prefix))?;
        Ok(Tree::Stored)
    }

    fn get(&self, key: &Key) -> Result<Vec<u8>> {
        fs::read(self.path(key)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::NotFound(key.to_string()),
            _ => StoreError::Io { operation: "get", object: key.to_string(), source: error },
        })
    }

    fn list(&self, prefix: &Key) -> Result<Vec<Entry>> {
        let dir = self.path(prefix);
        if !dir.is_dir() {
            return Ok(Vec::new());
        }
        let entry = |(name, path): (String, PathBuf)| {
            let bytes = fs::metadata(&path).map_err(StoreError::io("list", path.display()))?.len();
            Ok(Entry { key: prefix.join(&name)?, bytes })
        };
        files_of(&dir)?.into_iter().map(entry).collect()
    }

    fn remove(&self, prefix: &Key) -> Result<()> {
        remove_dir(&self.path(prefix)).map_err(StoreError::io("remove", prefix))
    }
}

/// The plain files below `dir`, each with its name from there, sorted by name.
pub(crate) fn files_of(dir: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    let mut folders = vec![(String::new(), dir.to_owned())];
    while let Some((prefix, folder)) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(StoreError::io("list", folder.display()))?;
        for entry in entries {
            let entry = entry.map_err(StoreError::io("list", folder.display()))?;
            let not_object = || StoreError::NotAnObject(entry.path().display().to_string());
            let name = entry.file_name().into_string().map_err(|_| not_object())?;
            let kind =
                entry.file_type().map_err(StoreError::io("look at", entry.path().display()))?;
            match (kind.is_dir(), kind.is_file()) {
                _ if name.starts_with(HIDDEN) => {}
                (true, _) => folders.push((format!("{prefix}{name}/"), entry.path())),
                (_, true) => files.push((format!("{prefix}{name}"), entry.path())),
                _ => return Err(not_object()),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Removes what processes that are gone left unfinished beside the place of `name`. On a file system
/// that several machines share, one may so lose what it is writing: its write fails then, whole.
fn remove_orphans(parent: &Path, name: &str) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let file = entry.file_name();
        let writer = file.to_str().and_then(|file| file.strip_prefix(HIDDEN)?.split_once('-'));
        let Some((process, of)) = writer else { continue };
        if of == name && !Path::new("/proc").join(process).exists() {
            let _ = fs::remove_file(entry.path()).or_else(|_| remove_dir(&entry.path()));
        }
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// One sync for thousands of files: they were all written moments ago.
fn sync_file_system(dir: &Path) -> io::Result<()> {
    rustix::fs::syncfs(File::open(dir)?)?;
    Ok(())
}

/// Syncs the folders from the one that holds `path` up to the one that holds `root`, so that the
/// new names, the folders' own among them, survive a crash.
fn sync_parents(path: &Path, root: &Path) -> io::Result<()> {
    let above_root = root.parent().unwrap_or(root);
    for folder in path.ancestors().skip(1) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
        if folder == above_root || !folder.starts_with(root) {
            break;
        }
    }
    Ok(())
}

fn copy_tree(from: &Path, hidden: &Path, to: &Path) -> io::Result<()> {
    remove_dir(hidden)?;
    for (name, path) in files_of(from).map_err(io::Error::other)? {
        let target = hidden.join(name);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(path, target)?;
    }
    sync_file_system(hidden)?;
    fs::rename(hidden, to)
}

pub(crate) fn remove_dir(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
