//! Put a proved package where it can be seen: the generation first, the pointer last.

use std::fs::{self, File};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use vodmill_model::Failed;
use vodmill_queue::{Completion, JobOutcome};
use vodmill_store::{Headers, Key, LocalStore, Store, StoreError, Upload};

use super::plan::{generation_number, published_number};
use super::{Bench, Decided, StageResult};
use crate::file::failed;
use crate::job::JobOrder;
use crate::package::{ASSET, GENERATION, MULTIVARIANT, PackageDone};

pub(super) fn run(bench: &mut Bench<'_>, order: &JobOrder) -> StageResult {
    let decided = bench.decided()?;
    let packaged: PackageDone = bench.result_of("package")?;
    let package = bench.mill.layout.package(&bench.lease.job_id, &packaged.attempt);
    let store = LocalStore::new(&order.destination);
    let fault =
        |error: StoreError| Failed::from_error(format!("publish {}", decided.asset), &error);
    let prefix = decided.prefix()?;
    store.put_files(&objects(&prefix, &package.join(GENERATION))?).map_err(fault)?;
    tracing::info!(asset = decided.asset, generation = decided.generation, "generation uploaded");
    // Two generations of an asset may come to this point at once, and so may another mill's.
    let _pointing = lock_until_closed(&bench.mill.settings.keys.with_file_name("pointing.lock"))?;
    if is_newest(&store, &decided).map_err(fault)? {
        point(&store, &decided, &package)?;
    }
    let published = serde_json::json!({ "asset": decided.asset, "generation": decided.generation });
    Ok(Completion {
        result: published.to_string(),
        job: Some(JobOutcome::Published),
        ..Completion::default()
    })
}

/// The files of a generation that are not stored yet.
fn objects(prefix: &Key, root: &Path) -> Result<Vec<Upload>, Failed> {
    let mut objects = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        let entries = fs::read_dir(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        for entry in entries.map_err(failed("list", &path))? {
            let name = format!("{folder}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(format!("{name}/"));
                continue;
            }
            let bytes = entry.metadata().map_err(failed("look at", &entry.path()))?.len();
            let key = prefix.join(&name).map_err(|error| Failed::from_error("publish", &error))?;
            objects.push(Upload { key, file: entry.path(), bytes, headers: Headers::default() });
        }
    }
    Ok(objects)
}

/// Waits for its turn; the next has it when the file is closed.
fn lock_until_closed(path: &Path) -> Result<File, Failed> {
    let file = File::create(path).map_err(failed("create", path))?;
    flock(&file, FlockOperation::LockExclusive).map_err(failed("lock", path))?;
    Ok(file)
}

/// A job that was overtaken by a later one publishes its generation, and leaves the pointer.
fn is_newest(store: &LocalStore, decided: &Decided) -> Result<bool, StoreError> {
    let pointer = Key::new(format!("{}/{ASSET}", decided.asset))?;
    let there = match store.get(&pointer) {
        Ok(bytes) => published_number(&bytes),
        Err(StoreError::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    Ok(there <= generation_number(&decided.generation))
}

/// The pointer: the playlist first, since `asset.json` names it.
fn point(store: &LocalStore, decided: &Decided, package: &Path) -> Result<(), Failed> {
    let put = |name: &str, bytes: &[u8]| {
        let key = Key::new(format!("{}/{name}", decided.asset));
        key.and_then(|key| store.put(&key, bytes, &Headers::default())).map_err(|error| {
            Failed::from_error(format!("point {} at its package", decided.asset), &error)
        })
    };
    let multivariant = package.join(MULTIVARIANT);
    if multivariant.exists() {
        put(MULTIVARIANT, &fs::read(&multivariant).map_err(failed("read", &multivariant))?)?;
    }
    let path = package.join(ASSET);
    let bytes = fs::read(&path).map_err(failed("read", &path))?;
    put(ASSET, &dated(&bytes)?)
}

/// The description with the date of publication: the one thing in a package that differs from one
/// run to the next.
fn dated(asset_json: &[u8]) -> Result<Vec<u8>, Failed> {
    let fault = |error: serde_json::Error| Failed::from_error("date asset.json", &error);
    let mut asset: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(asset_json).map_err(fault)?;
    let now = jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default();
    asset.insert("published_at".to_owned(), now.to_string().into());
    serde_json::to_vec_pretty(&asset).map_err(fault)
}
