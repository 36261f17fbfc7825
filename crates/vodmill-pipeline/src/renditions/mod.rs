//! Renditions: what was encoded, clear and private, found again by what made it.
//!
//! Their bytes lie in the work store, which all workers share; that they are whole, and what is
//! known of them, is a row in the queue's database. The row is written last. So a chunk that was
//! encoded once, by whichever worker, for whichever job and before whichever crash, is not encoded
//! again. Every writer has a place of its own: two that make the same do not meet.

mod cache;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use vodmill_fault::point;
use vodmill_model::Failed;
use vodmill_queue::{Jobs, RenditionIndex, RenditionInfo};
use vodmill_store::{Entry, Headers, Key, PendingUpload, Store, StoreError, Upload};

pub(crate) use cache::Cache;

use crate::file::{failed, passed};
use crate::stage_error::StageError;

/// Prefix of all renditions in the work store.
const PREFIX: &str = "renditions";

/// The renditions of all jobs.
pub(crate) struct Renditions {
    index: Arc<dyn RenditionIndex>,
    jobs: Arc<dyn Jobs>,
    store: Arc<dyn Store>,
    cache: Cache,
}

/// What an attempt has made, under a name of its own.
pub(crate) struct Made<'a> {
    pub digest: &'a str,
    /// The file that it wrote.
    pub file: &'a Path,
    pub job: &'a str,
    /// Tells this attempt from all others.
    pub writer: &'a str,
}

impl Renditions {
    pub(crate) fn new(
        index: Arc<dyn RenditionIndex>,
        jobs: Arc<dyn Jobs>,
        store: Arc<dyn Store>,
        cache: Cache,
    ) -> Renditions {
        Renditions { index, jobs, store, cache }
    }

    /// What is known of a rendition, if it is whole; it counts as used now.
    pub(crate) fn facts<T: DeserializeOwned>(&self, digest: &str) -> Result<Option<T>, StageError> {
        let Some(row) = self.index.rendition(digest)? else { return Ok(None) };
        let key = Key::new(row.place.clone()).map_err(|error| lost(&row, &error))?;
        // A folder can be emptied by hand.
        if self.store.file(&key).is_some_and(|file| !file.is_file()) {
            self.index.forget_rendition(digest, &row.place)?;
            return Ok(None);
        }
        Ok(serde_json::from_str(&row.facts).ok())
    }

    /// Makes what was written the rendition: the bytes first, then the row.
    pub(crate) fn complete(
        &self,
        made: &Made<'_>,
        facts: &impl Serialize,
    ) -> Result<(), StageError> {
        let Made { digest, file, job, writer } = made;
        let stage = || format!("keep rendition {digest}");
        let bytes = fs::metadata(file).map_err(failed("look at", file))?.len();
        let key = Key::new(format!("{PREFIX}/{job}/{digest}-{writer}"))
            .map_err(|error| Failed::from_error(stage(), &error))?;
        let info = RenditionInfo {
            digest: (*digest).to_owned(),
            place: key.to_string(),
            bytes,
            facts: serde_json::to_string(facts).map_err(|e| Failed::from_error(stage(), &e))?,
        };
        if self.store.file(&key).is_none() {
            self.cache.keep(&info.place, file);
        }
        let upload = Upload {
            key: key.clone(),
            file: file.to_path_buf(),
            bytes,
            headers: Headers::default(),
            bulk: false,
        };
        self.store.put_files(&[upload]).map_err(StageError::unavailable(stage()))?;
        passed(point!("rendition.stored"))?;
        let counts = self.index.keep_rendition(&info)?;
        passed(point!("rendition.recorded"))?;
        if counts.place != info.place {
            // Another worker was first. What is left of ours after a crash here is swept later.
            self.store.remove_objects(&[key]).map_err(StageError::unavailable(stage()))?;
        }
        Ok(())
    }

    /// Brings renditions to this machine: their files, by digest. Links are made in `folder`, so
    /// that nothing else takes them away.
    pub(crate) fn fetch(
        &self,
        digests: &[String],
        folder: &Path,
    ) -> Result<BTreeMap<String, PathBuf>, StageError> {
        let mut files = BTreeMap::new();
        for digest in digests {
            files.insert(digest.clone(), self.fetch_one(digest, folder)?);
        }
        Ok(files)
    }

    /// The files of renditions that lie on this machine; none if one of them does not.
    pub(crate) fn files(&self, digests: &[String]) -> crate::Result<Option<Vec<PathBuf>>> {
        let mut files = Vec::new();
        for digest in digests {
            let Some(row) = self.index.rendition(digest)? else { return Ok(None) };
            let file = self.store.file(&Key::new(row.place)?).filter(|file| file.is_file());
            let Some(file) = file else { return Ok(None) };
            files.push(file);
        }
        Ok(Some(files))
    }

