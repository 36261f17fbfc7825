//! What is said of HLS.

use vodmill_model::asset::{HlsAudio, HlsOutput, HlsSubtitles, HlsVariant};
use vodmill_model::plan::{AudioAlternativePlan, HlsPlan, SubtitleAlternativePlan, VariantPlan};

use super::stream::Stream;
use super::subtitles::SubtitleStream;
use super::{Hls, Variant};
use crate::generation::MULTIVARIANT;
use crate::package::{PackageContext, path};

pub(super) fn of(context: &PackageContext<'_>, plan: &HlsPlan, made: &Hls) -> HlsOutput {
    let variants = plan.variants.iter().zip(&made.variants);
    let audio = plan.audio.iter().zip(&made.audio);
    let subtitles = plan.subtitles.iter().zip(&made.subtitles);
    let target = made.target;
    HlsOutput {
        playlist: MULTIVARIANT.to_owned(),
        container: plan.container,
        encrypted: context.input.keys.is_some(),
        target_duration_s: target,
        segments: context.plan.timeline.segment_ends.len() as u64,
        variants: variants.map(|(plan, made)| variant(context, target, plan, made)).collect(),
        audio: audio.map(|(plan, made)| sound(context, target, plan, made)).collect(),
        subtitles: subtitles.map(|(plan, made)| text(context, plan, made)).collect(),
    }
}

fn variant(
    context: &PackageContext<'_>,
    target: u64,
    plan: &VariantPlan,
    made: &Variant,
) -> HlsVariant {
    let Variant { stream, iframes } = made;
    let rates = stream.bit_rates(target).unwrap_or_default();
    HlsVariant {
        name: plan.name.clone(),
        width: stream.fact.size.map(|size| size.width),
        height: stream.fact.size.map(|size| size.height),
        codecs: stream.fact.codecs.clone(),
        peak_bitrate: rates.peak,
        bitrate: rates.average,
        bytes: stream.bytes(),
        playlist: path(context, &stream.fact.name),
        iframes: iframes.as_ref().map(|stream| path(context, &stream.fact.name)),
        iframes_bytes: iframes.as_ref().map(Stream::bytes),
        encode: plan.video.clone(),
        video_range: stream.fact.range,
    }
}

fn sound(
    context: &PackageContext<'_>,
    target: u64,
    plan: &AudioAlternativePlan,
    made: &Stream,
) -> HlsAudio {
    HlsAudio {
        name: plan.name.clone(),
        language: plan.language.clone(),
        default: plan.default,
        channels: plan.channels,
        codecs: made.fact.codecs.clone(),
        bytes: made.bytes(),
        bitrate: made.bit_rates(target).unwrap_or_default().average,
        playlist: path(context, &made.fact.name),
        roles: plan.roles.clone(),
    }
}

fn text(
    context: &PackageContext<'_>,
    plan: &SubtitleAlternativePlan,
    made: &SubtitleStream,
) -> HlsSubtitles {
    HlsSubtitles {
        name: plan.name.clone(),
        language: plan.language.clone(),
        default: plan.default,
        forced: plan.forced,
        bytes: made.bytes(),
        playlist: path(context, &made.fact.name),
        roles: plan.roles.clone(),
    }
}
