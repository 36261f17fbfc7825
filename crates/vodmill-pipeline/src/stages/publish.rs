//! Point at a proved package that has been delivered: last of all, so that whoever sees the pointer
//! finds everything it leads to.
//!
//! The pointer is two objects. Each is only ever replaced by that of a later generation, and only
//! if it is still what was looked at: a worker that was stopped in between, for however long, can
//! take nothing back.

use vodmill_fault::point;
use vodmill_model::Failed;
use vodmill_queue::{Completion, JobOutcome, StalePath};
use vodmill_store::{Key, Put, Store, StoreError, Was};

use super::effort::Effort;
use super::plan::{generation_number, published_number};
use super::{Bench, Decided, StageResult, tally};
use crate::child::ChildEnd;
use crate::file::passed;
use crate::headers;
use crate::package::{ASSET, ClearKeys, MULTIVARIANT, PackageDone};

/// How often the pointer may change under our eyes before the task is tried again later.
const TRIES: u32 = 20;

pub(super) fn run(bench: &mut Bench<'_>) -> StageResult {
    let decided = bench.decided()?;
    let packaged: PackageDone = bench.result_of("package")?;
    let store = bench.destination()?;
    check_keys(bench, &decided, packaged.keys.as_deref())?;
    bench.check_lease()?;
    let stale = stale_paths(bench, &*store, &decided, &packaged)?;
    passed(point!("publish.leased"))?;
    let stage = || format!("point {} at its package", decided.asset);
    // The playlist first, since `asset.json` names it.
    if let Some(playlist) = &packaged.multivariant {
        let bytes = playlist.as_bytes();
        point_to(&*store, &decided, MULTIVARIANT, bytes).map_err(ChildEnd::away(stage()))?;
    }
    passed(point!("publish.playlist"))?;
    let effort = Effort::of(&bench.mill.queue.tasks(&bench.lease.job_id)?);
    let description = dated(&effort.told_in(packaged.asset.as_bytes())?)?;
    point_to(&*store, &decided, ASSET, &description).map_err(ChildEnd::away(stage()))?;
    passed(point!("publish.pointed"))?;
    let published = serde_json::json!({ "asset": decided.asset, "generation": decided.generation });
    Ok(Completion {
        result: published.to_string(),
        job: Some(JobOutcome::Published),
        warnings: repairs(&description),
        stale,
        tally: Some(tally::of(&decided.generation, &description)?),
        ..Completion::default()
    })
}

/// The paths of the pointer in the caches of a CDN, if these may have an earlier one: never for a
/// first publication, and not where a later one stays.
fn stale_paths(
    bench: &Bench<'_>,
    store: &dyn Store,
    decided: &Decided,
    packaged: &PackageDone,
) -> Result<Vec<StalePath>, ChildEnd> {
    // As it is configured now: caches are no part of what a job makes.
    let pipeline = bench.mill.settings.catalogue.pipeline(&bench.order.pipeline);
    let Some(cdn) = pipeline.and_then(|pipeline| pipeline.invalidation.as_ref()) else {
        return Ok(Vec::new());
    };
    let stage = || format!("look at the pointer of {}", decided.asset);
    let fault = |error: StoreError| ChildEnd::away(stage())(error);
    let key = Key::new(format!("{}/{ASSET}", decided.asset)).map_err(fault)?;
    let ours = generation_number(&decided.generation);
    let was = match store.get(&key) {
        Ok(bytes) => published_number(&bytes),
        Err(StoreError::NotFound(_)) => None,
        Err(error) => return Err(fault(error)),
    };
    // Our own is there when this task is done again; what was before it is not known any more.
    let replaces = was.is_some_and(|was| Some(was) < ours || (Some(was) == ours && was > 1));
    if !replaces {
        return Ok(Vec::new());
    }
    let names = packaged.multivariant.as_ref().map(|_| MULTIVARIANT).into_iter().chain([ASSET]);
    let path = |name| StalePath {
        distribution: cdn.distribution.clone(),
        path: cdn.path_of(&format!("{}/{name}", decided.asset)),
    };
    Ok(names.map(path).collect())
}

/// Where what is published is less than what was delivered, one text each.
fn repairs(description: &[u8]) -> Vec<String> {
    let asset: serde_json::Value = serde_json::from_slice(description).unwrap_or_default();
    asset["repairs"].as_array().into_iter().flatten().map(ToString::to_string).collect()
}

/// Refuses to point at what nobody could open.
fn check_keys(bench: &Bench<'_>, decided: &Decided, mark: Option<&str>) -> Result<(), ChildEnd> {
    let Some(mark) = mark else { return Ok(()) };
    let keys = bench.mill.keys.of_generation(&decided.asset, &decided.generation);
    let keys = keys.map_err(ChildEnd::away("look for keys"))?;
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
) -> Result<(), StoreError> {
    move_pointer(store, &decided.asset, &decided.generation, name, bytes)
}

/// Replaces one object of an asset's pointer, unless it is of a later generation already: who was
/// overtaken publishes its own, and leaves the pointer.
pub(crate) fn move_pointer(
    store: &dyn Store,
    asset: &str,
    generation: &str,
    name: &str,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let key = Key::new(format!("{asset}/{name}"))?;
    let headers = headers::of_pointer(name);
    let ours = generation_number(generation);
    for _ in 0..TRIES {
        let was = match store.get_version(&key) {
            Ok((there, _)) if number_in(&there) > ours => return Ok(()),
            Ok((_, version)) => version,
            Err(StoreError::NotFound(_)) => Was::Nothing,
            Err(error) => return Err(error),
        };
        if store.put_if(&key, bytes, &headers, &was)? == Put::Stored {
            return Ok(());
        }
    }
    Err(StoreError::Changed(key.to_string()))
}

/// The number of the generation that an object of a pointer leads to.
fn number_in(bytes: &[u8]) -> Option<u32> {
    published_number(bytes).or_else(|| {
        // The URIs of a multivariant playlist begin with the generation.
        let text = std::str::from_utf8(bytes).ok()?;
        let uri = text.lines().find(|line| !line.is_empty() && !line.starts_with('#'))?;
        generation_number(uri.split('/').next()?)
    })
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
pub(crate) fn leads_to(pointer: &[u8], generation: &str) -> bool {
    String::from_utf8_lossy(pointer).contains(generation)
}

/// The description with the date of publication: the one thing in a package that differs from one
/// run to the next.
pub(crate) fn dated(asset_json: &[u8]) -> Result<Vec<u8>, Failed> {
    let fault = |error: serde_json::Error| Failed::from_error("date asset.json", &error);
    let mut asset: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(asset_json).map_err(fault)?;
    let now = jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default();
    asset.insert("published_at".to_owned(), now.to_string().into());
    serde_json::to_vec_pretty(&asset).map_err(fault)
}