    fn fetch_one(&self, digest: &str, folder: &Path) -> Result<PathBuf, StageError> {
        let stage = || format!("fetch rendition {digest}");
        let row = self.index.rendition(digest)?;
        let row = row.ok_or_else(|| Failed::new(stage(), "there is none any more"))?;
        let key = Key::new(row.place.clone()).map_err(|error| lost(&row, &error))?;
        if let Some(file) = self.store.file(&key) {
            return Ok(file);
        }
        let file = folder.join(digest);
        if self.cache.link(&row.place, row.bytes, &file) {
            return Ok(file);
        }
        match self.store.get_file(&key, &file) {
            Err(StoreError::NotFound(_)) => {
                self.index.forget_rendition(digest, &row.place)?;
                return Err(lost(&row, &StoreError::NotFound(row.place.clone())).into());
            }
            got => got.map_err(StageError::unavailable(stage()))?,
        }
        self.cache.keep(&row.place, &file);
        Ok(file)
    }

    /// Removes the renditions that were used longest ago until `keep` bytes are left, sparing what
    /// a job that has not ended may have found.
    pub(crate) fn evict(&self, keep: u64) -> crate::Result<()> {
        let evicted = self.index.evict_renditions(keep)?;
        let keys = evicted.iter().filter_map(|row| Key::new(row.place.clone()).ok());
        self.store.remove_objects(&keys.collect::<Vec<_>>())?;
        Ok(())
    }

    /// Removes what was begun for a job that has ended, and not finished.
    pub(crate) fn abandon(&self, job: &str) -> crate::Result<()> {
        let prefix = Key::new(format!("{PREFIX}/{job}"))?;
        Ok(self.store.remove_unfinished(Some(&prefix), &|_| true)?)
    }

    /// Removes what has no row and no job that may still give it one: bytes that a crash left.
    pub(crate) fn sweep(&self) -> crate::Result<()> {
        self.unfinished(true)?;
        let orphans = self.orphans()?.into_iter().map(|entry| entry.key);
        Ok(self.store.remove_objects(&orphans.collect::<Vec<_>>())?)
    }

    /// What was begun for jobs that have ended, and not finished; it is removed on the way.
    pub(crate) fn unfinished(&self, remove: bool) -> crate::Result<Vec<PendingUpload>> {
        let found = RefCell::new(Vec::new());
        let is_over = |begun: &PendingUpload| {
            // A job that cannot be asked for may be under way.
            let is_over = self.has_ended(job_of(&begun.key)).unwrap_or(false);
            if is_over {
                found.borrow_mut().push(begun.clone());
            }
            is_over && remove
        };
        self.store.remove_unfinished(Some(&Key::new(PREFIX)?), &is_over)?;
        Ok(found.into_inner())
    }

    /// What [`evict`](Renditions::evict) would remove.
    pub(crate) fn evictable(&self, keep: u64) -> crate::Result<Vec<RenditionInfo>> {
        Ok(self.index.evictable_renditions(keep)?)
    }

    /// Bytes without a row whose jobs have ended.
    pub(crate) fn orphans(&self) -> crate::Result<Vec<Entry>> {
        let prefix = Key::new(PREFIX)?;
        // All rows at once: there may be very many, and every worker asks at its start.
        let known: HashSet<String> = self.index.rendition_places(PREFIX)?.into_iter().collect();
        let mut orphans = Vec::new();
        for entry in self.store.list(&prefix)? {
            let place = entry.key.as_str();
            // Once more in this order, since its row may have been written a moment ago.
            let is_orphan = !known.contains(place)
                && self.has_ended(job_of(&entry.key))?
                && !self.has_row(place)?;
            if is_orphan {
                orphans.push(entry);
            }
        }
        Ok(orphans)
    }

    fn has_row(&self, place: &str) -> crate::Result<bool> {
        Ok(!self.index.rendition_places(place)?.is_empty())
    }

    fn has_ended(&self, job: &str) -> crate::Result<bool> {
        match self.jobs.job(job) {
            Ok(job) => Ok(job.state.has_ended()),
            Err(vodmill_queue::Error::NoSuchJob { .. }) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

/// The job that made a rendition, by its place.
fn job_of(place: &Key) -> &str {
    place.as_str().split('/').nth(1).unwrap_or_default()
}

fn lost(row: &RenditionInfo, why: &StoreError) -> Failed {
    Failed::from_error(format!("find rendition {}", row.digest), why)
}
