//! One media playlist of pictures or sound: what it is made from, and what it says.

use vodmill_manifest::bandwidth::{BitRates, SegmentSize};
use vodmill_manifest::hls::{ByteRange, InitSection, KeyRef, MediaPlaylist, Segment as Entry};
use vodmill_manifest::time::Seconds;
use vodmill_model::Failed;
use vodmill_model::plan::{AudioAlternativePlan, HlsPlan, VariantPlan};
use vodmill_model::receipt::{Holds, PlaylistFact};

use crate::generation::{EntryFact, PackageInput, RunFact};

/// What a media playlist is made from.
#[derive(Clone, Debug)]
pub(super) struct StreamPlan<'a> {
    /// Prefix of its objects.
    pub prefix: &'a str,
    pub holds: Holds,
    /// Id of its video encode.
    pub video: Option<&'a str>,
    /// Id of its audio encode.
    pub audio: Option<&'a str>,
}

impl StreamPlan<'_> {
    /// Its playlist's name in the generation.
    pub fn playlist(&self) -> String {
        let file = if self.holds == Holds::IFrames { "iframes.m3u8" } else { "index.m3u8" };
        format!("{}/{file}", self.prefix)
    }
}

/// Every stream of a package: each variant, its I-frames right after it, then the audio.
pub(super) fn plans(hls: &HlsPlan) -> Vec<StreamPlan<'_>> {
    let variants = hls.variants.iter().map(of_variant);
    let variants = variants.flat_map(|(moving, pictures)| std::iter::once(moving).chain(pictures));
    variants.chain(hls.audio.iter().map(of_audio)).collect()
}

/// The stream of a variant, and that of its I-frames.
pub(super) fn of_variant(variant: &VariantPlan) -> (StreamPlan<'_>, Option<StreamPlan<'_>>) {
    let holds = if variant.video.is_some() { Holds::Video } else { Holds::Audio };
    let (prefix, video) = (variant.prefix.as_str(), variant.video.as_deref());
    let audio = variant.muxed_audio.as_deref();
    let pictures = StreamPlan { prefix, holds: Holds::IFrames, video, audio: None };
    (StreamPlan { prefix, holds, video, audio }, variant.iframes.then_some(pictures))
}

pub(super) fn of_audio(alternative: &AudioAlternativePlan) -> StreamPlan<'_> {
    let (prefix, audio) = (alternative.prefix.as_str(), Some(alternative.audio.as_str()));
    StreamPlan { prefix, holds: Holds::Audio, video: None, audio }
}

/// A media playlist and what a multivariant playlist says of it.
pub(super) struct Stream {
    pub playlist: MediaPlaylist,
    pub fact: PlaylistFact,
}

impl Stream {
    /// A playlist from its parts in order, at least one.
    pub fn join(
        input: &PackageInput,
        plan: &StreamPlan<'_>,
        runs: &[&RunFact],
    ) -> Result<Stream, Failed> {
        let missing = || Failed::new("package", format!("no segments for {}", plan.playlist()));
        let first = runs.first().ok_or_else(missing)?;
        let init = first.init.as_ref().map(|init| InitSection {
            uri: init.file.clone(),
            byte_range: (plan.holds == Holds::IFrames)
                .then_some(ByteRange { offset: 0, length: init.bytes }),
        });
        let entries = runs.iter().flat_map(|run| &run.entries);
        let playlist = MediaPlaylist {
            vod: true,
            independent_segments: true,
            i_frames_only: plan.holds == Holds::IFrames,
            init,
            segments: entries.map(|fact| entry(input, plan, fact)).collect::<Result<_, _>>()?,
            ended: true,
            ..MediaPlaylist::default()
        };
        Ok(Stream { playlist, fact: first.playlist.clone() })
    }

    /// Bytes of all its segments.
    pub fn bytes(&self) -> u64 {
        self.sizes().iter().map(|segment| segment.bytes).sum()
    }

    /// Measured bit rates, for an EXT-X-TARGETDURATION in seconds.
    pub fn bit_rates(&self, target: u64) -> Result<BitRates, Failed> {
        BitRates::measure(&self.sizes(), target)
            .map_err(|error| Failed::from_error(format!("measure {}", self.fact.name), &error))
    }

    fn sizes(&self) -> Vec<SegmentSize> {
        let size = |segment: &Entry| SegmentSize {
            bytes: segment.byte_range.map_or(0, |range| range.length),
            duration: segment.duration,
        };
        self.playlist.segments.iter().map(size).collect()
    }

    /// The playlist as it is published. Ranges of whole objects were kept for their sizes only.
    pub fn text(&self, target: u64) -> Result<String, Failed> {
        let mut playlist = self.playlist.clone();
        playlist.target_duration = target;
        if self.fact.holds != Holds::IFrames {
            playlist.segments.iter_mut().for_each(|segment| segment.byte_range = None);
        }
        playlist
            .write()
            .map_err(|error| Failed::from_error(format!("write {}", self.fact.name), &error))
    }
}

fn entry(input: &PackageInput, plan: &StreamPlan<'_>, fact: &EntryFact) -> Result<Entry, Failed> {
    let object = format!("{}/{}", plan.prefix, fact.file);
    let key = input.key(fact.period, &object, fact.piece)?;
    let key =
        key.map(|key| Ok(KeyRef { uri: input.key_uri(&key.kid)?, iv: Some(*key.iv.as_bytes()) }));
    Ok(Entry {
        uri: fact.file.clone(),
        duration: Seconds::from_ticks(fact.duration.0.unsigned_abs()),
        byte_range: Some(ByteRange { offset: fact.offset, length: fact.bytes }),
        key: key.transpose()?,
    })
}
