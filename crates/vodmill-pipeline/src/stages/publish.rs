//! Point at a proved package that has been delivered: last of all, so that whoever sees the pointer
//! finds everything it leads to.
//!
//! The pointer is two objects. Each is only ever replaced by that of a later generation, and only
//! if it is still what was looked at: a worker that was stopped in between, for however long, can
//! take nothing back.

use vodmill_clock::UnixMillis;
use vodmill_fault::point;
use vodmill_keys::ClearKeys;
use vodmill_model::asset::{AssetHead, Publication};
use vodmill_model::{AssetDocument, Failed, GenerationName, GenerationNumber};
use vodmill_queue::{Completion, JobOutcome, StalePath};
use vodmill_store::{Expected, Key, PutOutcome, Store, StoreError};

use super::cpu_time::Effort;
use super::{Decided, StageResult, TaskContext, publication_totals};
use crate::file::passed;
use crate::generation::{ASSET, MULTIVARIANT};
use crate::package::PackageDone;
use crate::publication::object_metadata;
use crate::stage_error::StageError;

/// How often the pointer may change under our eyes before the task is tried again later.
const TRIES: u32 = 20;

pub(super) fn run(context: &mut TaskContext<'_>) -> StageResult {
    let decided = context.decided()?;
    let packaged: PackageDone = context.result_of("package")?;
    let store = context.destination()?;
    check_keys(context, &decided, packaged.keys.as_deref())?;
    context.check_lease()?;
    let stale = stale_paths(context, &*store, &decided)?;
    passed(point!("publish.leased"))?;
    let stage = || format!("point {} at its package", decided.asset);
    // The playlist first, since `asset.json` names it.
    if let Some(playlist) = &packaged.multivariant {
        let bytes = playlist.as_bytes();
        point_to(&*store, &decided, MULTIVARIANT, bytes)?;
    }
    passed(point!("publish.playlist"))?;
    let effort = Effort::of(&context.worker.queue.tasks(&context.lease.job_id)?);
    let publication = Publication {
        published_at: Some(date(context.worker.clock.now())),
        encode_cpu_ms: Some(effort.encode),
        package_cpu_ms: Some(effort.package),
    };
    let mut document = packaged.asset;
    document.publication = publication;
    point_to(&*store, &decided, ASSET, &text_of(&document)?)?;
    if packaged.multivariant.is_none() {
        drop_playlist(&*store, &decided).map_err(StageError::unavailable(stage()))?;
    }
    passed(point!("publish.pointed"))?;
    let published = serde_json::json!({ "asset": decided.asset, "generation": decided.generation });
    Ok(Completion {
        result: published.to_string(),
        job: Some(JobOutcome::Published),
        warnings: repairs(&document)?,
        stale,
        figures: Some(publication_totals::of(&document)),
        ..Completion::default()
    })
}

/// The paths of the pointer in the caches of a CDN, if these may have an earlier one: never for a
/// first publication, and not where a later one stays.
fn stale_paths(
    context: &TaskContext<'_>,
    store: &dyn Store,
    decided: &Decided,
) -> Result<Vec<StalePath>, StageError> {
    // As it is configured now: caches are no part of what a job makes.
    let pipeline = context.worker.settings.catalogue.pipeline(&context.order.pipeline);
    let Some(cdn) = pipeline.and_then(|pipeline| pipeline.invalidation.as_ref()) else {
        return Ok(Vec::new());
    };
    let stage = || format!("look at the pointer of {}", decided.asset);
    let fault = |error: StoreError| StageError::unavailable(stage())(error);
    let key = Key::new(format!("{}/{ASSET}", decided.asset)).map_err(fault)?;
    let ours = Some(decided.generation.number());
    let was = match store.get(&key) {
        Ok(bytes) => AssetHead::read(&bytes).ok().map(|head| head.generation.number()),
        Err(StoreError::NotFound(_)) => None,
        Err(error) => return Err(fault(error)),
    };
    // Our own is there when this task is done again; what was before it is not known any more.
    let first = Some(GenerationNumber::FIRST);
    let replaces = was.is_some() && (was < ours || (was == ours && was > first));
    if !replaces {
        return Ok(Vec::new());
    }
    let path = |name| StalePath {
        distribution: cdn.distribution.clone(),
        path: cdn.path_of(&format!("{}/{name}", decided.asset)),
    };
    // A playlist that is removed goes from caches too.
    Ok([MULTIVARIANT, ASSET].map(path).into())
}

