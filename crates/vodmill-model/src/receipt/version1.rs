//! Version 1 of `receipt.json`, of vodmill 0.1.0: outputs in fields `playlists` and `mp4`, and stills
//! among the objects alone.

use serde::Deserialize;

use super::{FileFact, HlsFact, ObjectFact, OutputFact, PlaylistFact, StillsFact, VERSION};
use crate::asset::VideoRange;
use crate::generation::GenerationName;
use crate::plan::Build;
use crate::preset::FileContainer;
use crate::units::{Frames, Ratio, Size, Ticks};

/// Where stills were.
const STILLS: &str = "thumbnails/";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Receipt {
    #[serde(rename = "version")]
    _version: Version,
    build: Build,
    plan: String,
    original: String,
    asset: String,
    generation: GenerationName,
    duration: Ticks,
    frames: Option<Frames>,
    frame_rate: Option<Ratio>,
    base: Ticks,
    segment_ends: Vec<Ticks>,
    encrypted: bool,
    objects: Vec<ObjectFact>,
    playlists: Vec<PlaylistFact>,
    mp4: Vec<Mp4Fact>,
    multivariant: Option<String>,
    description: String,
}

/// The number of this version, and no other.
#[derive(Deserialize)]
#[serde(try_from = "u32")]
struct Version;

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(version: u32) -> Result<Version, String> {
        if version == 1 { Ok(Version) } else { Err(format!("unknown version {version}")) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mp4Fact {
    name: String,
    codecs: Vec<String>,
    size: Option<Size>,
    #[serde(default)]
    range: Option<VideoRange>,
    audio_tracks: u32,
}

impl From<Receipt> for super::Receipt {
    fn from(old: Receipt) -> super::Receipt {
        super::Receipt {
            outputs: outputs(&old),
            version: VERSION,
            build: old.build,
            plan: old.plan,
            original: old.original,
            asset: old.asset,
            generation: old.generation,
            duration: old.duration,
            frames: old.frames,
            frame_rate: old.frame_rate,
            objects: old.objects,
            loudness: Vec::new(),
            description: old.description,
        }
    }
}

fn outputs(old: &Receipt) -> Vec<OutputFact> {
    let hls = old.multivariant.as_ref().map(|multivariant| HlsFact {
        base: old.base,
        segment_ends: old.segment_ends.clone(),
        encrypted: old.encrypted,
        playlists: old.playlists.clone(),
        multivariant: multivariant.clone(),
        quality: Vec::new(),
    });
    let names = old.objects.iter().map(|object| &object.name);
    let stills: Vec<_> = names.filter(|name| name.starts_with(STILLS)).cloned().collect();
    let mut outputs: Vec<OutputFact> = hls.into_iter().map(OutputFact::Hls).collect();
    outputs.extend(old.mp4.iter().map(file));
    if !stills.is_empty() {
        outputs.push(OutputFact::Stills(StillsFact { objects: stills }));
    }
    outputs
}

fn file(mp4: &Mp4Fact) -> OutputFact {
    OutputFact::File(FileFact {
        name: mp4.name.clone(),
        container: FileContainer::Mp4,
        codecs: mp4.codecs.clone(),
        size: mp4.size,
        range: mp4.range,
        audio_tracks: mp4.audio_tracks,
    })
}
