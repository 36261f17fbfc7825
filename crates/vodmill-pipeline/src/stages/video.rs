//! Encode one chunk for every rung that does not have it yet.

use std::path::PathBuf;

use vodmill_model::plan::{ChunkPlan, HazardCode, VideoEncode};
use vodmill_model::transcode::{StillOrder, VideoDone, VideoOrder};
use vodmill_model::{Failed, Plan};

use super::{Bench, StageResult, done};
use crate::child::{Assignment, ChildEnd};
use crate::job::JobOrder;
use crate::package::stills_of;

pub(super) fn run(bench: &mut Bench<'_>, order: &JobOrder) -> StageResult {
    let plan = bench.decided()?.plan;
    let chunk = chunk_of(&plan, &bench.lease.key)?;
    let missing = Missing::find(bench, &plan, chunk)?;
    if missing.is_empty() {
        return done(&known_facts(bench, &plan, chunk));
    }
    let made = encode_unchanged(bench, order, &plan, chunk, &missing);
    missing.discard(bench);
    done(&made?)
}

fn encode_unchanged(
    bench: &mut Bench<'_>,
    order: &JobOrder,
    plan: &Plan,
    chunk: &ChunkPlan,
    missing: &Missing<'_>,
) -> Result<VideoDone, ChildEnd> {
    order.check_unchanged()?;
    let facts = encode(bench, plan, chunk, missing)?;
    order.check_unchanged()?;
    missing.complete(bench, &facts)?;
    Ok(facts)
}

fn chunk_of<'a>(plan: &'a Plan, key: &str) -> Result<&'a ChunkPlan, Failed> {
    let index: Option<u32> = key.strip_prefix("video/").and_then(|index| index.parse().ok());
    let chunk = plan.chunks.iter().find(|chunk| Some(chunk.index) == index);
    chunk.ok_or_else(|| Failed::new("encode video", format!("the plan has no chunk {key}")))
}

fn known_facts(bench: &Bench<'_>, plan: &Plan, chunk: &ChunkPlan) -> VideoDone {
    let digests = plan.video.iter().map(|encode| plan.video_rendition(encode, chunk));
    let facts = digests.filter_map(|digest| bench.mill.renditions.facts::<VideoDone>(&digest));
    facts.max_by_key(|facts| facts.damaged_frames).unwrap_or_default()
}

fn encode(
    bench: &mut Bench<'_>,
    plan: &Plan,
    chunk: &ChunkPlan,
    missing: &Missing<'_>,
) -> Result<VideoDone, ChildEnd> {
    let no_video = || Failed::new("encode video", "the plan has no video");
    let facts: VideoDone = bench.run_child(&Assignment::Video(VideoOrder {
        original: bench.mill.layout.original(&bench.lease.job_id),
        decode: plan.decode.clone().ok_or_else(no_video)?,
        rate: plan.timeline.video.as_ref().ok_or_else(no_video)?.rate,
        chunk: chunk.clone(),
        encodes: missing
            .encodes
            .iter()
            .map(|(encode, _, part)| ((*encode).clone(), part.clone()))
            .collect(),
        stills: missing.stills.iter().map(|(still, _)| still.clone()).collect(),
        tolerated_damage_per_mille: plan.tolerated_damage_per_mille,
        cut_off: is_cut_off(plan, chunk),
    }))?;
    if facts.frames == chunk.frames {
        return Ok(facts);
    }
    let cause = format!("{} frames of {} planned", facts.frames, chunk.frames);
    Err(Failed::new(format!("encode chunk {}", chunk.index), cause).into())
}

/// Whether the chunk holds the end of an original that was cut off.
fn is_cut_off(plan: &Plan, chunk: &ChunkPlan) -> bool {
    let last = plan.chunks.last().is_some_and(|last| last.index == chunk.index);
    last && plan.hazards.iter().any(|hazard| hazard.code == HazardCode::Truncated)
}

/// What of a chunk is not among the renditions yet, with digests and places to write to.
struct Missing<'a> {
    encodes: Vec<(&'a VideoEncode, String, PathBuf)>,
    stills: Vec<(StillOrder, String)>,
}

impl<'a> Missing<'a> {
    fn find(bench: &Bench<'_>, plan: &'a Plan, chunk: &ChunkPlan) -> Result<Missing<'a>, Failed> {
        let renditions = &bench.mill.renditions;
        let mut missing = Missing { encodes: Vec::new(), stills: Vec::new() };
        for encode in &plan.video {
            let digest = plan.video_rendition(encode, chunk);
            if renditions.facts::<VideoDone>(&digest).is_none() {
                let part = renditions.part(&digest, &bench.writer())?;
                missing.encodes.push((encode, digest, part));
            }
        }
        for still in stills_of(plan).into_iter().filter(|still| still.is_in(chunk)) {
            if renditions.facts::<()>(&still.digest).is_none() {
                let path = renditions.part(&still.digest, &bench.writer())?;
                let (frame, size, filter) = (still.frame, still.size, still.filter.to_owned());
                missing.stills.push((StillOrder { frame, size, filter, path }, still.digest));
            }
        }
        Ok(missing)
    }

    fn is_empty(&self) -> bool {
        self.encodes.is_empty() && self.stills.is_empty()
    }

    /// Removes what was begun and not completed: the next attempt has names of its own, and where
    /// the disk was full it needs the room.
    fn discard(&self, bench: &Bench<'_>) {
        let encodes = self.encodes.iter().map(|(_, digest, _)| digest);
        for digest in encodes.chain(self.stills.iter().map(|(_, digest)| digest)) {
            bench.mill.renditions.discard(digest, &bench.writer());
        }
    }

    fn complete(&self, bench: &Bench<'_>, facts: &VideoDone) -> Result<(), Failed> {
        let renditions = &bench.mill.renditions;
        for (_, digest, _) in &self.encodes {
            renditions.complete(digest, &bench.writer(), facts)?;
        }
        for (_, digest) in &self.stills {
            renditions.complete(digest, &bench.writer(), &())?;
        }
        Ok(())
    }
}
