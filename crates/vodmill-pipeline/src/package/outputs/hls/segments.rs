//! The HLS segments of one run: muxed, encrypted, written and proved.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vodmill_keys::ClearKeys;
use vodmill_model::plan::SegmentRun;
use vodmill_model::receipt::Holds;
use vodmill_model::transcode::ProgressSink;
use vodmill_model::{Failed, MediaError, Transcode};

use super::segment_writer::{self, SegmentWriter};
use super::stream::{self, StreamPlan};
use crate::file::make_private_dir;
use crate::generation::{PackageInput, RunFact, SegmentsDone};
use crate::package::joined;
use crate::package::tree::TreeWriter;
use crate::proof::SegmentProof;

/// Which segments to make.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SegmentsOrder {
    pub(crate) input: PackageInput,
    /// Number of the run.
    pub(crate) run: u32,
    /// Folder to make them in, under the names of their objects.
    pub(crate) out: PathBuf,
}

/// What the makers of single streams work with.
pub(super) struct SegmentContext<'a> {
    pub input: &'a PackageInput,
    pub run: &'a SegmentRun<'a>,
    pub proof: SegmentProof<'a>,
    pub tree: TreeWriter<'a>,
}

/// Makes the segments of one run, every stream by a thread of its own but I-frames, which come
/// after the pictures that they are taken from.
pub(crate) fn build(
    order: &SegmentsOrder,
    transcode: &dyn Transcode,
    watch: &dyn ProgressSink,
) -> Result<SegmentsDone, MediaError> {
    let input = &order.input;
    let runs = input.plan.segment_runs();
    let unknown = || Failed::new("make segments", format!("the plan has no run {}", order.run));
    let run = runs.iter().find(|run| run.index == order.run).ok_or_else(unknown)?;
    make_private_dir(&order.out)?;
    let hls = input.hls()?;
    let rate = input.plan.timeline.video.as_ref().map(|grid| grid.rate);
    let proof = SegmentProof { transcode, level: input.plan.proof, base: hls.base, rate };
    let context =
        SegmentContext { input, run, proof, tree: TreeWriter::new(order.out.clone(), watch) };
    let streams = make(&context, &stream::plans(hls))?;
    let keys = input.keys.as_ref().map(ClearKeys::mark);
    Ok(SegmentsDone { run: order.run, objects: context.tree.objects(), streams, keys })
}

fn make(
    context: &SegmentContext<'_>,
    plans: &[StreamPlan<'_>],
) -> Result<Vec<RunFact>, MediaError> {
    std::thread::scope(|scope| {
        let together = plans.chunk_by(|_, next| next.holds == Holds::IFrames);
        let threads: Vec<_> = together
            .map(|plans| {
                scope.spawn(|| plans.iter().map(|plan| make_stream(context, plan)).collect())
            })
            .collect();
        let made = threads.into_iter().map(|thread| joined(thread.join()));
        let made: Vec<Vec<RunFact>> = made.collect::<Result<_, MediaError>>()?;
        Ok(made.into_iter().flatten().collect())
    })
}

fn make_stream(context: &SegmentContext<'_>, plan: &StreamPlan<'_>) -> Result<RunFact, MediaError> {
    let order = segment_writer::order(context, plan)?;
    let mut writer = SegmentWriter::new(context, plan)?;
    context.proof.transcode.segment(&order, &mut |segment| writer.take(segment))?;
    writer.finish()
}
