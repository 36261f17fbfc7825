//! The local side: every plain file below a folder, with what tells whether it has changed.

use std::collections::HashSet;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Result, SyncError};
use super::filter::Filter;

/// S3's limit on the bytes of a key.
const LONGEST_KEY: usize = 1024;

/// What a file system says about a file. Whoever writes to a file, replaces it or sets its times
/// changes one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// Size in bytes.
    #[serde(rename = "s")]
    pub bytes: u64,
    /// When the content was last changed, in nanoseconds since 1970; a program can set it.
    #[serde(rename = "m")]
    pub mtime: i64,
    /// When the inode was last changed, in nanoseconds since 1970; no program can set it.
    #[serde(rename = "c")]
    pub ctime: i64,
    /// The inode's number.
    #[serde(rename = "i")]
    pub inode: u64,
}

impl Stamp {
    /// The stamp of the plain file at `path`; links are not followed.
    pub fn of(path: &Path) -> io::Result<Stamp> {
        let metadata = path.symlink_metadata()?;
        match metadata.is_file() {
            true => Ok(Stamp::from(&metadata)),
            false => Err(io::Error::other("it is no plain file any more")),
        }
    }
}

impl From<&Metadata> for Stamp {
    fn from(of: &Metadata) -> Stamp {
        let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000) + rest;
        Stamp {
            bytes: of.len(),
            mtime: nanoseconds(of.mtime(), of.mtime_nsec()),
            ctime: nanoseconds(of.ctime(), of.ctime_nsec()),
            inode: of.ino(),
        }
    }
}

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalFile {
    /// Its name below the folder, with `/` between parts.
    pub name: String,
    pub(super) stamp: Stamp,
}

impl LocalFile {
    /// Its size.
    pub fn bytes(&self) -> u64 {
        self.stamp.bytes
    }
}

/// Something in the folder that becomes no object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its name below the folder.
    pub name: String,
    /// Why.
    pub why: Why,
}

/// Why something in the folder becomes no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Where a link leads may be outside the folder.
    #[error("symbolic links are not followed")]
    Link,
    /// A socket, a pipe or a device.
    #[error("not a plain file")]
    Special,
    /// Not UTF-8, with control characters, or too long.
    #[error("its name cannot be a key: keys are UTF-8 without control characters, to 1024 bytes")]
    Name,
}

/// All files of the folder.
#[derive(Debug, Default)]
pub struct Tree {
    /// In the order of their names.
    pub files: Vec<LocalFile>,
    /// What was left out, filtered files aside.
    pub skipped: Vec<Skipped>,
    /// How many files the caller left alone.
    pub left_out: usize,
}

impl Tree {
    /// Whether there is a file of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Whether this name, or a folder above it, was left out.
    pub(super) fn skips(&self, name: &str) -> bool {
        let skips = |name: &str| {
            self.skipped.binary_search_by(|skipped| skipped.name.as_str().cmp(name)).is_ok()
        };
        skips(name) || name.match_indices('/').any(|(at, _)| skips(&name[..at]))
    }

    pub(super) fn find(&self, name: &str) -> Option<&LocalFile> {
        let at = self.files.binary_search_by(|file| file.name.as_str().cmp(name)).ok()?;
        self.files.get(at)
    }
}

/// Looks at everything below `dir`. A folder that cannot be read is an error, since its files would
/// else pass for deleted. `prefix` counts for the length of keys only.
pub(super) fn walk(
    dir: &Path,
    prefix: &str,
    filter: &Filter,
    leave_out: &dyn Fn(&str) -> bool,
) -> Result<Tree> {
    let mut walk = Walk { prefix: prefix.len(), filter, leave_out, tree: Tree::default() };
    // Depth is bounded by what a path can hold; folders wait here, not on the stack.
    let mut waiting = vec![(dir.to_path_buf(), String::new())];
    let mut seen = HashSet::new();
    while let Some((path, name)) = waiting.pop() {
        // A folder that is mounted below itself would never end.
        let metadata = path.metadata().map_err(SyncError::local("look at", &path))?;
        if seen.insert((metadata.dev(), metadata.ino())) {
            walk.folder(&path, &name, &mut waiting)?;
        }
    }
    walk.tree.files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    walk.tree.skipped.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(walk.tree)
}

