//! HLS: segments, made run by run while later chunks are encoded; then every media playlist, with one
//! target duration, and the multivariant playlist.

mod describe;
mod multivariant;
mod quality;
mod segment_writer;
mod segments;
mod stream;
mod subtitles;

use vodmill_model::asset::Output;
use vodmill_model::plan::{ChunkPlan, HlsPlan};
use vodmill_model::receipt::{HlsFact, Holds, OutputFact, PlaylistFact};
use vodmill_model::{Failed, MediaError, Plan};

pub(crate) use segments::{SegmentsOrder, build as build_segments};
use stream::{Stream, StreamPlan};
use subtitles::SubtitleStream;

use super::MadeOutput;
use crate::file::sha256;
use crate::generation::RunFact;
use crate::package::PackageContext;

/// Every media playlist of a package, in the order of its plan.
struct Hls {
    /// EXT-X-TARGETDURATION of all but I-frame playlists, in seconds.
    pub target: u64,
    pub variants: Vec<Variant>,
    pub audio: Vec<Stream>,
    pub subtitles: Vec<SubtitleStream>,
}

/// A variant stream and its I-frames.
struct Variant {
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

pub(super) fn make(context: &PackageContext<'_>, plan: &HlsPlan) -> Result<MadeOutput, MediaError> {
    let hls = write_playlists(context, plan)?;
    let pointer = multivariant::write(context, plan, &hls)?;
    let fact = HlsFact {
        base: plan.base,
        segment_ends: context.plan.timeline.segment_ends.clone(),
        encrypted: context.input.keys.is_some(),
        playlists: hls.facts().collect(),
        multivariant: sha256(pointer.as_bytes()),
        quality: quality::of(context, plan, &hls),
    };
    let doubts = quality::doubts(&fact);
    Ok(MadeOutput {
        fact: OutputFact::Hls(fact),
        described: Output::Hls(describe::of(context, plan, &hls)),
        losses: hls.subtitles.into_iter().flat_map(|it| it.losses).chain(doubts).collect(),
        pointer: Some(pointer),
    })
}

/// Every media playlist, of the segments that are there and the subtitles.
fn write_playlists(context: &PackageContext<'_>, plan: &HlsPlan) -> Result<Hls, MediaError> {
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
    Ok(hls)
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

/// Digests of the renditions that the segments of one chunk, or of sound alone, are made from.
pub(super) fn renditions_of_run(
    plan: &Plan,
    hls: &HlsPlan,
    chunk: Option<&ChunkPlan>,
) -> Vec<String> {
    let mut digests = Vec::new();
    for variant in &hls.variants {
        let video = variant.video.as_ref().and_then(|id| plan.video_encode(id)).zip(chunk);
        digests.extend(video.map(|(encode, chunk)| plan.video_rendition(encode, chunk)));
    }
    let muxed = hls.variants.iter().filter_map(|variant| variant.muxed_audio.as_ref());
    let audio = muxed.chain(hls.audio.iter().map(|alternative| &alternative.audio));
    let audio = audio.filter_map(|id| plan.audio_encode(id));
    digests.extend(audio.map(|encode| plan.audio_rendition(encode)));
    digests
}
