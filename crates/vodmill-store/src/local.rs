//! A store in a directory.
//!
//! An object is written beside its place under a hidden name, synced, and renamed. Files of the
//! same file system are renamed into their place after one sync for all of them.

mod durable;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use vodmill_fault::point;

use durable::{sync_file_systems, sync_parents};

use crate::access::{Access, create_private};
use crate::error::{Result, StoreError};
use crate::{Entry, Expected, Headers, Key, PendingUpload, PutOutcome, Store, Upload};

/// Names that begin so are unfinished work and never objects.
const HIDDEN: &str = ".vodmill-";

/// Tells the writers of one process apart.
static WRITERS: AtomicU64 = AtomicU64::new(0);

/// Objects as files under a root directory, which is made on the first write. It has no place for
/// headers: the server of the directory sets them.
#[derive(Clone, Debug)]
pub struct LocalStore {
    root: PathBuf,
    access: Access,
}

impl LocalStore {
    /// The store in `root`, for every account to read: a web server's, say. Touches nothing.
    pub fn new(root: impl Into<PathBuf>) -> LocalStore {
        LocalStore { root: root.into(), access: Access::All }
    }

    /// As [`new`](Self::new), for the account of this process alone.
    pub fn private(root: impl Into<PathBuf>) -> LocalStore {
        LocalStore { root: root.into(), access: Access::Owner }
    }

    /// Where `key` is on disk.
    pub fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// The place of `key` and the hidden one beside it, their directory made.
    fn place(&self, key: &Key) -> Result<(PathBuf, PathBuf)> {
        let path = self.without_links(key)?;
        let parent = path.parent().unwrap_or(&self.root).to_owned();
        let made = self.access.make_dirs(&parent);
        made.map_err(StoreError::io("create folder", parent.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        remove_orphans(&parent, &name);
        let writer = WRITERS.fetch_add(1, Ordering::Relaxed);
        Ok((path, parent.join(format!("{HIDDEN}{}-{writer}-{name}", std::process::id()))))
    }

    /// Where `key` is on disk. Below the root nothing is a link: it could lead anywhere.
    fn without_links(&self, key: &Key) -> Result<PathBuf> {
        let mut path = self.root.clone();
        for part in key.as_str().split('/') {
            path.push(part);
            match fs::symlink_metadata(&path) {
                Ok(facts) if facts.is_symlink() => {
                    return Err(StoreError::Link(path.display().to_string()));
                }
                Ok(_) => {}
                // What cannot be looked at fails where it is used.
                Err(_) => break,
            }
        }
        Ok(self.path(key))
    }

    fn write(&self, path: &Path, hidden: &Path, bytes: &[u8]) -> io::Result<()> {
        let written =
            write_synced(hidden, bytes, self.access).and_then(|()| fs::rename(hidden, path));
        if written.is_err() {
            // The hidden file has no value; the error that is reported is the write's.
            let _ = fs::remove_file(hidden);
        }
        written?;
        point!("store.put.renamed")?;
        sync_parents(path, &self.root)?;
        point!("store.put.durable")
    }

    /// Whether an earlier call took the file: then its object is there.
    fn was_taken(&self, upload: &Upload) -> bool {
        let is_there = fs::metadata(self.path(&upload.key));
        !upload.file.exists() && is_there.is_ok_and(|facts| facts.len() == upload.bytes)
    }

    fn take(&self, upload: &Upload) -> Result<()> {
        let (path, hidden) = self.place(&upload.key)?;
        let fault = |error| StoreError::io("put", &upload.key)(error);
        self.access.give(&upload.file).map_err(fault)?;
        match fs::rename(&upload.file, &path) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                let copied = copy(&upload.file, &hidden)
                    .and_then(|()| point!("store.files.copied"))
                    .and_then(|()| fs::rename(&hidden, &path));
                if copied.is_err() {
                    // Most likely the disk is full: this makes room.
                    let _ = fs::remove_file(&hidden);
                }
                copied.and_then(|()| fs::remove_file(&upload.file)).map_err(fault)
            }
            renamed => renamed.map_err(fault),
        }
    }
}

