//! `asset.json`: everything that a web site needs to know.

mod file;
mod hls;
mod repairs;
mod stills;

use serde::Serialize;
use vodmill_model::Failed;
use vodmill_model::asset::{Asset, Original, Output, ReceiptReference, VERSION};

use super::{Made, PackageContext};
use crate::receipt::{RECEIPT, Receipt};

/// The serialised form of what is published, for people to read too.
pub(crate) fn json(value: &impl Serialize) -> Result<Vec<u8>, Failed> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|e| Failed::from_error("describe", &e))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The description of an asset. Paths are relative to the asset.
pub(super) fn asset(context: &PackageContext<'_>, made: &Made, receipt: &Receipt) -> Asset {
    let original = &context.plan.original;
    Asset {
        version: VERSION,
        name: context.input.asset.clone(),
        generation: context.input.generation.clone(),
        pipeline: context.plan.pipeline.clone(),
        duration_ms: u64::try_from(receipt.duration.millis()).unwrap_or_default(),
        frames: receipt.frames,
        frame_rate: receipt.frame_rate.map(|rate| rate.to_string()),
        outputs: outputs(context, made, receipt),
        original: Original {
            name: context.order.name.clone(),
            container: original.container.clone(),
            bytes: original.bytes,
            sha256: original.sha256.clone(),
            tracks: original.tracks.clone(),
        },
        repairs: repairs::of(context, made),
        // The receipt is an object too.
        objects: receipt.objects.len() as u64 + 1,
        bytes: receipt.objects.iter().map(|object| object.bytes).sum(),
        built_by: context.plan.build.clone(),
    }
}

fn outputs(context: &PackageContext<'_>, made: &Made, receipt: &Receipt) -> Vec<Output> {
    let mut outputs = Vec::new();
    if let (Some(plan), Some(made)) = (context.plan.hls(), &made.hls) {
        outputs.push(Output::Hls(hls::of(context, plan, made)));
    }
    let files = made.mp4.iter().map(|mp4| file::of(context, receipt, mp4));
    outputs.extend(files.map(Output::File));
    if let Some(plan) = context.plan.stills() {
        outputs.push(Output::Stills(stills::of(context, plan)));
    }
    outputs
}

/// What a description says of its receipt.
pub(crate) fn reference(receipt: &Receipt, sha256: &str) -> ReceiptReference {
    let path = format!("{}/{RECEIPT}", receipt.generation);
    ReceiptReference { path, sha256: sha256.to_owned() }
}

fn path(context: &PackageContext<'_>, name: &str) -> String {
    format!("{}/{name}", context.input.generation)
}
