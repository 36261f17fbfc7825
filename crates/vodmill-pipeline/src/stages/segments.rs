//! Mux, encrypt and prove the HLS segments of one run, and store them: while later chunks are still
//! being encoded.

use std::path::Path;

use vodmill_hls::keyring::{KeySet, KeyStore};
use vodmill_model::plan::SegmentRun;
use vodmill_model::{Failed, Plan};
use vodmill_store::{Headers, Key, LocalStore, Store, Upload};

use super::{Bench, Decided, StageResult, done};
use crate::child::{Assignment, ChildEnd};
use crate::file::remove_dir;
use crate::job::JobOrder;
use crate::package::{Basis, ClearKeys, SegmentsDone, SegmentsOrder, renditions_of_run};
use crate::receipt::ObjectFact;

pub(super) fn run(bench: &mut Bench<'_>, order: &JobOrder) -> StageResult {
    let scratch = bench.mill.layout.scratch(&bench.lease.job_id).join(&bench.lease.key);
    // What an earlier attempt left is of no use, and may be in the way of a full disk.
    remove_dir(&scratch)?;
    // Each attempt has a folder of its own: the child of an earlier one may not be quite dead.
    let made = make(bench, order, &scratch.join(bench.writer()));
    remove_dir(&scratch)?;
    done(&made?)
}

fn make(bench: &mut Bench<'_>, order: &JobOrder, out: &Path) -> Result<SegmentsDone, ChildEnd> {
    let decided = bench.decided()?;
    let planned = run_of(&decided.plan, &bench.lease.key)?;
    let (run, digests) = (planned.index, renditions_of_run(&decided.plan, planned.chunk));
    let prefix = decided.prefix()?;
    let basis = basis(bench, decided, &digests)?;
    let assignment = SegmentsOrder { basis, run, out: out.to_owned() };
    let made: SegmentsDone = bench.run_child(&Assignment::Segments(Box::new(assignment)))?;
    // Nothing is stored of a job that was cancelled meanwhile.
    if (bench.must_go)() {
        return Err(ChildEnd::Parked);
    }
    deliver(order, &uploads(&prefix, out, &made.objects)?)?;
    Ok(made)
}

fn uploads(prefix: &Key, out: &Path, objects: &[ObjectFact]) -> Result<Vec<Upload>, Failed> {
    let upload = |object: &ObjectFact| {
        let key = prefix.join(&object.name);
        let key = key.map_err(|error| Failed::from_error("store segments", &error))?;
        let (file, bytes) = (out.join(&object.name), object.bytes);
        Ok(Upload { key, file, bytes, headers: Headers::default() })
    };
    objects.iter().map(upload).collect()
}

/// What everything of the generation is made from, with the renditions that are needed here.
pub(super) fn basis(
    bench: &Bench<'_>,
    decided: Decided,
    digests: &[String],
) -> Result<Basis, ChildEnd> {
    let keys = keys(bench, &decided)?;
    let renditions = bench.fetch_renditions(digests)?;
    let Decided { plan, asset, generation } = decided;
    Ok(Basis { plan, asset, generation, keys, renditions })
}

/// Stores files as objects of their generation, and takes them away.
fn deliver(order: &JobOrder, files: &[Upload]) -> Result<(), Failed> {
    let stored = LocalStore::new(&order.destination).put_files(files);
    stored.map_err(|error| Failed::from_error("store segments", &error))
}

fn run_of<'a>(plan: &'a Plan, key: &str) -> Result<SegmentRun<'a>, Failed> {
    let index: Option<u32> = key.strip_prefix("segments/").and_then(|index| index.parse().ok());
    let run = plan.segment_runs().into_iter().find(|run| Some(run.index) == index);
    run.ok_or_else(|| Failed::new("make segments", format!("the plan has no {key}")))
}

/// The generation's keys: those that another task or an earlier attempt stored, or new ones, stored
/// before the first byte is encrypted with them.
fn keys(bench: &Bench<'_>, decided: &Decided) -> Result<Option<ClearKeys>, ChildEnd> {
    let encryption = decided.plan.hls.as_ref().and_then(|hls| hls.encryption.as_ref());
    let Some(encryption) = encryption else { return Ok(None) };
    let fault = |error: &dyn std::error::Error| Failed::from_error("make keys", error);
    let fresh = KeySet::generate(encryption.periods as usize).map_err(|error| fault(&error))?;
    let stored = bench.mill.keys.put(&decided.asset, &decided.generation, fresh);
    Ok(Some(ClearKeys::from(&stored.map_err(|error| fault(&error))?)))
}
