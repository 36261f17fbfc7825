//! The HLS segments of one run: muxed, encrypted, written and proved.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vodmill_model::plan::SegmentRun;
use vodmill_model::transcode::Watch;
use vodmill_model::{Failed, MediaError, Transcode};

use super::facts::{RunFact, SegmentsDone};
use super::press::{self, Press};
use super::stream::StreamPlan;
use super::tree::TreeWriter;
use super::{Basis, ClearKeys, joined};
use crate::file::make_private_dir;
use crate::proof::Gauge;
use crate::receipt::Holds;

/// Which segments to make.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SegmentsOrder {
    pub(crate) basis: Basis,
    /// Number of the run.
    pub(crate) run: u32,
    /// Folder to make them in, under the names of their objects.
    pub(crate) out: PathBuf,
}

/// What the makers of single streams work with.
pub(super) struct Floor<'a> {
    pub basis: &'a Basis,
    pub run: &'a SegmentRun<'a>,
    pub gauge: Gauge<'a>,
    pub tree: TreeWriter<'a>,
}

/// Makes the segments of one run, every stream by a thread of its own but I-frames, which come
/// after the pictures that they are taken from.
pub(crate) fn build(
    order: &SegmentsOrder,
    transcode: &dyn Transcode,
    watch: &dyn Watch,
) -> Result<SegmentsDone, MediaError> {
    let basis = &order.basis;
    let runs = basis.plan.segment_runs();
    let unknown = || Failed::new("make segments", format!("the plan has no run {}", order.run));
    let run = runs.iter().find(|run| run.index == order.run).ok_or_else(unknown)?;
    make_private_dir(&order.out)?;
    let hls = basis.hls()?;
    let rate = basis.plan.timeline.video.as_ref().map(|grid| grid.rate);
    let gauge = Gauge { transcode, level: basis.plan.proof, base: hls.base, rate };
    let floor = Floor { basis, run, gauge, tree: TreeWriter::new(order.out.clone(), watch) };
    let streams = make(&floor, &super::stream::plans(hls))?;
    let keys = basis.keys.as_ref().map(ClearKeys::mark);
    Ok(SegmentsDone { run: order.run, objects: floor.tree.objects(), streams, keys })
}

fn make(floor: &Floor<'_>, plans: &[StreamPlan<'_>]) -> Result<Vec<RunFact>, MediaError> {
    std::thread::scope(|scope| {
        let together = plans.chunk_by(|_, next| next.holds == Holds::IFrames);
        let threads: Vec<_> = together
            .map(|plans| {
                scope.spawn(|| plans.iter().map(|plan| make_stream(floor, plan)).collect())
            })
            .collect();
        let made = threads.into_iter().map(|thread| joined(thread.join()));
        let made: Vec<Vec<RunFact>> = made.collect::<Result<_, MediaError>>()?;
        Ok(made.into_iter().flatten().collect())
    })
}

fn make_stream(floor: &Floor<'_>, plan: &StreamPlan<'_>) -> Result<RunFact, MediaError> {
    let order = press::order(floor, plan)?;
    let mut press = Press::new(floor, plan)?;
    floor.gauge.transcode.segment(&order, &mut |segment| press.take(segment))?;
    press.finish()
}
