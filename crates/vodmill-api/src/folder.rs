//! Folders of published packages on this machine.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;

/// First parts of paths that are no folder's.
const RESERVED: [&str; 7] = ["k", "v", "v1", "gate", "play", "hls.js", "player.js"];

/// Assets may be named with slashes, but not with more.
const DEEPEST: usize = 4;

/// A folder of published packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The first part of the paths under which it is served.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

impl Folder {
    /// Folders for these destinations, each named by its last part, made unique where need be.
    pub fn name_all(destinations: impl IntoIterator<Item = PathBuf>) -> Vec<Folder> {
        let mut folders: Vec<Folder> = Vec::new();
        for path in destinations {
            if folders.iter().any(|folder| folder.path == path) {
                continue;
            }
            let last = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let wanted = last.unwrap_or_else(|| "published".to_owned());
            let taken = |name: &str| {
                RESERVED.contains(&name) || folders.iter().any(|folder| folder.name == name)
            };
            let mut name = wanted.clone();
            let mut number = 2;
            while taken(&name) {
                name = format!("{wanted}-{number}");
                number += 1;
            }
            folders.push(Folder { name, path });
        }
        folders
    }

    /// The plain file of that name; None if there is none. No link below the folder is followed, so
    /// that nothing outside is reached; and nothing waits for the writer of a pipe.
    pub(crate) fn open(&self, name: &str) -> io::Result<Option<File>> {
        match self.walk_to(name) {
            Ok(file) => {
                let file = File::from(file);
                Ok(file.metadata()?.is_file().then_some(file))
            }
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG | Errno::NXIO) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn walk_to(&self, name: &str) -> rustix::io::Result<OwnedFd> {
        let to_folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let (folders, file) = name.rsplit_once('/').map_or((None, name), |(a, b)| (Some(a), b));
        if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(Errno::NOENT);
        }
        let mut folder = open(&self.path, to_folder, Mode::empty())?;
        for part in folders.into_iter().flat_map(|folders| folders.split('/')) {
            folder = openat(&folder, part, to_folder | OFlags::NOFOLLOW, Mode::empty())?;
        }
        let end = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        openat(&folder, file, end, Mode::empty())
    }

    /// The bytes of the plain file of that name.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(mut file) = self.open(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}

/// Names of the assets that are published below `folder`, sorted.
pub fn published(folder: &Path) -> Vec<String> {
    assets(folder, "", DEEPEST)
}

/// Names of the assets below `folder`, sorted: directories that hold an `asset.json`. Links are not
/// followed.
fn assets(folder: &Path, prefix: &str, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let file_name = entry.file_name();
        let Some(name) = file_name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let name = format!("{prefix}{name}");
        if entry.path().join("asset.json").is_file() {
            found.push(name);
        } else if depth > 1 {
            found.extend(assets(&entry.path(), &format!("{name}/"), depth - 1));
        }
    }
    found.sort();
    found
}