impl Store for LocalStore {
    fn put(&self, key: &Key, bytes: &[u8], _headers: &Headers) -> Result<()> {
        let (path, hidden) = self.place(key)?;
        let _turn = turn(&path).map_err(StoreError::io("lock", key))?;
        self.write(&path, &hidden, bytes).map_err(StoreError::io("put", key))
    }

    fn put_if(
        &self,
        key: &Key,
        bytes: &[u8],
        _headers: &Headers,
        expected: &Expected,
    ) -> Result<PutOutcome> {
        let (path, hidden) = self.place(key)?;
        let _turn = turn(&path).map_err(StoreError::io("lock", key))?;
        if version(&path).map_err(StoreError::io("look at", key))? != *expected {
            return Ok(PutOutcome::Refused);
        }
        point!("store.put.looked").map_err(StoreError::io("put", key))?;
        let written = self.write(&path, &hidden, bytes);
        written.map(|()| PutOutcome::Stored).map_err(StoreError::io("put", key))
    }

    fn put_files(&self, files: &[Upload]) -> Result<()> {
        let files: Vec<_> = files.iter().filter(|upload| !self.was_taken(upload)).collect();
        for upload in &files {
            check_size(upload)?;
        }
        sync_file_systems(files.iter().map(|upload| upload.file.as_path()))?;
        let fault = |error| StoreError::io("put files to", self.root.display())(error);
        point!("store.files.synced").map_err(fault)?;
        let mut folders = BTreeSet::new();
        for upload in &files {
            self.take(upload)?;
            point!("store.files.renamed").map_err(fault)?;
            folders.insert(self.path(&upload.key).parent().map(Path::to_owned));
        }
        for folder in folders.into_iter().flatten() {
            // Any name in it will do: it is the folder, and those above it, that are synced.
            sync_parents(&folder.join("any"), &self.root)
                .map_err(StoreError::io("sync", folder.display()))?;
        }
        point!("store.files.durable").map_err(fault)
    }

    fn get(&self, key: &Key) -> Result<Vec<u8>> {
        fs::read(self.without_links(key)?).map_err(not_found("get", key))
    }

    fn get_version(&self, key: &Key) -> Result<(Vec<u8>, Expected)> {
        let path = self.without_links(key)?;
        let _turn = turn(&path).map_err(not_found("get", key))?;
        let version = version(&path).map_err(StoreError::io("look at", key))?;
        Ok((self.get(key)?, version))
    }

    fn get_file(&self, key: &Key, path: &Path) -> Result<()> {
        let object = File::open(self.path(key)).map_err(not_found("get", key))?;
        let file = create_private(path).map_err(StoreError::io("create", path.display()))?;
        copy_bytes(object, file).map_err(StoreError::io("get", key))
    }

    fn file(&self, key: &Key) -> Option<PathBuf> {
        Some(self.path(key))
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
        let path = self.path(prefix);
        remove_dir(&path).map_err(StoreError::io("remove", prefix))?;
        // Folders that hold nothing any more are no objects either; one that is in use stays.
        for folder in path.ancestors().skip(1).take_while(|folder| *folder != self.root) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        point!("store.removed").map_err(StoreError::io("remove", prefix))
    }

    fn remove_unfinished(
        &self,
        prefix: Option<&Key>,
        is_over: &dyn Fn(&PendingUpload) -> bool,
    ) -> Result<()> {
        let dir = prefix.map_or_else(|| self.root.clone(), |prefix| self.path(prefix));
        if !dir.is_dir() {
            return Ok(());
        }
        for (name, path) in files_that(&dir, |name| hidden_of(name).is_some())? {
            let (folder, hidden) = name.rsplit_once('/').unwrap_or(("", &name));
            let (_, of) = hidden_of(hidden).unwrap_or_default();
            let of = format!("{folder}/{of}");
            let of = of.trim_start_matches('/');
            let key = prefix.map_or_else(|| Key::new(of), |prefix| prefix.join(of))?;
            let since = fs::metadata(&path).and_then(|facts| facts.modified()).ok();
            if is_over(&PendingUpload { key, since }) {
                remove_file(&path).map_err(StoreError::io("remove", path.display()))?;
            }
        }
        Ok(())
    }

