//! Old generations: what was published before, kept for pages that are open, and then removed.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::Serialize;
use vodmill_model::asset::AssetHead;
use vodmill_model::{GenerationName, GenerationNumber};
use vodmill_queue::{Jobs, Names};
use vodmill_store::{Key, Store, StoreError};

use crate::Result;
use crate::generation::{ASSET, MULTIVARIANT};
use crate::housekeeping::gc::unfinished_jobs;
use crate::stages::leads_to;

/// What to sweep.
pub struct Sweep<'a> {
    /// A store that assets are published in.
    pub store: &'a dyn Store,
    /// Which assets were published more than once.
    pub names: &'a dyn Names,
    /// Queues whose unfinished jobs still write what they have begun.
    pub queues: &'a [&'a dyn Jobs],
    /// How long a generation is kept after another took its place.
    pub keep: Duration,
    /// The time.
    pub now: SystemTime,
}

/// A generation that nothing leads to any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OldGeneration {
    /// The asset.
    pub asset: String,
    /// The generation.
    pub generation: String,
    /// Its objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Sweep<'_> {
    /// The generations that have had their time.
    ///
    /// # Errors
    /// If a store or a queue fails.
    pub fn find(&self) -> Result<Vec<OldGeneration>> {
        // One that was overtaken goes on with a generation of its own.
        let busy = unfinished_jobs(self.queues)?;
        let mut found = Vec::new();
        for asset in self.names.republished_assets()? {
            let Some(pointer) = self.pointer(&asset)? else { continue };
            let mut old: BTreeMap<String, OldGeneration> = BTreeMap::new();
            for entry in self.store.list(&Key::new(asset.as_str())?)? {
                let Some(generation) = generation_of(&entry.key, &asset) else { continue };
                let is_written = busy.iter().any(|job| generation.is_made_by(job));
                if is_written || !pointer.is_past(&generation) {
                    continue;
                }
                let one = old.entry(generation.to_string()).or_insert_with(|| OldGeneration {
                    asset: asset.clone(),
                    generation: generation.to_string(),
                    objects: 0,
                    bytes: 0,
                });
                one.objects += 1;
                one.bytes += entry.bytes;
            }
            found.extend(old.into_values());
        }
        Ok(found)
    }

    /// Removes generations that were [found](Sweep::find).
    ///
    /// # Errors
    /// If the store fails; those before it are gone then.
    pub fn remove(&self, generations: &[OldGeneration]) -> Result<()> {
        for OldGeneration { asset, generation, objects, bytes } in generations {
            self.store.remove(&Key::new(format!("{asset}/{generation}"))?)?;
            tracing::info!(asset, generation, objects, bytes, "old generation removed");
        }
        Ok(())
    }

    /// What the asset's pointer says, if it has been there for long enough.
    fn pointer(&self, asset: &str) -> Result<Option<Pointer>> {
        let get = |name: &str| match self.store.get(&Key::new(format!("{asset}/{name}"))?) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(crate::Error::from(error)),
        };
        let Some(description) = get(ASSET)? else { return Ok(None) };
        let Ok(head) = AssetHead::read(&description) else { return Ok(None) };
        let number = head.generation.number();
        let published = head.published_at.and_then(|text| text.parse::<Timestamp>().ok());
        let Some(published) = published else { return Ok(None) };
        let age = self.now.duration_since(SystemTime::from(published)).unwrap_or_default();
        let multivariant = get(MULTIVARIANT)?.unwrap_or_default();
        Ok((age >= self.keep).then_some(Pointer { number, multivariant }))
    }
}

/// Where viewers are led to.
struct Pointer {
    number: GenerationNumber,
    multivariant: Vec<u8>,
}

impl Pointer {
    /// Whether a generation comes before the one that is published, and nothing leads to it.
    fn is_past(&self, generation: &GenerationName) -> bool {
        generation.number() < self.number && !leads_to(&self.multivariant, generation)
    }
}

