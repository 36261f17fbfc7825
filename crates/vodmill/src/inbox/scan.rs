//! What lies in an inbox now.

use std::collections::HashSet;
use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use vodmill_pipeline::original::Facts;

use super::unfinished::{is_fetched, is_unfinished};

/// Most things of one inbox that are warned of, and remembered for that.
const WARNINGS: usize = 1000;

/// Lists the originals of one inbox, and warns once of each thing that is not one.
#[derive(Debug, Default)]
pub struct Scanner {
    warned: HashSet<PathBuf>,
}

impl Scanner {
    /// Files directly in `inbox`, sorted by name. Not those that are hidden or still being written
    /// under another name. Sub-folders hold no originals; `own` are those that belong there. Ends
    /// early, with what it has, when `stop` says so.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn list(
        &mut self,
        inbox: &Path,
        own: &[PathBuf],
        stop: impl Fn() -> bool,
    ) -> io::Result<Vec<(PathBuf, Facts)>> {
        let (mut found, mut unfinished) = (Vec::new(), HashSet::new());
        for entry in std::fs::read_dir(inbox)? {
            if stop() {
                break;
            }
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            if is_unfinished(name.as_encoded_bytes()) {
                unfinished.insert(name.as_bytes().to_vec());
                continue;
            }
            if own.contains(&path) {
                continue;
            }
            // Not following links: a dropped link must not lead to the files of others.
            match std::fs::symlink_metadata(&path) {
                Ok(facts) if facts.is_file() => found.push((path, Facts::of(&facts))),
                Ok(facts) => self.warn(path, &facts),
                // It left between the two calls.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        if !unfinished.is_empty() {
            let name = |path: &PathBuf| path.file_name().map(|name| name.as_bytes().to_vec());
            found.retain(|(path, _)| name(path).is_none_or(|name| !is_fetched(&name, &unfinished)));
        }
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found)
    }

    fn warn(&mut self, path: PathBuf, facts: &Metadata) {
        if self.warned.len() >= WARNINGS || self.warned.contains(&path) {
            return;
        }
        let kind = if facts.is_dir() { "folder" } else { "not a regular file" };
        tracing::warn!(path = %path.display(), kind, "ignored in inbox");
        self.warned.insert(path);
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn any_name_is_found_but_hidden_unfinished_and_linked_ones() {
        let inbox = tempfile::tempdir().expect("scratch");
        let taken: [&[u8]; 5] =
            [b"-dash.mp4", b"100%.mov", "\u{e5} b.mp4".as_bytes(), b"a b", b"\xff.ts"];
        let left: [&[u8]; 6] =
            [b".hidden.mp4", b"a.mp4.part", b"b.crdownload", b"c.mp4~", b"d.ts", b"d.ts.aria2"];
        for name in taken.iter().chain(&left) {
            std::fs::write(inbox.path().join(OsStr::from_bytes(name)), "x").expect("write");
        }
        std::os::unix::fs::symlink("/etc/hosts", inbox.path().join("link.mp4")).expect("link");
        std::fs::create_dir_all(inbox.path().join("done/deep")).expect("folder");
        let found = Scanner::default().list(inbox.path(), &[], || false).expect("list");
        let mut names: Vec<&[u8]> = taken.to_vec();
        names.sort_unstable();
        let found: Vec<&[u8]> =
            found.iter().filter_map(|(path, _)| path.file_name()).map(OsStr::as_bytes).collect();
        assert_eq!(found, names);
    }
}
