//! Put together, describe and prove: everything that will be published besides the segments, in
//! scratch.

use vodmill_model::Failed;
use vodmill_model::transcode::{AudioDone, VideoDone};
use vodmill_queue::TaskInfo;

use super::segments::basis;
use super::{Bench, StageResult, TaskKind, done};
use crate::child::Assignment;
use crate::file::remove_dir;
use crate::job::JobOrder;
use crate::package::{Damage, PackageDone, PackageOrder, SegmentsDone, renditions_of_package};

pub(super) fn run(bench: &mut Bench<'_>, order: &JobOrder) -> StageResult {
    let decided = bench.decided()?;
    let results = Results::of(bench)?;
    order.check_unchanged()?;
    let (job, attempt) = (&bench.lease.job_id, bench.writer());
    // What an earlier attempt left is of no use, and may be in the way of a full disk.
    remove_dir(&bench.mill.layout.packages(job))?;
    let digests = renditions_of_package(&decided.plan);
    let assignment = PackageOrder {
        basis: basis(bench, decided, &digests)?,
        name: order.name(),
        damage: results.damage,
        original: bench.mill.layout.original(job),
        segments: results.segments,
        out: bench.mill.layout.package(job, &attempt),
    };
    let mut packaged: PackageDone = bench.run_child(&Assignment::Package(Box::new(assignment)))?;
    // Subtitles come from the original itself.
    order.check_unchanged()?;
    packaged.attempt = attempt;
    done(&packaged)
}

/// What other tasks have done.
struct Results {
    /// What was concealed while encoding.
    damage: Damage,
    /// In the order of the runs.
    segments: Vec<SegmentsDone>,
}

impl Results {
    fn of(bench: &Bench<'_>) -> Result<Results, Failed> {
        let tasks = bench.mill.queue.tasks(&bench.lease.job_id);
        let tasks = tasks.map_err(|error| Failed::from_error("read results", &error))?;
        let of_kind = |kind: TaskKind| tasks.iter().filter(move |task| task.kind == kind.as_str());
        let video = of_kind(TaskKind::Video).map(result::<VideoDone>);
        let audio = of_kind(TaskKind::Audio).map(result::<AudioDone>);
        let damage = Damage {
            frames: video.map(|done| done.damaged_frames).sum(),
            audio_packets: audio.map(|done| done.damaged_packets).sum(),
        };
        let mut segments: Vec<_> =
            of_kind(TaskKind::Segments).map(result::<SegmentsDone>).collect();
        segments.sort_by_key(|done| done.run);
        Ok(Results { damage, segments })
    }
}

fn result<T: serde::de::DeserializeOwned + Default>(task: &TaskInfo) -> T {
    task.result.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}
