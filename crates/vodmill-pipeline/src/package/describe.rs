//! `asset.json`: everything that a web site needs to know.

use vodmill_model::asset::{Asset, Original, VERSION};
use vodmill_model::receipt::Receipt;

use super::outputs::MadeOutput;
use super::{PackageContext, repairs};

/// The description of an asset. Paths are relative to the asset.
pub(super) fn asset(context: &PackageContext<'_>, made: &[MadeOutput], receipt: &Receipt) -> Asset {
    let original = &context.plan.original;
    Asset {
        version: VERSION,
        name: context.input.asset.clone(),
        generation: context.input.generation.clone(),
        pipeline: context.plan.pipeline.clone(),
        duration_ms: u64::try_from(receipt.duration.millis()).unwrap_or_default(),
        frames: receipt.frames,
        frame_rate: receipt.frame_rate.map(|rate| rate.to_string()),
        outputs: made.iter().map(|output| output.described.clone()).collect(),
        original: Original {
            name: context.order.name.clone(),
            container: original.container.clone(),
            bytes: original.bytes,
            sha256: original.sha256.clone(),
            tracks: original.tracks.clone(),
        },
        loudness: receipt.loudness.clone(),
        repairs: repairs::of(context, made),
        // The receipt is an object too.
        objects: receipt.objects.len() as u64 + 1,
        bytes: receipt.objects.iter().map(|object| object.bytes).sum(),
        built_by: context.plan.build.clone(),
    }
}