    fn remove_if(&self, key: &Key, expected: &Expected) -> Result<()> {
        let path = self.path(key);
        let fault = |error| StoreError::io("remove", key)(error);
        let _turn = match turn(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            turn => turn.map_err(fault)?,
        };
        if version(&path).map_err(fault)? == *expected {
            remove_file(&path).and_then(|()| sync_parents(&path, &self.root)).map_err(fault)?;
        }
        Ok(())
    }

    fn remove_objects(&self, keys: &[Key]) -> Result<()> {
        for key in keys {
            remove_file(&self.path(key)).map_err(StoreError::io("remove", key))?;
        }
        Ok(())
    }
}

fn not_found<'a>(
    operation: &'static str,
    key: &'a Key,
) -> impl FnOnce(io::Error) -> StoreError + 'a {
    move |error| match error.kind() {
        io::ErrorKind::NotFound => StoreError::NotFound(key.to_string()),
        _ => StoreError::io(operation, key)(error),
    }
}

/// Waits for its turn among those that replace objects in a folder; held until it is dropped.
fn turn(path: &Path) -> io::Result<File> {
    let folder = File::open(path.parent().unwrap_or(Path::new(".")))?;
    rustix::fs::flock(&folder, rustix::fs::FlockOperation::LockExclusive)?;
    Ok(folder)
}

/// Every put makes a file of its own, so its number and time tell it from the one before.
fn version(path: &Path) -> io::Result<Expected> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Expected::Nothing),
        Err(error) => Err(error),
        Ok(facts) => Ok(Expected::Version(format!(
            "{}-{}-{}.{:09}",
            facts.ino(),
            facts.len(),
            facts.mtime(),
            facts.mtime_nsec()
        ))),
    }
}

/// Refuses a file that is not what the caller takes it for.
pub(crate) fn check_size(upload: &Upload) -> Result<()> {
    let name = || upload.file.display();
    let facts = fs::symlink_metadata(&upload.file).map_err(StoreError::io("look at", name()))?;
    if !facts.is_file() {
        return Err(StoreError::NotAnObject(name().to_string()));
    }
    if facts.len() != upload.bytes {
        let wrong = format!("{} bytes instead of {}", facts.len(), upload.bytes);
        return Err(StoreError::io("put", name())(io::Error::other(wrong)));
    }
    Ok(())
}

/// The plain files below `dir`, each with its name from there, sorted by name.
pub(crate) fn files_of(dir: &Path) -> Result<Vec<(String, PathBuf)>> {
    files_that(dir, |name| !name.starts_with(HIDDEN))
}

/// As [`files_of`], of the names that are `wanted`. Other hidden ones are passed over.
fn files_that(dir: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<(String, PathBuf)>> {
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
                (true, _) if !name.starts_with(HIDDEN) => {
                    folders.push((format!("{prefix}{name}/"), entry.path()));
                }
                _ if !wanted(&name) => {}
                (_, true) => files.push((format!("{prefix}{name}"), entry.path())),
                _ => return Err(not_object()),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The process that writes under a hidden name, and the name that the file is to have.
fn hidden_of(name: &str) -> Option<(&str, &str)> {
    let mut parts = name.strip_prefix(HIDDEN)?.splitn(3, '-');
    let (process, _, of) = (parts.next()?, parts.next()?, parts.next()?);
    Some((process, of))
}

/// One that is not there is no error.
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Removes what processes that are gone left unfinished beside the place of `name`. On a file system
/// that several machines share, one may so lose what it is writing: its write fails then, whole.
fn remove_orphans(parent: &Path, name: &str) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let file = entry.file_name();
        let Some((process, of)) = file.to_str().and_then(hidden_of) else { continue };
        if of == name && !Path::new("/proc").join(process).exists() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn write_synced(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let mut file = File::create(path)?;
    access.give(path)?;
    file.write_all(bytes)?;
    point!("store.put.written")?;
    file.sync_all()?;
    point!("store.put.synced")
}

fn copy_bytes(mut from: File, mut to: File) -> io::Result<()> {
    io::copy(&mut from, &mut to).map(drop)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    File::open(to)?.sync_all()
}

pub(crate) fn remove_dir(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
