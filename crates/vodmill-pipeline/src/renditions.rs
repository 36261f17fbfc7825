//! Renditions: what was encoded, clear and private, found again by what made it.
//!
//! A rendition is complete when its facts stand beside it; they are written last. So a chunk that
//! was encoded once, by whichever job and before whichever crash, is not encoded again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;
use vodmill_model::Failed;

use crate::file::{failed, make_dir, sync_and_finish, unfinished, write_durably};

/// The renditions below one folder.
#[derive(Debug)]
pub(crate) struct Renditions {
    root: PathBuf,
    /// Held while one is found, and while they are evicted: one that a job has found stays.
    finding: Mutex<()>,
}

impl Renditions {
    pub(crate) fn new(root: PathBuf) -> Renditions {
        Renditions { root, finding: Mutex::default() }
    }

    /// Where the rendition of that digest is, or will be.
    pub(crate) fn path(&self, digest: &str) -> PathBuf {
        self.root.join(&digest[..2]).join(format!("{digest}.media"))
    }

    fn facts_path(&self, digest: &str) -> PathBuf {
        self.path(digest).with_extension("json")
    }

    /// A place for `writer` to write it to; its folder is made. Two jobs may make the same
    /// rendition at the same time, each in its own place.
    pub(crate) fn part(&self, digest: &str, writer: &str) -> Result<PathBuf, Failed> {
        let path = self.path(digest);
        make_dir(path.parent().unwrap_or(&self.root))?;
        Ok(unfinished(&path, writer))
    }

    /// What is known of it, if it is complete; marks it as used now.
    pub(crate) fn facts<T: DeserializeOwned>(&self, digest: &str) -> Option<T> {
        let _found_or_evicted = self.finding.lock().unwrap_or_else(PoisonError::into_inner);
        let facts = fs::read(self.facts_path(digest)).ok()?;
        let file = File::open(self.path(digest)).ok()?;
        // Only the order of eviction depends on it.
        let _ = file.set_modified(SystemTime::now());
        serde_json::from_slice(&facts).ok()
    }

    /// Makes what was written to [`part`](Renditions::part) the rendition.
    pub(crate) fn complete(
        &self,
        digest: &str,
        writer: &str,
        facts: &impl Serialize,
    ) -> Result<(), Failed> {
        let path = self.path(digest);
        sync_and_finish(&unfinished(&path, writer), &path)?;
        let facts_path = self.facts_path(digest);
        let json = serde_json::to_vec(facts).map_err(failed("describe", &facts_path))?;
        write_durably(&facts_path, &json)
    }

    /// Forgets what `writer` has not completed.
    pub(crate) fn discard(&self, digest: &str, writer: &str) {
        // Often it was never begun; what cannot be removed goes at the next start.
        let _ = fs::remove_file(unfinished(&self.path(digest), writer));
    }

    /// Removes what processes that are gone did not complete: only for the one that has the folder
    /// to itself, before it begins.
    pub(crate) fn remove_unfinished(&self) -> Result<(), Failed> {
        for (path, _, _) in self.all()? {
            if is_unfinished(&path) {
                fs::remove_file(&path).map_err(failed("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Removes the renditions that were used longest ago until `keep` bytes are left, sparing all
    /// that were used since the time that `spare` gives.
    pub(crate) fn evict(
        &self,
        keep: u64,
        spare: impl FnOnce() -> crate::Result<SystemTime>,
    ) -> crate::Result<()> {
        let _found_or_evicted = self.finding.lock().unwrap_or_else(PoisonError::into_inner);
        let spare = spare()?;
        let mut kept = self.all()?;
        kept.retain(|(path, _, _)| !is_unfinished(path));
        kept.sort_by_key(|(_, used, _)| *used);
        let mut total: u64 = kept.iter().map(|(_, _, bytes)| bytes).sum();
        for (path, used, bytes) in kept {
            if used < spare && total > keep {
                // The facts go first: without them a rendition is not complete.
                let _ = fs::remove_file(path.with_extension("json"));
                fs::remove_file(&path).map_err(failed("evict", &path))?;
                total -= bytes;
            }
        }
        Ok(())
    }

    fn all(&self) -> Result<Vec<(PathBuf, SystemTime, u64)>, Failed> {
        let mut found = Vec::new();
        for folder in entries(&self.root)? {
            for path in entries(&folder)? {
                if is_unfinished(&path) || path.extension().is_some_and(|end| end == "media") {
                    let facts = fs::metadata(&path).map_err(failed("look at", &path))?;
                    let used = facts.modified().map_err(failed("look at", &path))?;
                    found.push((path, used, facts.len()));
                }
            }
        }
        Ok(found)
    }
}

fn is_unfinished(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "part")
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failed> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let list = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    Ok(list.map_err(failed("list", folder))?.into_iter().map(|entry| entry.path()).collect())
}
