//! What is left over: scratch of jobs that are gone, uploads that nobody finishes, and renditions
//! beyond what is to be kept. Each job, and each worker as it starts, clears up after itself; this is
//! for those that never came to it.
//!
//! Nothing of a job that has not ended is litter, whoever holds its leases, and nothing that was
//! touched a short while ago.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use vodmill_model::GenerationName;
use vodmill_queue::{JobFilter, JobState, Jobs, Queue};
use vodmill_store::{PendingUpload, Store};

use crate::Result;
use crate::file::{failed, remove_dir};
use crate::renditions::Cache;
use crate::renditions::Renditions;

/// A late attempt at an ended job is told to go long before.
const LATE: Duration = Duration::from_secs(3600);

/// Folders of the state that `rekey` works in begin so.
const REKEY: &str = "rekey-";

/// Something that is left over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Garbage {
    /// What it is.
    pub kind: GarbageKind,
    /// Where it is: a path, or an object's name in its store.
    pub place: String,
    /// Its bytes, where they are known.
    pub bytes: Option<u64>,
}

/// A kind of litter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GarbageKind {
    /// A folder of work that is over.
    Scratch,
    /// An object that was begun and never finished.
    Upload,
    /// A rendition beyond what is to be kept.
    Rendition,
    /// Bytes of a rendition that nobody knows of.
    Orphan,
}

/// Finds, and unless it is `dry` removes, folders of work in a state folder: of jobs that have
/// ended and are settled, of jobs that no queue knows and `rekey`s, if they were not touched for
/// `age`.
///
/// # Errors
/// If a folder or a queue cannot be read, or a folder not removed.
pub fn old_scratch(
    state: &Path,
    queues: &[&dyn Jobs],
    age: Duration,
    dry: bool,
) -> Result<Vec<Garbage>> {
    let mut found = Vec::new();
    for part in folders(state)? {
        let is_rekey = name_of(&part).starts_with(REKEY);
        for folder in if is_rekey { vec![part] } else { folders(&part.join("work"))? } {
            let age = match is_rekey {
                true => Some(age),
                false => age_of_litter(queues, &name_of(&folder), age)?,
            };
            let (bytes, touched) = measure(&folder)?;
            let untouched = SystemTime::now().duration_since(touched).unwrap_or_default();
            if age.is_none_or(|age| untouched < age) {
                continue;
            }
            let place = folder.display().to_string();
            if !dry {
                remove_dir(&folder)?;
                tracing::info!(place, bytes, "old scratch removed");
            }
            found.push(Garbage { kind: GarbageKind::Scratch, place, bytes: Some(bytes) });
        }
    }
    Ok(found)
}