/// Where what is published is less than what was delivered, one text each.
fn repairs(document: &AssetDocument) -> Result<Vec<String>, Failed> {
    let texts = document.asset().repairs.iter().map(serde_json::to_string);
    let texts: Result<Vec<String>, serde_json::Error> = texts.collect();
    texts.map_err(|error| Failed::from_error("state repairs", &error))
}

/// Refuses to point at what nobody could open.
fn check_keys(
    context: &TaskContext<'_>,
    decided: &Decided,
    mark: Option<&str>,
) -> Result<(), StageError> {
    let Some(mark) = mark else { return Ok(()) };
    let keys = context.worker.keys.of_generation(&decided.asset, decided.generation.as_str());
    let keys = keys.map_err(StageError::unavailable("look for keys"))?;
    match keys.is_some_and(|keys| ClearKeys::from(&keys).mark() == mark) {
        true => Ok(()),
        false => Err(Failed::new("find the keys of the package", "they are gone").into()),
    }
}

fn point_to(
    store: &dyn Store,
    decided: &Decided,
    name: &str,
    bytes: &[u8],
) -> Result<(), StageError> {
    let stage = || format!("point {} at its package", decided.asset);
    let pointed = move_pointer(store, &decided.asset, &decided.generation, name, bytes);
    match pointed.map_err(StageError::unavailable(stage()))? {
        Pointed::Moved | Pointed::Overtaken => Ok(()),
        Pointed::Contested => Err(StageError::Permanent(Failed::new(stage(), CONTESTED))),
    }
}

/// What became of an object of a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pointed {
    /// It leads to our generation.
    Moved,
    /// It leads to a later one.
    Overtaken,
    /// It leads to another one of the same number: two make versions of this asset, each by numbers of
    /// its own, as a home and a copy of it do.
    Contested,
}

/// What to tell of that.
pub(crate) const CONTESTED: &str = "another version of the same number was published meanwhile, by a \
    copy of this home, or where names of assets had been lost: publish from one home alone, and deliver \
    this original again";

/// Replaces one object of an asset's pointer, unless it is of a later generation already: who was
/// overtaken publishes its own, and leaves the pointer.
pub(crate) fn move_pointer(
    store: &dyn Store,
    asset: &str,
    generation: &GenerationName,
    name: &str,
    bytes: &[u8],
) -> Result<Pointed, StoreError> {
    let key = Key::new(format!("{asset}/{name}"))?;
    let headers = object_metadata::of_pointer(name);
    let ours = Some(generation.number());
    for _ in 0..TRIES {
        let was = match store.get_version(&key) {
            Ok((there, _)) if number_in(&there) > ours => return Ok(Pointed::Overtaken),
            Ok((there, _)) if number_in(&there) == ours && !leads_to(&there, generation) => {
                return Ok(Pointed::Contested);
            }
            Ok((_, version)) => version,
            Err(StoreError::NotFound(_)) => Expected::Nothing,
            Err(error) => return Err(error),
        };
        if store.put_if(&key, bytes, &headers, &was)? == PutOutcome::Stored {
            return Ok(Pointed::Moved);
        }
    }
    Err(StoreError::Changed(key.to_string()))
}

