//! The multivariant playlist: the pointer to a generation.

use vodmill_manifest::bandwidth::BitRates;
use vodmill_manifest::hls::{
    AudioAlternative, IFrameStream, MultivariantPlaylist, Resolution, SubtitleAlternative,
    VariantStream, VideoRange,
};
use vodmill_manifest::time::FrameRate;
use vodmill_model::Failed;
use vodmill_model::asset;
use vodmill_model::plan::{HlsPlan, VariantPlan};
use vodmill_model::role::Role;
use vodmill_model::units::Size;

use super::stream::Stream;
use super::{Hls, Variant};
use crate::package::PackageContext;

/// GROUP-ID of the audio alternatives.
const AUDIO: &str = "audio";
/// GROUP-ID of the subtitles.
const SUBTITLES: &str = "subtitles";

/// The playlist as text. Its URIs are relative to the asset.
pub(super) fn write(
    context: &PackageContext<'_>,
    plan: &HlsPlan,
    hls: &Hls,
) -> Result<String, Failed> {
    let fault = |error: vodmill_manifest::hls::PlaylistError| {
        Failed::from_error("write multivariant playlist", &error)
    };
    let groups = GroupRates::measure(hls)?;
    let variant = |(plan, made): (&VariantPlan, &Variant)| {
        let stream = variant_stream(context, hls, &groups, made)?;
        Ok(VariantStream { score: plan.score, ..stream })
    };
    let pictures =
        |variant: &Variant| variant.iframes.as_ref().map(|stream| i_frames(context, hls, stream));
    let playlist = MultivariantPlaylist {
        independent_segments: true,
        no_closed_captions: true,
        audio: audio(context, plan),
        subtitles: subtitles(context, plan),
        variants: plan.variants.iter().zip(&hls.variants).map(variant).collect::<Result<_, _>>()?,
        i_frames: hls.variants.iter().filter_map(pictures).collect::<Result<_, _>>()?,
    };
    playlist.check().map_err(fault)?;
    playlist.write().map_err(fault)
}

/// What plays beside a variant stream, and counts as its own (RFC 8216, 4.3.4.2).
struct GroupRates {
    audio: Vec<BitRates>,
    subtitles: Vec<BitRates>,
}

impl GroupRates {
    fn measure(hls: &Hls) -> Result<GroupRates, Failed> {
        let audio = hls.audio.iter().map(|stream| stream.bit_rates(hls.target));
        let subtitles = hls.subtitles.iter().map(|stream| stream.bit_rates(hls.target));
        Ok(GroupRates {
            audio: audio.collect::<Result<_, _>>()?,
            subtitles: subtitles.collect::<Result<_, _>>()?,
        })
    }
}

fn uri(context: &PackageContext<'_>, name: &str) -> String {
    format!("{}/{name}", context.input.generation)
}

fn variant_stream(
    context: &PackageContext<'_>,
    hls: &Hls,
    groups: &GroupRates,
    variant: &Variant,
) -> Result<VariantStream, Failed> {
    let stream = &variant.stream;
    let rates = stream.bit_rates(hls.target)?;
    let rates = rates.with_group(&groups.audio).with_group(&groups.subtitles);
    let mut codecs = stream.fact.codecs.clone();
    codecs.extend(hls.audio.iter().flat_map(|audio| audio.fact.codecs.clone()));
    let mut distinct = Vec::new();
    codecs.retain(|codec| {
        !distinct.contains(codec) && {
            distinct.push(codec.clone());
            true
        }
    });
    let video = context.plan.timeline.video.as_ref().filter(|_| stream.fact.size.is_some());
    Ok(VariantStream {
        uri: uri(context, &stream.fact.name),
        bandwidth: rates.peak,
        average_bandwidth: Some(rates.average),
        codecs,
        resolution: stream.fact.size.map(resolution),
        frame_rate: video.map(|video| FrameRate { num: video.rate.num, den: video.rate.den }),
        video_range: video_range(hls, stream),
        score: None,
        audio_group: (!hls.audio.is_empty()).then(|| AUDIO.to_owned()),
        subtitle_group: (!hls.subtitles.is_empty()).then(|| SUBTITLES.to_owned()),
    })
}