/// How long work on a job must not have been touched to be litter; never, where the job goes on.
fn age_of_litter(queues: &[&dyn Jobs], job: &str, age: Duration) -> Result<Option<Duration>> {
    let mut known = None;
    for queue in queues {
        match queue.job(job) {
            // Settling removes it.
            Ok(job) if !job.cleaned => return Ok(None),
            Ok(_) => known = Some(LATE),
            Err(vodmill_queue::Error::NoSuchJob { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(known.unwrap_or(age)))
}

/// Finds, and unless it is `dry` removes, what was begun in a place of packages before `age` and
/// was never finished, of generations that no unfinished job writes. What lies there beside
/// packages is not looked at.
///
/// # Errors
/// If the store or a queue fails.
pub fn old_uploads(
    store: &dyn Store,
    queues: &[&dyn Jobs],
    age: Duration,
    dry: bool,
) -> Result<Vec<Garbage>> {
    let busy = unfinished_jobs(queues)?;
    let now = SystemTime::now();
    let found = RefCell::new(Vec::new());
    let is_over = |begun: &PendingUpload| {
        let is_old = begun
            .since
            .is_some_and(|since| now.duration_since(since).is_ok_and(|passed| passed >= age));
        let generation = begun.key.as_str().split('/').find_map(GenerationName::parse);
        let is_written =
            |generation: &GenerationName| busy.iter().any(|job| generation.is_made_by(job));
        let is_over = is_old && generation.is_some_and(|generation| !is_written(&generation));
        if is_over {
            let place = begun.key.to_string();
            found.borrow_mut().push(Garbage { kind: GarbageKind::Upload, place, bytes: None });
        }
        is_over && !dry
    };
    store.remove_unfinished(None, &is_over)?;
    Ok(found.into_inner())
}

/// Ids of jobs that have not ended.
pub(crate) fn unfinished_jobs(queues: &[&dyn Jobs]) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for queue in queues {
        for state in [JobState::Waiting, JobState::Running] {
            let filter = JobFilter { state: Some(state), ..JobFilter::default() };
            ids.extend(queue.jobs(&filter, u32::MAX)?.into_iter().map(|job| job.id));
        }
    }
    Ok(ids)
}

/// The renditions that the workers of one queue keep.
pub struct RenditionCache {
    renditions: Renditions,
}

impl RenditionCache {
    /// Those of a queue, whose bytes are in `work`.
    pub fn new(queue: Arc<dyn Queue>, work: Arc<dyn Store>) -> RenditionCache {
        // Nothing is fetched.
        let cache = Cache::new(PathBuf::new(), 0);
        RenditionCache { renditions: Renditions::new(queue.clone(), queue, work, cache) }
    }

    /// Finds, and unless it is `dry` removes, renditions beyond `keep` bytes, those first that were
    /// used longest ago, and what jobs that have ended left behind.
    ///
    /// # Errors
    /// If the store or the queue fails.
    pub fn sweep(&self, keep: u64, dry: bool) -> Result<Vec<Garbage>> {
        let litter = |kind, place: String, bytes| Garbage { kind, place, bytes };
        let (beyond, orphans) = (self.renditions.evictable(keep)?, self.renditions.orphans()?);
        let uploads = self.renditions.unfinished(false)?;
        if !dry {
            self.renditions.evict(keep)?;
            self.renditions.sweep()?;
        }
        let beyond = beyond
            .into_iter()
            .map(|row| litter(GarbageKind::Rendition, row.place, Some(row.bytes)));
        let orphans = orphans
            .into_iter()
            .map(|entry| litter(GarbageKind::Orphan, entry.key.to_string(), Some(entry.bytes)));
        let uploads = uploads
            .into_iter()
            .map(|begun| litter(GarbageKind::Upload, begun.key.to_string(), None));
        Ok(beyond.chain(orphans).chain(uploads).collect())
    }
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The folders in a folder, which need not be there.
fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed("list", folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed("list", folder))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The bytes of all files below, and when something there was last made, changed or removed. What
/// goes away meanwhile does not count.
fn measure(folder: &Path) -> Result<(u64, SystemTime)> {
    let facts = fs::symlink_metadata(folder).map_err(failed("look at", folder))?;
    let mut touched = facts.modified().unwrap_or_else(|_| SystemTime::now());
    let mut bytes = 0;
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            // What cannot be looked at may be in use.
            entries => entries.map_err(failed("list", &folder))?,
        };
        for entry in entries {
            let entry = entry.map_err(failed("list", &folder))?;
            let Ok(facts) = entry.metadata() else { continue };
            touched = touched.max(facts.modified().unwrap_or_else(|_| SystemTime::now()));
            match facts.is_dir() {
                true => waiting.push(entry.path()),
                false => bytes += facts.len(),
            }
        }
    }
    Ok((bytes, touched))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::fs::File;

    use vodmill_queue::{
        NewJob, NewTask, RenditionIndex as _, RenditionInfo, Settling as _, SqliteQueue,
    };
    use vodmill_store::{Key, LocalStore};

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn job(queue: &SqliteQueue, id: &str) {
        let new = NewJob { id: id.to_owned(), ..NewJob::default() };
        let task = NewTask { key: "plan".into(), kind: "plan".into(), ..NewTask::default() };
        queue.enqueue(&new, &[task]).unwrap();
    }

    /// A file that was last touched so long ago, with the folders up to `top`.
    fn old_file(top: &Path, name: &str, age: Duration) {
        let path = top.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "12345").unwrap();
        for place in path.ancestors().take_while(|place| *place != top) {
            File::open(place).unwrap().set_modified(SystemTime::now() - age).unwrap();
        }
    }

    #[test]
    fn scratch_goes_with_its_job() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path();
        let queue = SqliteQueue::open(state.join("q")).unwrap();
        for id in ["live", "ended", "settled", "fresh"] {
            job(&queue, id);
        }
        for id in ["ended", "settled", "fresh"] {
            queue.cancel(id).unwrap();
        }
        for id in ["settled", "fresh"] {
            queue.mark_cleaned(id).unwrap();
        }
        for name in ["live", "ended", "settled", "unknown"] {
            old_file(state, &format!("worker-3/work/{name}/7/original.part"), 9 * DAY);
        }
        old_file(state, "worker-3/work/fresh/8/part", LATE / 2);
        old_file(state, "daemon/work/late/9/part", 6 * DAY);
        old_file(state, "daemon/renditions/live/digest-1", 99 * DAY);
        old_file(state, "rekey-film/0.ts", 8 * DAY);
        old_file(state, "rekey-now/0.ts", DAY);
        let sweep = |dry| {
            let found = old_scratch(state, &[&queue], 7 * DAY, dry).unwrap();
            assert!(found.iter().all(|one| one.bytes == Some(5)), "{found:?}");
            let relative = |one: Garbage| one.place[state.as_os_str().len() + 1..].to_owned();
            found.into_iter().map(relative).collect::<Vec<_>>()
        };
        let wanted = ["rekey-film", "worker-3/work/settled", "worker-3/work/unknown"];
        assert_eq!(sweep(true), wanted);
        assert_eq!(sweep(false), wanted);
        assert!(sweep(false).is_empty());
        for kept in
            ["worker-3/work/live/7", "worker-3/work/ended/7", "worker-3/work/fresh/8", "rekey-now"]
        {
            assert!(state.join(kept).exists(), "{kept}");
        }
    }

    #[test]
    fn what_nobody_finishes_is_removed_in_time() {
        let home = tempfile::tempdir().unwrap();
        let queue = SqliteQueue::open(home.path().join("q")).unwrap();
        job(&queue, "aaaaaaaa11111111");
        let place = home.path().join("published");
        let old = 8 * DAY;
        old_file(&place, "film/g0001-aaaaaaaa/hls/.vodmill-1-0-0.ts", old);
        old_file(&place, "film/g0002-bbbbbbbb/hls/.vodmill-1-0-0.ts", old);
        old_file(&place, "film/g0002-bbbbbbbb/hls/.vodmill-1-1-1.ts", DAY);
        old_file(&place, "film/g0002-bbbbbbbb/hls/2.ts", old);
        // Not ours.
        old_file(&place, "other/.vodmill-1-0-backup.tar", old);
        let store = LocalStore::new(&place);
        let sweep = |dry| old_uploads(&store, &[&queue], 7 * DAY, dry).unwrap();
        let wanted = Garbage {
            kind: GarbageKind::Upload,
            place: "film/g0002-bbbbbbbb/hls/0.ts".to_owned(),
            bytes: None,
        };
        assert_eq!(sweep(true), std::slice::from_ref(&wanted));
        assert_eq!(sweep(false), [wanted]);
        assert!(sweep(false).is_empty());
        assert_eq!(store.list(&Key::new("film").unwrap()).unwrap().len(), 1);
        assert!(place.join("film/g0001-aaaaaaaa/hls/.vodmill-1-0-0.ts").exists());
    }

    #[test]
    fn renditions_are_kept_up_to_their_limit() {
        let home = tempfile::tempdir().unwrap();
        let queue = Arc::new(SqliteQueue::open(home.path().join("q")).unwrap());
        job(&queue, "live");
        let work = Arc::new(LocalStore::new(home.path()));
        let place = |name: &str| format!("renditions/{name}");
        for name in ["gone/one-1", "gone/two-2", "gone/lost-3", "live/late-4"] {
            old_file(home.path(), &place(name), DAY);
        }
        old_file(home.path(), "renditions/gone/.vodmill-1-0-five-5", DAY);
        for name in ["gone/one-1", "gone/two-2"] {
            let row = RenditionInfo {
                digest: name.to_owned(),
                place: place(name),
                bytes: 5,
                ..RenditionInfo::default()
            };
            queue.keep_rendition(&row).unwrap();
        }
        let attic = RenditionCache::new(queue.clone(), work);
        let sweep = |dry| {
            let found = attic.sweep(5, dry).unwrap();
            found.into_iter().map(|one| (one.kind, one.place)).collect::<Vec<_>>()
        };
        let litter = [
            (GarbageKind::Orphan, place("gone/lost-3")),
            (GarbageKind::Upload, place("gone/five-5")),
        ];
        assert_eq!(sweep(true), litter, "a job that has not ended may have found the others");
        queue.cancel("live").unwrap();
        let mut litter = Vec::from(litter);
        litter.insert(0, (GarbageKind::Rendition, place("gone/one-1")));
        litter.insert(2, (GarbageKind::Orphan, place("live/late-4")));
        assert_eq!(sweep(true), litter);
        assert_eq!(sweep(false), litter);
        assert!(sweep(false).is_empty());
        assert!(home.path().join(place("gone/two-2")).exists());
    }
}
