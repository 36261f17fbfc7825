//! Encode one audio track, whole.

use vodmill_model::plan::AudioEncode;
use vodmill_model::transcode::{AudioDone, AudioOrder};
use vodmill_model::{Failed, Plan};

use super::{StageResult, TaskContext, done};
use crate::child::{Assignment, Bounds};
use crate::stage_error::StageError;

pub(super) fn run(context: &mut TaskContext<'_>) -> StageResult {
    let plan = context.decided()?.plan;
    let id = context.lease.key.strip_prefix("audio/").unwrap_or_default();
    let encode = plan.audio_encode(id);
    let encode =
        encode.ok_or_else(|| Failed::new("encode audio", format!("the plan has no {id}")))?;
    let digest = plan.audio_rendition(encode);
    if let Some(facts) = context.worker.renditions.facts::<AudioDone>(&digest)? {
        return done(&facts);
    }
    done(&make(context, &plan, encode, &digest)?)
}

fn make(
    context: &mut TaskContext<'_>,
    plan: &Plan,
    encode: &AudioEncode,
    digest: &str,
) -> Result<AudioDone, StageError> {
    context.check_unchanged()?;
    let order = AudioOrder {
        original: context.original()?,
        origin: plan.timeline.origin,
        encode: encode.clone(),
        path: context.part(digest),
    };
    let bounds = Bounds::of_audio(plan, &context.worker.settings.limits);
    let facts: AudioDone = context.run_child(&Assignment::Audio(order), &bounds)?;
    context.check_unchanged()?;
    context.keep_rendition(digest, &facts)?;
    Ok(facts)
}