/// VIDEO-RANGE of a stream with pictures. It is left out where all are SDR, which players take then;
/// beside high dynamic range it is said of all.
fn video_range(hls: &Hls, stream: &Stream) -> Option<VideoRange> {
    let high = hls.variants.iter().any(|variant| variant.stream.fact.range.is_some());
    let range = match stream.fact.range {
        Some(asset::VideoRange::Pq) => VideoRange::Pq,
        Some(asset::VideoRange::Hlg) => VideoRange::Hlg,
        None => VideoRange::Sdr,
    };
    (high && stream.fact.size.is_some()).then_some(range)
}

fn i_frames(
    context: &PackageContext<'_>,
    hls: &Hls,
    stream: &Stream,
) -> Result<IFrameStream, Failed> {
    let target = stream.playlist.needed_target_duration();
    let target =
        target.map_err(|e| Failed::from_error(format!("time {}", stream.fact.name), &e))?;
    let rates = stream.bit_rates(target)?;
    Ok(IFrameStream {
        uri: uri(context, &stream.fact.name),
        bandwidth: rates.peak,
        average_bandwidth: Some(rates.average),
        codecs: stream.fact.codecs.clone(),
        resolution: stream.fact.size.map(resolution),
        video_range: video_range(hls, stream),
    })
}

fn resolution(size: Size) -> Resolution {
    Resolution { width: size.width, height: size.height }
}

fn audio(context: &PackageContext<'_>, plan: &HlsPlan) -> Vec<AudioAlternative> {
    let alternative = |audio: &vodmill_model::plan::AudioAlternativePlan| AudioAlternative {
        group: AUDIO.to_owned(),
        name: audio.name.clone(),
        language: audio.language.clone(),
        default: audio.default,
        autoselect: audio.autoselect,
        characteristics: audio.roles.iter().filter_map(told_of_sound).map(str::to_owned).collect(),
        channels: Some(audio.channels.to_string()),
        uri: Some(uri(context, &format!("{}/index.m3u8", audio.prefix))),
    };
    plan.audio.iter().map(alternative).collect()
}

/// What players are told of a sound (RFC 8216, 4.3.4.1; Apple's HLS authoring specification). Other
/// roles have no identifier; they are in the name.
fn told_of_sound(role: &Role) -> Option<&'static str> {
    match role {
        Role::Description => Some("public.accessibility.describes-video"),
        Role::HearingImpaired => Some("public.accessibility.enhances-speech-intelligibility"),
        _ => None,
    }
}

fn characteristics_of_text(roles: &[Role]) -> Vec<String> {
    let tells = roles.contains(&Role::HearingImpaired);
    let identifiers = [
        "public.accessibility.transcribes-spoken-dialog",
        "public.accessibility.describes-music-and-sound",
    ];
    identifiers.iter().filter(|_| tells).map(|identifier| (*identifier).to_owned()).collect()
}

fn subtitles(context: &PackageContext<'_>, plan: &HlsPlan) -> Vec<SubtitleAlternative> {
    let alternative =
        |subtitle: &vodmill_model::plan::SubtitleAlternativePlan| SubtitleAlternative {
            group: SUBTITLES.to_owned(),
            name: subtitle.name.clone(),
            language: subtitle.language.clone(),
            default: subtitle.default,
            autoselect: subtitle.autoselect,
            forced: subtitle.forced,
            characteristics: characteristics_of_text(&subtitle.roles),
            uri: uri(context, &format!("{}/index.m3u8", subtitle.prefix)),
        };
    plan.subtitles.iter().map(alternative).collect()
}
