//! Mux, encrypt and prove the HLS segments of one run, and store them: while later chunks are still
//! being encoded.

use std::path::Path;

use vodmill_fault::point;
use vodmill_keys::{ClearKeys, KeySet};
use vodmill_model::plan::SegmentRun;
use vodmill_model::{Failed, Plan};
use vodmill_store::{Key, Upload};

use super::{Decided, StageResult, TaskContext, done};
use crate::child::{Assignment, Bounds};
use crate::file::{failed, files_below, passed};
use crate::generation::{PackageInput, SegmentsDone};
use crate::package::{SegmentsOrder, renditions_of_run};
use crate::publication::object_metadata;
use crate::stage_error::StageError;

pub(super) fn run(context: &mut TaskContext<'_>) -> StageResult {
    let decided = context.decided()?;
    let planned = run_of(&decided.plan, &context.lease.key)?;
    let (run, digests) = (planned.index, renditions_of_run(&decided.plan, planned.chunk));
    let prefix = decided.prefix()?;
    let out = context.scratch.join("segments");
    let input = input(context, decided, &digests)?;
    let bounds = bounds(context, &input)?;
    passed(point!("segments.keyed"))?;
    let assignment = SegmentsOrder { input, run, out: out.clone() };
    let assignment = Assignment::Segments(Box::new(assignment));
    let made: SegmentsDone = context.run_child(&assignment, &bounds)?;
    deliver(context, &prefix, &out)?;
    passed(point!("segments.stored"))?;
    done(&made)
}

/// What everything of the generation is made from, with the renditions that are needed here.
pub(super) fn input(
    context: &TaskContext<'_>,
    decided: Decided,
    digests: &[String],
) -> Result<PackageInput, StageError> {
    let keys = keys(context, &decided)?;
    let renditions = context.fetch_renditions(digests)?;
    let Decided { plan, asset, generation } = decided;
    Ok(PackageInput { plan, asset, generation, keys, renditions })
}

/// Bounds of what is made of some renditions.
pub(super) fn bounds(context: &TaskContext<'_>, input: &PackageInput) -> Result<Bounds, Failed> {
    let size = |file: &&Path| file.metadata().map_err(failed("look at", file)).map(|it| it.len());
    let bytes = input.files().iter().map(size).sum::<Result<u64, Failed>>()?;
    Ok(Bounds::of_package(&input.plan, bytes, &context.worker.settings.limits))
}

/// Stores proved files as objects of their generation, and takes them away.
pub(super) fn deliver(
    context: &TaskContext<'_>,
    prefix: &Key,
    root: &Path,
) -> Result<(), StageError> {
    let stage = || format!("store {} of {prefix}", context.lease.key);
    let mut uploads = Vec::new();
    for name in files_below(root)? {
        let file = root.join(&name);
        let bytes = file.metadata().map_err(failed("look at", &file))?.len();
        let key = prefix.join(&name).map_err(|error| Failed::from_error(stage(), &error))?;
        let (headers, bulk) = (object_metadata::of_object(&name), object_metadata::is_bulk(&name));
        uploads.push(Upload { key, file, bytes, headers, bulk });
    }
    // Nothing is stored of a job that was cancelled meanwhile.
    context.check_lease()?;
    context.destination()?.put_files(&uploads).map_err(StageError::unavailable(stage()))
}

fn run_of<'a>(plan: &'a Plan, key: &str) -> Result<SegmentRun<'a>, Failed> {
    let index: Option<u32> = key.strip_prefix("segments/").and_then(|index| index.parse().ok());
    let run = plan.segment_runs().into_iter().find(|run| Some(run.index) == index);
    run.ok_or_else(|| Failed::new("make segments", format!("the plan has no {key}")))
}

/// The generation's keys: those that another task or an earlier attempt stored, or new ones, stored
/// before the first byte is encrypted with them.
fn keys(context: &TaskContext<'_>, decided: &Decided) -> Result<Option<ClearKeys>, StageError> {
    let encryption = decided.plan.hls().and_then(|hls| hls.encryption.as_ref());
    let Some(encryption) = encryption else { return Ok(None) };
    let mut fresh = KeySet::generate(encryption.periods as usize)
        .map_err(|error| Failed::from_error("make keys", &error))?;
    // How viewers get a key changes no byte of the media: not in the plan.
    let pipeline = context.worker.settings.catalogue.pipelines.get(&context.order.pipeline);
    let encryption = pipeline.and_then(|pipeline| pipeline.encryption.as_ref());
    fresh.terms.max_age = encryption.and_then(|encryption| encryption.key_max_age);
    let stored = context.worker.keys.put(&decided.asset, decided.generation.as_str(), fresh);
    Ok(Some(ClearKeys::from(&stored.map_err(StageError::unavailable("store keys"))?)))
}
