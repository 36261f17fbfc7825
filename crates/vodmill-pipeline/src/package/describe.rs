//! `asset.json`: everything that a web site needs to know.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use vodmill_model::Failed;
use vodmill_model::plan::{Hazard, VariantPlan};
use vodmill_model::role::Role;
use vodmill_model::units::Size;

use super::hls::{Hls, Variant};
use super::losses;
use super::stream::Stream;
use super::{MULTIVARIANT, Made, PackageContext};
use crate::file::sha256;
use crate::receipt::{Mp4Fact, RECEIPT, Receipt, VideoRange};

/// The serialised form of what is published, for people to read too.
pub(crate) fn json(value: &impl Serialize) -> Result<Vec<u8>, Failed> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|e| Failed::from_error("describe", &e))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The description of an asset. Paths are relative to the asset; the reference to the receipt, which
/// has this description's digest, and the date come later.
pub(super) fn asset(context: &PackageContext<'_>, made: &Made, receipt: &Receipt) -> Value {
    let order = context.order;
    json!({
        "version": 1,
        "asset": context.input.asset,
        "generation": context.input.generation,
        "pipeline": context.plan.pipeline,
        "duration_ms": receipt.duration.millis(),
        "frames": receipt.frames,
        "frame_rate": receipt.frame_rate.map(|rate| rate.to_string()),
        "hls": made.hls.as_ref().map(|hls| describe_hls(context, hls)),
        "mp4": made.mp4.iter().map(|mp4| describe_mp4(context, receipt, mp4)).collect::<Vec<_>>(),
        "thumbnails": describe_stills(context),
        "original": {
            "name": order.name,
            "container": context.plan.original.container,
            "bytes": context.plan.original.bytes,
            "sha256": context.plan.original.sha256,
            "tracks": context.plan.original.tracks,
        },
        "repairs": repairs(context, made),
        // The receipt is an object too.
        "objects": receipt.objects.len() + 1,
        "bytes": receipt.objects.iter().map(|object| object.bytes).sum::<u64>(),
        "built_by": context.plan.build,
    })
}

/// What a description says of its receipt.
pub(crate) fn reference(receipt: &Receipt, sha256: &str) -> Value {
    json!({ "path": format!("{}/{RECEIPT}", receipt.generation), "sha256": sha256 })
}

/// What is added to a description later: the reference to its receipt, and what differs from one
/// run to the next.
const LATER: [&str; 4] = ["receipt", "published_at", "encode_cpu_ms", "package_cpu_ms"];

/// SHA-256 of a description as far as its receipt can vouch for it.
pub(crate) fn digest(asset: &Value) -> String {
    let fields = asset.as_object().into_iter().flatten();
    let vouched: BTreeMap<_, _> =
        fields.filter(|(name, _)| !LATER.contains(&name.as_str())).collect();
    sha256(&serde_json::to_vec(&vouched).unwrap_or_default())
}

fn path(context: &PackageContext<'_>, name: &str) -> String {
    format!("{}/{name}", context.input.generation)
}

fn describe_hls(context: &PackageContext<'_>, hls: &Hls) -> Value {
    let plan = context.plan.hls();
    let plans = plan.iter().flat_map(|plan| &plan.variants);
    let variants = plans.zip(&hls.variants);
    json!({
        "playlist": MULTIVARIANT,
        "container": plan.map(|plan| plan.container),
        "encrypted": context.input.keys.is_some(),
        "target_duration_s": hls.target,
        "segments": context.plan.timeline.segment_ends.len(),
        "variants": variants.map(|(plan, made)| describe_variant(context, hls, plan, made)).collect::<Vec<_>>(),
        "audio": plan.iter().flat_map(|plan| &plan.audio).zip(&hls.audio).map(|(audio, stream)| with_roles(&audio.roles, json!({
            "name": audio.name, "language": audio.language, "default": audio.default,
            "channels": audio.channels, "codecs": stream.fact.codecs, "bytes": stream.bytes(),
            "bitrate": stream.bit_rates(hls.target).map(|rates| rates.average).unwrap_or_default(),
            "playlist": path(context, &stream.fact.name),
        }))).collect::<Vec<_>>(),
        "subtitles": plan.iter().flat_map(|plan| &plan.subtitles).zip(&hls.subtitles).map(|(subtitle, stream)| with_roles(&subtitle.roles, json!({
            "name": subtitle.name, "language": subtitle.language, "default": subtitle.default,
            "forced": subtitle.forced, "bytes": stream.bytes(), "playlist": path(context, &stream.fact.name),
        }))).collect::<Vec<_>>(),
    })
}

