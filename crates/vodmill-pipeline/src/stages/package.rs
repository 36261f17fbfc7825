//! Put together, describe, prove and store everything that will be published besides the segments.

use vodmill_fault::point;
use vodmill_model::transcode::{AudioDone, VideoDone};
use vodmill_queue::TaskInfo;

use super::segments::{basis, bounds, deliver};
use super::{Bench, StageResult, TaskKind, done};
use crate::child::{Assignment, ChildEnd};
use crate::file::passed;
use crate::package::{
    Damage, GENERATION, PackageDone, PackageOrder, SegmentsDone, renditions_of_package,
};

pub(super) fn run(bench: &mut Bench<'_>) -> StageResult {
    let decided = bench.decided()?;
    let results = Results::of(bench)?;
    bench.check_unchanged()?;
    let out = bench.scratch.join("package");
    let digests = renditions_of_package(&decided.plan);
    let prefix = decided.prefix()?;
    let basis = basis(bench, decided, &digests)?;
    let bounds = bounds(bench, &basis)?;
    let assignment = PackageOrder {
        basis,
        name: bench.order.name(),
        damage: results.damage,
        original: bench.original()?,
        segments: results.segments,
        out: out.clone(),
    };
    let assignment = Assignment::Package(Box::new(assignment));
    let packaged: PackageDone = bench.run_child(&assignment, &bounds)?;
    // Subtitles come from the original itself.
    bench.check_unchanged()?;
    deliver(bench, &prefix, &out.join(GENERATION))?;
    passed(point!("package.stored"))?;
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
    fn of(bench: &Bench<'_>) -> Result<Results, ChildEnd> {
        let tasks = bench.mill.queue.tasks(&bench.lease.job_id)?;
        let of_kind = |kind: TaskKind| tasks.iter().filter(move |task| task.kind == kind.as_str());
        let video: Vec<_> = of_kind(TaskKind::Video).map(result::<VideoDone>).collect();
        let audio = of_kind(TaskKind::Audio).map(result::<AudioDone>);
        let damage = Damage {
            frames: video.iter().map(|done| done.damaged_frames).sum(),
            decoded_frames: video.iter().map(|done| done.decoded_frames).sum(),
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
