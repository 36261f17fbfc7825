//! What everything of a generation is made from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vodmill_keys::{ClearKeys, Iv, KeyUriTemplate, Kid, SegmentKey};
use vodmill_model::plan::{ChunkPlan, HlsPlan};
use vodmill_model::transcode::VideoInput;
use vodmill_model::{Failed, GenerationName, Plan};

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
    pub(crate) fn hls(&self) -> Result<&HlsPlan, Failed> {
        self.plan.hls().ok_or_else(|| Failed::new("package", "the plan has no HLS"))
    }

    /// The files that it is made from.
    pub(crate) fn files(&self) -> Vec<&Path> {
        self.renditions.values().map(PathBuf::as_path).collect()
    }

    /// Where a rendition is.
    pub(crate) fn rendition(&self, digest: &str) -> Result<PathBuf, Failed> {
        let missing = || Failed::new("package", format!("rendition {digest} is not at hand"));
        self.renditions.get(digest).cloned().ok_or_else(missing)
    }

    /// The renditions of some chunks of a video encode.
    pub(crate) fn video_input(&self, id: &str, chunks: &[ChunkPlan]) -> Result<VideoInput, Failed> {
        let unknown = || Failed::new("package", format!("the plan has no video encode {id}"));
        let encode = self.plan.video_encode(id).ok_or_else(unknown)?;
        let timeline = self.plan.timeline.video.as_ref().ok_or_else(unknown)?;
        let path = |chunk| self.rendition(&self.plan.video_rendition(encode, chunk));
        let chunks = chunks.iter().map(path).collect::<Result<_, _>>()?;
        Ok(VideoInput { chunks, rate: timeline.rate })
    }

    /// The rendition of an audio encode.
    pub(crate) fn audio_input(&self, id: &str) -> Result<PathBuf, Failed> {
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
    pub(crate) fn key_uri(&self, kid: &Kid) -> Result<String, Failed> {
        let none = || Failed::new("write key URI", "the plan has no encryption");
        let encryption = self.hls()?.encryption.as_ref().ok_or_else(none)?;
        let template = KeyUriTemplate::parse(&encryption.key_uri);
        let template =
            template.map_err(|error| Failed::from_error("read key URI template", &error))?;
        Ok(template.uri(kid, &self.asset, self.generation.as_str()))
    }
}