struct Walk<'a> {
    prefix: usize,
    filter: &'a Filter,
    leave_out: &'a dyn Fn(&str) -> bool,
    tree: Tree,
}

impl Walk<'_> {
    fn folder(
        &mut self,
        path: &Path,
        name: &str,
        waiting: &mut Vec<(PathBuf, String)>,
    ) -> Result<()> {
        let list = SyncError::local("list", path);
        for entry in path.read_dir().map_err(list)? {
            let entry = entry.map_err(SyncError::local("list", path))?;
            let own = entry.file_name();
            let full = |own: &str| match name {
                "" => own.to_owned(),
                _ => format!("{name}/{own}"),
            };
            let Some(full_name) = own.to_str().map(full) else {
                self.skip(full(&own.to_string_lossy()), Why::Name);
                continue;
            };
            // It may have gone since it was listed.
            match entry.metadata() {
                Ok(it) if it.is_dir() && self.filter.prunes(&full_name) => {}
                Ok(it) if it.is_dir() => waiting.push((entry.path(), full_name)),
                Ok(it) => self.leaf(full_name, &it),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(SyncError::local("look at", entry.path())(error)),
            }
        }
        Ok(())
    }

    fn leaf(&mut self, name: String, metadata: &Metadata) {
        if !self.filter.allows(&name) {
            return;
        }
        if (self.leave_out)(&name) {
            self.tree.left_out += 1;
            return;
        }
        let too_long = self.prefix + name.len() > LONGEST_KEY;
        match () {
            () if metadata.is_symlink() => self.skip(name, Why::Link),
            () if !metadata.is_file() => self.skip(name, Why::Special),
            () if too_long || name.contains(char::is_control) => self.skip(name, Why::Name),
            () => self.tree.files.push(LocalFile { name, stamp: Stamp::from(metadata) }),
        }
    }

    fn skip(&mut self, name: String, why: Why) {
        self.tree.skipped.push(Skipped { name, why });
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn plain_files_in_order_and_the_rest_with_its_reason() {
        let dir = tempfile::tempdir().expect("scratch");
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("b/c")).expect("folders");
        for name in ["b/c/z", "b.txt", "a b+%ü", "new\nline", "b/old.bak"] {
            fs::write(at(name), name).expect("file");
        }
        std::os::unix::fs::symlink("/etc", at("b/link")).expect("link");
        let filter = Filter::new(&["*.bak".to_owned()], &[]).expect("filter");
        let tree = walk(dir.path(), "", &filter, &|_| false).expect("walk");
        let names: Vec<&str> = tree.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a b+%ü", "b.txt", "b/c/z"]);
        assert!(tree.contains("b/c/z") && !tree.contains("b/c"));
        let skipped = |name: &str, why| Skipped { name: name.to_owned(), why };
        assert_eq!(tree.skipped, [skipped("b/link", Why::Link), skipped("new\nline", Why::Name)]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let dir = tempfile::tempdir().expect("scratch");
        let filter = Filter::new(&[], &[]).expect("filter");
        assert!(walk(&dir.path().join("gone"), "", &filter, &|_| false).is_err());
    }

    #[test]
    fn a_stamp_tells_an_edit_whose_time_was_set_back() {
        let dir = tempfile::tempdir().expect("scratch");
        let path = dir.path().join("a");
        fs::write(&path, "one").expect("file");
        let before = Stamp::of(&path).expect("stamp");
        let time = fs::metadata(&path).and_then(|it| it.modified()).expect("time");
        // The clock of a file system ticks every few milliseconds: until it does, nothing tells.
        let after = loop {
            fs::write(&path, "two").expect("edit");
            let file = fs::File::options().write(true).open(&path).expect("open");
            file.set_modified(time).expect("set back");
            let after = Stamp::of(&path).expect("stamp");
            if after != before {
                break after;
            }
        };
        assert_eq!((after.bytes, after.mtime), (before.bytes, before.mtime));
    }
}
