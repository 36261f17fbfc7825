//! Encode one audio track, whole.

use vodmill_model::plan::AudioEncode;
use vodmill_model::transcode::{AudioDone, AudioOrder};
use vodmill_model::{Failed, Plan};

use super::{Bench, StageResult, done};
use crate::child::{Assignment, ChildEnd};
use crate::job::JobOrder;

pub(super) fn run(bench: &mut Bench<'_>, order: &JobOrder) -> StageResult {
    let plan = bench.decided()?.plan;
    let id = bench.lease.key.strip_prefix("audio/").unwrap_or_default();
    let encode = plan.audio_encode(id);
    let encode =
        encode.ok_or_else(|| Failed::new("encode audio", format!("the plan has no {id}")))?;
    let digest = plan.audio_rendition(encode);
    if let Some(facts) = bench.mill.renditions.facts::<AudioDone>(&digest) {
        return done(&facts);
    }
    let made = make(bench, order, &plan, encode, &digest);
    bench.mill.renditions.discard(&digest, &bench.writer());
    done(&made?)
}

fn make(
    bench: &mut Bench<'_>,
    order: &JobOrder,
    plan: &Plan,
    encode: &AudioEncode,
    digest: &str,
) -> Result<AudioDone, ChildEnd> {
    order.check_unchanged()?;
    let facts: AudioDone = bench.run_child(&Assignment::Audio(AudioOrder {
        original: bench.mill.layout.original(&bench.lease.job_id),
        origin: plan.timeline.origin,
        encode: encode.clone(),
        path: bench.mill.renditions.part(digest, &bench.writer())?,
    }))?;
    order.check_unchanged()?;
    bench.mill.renditions.complete(digest, &bench.writer(), &facts)?;
    Ok(facts)
}