/// Removes the playlist of an earlier generation where ours has none: it would go on to lead players
/// to what is published no more.
fn drop_playlist(store: &dyn Store, decided: &Decided) -> Result<(), StoreError> {
    let key = Key::new(format!("{}/{MULTIVARIANT}", decided.asset))?;
    match store.get_version(&key) {
        Ok((there, _)) if number_in(&there) > Some(decided.generation.number()) => Ok(()),
        Ok((_, was)) => store.remove_if(&key, &was),
        Err(StoreError::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The generation that a multivariant playlist leads to: its URIs begin with it.
pub(crate) fn led_to(playlist: &str) -> Option<&str> {
    let uri = playlist.lines().find(|line| !line.is_empty() && !line.starts_with('#'))?;
    uri.split_once('/').map(|(generation, _)| generation)
}

/// The number of the generation that an object of a pointer leads to.
fn number_in(bytes: &[u8]) -> Option<GenerationNumber> {
    if let Ok(head) = AssetHead::read(bytes) {
        return Some(head.generation.number());
    }
    let name = led_to(std::str::from_utf8(bytes).ok()?)?;
    Some(GenerationName::parse(name)?.number())
}

/// Removes what a job that was not published put under its generation, unless the pointer leads
/// there all the same: its job may have been cancelled, or have failed, in its very last step.
pub(crate) fn withdraw(store: &dyn Store, decided: &Decided) -> crate::Result<()> {
    for name in [ASSET, MULTIVARIANT] {
        match store.get(&Key::new(format!("{}/{name}", decided.asset))?) {
            Ok(pointer) if leads_to(&pointer, &decided.generation) => return Ok(()),
            Ok(_) | Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(store.remove(&decided.prefix()?)?)
}

/// Whether one of the pointer's objects names a generation.
pub(crate) fn leads_to(pointer: &[u8], generation: &GenerationName) -> bool {
    String::from_utf8_lossy(pointer).contains(generation.as_str())
}

/// The date of a publication, to the second.
pub(crate) fn date(now: UnixMillis) -> String {
    let now = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    now.round(jiff::Unit::Second).unwrap_or_default().to_string()
}

/// An `asset.json` as it is published.
pub(crate) fn text_of(document: &AssetDocument) -> Result<Vec<u8>, Failed> {
    serde_json::to_vec_pretty(document)
        .map_err(|error| Failed::from_error("write asset.json", &error))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use vodmill_store::MemoryStore;

    use super::*;

    /// A home and a copy of it give the same number to different originals.
    #[test]
    fn a_version_of_the_same_number_is_not_taken_over() {
        let playlist = |name: &str| format!("#EXTM3U\n{name}/hls/low/index.m3u8\n").into_bytes();
        let description =
            |name: &str| format!("{{\"asset\":\"talk\",\"generation\":\"{name}\"}}").into_bytes();
        for (name, text) in [
            (MULTIVARIANT, &playlist as &dyn Fn(&str) -> Vec<u8>),
            (ASSET, &description as &dyn Fn(&str) -> Vec<u8>),
        ] {
            let store = MemoryStore::default();
            let publish = |generation: &str| {
                let bytes = text(generation);
                let generation = generation.parse().unwrap();
                move_pointer(&store, "talk", &generation, name, &bytes).unwrap()
            };
            assert_eq!(publish("g0002-aaaaaaaa"), Pointed::Moved);
            assert_eq!(publish("g0002-bbbbbbbb"), Pointed::Contested);
            assert_eq!(publish("g0002-aaaaaaaa"), Pointed::Moved, "the same once more");
            assert_eq!(publish("g0001-cccccccc"), Pointed::Overtaken);
            assert_eq!(publish("g0002r1-dddddddd"), Pointed::Moved);
            assert_eq!(publish("g0002r1-eeeeeeee"), Pointed::Contested);
            let there = store.get(&Key::new(format!("talk/{name}")).unwrap()).unwrap();
            assert_eq!(there, text("g0002r1-dddddddd"));
        }
    }
}
