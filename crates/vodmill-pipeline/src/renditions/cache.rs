//! Files of a shared store that this worker has seen, kept for a while: most of what a task needs
//! was made or fetched here a moment ago.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::file::{make_private_dir, sha256};

/// Files by name, in a folder of bounded size. A user links a file to a place of its own, so that
/// nothing is taken away under its hands.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    /// Most bytes that it holds.
    bytes: u64,
    /// Held while room is made.
    sweeping: Mutex<()>,
}

impl Cache {
    pub(crate) fn new(folder: PathBuf, bytes: u64) -> Cache {
        Cache { folder, bytes, sweeping: Mutex::default() }
    }

    /// Remembers `file`. What cannot be remembered is fetched again: no error.
    pub(crate) fn keep(&self, name: &str, file: &Path) {
        if make_private_dir(&self.folder).is_ok() && fs::hard_link(file, self.path(name)).is_ok() {
            self.make_room();
        }
    }

    /// Links the file of that name and size to `to`; false if it is not here.
    pub(crate) fn link(&self, name: &str, bytes: u64, to: &Path) -> bool {
        let path = self.path(name);
        let is_whole = fs::metadata(&path).is_ok_and(|facts| facts.len() == bytes);
        if !is_whole || fs::hard_link(&path, to).is_err() {
            return false;
        }
        // Only the order in which files leave depends on it.
        let _ = fs::File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        true
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(&sha256(name.as_bytes())[..32])
    }

    fn make_room(&self) {
        let _one_at_a_time = self.sweeping.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let facts = entry.metadata().ok()?;
                Some((facts.modified().ok()?, facts.len(), entry.path()))
            })
            .collect();
        files.sort();
        let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in files {
            if total <= self.bytes {
                return;
            }
            // It may have left by itself.
            let _ = fs::remove_file(path);
            total -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_youngest_within_its_bounds() {
        let dir = tempfile::tempdir().expect("scratch");
        let cache = Cache::new(dir.path().join("cache"), 10);
        for (age, name) in [(3, "a"), (2, "b"), (1, "c")] {
            let file = dir.path().join(name);
            fs::write(&file, "12345").expect("write");
            let then = SystemTime::now() - std::time::Duration::from_secs(age);
            fs::File::open(&file).and_then(|file| file.set_modified(then)).expect("date");
            cache.keep(name, &file);
        }
        let got = |name: &str| cache.link(name, 5, &dir.path().join(format!("got-{name}")));
        assert_eq!([got("a"), got("b"), got("c")], [false, true, true]);
        assert!(!cache.link("b", 4, &dir.path().join("other")), "a torn file is none");
    }
}
