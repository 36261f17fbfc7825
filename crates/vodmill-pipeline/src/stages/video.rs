//! Encode one chunk for every rung that does not have it yet.

use std::path::PathBuf;

use vodmill_model::plan::{ChunkPlan, HazardCode, VideoEncode};
use vodmill_model::transcode::{StillOrder, VideoDone, VideoOrder};
use vodmill_model::{Failed, Plan};

use super::measure::measure;
use super::{StageResult, TaskContext, done};
use crate::child::{Assignment, Bounds};
use crate::package::stills_of;
use crate::stage_error::StageError;

pub(super) fn run(context: &mut TaskContext<'_>) -> StageResult {
    let plan = context.decided()?.plan;
    let chunk = chunk_of(&plan, &context.lease.key)?;
    let missing = Missing::find(context, &plan, chunk)?;
    let facts = match missing.is_empty() {
        true => known_facts(context, &plan, chunk)?,
        false => make(context, &plan, chunk, &missing)?,
    };
    done(&measure(context, &plan, chunk, facts)?)
}

fn make(
    context: &mut TaskContext<'_>,
    plan: &Plan,
    chunk: &ChunkPlan,
    missing: &Missing<'_>,
) -> Result<VideoDone, StageError> {
    context.check_unchanged()?;
    let facts = encode(context, plan, chunk, missing)?;
    context.check_unchanged()?;
    missing.complete(context, &facts)?;
    Ok(facts)
}

fn chunk_of<'a>(plan: &'a Plan, key: &str) -> Result<&'a ChunkPlan, Failed> {
    let index: Option<u32> = key.strip_prefix("video/").and_then(|index| index.parse().ok());
    let chunk = plan.chunks.iter().find(|chunk| Some(chunk.index) == index);
    chunk.ok_or_else(|| Failed::new("encode video", format!("the plan has no chunk {key}")))
}

fn known_facts(
    context: &TaskContext<'_>,
    plan: &Plan,
    chunk: &ChunkPlan,
) -> Result<VideoDone, StageError> {
    let mut worst = VideoDone::default();
    for encode in &plan.video {
        let facts = context.worker.renditions.facts(&plan.video_rendition(encode, chunk))?;
        let gone = || Failed::new("look at renditions", "one was there, and is gone");
        let facts: VideoDone = facts.ok_or_else(gone)?;
        if facts.damaged_frames >= worst.damaged_frames {
            worst = facts;
        }
    }
    Ok(worst)
}

fn encode(
    context: &mut TaskContext<'_>,
    plan: &Plan,
    chunk: &ChunkPlan,
    missing: &Missing<'_>,
) -> Result<VideoDone, StageError> {
    let no_video = || Failed::new("encode video", "the plan has no video");
    let order = VideoOrder {
        original: context.original()?,
        decode: plan.decode_of(chunk).ok_or_else(no_video)?.clone(),
        rate: plan.timeline.video.as_ref().ok_or_else(no_video)?.rate,
        chunk: chunk.clone(),
        encodes: missing
            .encodes
            .iter()
            .map(|(encode, _, part)| ((*encode).clone(), part.clone()))
            .collect(),
        deciders: missing.deciders(plan),
        stills: missing.stills.iter().map(|(still, _)| still.clone()).collect(),
        tolerated_damage_per_mille: plan.tolerated_damage_per_mille,
        cut_off: is_cut_off(plan, chunk),
        last: is_last(plan, chunk),
    };
    let bounds = Bounds::of_chunk(plan, chunk, &context.worker.settings.limits);
    let facts: VideoDone = context.run_child(&Assignment::Video(order), &bounds)?;
    if facts.frames == chunk.frames {
        return Ok(facts);
    }
    let cause = format!("{} frames of {} planned", facts.frames, chunk.frames);
    Err(Failed::new(format!("encode chunk {}", chunk.index), cause).into())
}

fn is_last(plan: &Plan, chunk: &ChunkPlan) -> bool {
    plan.chunks.last().is_some_and(|last| last.index == chunk.index)
}

/// Whether the chunk holds the end of an original that was cut off.
fn is_cut_off(plan: &Plan, chunk: &ChunkPlan) -> bool {
    is_last(plan, chunk) && plan.hazards.iter().any(|hazard| hazard.code == HazardCode::Truncated)
}

/// What of a chunk is not among the renditions yet, with digests and places to write to.
struct Missing<'a> {
    encodes: Vec<(&'a VideoEncode, String, PathBuf)>,
    stills: Vec<(StillOrder, String)>,
}

impl<'a> Missing<'a> {
    fn find(
        context: &TaskContext<'_>,
        plan: &'a Plan,
        chunk: &ChunkPlan,
    ) -> Result<Missing<'a>, StageError> {
        let renditions = &context.worker.renditions;
        let mut missing = Missing { encodes: Vec::new(), stills: Vec::new() };
        for encode in &plan.video {
            let digest = plan.video_rendition(encode, chunk);
            if renditions.facts::<VideoDone>(&digest)?.is_none() {
                let part = context.part(&digest);
                missing.encodes.push((encode, digest, part));
            }
        }
        for still in stills_of(plan).into_iter().filter(|still| still.is_in(chunk)) {
            if renditions.facts::<()>(&still.digest)?.is_none() {
                let path = context.part(&still.digest);
                let (frame, size, filter) = (still.frame, still.size, still.filter.to_owned());
                missing.stills.push((StillOrder { frame, size, filter, path }, still.digest));
            }
        }
        Ok(missing)
    }

    /// Encodes that are there already, and are made once more for the frame types that they decide: what
    /// is missing then gets the same ones as if all were made together.
    fn deciders(&self, plan: &Plan) -> Vec<VideoEncode> {
        let mut deciders: Vec<VideoEncode> = Vec::new();
        for decider in self.encodes.iter().filter_map(|(encode, ..)| plan.decider_of(encode)) {
            let is_missing = self.encodes.iter().any(|(encode, ..)| encode.id == decider.id);
            if !is_missing && !deciders.contains(decider) {
                deciders.push(decider.clone());
            }
        }
        deciders
    }

    fn is_empty(&self) -> bool {
        self.encodes.is_empty() && self.stills.is_empty()
    }

    fn complete(&self, context: &TaskContext<'_>, facts: &VideoDone) -> Result<(), StageError> {
        for (_, digest, _) in &self.encodes {
            context.keep_rendition(digest, facts)?;
        }
        for (_, digest) in &self.stills {
            context.keep_rendition(digest, &())?;
        }
        Ok(())
    }
}
