//! What everything of a generation is made from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vodmill_keys::{ClearKeys, Iv, KeyUriTemplate, Kid, SegmentKey};
use vodmill_model::plan::{ChunkPlan, HlsPlan};
use vodmill_model::transcode::VideoInput;
use vodmill_model::{Failed, GenerationName, Plan};

use super::stills::stills_of;

/// A generation that is being made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PackageInput {
    pub(crate) plan: Plan,
    pub(crate) asset: String,
    pub(crate) generation: GenerationName,
    pub(crate) keys: Option<ClearKeys>,
    /// Where the renditions are that the work at hand needs, by their digests.
    pub(crate) renditions: BTreeMap<String, PathBuf>,
}

/// The key that a piece of an object is encrypted with.
pub(crate) struct PieceKey {
    pub kid: Kid,
    pub key: SegmentKey,
    pub iv: Iv,
}

impl PackageInput {
    /// The HLS part of the plan.
    pub(super) fn hls(&self) -> Result<&HlsPlan, Failed> {
        self.plan.hls().ok_or_else(|| Failed::new("package", "the plan has no HLS"))
    }

    /// The files that it is made from.
    pub(crate) fn files(&self) -> Vec<&Path> {
        self.renditions.values().map(PathBuf::as_path).collect()
    }

    /// Where a rendition is.
    pub(super) fn rendition(&self, digest: &str) -> Result<PathBuf, Failed> {
        let missing = || Failed::new("package", format!("rendition {digest} is not at hand"));
        self.renditions.get(digest).cloned().ok_or_else(missing)
    }

    /// The renditions of some chunks of a video encode.
    pub(super) fn video_input(&self, id: &str, chunks: &[ChunkPlan]) -> Result<VideoInput, Failed> {
        let unknown = || Failed::new("package", format!("the plan has no video encode {id}"));
        let encode = self.plan.video_encode(id).ok_or_else(unknown)?;
        let timeline = self.plan.timeline.video.as_ref().ok_or_else(unknown)?;
        let path = |chunk| self.rendition(&self.plan.video_rendition(encode, chunk));
        let chunks = chunks.iter().map(path).collect::<Result<_, _>>()?;
        Ok(VideoInput { chunks, rate: timeline.rate })
    }

    /// The rendition of an audio encode.
    pub(super) fn audio_input(&self, id: &str) -> Result<PathBuf, Failed> {
        let unknown = || Failed::new("package", format!("the plan has no audio encode {id}"));
        let encode = self.plan.audio_encode(id).ok_or_else(unknown)?;
        self.rendition(&self.plan.audio_rendition(encode))
    }

    /// The key of one piece of an object in that key period; none in a clear package.
    pub(crate) fn key(
        &self,
        period: Option<u32>,
        object: &str,
        piece: u64,
    ) -> Result<Option<PieceKey>, Failed> {
        let Some(period) = period else { return Ok(None) };
        let missing =
            || Failed::new(format!("encrypt {object}"), format!("no key for period {period}"));
        let keys = self.keys.as_ref().ok_or_else(missing)?;
        let (kid, key) = keys.period(period as usize).ok_or_else(missing)?;
        Ok(Some(PieceKey { kid, key, iv: keys.iv(object, piece) }))
    }

    /// Where players fetch the key of that id.
    pub(super) fn key_uri(&self, kid: &Kid) -> Result<String, Failed> {
        let none = || Failed::new("write key URI", "the plan has no encryption");
        let encryption = self.hls()?.encryption.as_ref().ok_or_else(none)?;
        let template = KeyUriTemplate::parse(&encryption.key_uri);
        let template =
            template.map_err(|error| Failed::from_error("read key URI template", &error))?;
        Ok(template.uri(kid, &self.asset, self.generation.as_str()))
    }
}

/// Digests of the renditions that the segments of one chunk, or of sound alone, are made from.
pub(crate) fn renditions_of_run(plan: &Plan, chunk: Option<&ChunkPlan>) -> Vec<String> {
    let Some(hls) = plan.hls() else { return Vec::new() };
    let video =
        hls.variants.iter().filter_map(|variant| plan.video_encode(variant.video.as_ref()?));
    let video = video.zip(chunk.into_iter().cycle());
    let muxed = hls.variants.iter().filter_map(|variant| variant.muxed_audio.as_ref());
    let audio = muxed.chain(hls.audio.iter().map(|alternative| &alternative.audio));
    let audio = audio.filter_map(|id| plan.audio_encode(id));
    let digests = video.map(|(encode, chunk)| plan.video_rendition(encode, chunk));
    distinct(digests.chain(audio.map(|encode| plan.audio_rendition(encode))))
}

/// Digests of the renditions that MP4s, poster and storyboard are made from.
pub(crate) fn renditions_of_package(plan: &Plan) -> Vec<String> {
    let video = plan.files().filter_map(|file| plan.video_encode(file.video.as_ref()?));
    let video = video.flat_map(|encode| {
        plan.chunks.iter().map(move |chunk| plan.video_rendition(encode, chunk))
    });
    let audio = plan.files().flat_map(|file| &file.audio);
    let audio = audio.filter_map(|track| plan.audio_encode(&track.audio));
    let stills = stills_of(plan).into_iter().map(|still| still.digest);
    distinct(video.chain(audio.map(|encode| plan.audio_rendition(encode))).chain(stills))
}

fn distinct(digests: impl Iterator<Item = String>) -> Vec<String> {
    let mut digests: Vec<_> = digests.collect();
    digests.sort();
    digests.dedup();
    digests
}
