//! The HLS part: every media playlist, side by side, with one target duration.

use vodmill_hls::key::Kid;
use vodmill_hls::keyring::KeyUriTemplate;
use vodmill_model::plan::{HlsPlan, VariantPlan};
use vodmill_model::{Failed, MediaError};

use super::stream::{self, Stream, Wanted};
use super::subtitles::{self, SubtitleStream};
use super::{Shop, joined};
use crate::receipt::{Holds, PlaylistFact};

/// Every media playlist of a package, in the order of its plan.
pub(super) struct Hls {
    /// EXT-X-TARGETDURATION of all but I-frame playlists, in seconds.
    pub target: u64,
    pub variants: Vec<Variant>,
    pub audio: Vec<Stream>,
    pub subtitles: Vec<SubtitleStream>,
}

/// A variant stream and its I-frames.
pub(super) struct Variant {
    pub stream: Stream,
    pub iframes: Option<Stream>,
}

impl Hls {
    /// What the receipt says of every media playlist.
    pub fn facts(&self) -> impl Iterator<Item = PlaylistFact> {
        let streams = self.streams().map(|stream| stream.fact.clone());
        streams.chain(self.subtitles.iter().map(|subtitle| subtitle.fact.clone()))
    }

    fn streams(&self) -> impl Iterator<Item = &Stream> {
        let variants = self
            .variants
            .iter()
            .flat_map(|variant| [Some(&variant.stream), variant.iframes.as_ref()]);
        variants.flatten().chain(&self.audio)
    }
}

/// Makes every media playlist and its segments.
pub(super) fn make(shop: &Shop<'_>) -> Result<Option<Hls>, MediaError> {
    let Some(plan) = &shop.plan.hls else { return Ok(None) };
    let (variants, audio) = make_streams(shop, plan)?;
    let subtitles = subtitles::make(shop, plan)?;
    let target = target(variants.iter().map(|variant| &variant.stream).chain(&audio))?;
    let hls = Hls { target, variants, audio, subtitles };
    for stream in hls.streams() {
        // I-frames have their own rhythm; RFC 8216 6.2.4 is about the variant streams.
        let target = if stream.fact.holds == Holds::IFrames { 0 } else { target };
        shop.tree.write(&stream.fact.name, stream.text(target)?.as_bytes())?;
    }
    for subtitle in &hls.subtitles {
        shop.tree.write(&subtitle.fact.name, subtitle.text(target)?.as_bytes())?;
    }
    Ok(Some(hls))
}

type Streams = (Vec<Variant>, Vec<Stream>);

fn make_streams(shop: &Shop<'_>, plan: &HlsPlan) -> Result<Streams, MediaError> {
    std::thread::scope(|scope| {
        let variants: Vec<_> = plan
            .variants
            .iter()
            .map(|variant| scope.spawn(|| make_variant(shop, variant)))
            .collect();
        let make_audio = |alternative: &vodmill_model::plan::AudioAlternativePlan| {
            let audio = Some(alternative.audio.as_str());
            stream::make(
                shop,
                &Wanted { prefix: &alternative.prefix, holds: Holds::Audio, video: None, audio },
            )
        };
        let audio: Vec<_> =
            plan.audio.iter().map(|audio| scope.spawn(move || make_audio(audio))).collect();
        let variants: Result<_, _> =
            variants.into_iter().map(|thread| joined(thread.join())).collect();
        let audio: Result<_, _> = audio.into_iter().map(|thread| joined(thread.join())).collect();
        Ok((variants?, audio?))
    })
}

fn make_variant(shop: &Shop<'_>, plan: &VariantPlan) -> Result<Variant, MediaError> {
    let holds = if plan.video.is_some() { Holds::Video } else { Holds::Audio };
    let (prefix, video) = (plan.prefix.as_str(), plan.video.as_deref());
    let stream =
        stream::make(shop, &Wanted { prefix, holds, video, audio: plan.muxed_audio.as_deref() })?;
    let pictures = Wanted { prefix, holds: Holds::IFrames, video, audio: None };
    let iframes = plan.iframes.then(|| stream::make(shop, &pictures)).transpose()?;
    Ok(Variant { stream, iframes })
}

fn target<'a>(streams: impl Iterator<Item = &'a Stream>) -> Result<u64, Failed> {
    let mut target = 0;
    for stream in streams {
        let needed = stream.playlist.needed_target_duration();
        let needed =
            needed.map_err(|e| Failed::from_error(format!("time {}", stream.fact.name), &e))?;
        target = target.max(needed);
    }
    Ok(target)
}

/// Where players fetch the key of that id.
pub(super) fn key_uri(shop: &Shop<'_>, template: &str, kid: &Kid) -> Result<String, Failed> {
    let template = KeyUriTemplate::parse(template);
    let template = template.map_err(|error| Failed::from_error("read key URI template", &error))?;
    Ok(template.uri(kid, &shop.order.asset, &shop.order.generation))
}
