//! Mux, encrypt, describe and prove: everything that will be published, in scratch.

use vodmill_hls::keyring::{KeySet, KeyStore};
use vodmill_model::Failed;
use vodmill_model::transcode::{AudioDone, VideoDone};
use vodmill_queue::TaskInfo;

use super::{Bench, Decided, StageResult, TaskKind, done};
use crate::child::{Assignment, ChildEnd};
use crate::file::remove_dir;
use crate::job::JobOrder;
use crate::package::{ClearKeys, Damage, PackageDone, PackageOrder};

pub(super) fn run(bench: &mut Bench<'_>, order: &JobOrder) -> StageResult {
    let decided = bench.decided()?;
    let keys = keys(bench, &decided)?;
    let damage = damage(bench)?;
    let Decided { plan, asset, generation } = decided;
    order.check_unchanged()?;
    let (job, attempt) = (&bench.lease.job_id, bench.writer());
    // What an earlier attempt left is of no use, and may be in the way of a full disk.
    remove_dir(&bench.mill.layout.packages(job))?;
    let mut packaged: PackageDone =
        bench.run_child(&Assignment::Package(Box::new(PackageOrder {
            plan,
            asset,
            generation,
            name: order.name(),
            keys,
            damage,
            original: bench.mill.layout.original(&bench.lease.job_id),
            renditions: bench.mill.layout.renditions(),
            out: bench.mill.layout.package(job, &attempt),
        })))?;
    // Subtitles come from the original itself.
    order.check_unchanged()?;
    packaged.attempt = attempt;
    done(&packaged)
}

/// The generation's keys: those that an earlier attempt stored, or new ones, stored before the
/// first byte is encrypted with them.
fn keys(bench: &Bench<'_>, decided: &Decided) -> Result<Option<ClearKeys>, ChildEnd> {
    let encryption = decided.plan.hls.as_ref().and_then(|hls| hls.encryption.as_ref());
    let Some(encryption) = encryption else { return Ok(None) };
    let fault = |error: &dyn std::error::Error| Failed::from_error("make keys", error);
    let fresh = KeySet::generate(encryption.periods as usize).map_err(|error| fault(&error))?;
    let stored = bench.mill.keys.put(&decided.asset, &decided.generation, fresh);
    Ok(Some(ClearKeys::from(&stored.map_err(|error| fault(&error))?)))
}

/// What was concealed while encoding.
fn damage(bench: &Bench<'_>) -> Result<Damage, Failed> {
    let tasks = bench.mill.queue.tasks(&bench.lease.job_id);
    let tasks = tasks.map_err(|error| Failed::from_error("read results", &error))?;
    let of_kind = |kind: TaskKind| tasks.iter().filter(move |task| task.kind == kind.as_str());
    Ok(Damage {
        frames: of_kind(TaskKind::Video).map(|task| result::<VideoDone>(task).damaged_frames).sum(),
        audio_packets: of_kind(TaskKind::Audio)
            .map(|task| result::<AudioDone>(task).damaged_packets)
            .sum(),
    })
}

fn result<T: serde::de::DeserializeOwned + Default>(task: &TaskInfo) -> T {
    task.result.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}