fn generation_of(key: &Key, asset: &str) -> Option<GenerationName> {
    let below = key.as_str().strip_prefix(asset)?.strip_prefix('/')?;
    GenerationName::parse(below.split_once('/')?.0)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use vodmill_queue::{NewJob, NewTask, SqliteQueue};
    use vodmill_store::{Headers, MemoryStore};

    use super::*;

    struct Shelf {
        store: MemoryStore,
        queue: SqliteQueue,
        _folder: tempfile::TempDir,
    }

    impl Shelf {
        /// Three generations of `film`, the second of which was published at noon, and one of
        /// `once`.
        fn new() -> Shelf {
            let folder = tempfile::tempdir().unwrap();
            let queue = SqliteQueue::open(folder.path().join("q")).unwrap();
            let shelf = Shelf { store: MemoryStore::default(), queue, _folder: folder };
            for (asset, generation) in
                [("film", "g0001-aaaaaaaa"), ("film", "g0002-bbbbbbbb"), ("film", "g0003-cccccccc")]
            {
                shelf.put(&format!("{asset}/{generation}/hls/0.ts"), "0123");
                shelf.put(&format!("{asset}/{generation}/receipt.json"), "{}");
                shelf.queue.next_generation(asset, generation).unwrap();
            }
            shelf.put("once/g0001-dddddddd/receipt.json", "{}");
            shelf.queue.next_generation("once", "d").unwrap();
            shelf.point("g0002-bbbbbbbb", "g0002-bbbbbbbb");
            shelf
        }

        fn put(&self, key: &str, text: &str) {
            let key = Key::new(key).unwrap();
            self.store.put(&key, text.as_bytes(), &Headers::default()).unwrap();
        }

        fn point(&self, playlist: &str, description: &str) {
            self.put("film/index.m3u8", &format!("#EXTM3U\n{playlist}/hls/low/index.m3u8\n"));
            let at = "2026-11-22T12:00:00Z";
            let text =
                format!(r#"{{"asset":"film","generation":"{description}","published_at":"{at}"}}"#);
            self.put("film/asset.json", &text);
        }

        fn find(&self, hours: u64) -> Vec<String> {
            let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
            let sweep = Sweep {
                store: &self.store,
                names: &self.queue,
                queues: &[&self.queue],
                keep: Duration::from_secs(7200),
                now: SystemTime::from(noon) + Duration::from_secs(3600 * hours),
            };
            let found = sweep.find().unwrap();
            sweep.remove(&found).unwrap();
            found.into_iter().map(|one| one.generation).collect()
        }
    }

    #[test]
    fn what_was_published_before_goes_when_its_time_is_over() {
        let shelf = Shelf::new();
        assert!(shelf.find(1).is_empty(), "an open page may still play it");
        assert_eq!(shelf.find(2), ["g0001-aaaaaaaa"]);
        let left = shelf.store.list(&Key::new("film").unwrap()).unwrap();
        let left: Vec<_> = left.iter().map(|entry| entry.key.as_str()).collect();
        assert!(!left.iter().any(|key| key.contains("g0001")), "{left:?}");
        assert_eq!(left.len(), 6, "the pointer, what it leads to, and what is under way");
        assert!(shelf.find(3).is_empty());
    }

    #[test]
    fn what_a_pointer_leads_to_stays() {
        let shelf = Shelf::new();
        // As after a crash between the two objects of the pointer.
        shelf.point("g0001-aaaaaaaa", "g0002-bbbbbbbb");
        assert!(shelf.find(9).is_empty());
    }

    #[test]
    fn what_a_job_still_writes_stays() {
        let shelf = Shelf::new();
        let id = "aaaaaaaa11111111".to_owned();
        let job = NewJob { id, ..NewJob::default() };
        let task = NewTask { key: "plan".into(), kind: "plan".into(), ..NewTask::default() };
        shelf.queue.enqueue(&job, &[task]).unwrap();
        assert!(shelf.find(9).is_empty());
        shelf.queue.cancel(&job.id).unwrap();
        assert_eq!(shelf.find(9), ["g0001-aaaaaaaa"]);
    }
}
