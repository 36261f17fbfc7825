//! Measure the samples of a chunk that a quality was predicted from, under `proof = "full"`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vodmill_model::Plan;
use vodmill_model::pipeline::ProofLevel;
use vodmill_model::plan::{ChunkPlan, QualityPlan};
use vodmill_model::quality::{BitDepth, FrameScore, Subsample};
use vodmill_model::transcode::{
    Comparison, DistortedMedia, DistortedOrder, MeasureOrder, Measured, VideoDone,
};

use super::TaskContext;
use crate::child::{Assignment, Bounds};
use crate::stage_error::StageError;

/// What came of a chunk, and how good it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MeasuredChunk {
    #[serde(flatten)]
    pub facts: VideoDone,
    /// Scores of frames, by the id of the encode.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub measured: BTreeMap<String, Vec<FrameScore>>,
}

/// Measures the samples that lie in a chunk whose renditions are there.
pub(super) fn measure(
    context: &mut TaskContext<'_>,
    plan: &Plan,
    chunk: &ChunkPlan,
    facts: VideoDone,
) -> Result<MeasuredChunk, StageError> {
    let mut measured: BTreeMap<String, Vec<FrameScore>> = BTreeMap::new();
    let quality = plan.quality.as_ref().filter(|_| plan.proof == ProofLevel::Full);
    for (quality, sample) in quality.iter().flat_map(|it| it.samples.iter().map(move |s| (it, s))) {
        if !lies_in(sample, chunk) {
            continue;
        }
        let Some(order) = order(context, plan, (quality, sample), chunk)? else { continue };
        let bounds = Bounds::of_chunk(plan, sample, &context.worker.settings.limits);
        let done: Measured = context.run_child(&Assignment::Measure(Box::new(order)), &bounds)?;
        for media in done.distorted {
            measured.entry(media.id).or_default().extend(media.scores);
        }
    }
    Ok(MeasuredChunk { facts, measured })
}

fn lies_in(sample: &ChunkPlan, chunk: &ChunkPlan) -> bool {
    let end = |it: &ChunkPlan| it.first_frame + it.frames;
    sample.first_frame >= chunk.first_frame && end(sample) <= end(chunk)
}

/// What is compared: the rungs of the ladder, brought to the size of the largest as a player would.
fn order(
    context: &mut TaskContext<'_>,
    plan: &Plan,
    (quality, sample): (&QualityPlan, &ChunkPlan),
    chunk: &ChunkPlan,
) -> Result<Option<MeasureOrder>, StageError> {
    let (Some(decode), Some(grid)) = (plan.decode_of(chunk), plan.timeline.video.as_ref()) else {
        return Ok(None);
    };
    let encodes: Vec<_> =
        quality.expected.iter().filter_map(|it| plan.video_encode(&it.encode)).collect();
    let digests: Vec<String> =
        encodes.iter().map(|encode| plan.video_rendition(encode, chunk)).collect();
    let files = context.fetch_renditions(&digests)?;
    let mut distorted = Vec::new();
    for (encode, digest) in encodes.iter().zip(&digests) {
        let Some(file) = files.get(digest) else { continue };
        distorted.push(DistortedOrder {
            id: encode.id.clone(),
            media: DistortedMedia::Renditions(vec![file.clone()]),
            comparison: comparison(quality),
        });
    }
    Ok(Some(MeasureOrder {
        original: context.original()?,
        decode: decode.clone(),
        rate: grid.rate,
        chunk: sample.clone(),
        last: false,
        distorted,
        subsample: Subsample::Fifth,
        neg: false,
    }))
}

fn comparison(quality: &QualityPlan) -> Comparison {
    let size = quality.size;
    let scale = format!("scale={}:{}", size.width, size.height);
    Comparison {
        size,
        depth: BitDepth::Eight,
        reference_filter: quality.filter.clone(),
        distorted_filter: format!("{scale}:flags=bicubic+accurate_rnd+bitexact,format=yuv420p"),
    }
}
