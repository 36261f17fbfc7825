//! Encode one audio track, whole.

use vodmill_model::plan::AudioEncode;
use vodmill_model::transcode::{AudioDone, AudioOrder};
use vodmill_model::{Failed, Plan};

use super::{Bench, StageResult, done};
use crate::child::{Assignment, Bounds, ChildEnd};

pub(super) fn run(bench: &mut Bench<'_>) -> StageResult {
    let plan = bench.decided()?.plan;
    let id = bench.lease.key.strip_prefix("audio/").unwrap_or_default();
    let encode = plan.audio_encode(id);
    let encode =
        encode.ok_or_else(|| Failed::new("encode audio", format!("the plan has no {id}")))?;
    let digest = plan.audio_rendition(encode);
    if let Some(facts) = bench.mill.renditions.facts::<AudioDone>(&digest)? {
        return done(&facts);
    }
    done(&make(bench, &plan, encode, &digest)?)
}

fn make(
    bench: &mut Bench<'_>,
    plan: &Plan,
    encode: &AudioEncode,
    digest: &str,
) -> Result<AudioDone, ChildEnd> {
    bench.check_unchanged()?;
    let order = AudioOrder {
        original: bench.original()?,
        origin: plan.timeline.origin,
        encode: encode.clone(),
        path: bench.part(digest),
    };
    let bounds = Bounds::of_audio(plan, &bench.mill.settings.limits);
    let facts: AudioDone = bench.run_child(&Assignment::Audio(order), &bounds)?;
    bench.check_unchanged()?;
    bench.keep_rendition(digest, &facts)?;
    Ok(facts)
}
