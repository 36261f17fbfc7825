//! The HLS part: every media playlist, with one target duration.

use vodmill_model::plan::HlsPlan;
use vodmill_model::{Failed, MediaError};

use super::PackageContext;
use super::facts::RunFact;
use super::stream::{self, Stream, StreamPlan};
use super::subtitles::{self, SubtitleStream};
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

/// Makes every media playlist, of the segments that are there and the subtitles.
pub(super) fn make(context: &PackageContext<'_>) -> Result<Option<Hls>, MediaError> {
    let Some(plan) = context.plan.hls() else { return Ok(None) };
    let (variants, audio) = join(context, plan)?;
    let subtitles = subtitles::make(context, plan)?;
    let target = target(variants.iter().map(|variant| &variant.stream).chain(&audio))?;
    let hls = Hls { target, variants, audio, subtitles };
    for stream in hls.streams() {
        // I-frames have their own rhythm; RFC 8216 6.2.4 is about the variant streams.
        let target = if stream.fact.holds == Holds::IFrames { 0 } else { target };
        context.tree.write(&stream.fact.name, stream.text(target)?.as_bytes())?;
    }
    for subtitle in &hls.subtitles {
        context.tree.write(&subtitle.fact.name, subtitle.text(target)?.as_bytes())?;
    }
    Ok(Some(hls))
}

/// The playlists of pictures and sound.
fn join(
    context: &PackageContext<'_>,
    plan: &HlsPlan,
) -> Result<(Vec<Variant>, Vec<Stream>), Failed> {
    let stream = |plan| Stream::join(context.input, &plan, &runs_of(context, &plan));
    let variant = |plan| {
        let (moving, pictures) = stream::of_variant(plan);
        Ok(Variant { stream: stream(moving)?, iframes: pictures.map(stream).transpose()? })
    };
    let variants = plan.variants.iter().map(variant).collect::<Result<_, Failed>>()?;
    let audio = plan.audio.iter().map(|audio| stream(stream::of_audio(audio)));
    Ok((variants, audio.collect::<Result<_, _>>()?))
}

/// What was made of a stream, run by run.
fn runs_of<'a>(context: &'a PackageContext<'_>, plan: &StreamPlan<'_>) -> Vec<&'a RunFact> {
    let name = plan.playlist();
    let runs = context.order.segments.iter();
    runs.filter_map(|run| run.streams.iter().find(|fact| fact.playlist.name == name)).collect()
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