fn describe_variant(
    context: &PackageContext<'_>,
    hls: &Hls,
    plan: &VariantPlan,
    variant: &Variant,
) -> Value {
    let rates = variant.stream.bit_rates(hls.target).unwrap_or_default();
    let described = json!({
        "name": plan.name,
        "width": variant.stream.fact.size.map(|size| size.width),
        "height": variant.stream.fact.size.map(|size| size.height),
        "codecs": variant.stream.fact.codecs,
        "peak_bitrate": rates.peak,
        "bitrate": rates.average,
        "bytes": variant.stream.bytes(),
        "playlist": path(context, &variant.stream.fact.name),
        "iframes": variant.iframes.as_ref().map(|stream| path(context, &stream.fact.name)),
        "iframes_bytes": variant.iframes.as_ref().map(Stream::bytes),
        "encode": plan.video,
    });
    with_range(described, variant.stream.fact.range)
}

/// High dynamic range is said; without a word it is SDR.
fn with_range(mut described: Value, range: Option<VideoRange>) -> Value {
    if let (Some(fields), Some(range)) = (described.as_object_mut(), range) {
        fields.insert("video_range".to_owned(), json!(range));
    }
    described
}

/// What a track is for, where it is not the programme itself.
fn with_roles(roles: &[Role], mut described: Value) -> Value {
    if let Some(fields) = described.as_object_mut().filter(|_| !roles.is_empty()) {
        fields.insert("roles".to_owned(), json!(roles));
    }
    described
}

fn describe_mp4(context: &PackageContext<'_>, receipt: &Receipt, mp4: &Mp4Fact) -> Value {
    let object = receipt.objects.iter().find(|object| object.name == mp4.name);
    let bytes = object.map(|object| object.bytes).unwrap_or_default();
    let ticks = receipt.duration.0.max(1).unsigned_abs();
    let plan = context.plan.files().find(|plan| plan.object == mp4.name);
    let described = json!({
        "name": plan.map(|plan| plan.name.as_str()),
        "path": path(context, &mp4.name),
        "bytes": bytes,
        "bitrate": u128::from(bytes) * 8 * 90_000 / u128::from(ticks),
        "sha256": object.map(|object| object.sha256.as_str()),
        "width": mp4.size.map(|size| size.width),
        "height": mp4.size.map(|size| size.height),
        "codecs": mp4.codecs,
        "audio_tracks": mp4.audio_tracks,
        "encode": plan.and_then(|plan| plan.video.as_deref()),
    });
    with_range(described, mp4.range)
}

fn describe_stills(context: &PackageContext<'_>) -> Value {
    let Some(stills) = context.plan.stills() else { return Value::Null };
    let size = |size: Size| json!({ "width": size.width, "height": size.height });
    json!({
        "poster": { "path": path(context, &stills.poster.object), "size": size(stills.poster.size) },
        "storyboard": stills.storyboard.as_ref().map(|board| json!({
            "index": path(context, &board.index),
            "sheets": board.sheets.iter().map(|sheet| path(context, sheet)).collect::<Vec<_>>(),
            "tile": size(board.tile), "tiles": board.frames.len(),
            "columns": board.columns, "rows": board.rows,
        })),
    })
}

/// Where the output is less than what was delivered.
fn repairs(context: &PackageContext<'_>, made: &Made) -> Vec<Value> {
    let stated = |hazard: &&Hazard| hazard.repair;
    let hazards = context.plan.hazards.iter().filter(stated);
    let mut repairs: Vec<_> = hazards
        .map(|hazard| json!({ "code": hazard.code, "detail": hazard.detail, "remedy": hazard.remedy }))
        .collect();
    let damage = context.order.damage;
    if damage.frames + damage.audio_packets > 0 {
        repairs.push(json!({
            "code": "damage_concealed",
            "detail": format!("{} damaged frames, {} damaged audio packets", damage.frames, damage.audio_packets),
            "remedy": "Concealed by the picture before, or by silence.",
        }));
    }
    repairs.extend(lost_pictures(context));
    let subtitles = made.hls.iter().flat_map(|hls| &hls.subtitles);
    let subtitles = subtitles.flat_map(|stream| stream.losses.clone());
    let losses =
        losses::of_sounds(context.plan, &context.order.sounds).into_iter().chain(subtitles);
    repairs.extend(losses.map(|loss| json!(loss)));
    repairs
}

/// What was delivered and what came out, held against each other: pictures that refer to others
/// which are not there do not come, and no decoder says a word.
fn lost_pictures(context: &PackageContext<'_>) -> Option<Value> {
    let delivered = context.plan.original.pictures?;
    let lost =
        delivered.checked_sub(context.order.damage.decoded_frames?).filter(|&lost| lost > 0)?;
    Some(json!({
        "code": "pictures_lost",
        "detail": format!("{lost} of {delivered} pictures did not come out of the decoder"),
        "remedy": "The picture before each, or the first one, stands in its place.",
    }))
}
