//! The pipelines that clips go through: those of the home, and one for each preset that none uses.

use vodmill_model::pipeline::{Container, HlsSettings, ProofLevel};
use vodmill_model::preset::{HdrPolicy, VideoCodec, VideoTarget};
use vodmill_model::units::BitsPerSecond;
use vodmill_model::{Catalogue, Ladder, Pipeline, Preset};
use vodmill_regress::Clip;

use crate::exit::Usage;

/// Pipelines of presets that no pipeline uses begin with it.
const OF_PRESET: &str = "preset-";

/// All that is encoded, or what is named of it. Everything that is made is decoded as well.
pub fn all(home: &Catalogue, only: &[String]) -> anyhow::Result<Catalogue> {
    let mut catalogue = home.clone();
    for (name, preset) in &home.presets {
        let is_used = home.pipelines.values().any(|pipeline| uses(pipeline, name));
        if !is_used {
            let pipeline = of_preset(name, preset);
            catalogue.pipelines.entry(format!("{OF_PRESET}{name}")).or_insert(pipeline);
        }
    }
    for pipeline in catalogue.pipelines.values_mut() {
        pipeline.proof = ProofLevel::Full;
    }
    if let Some(unknown) = only.iter().find(|name| !catalogue.pipelines.contains_key(*name)) {
        let known: Vec<&str> = catalogue.pipelines.keys().map(String::as_str).collect();
        return Err(Usage::error(format!("no pipeline {unknown}; there are {}", known.join(", "))));
    }
    catalogue.pipelines.retain(|name, _| only.is_empty() || only.contains(name));
    Ok(catalogue)
}

fn uses(pipeline: &Pipeline, preset: &str) -> bool {
    pipeline.ladders().chain(pipeline.file_presets()).any(|used| used == preset)
}

fn of_preset(name: &str, preset: &Preset) -> Pipeline {
    let empty = Pipeline { ladder: String::new(), ..Pipeline::default() };
    match preset {
        Preset::Ladder(ladder) => Pipeline {
            ladder: name.to_owned(),
            hls: HlsSettings {
                container: container(ladder),
                segment_seconds: ladder.video.gop_seconds
                    * 6_u32.div_ceil(ladder.video.gop_seconds.max(1)),
                ..HlsSettings::default()
            },
            ..empty
        },
        Preset::Mp4(_) | Preset::File(_) => Pipeline { files: vec![name.to_owned()], ..empty },
    }
}

/// HEVC wants fMP4.
fn container(ladder: &Ladder) -> Container {
    match ladder.video.codec {
        VideoCodec::H264 => Container::Ts,
        _ => Container::Fmp4,
    }
}

/// Whether a pipeline encodes a made clip: high dynamic range where it is kept; of presets that no
/// pipeline uses, two clips say enough.
pub fn takes(catalogue: &Catalogue, name: &str, clip: Clip) -> bool {
    let Some(pipeline) = catalogue.pipelines.get(name) else { return false };
    let keeps =
        catalogue.presets.iter().any(|(name, preset)| uses(pipeline, name) && keeps_hdr(preset));
    let by_itself = name.starts_with(OF_PRESET);
    match clip {
        Clip::Hdr => keeps,
        Clip::Long => true,
        Clip::Cuts => !(by_itself && keeps),
        _ => !by_itself,
    }
}

fn keeps_hdr(preset: &Preset) -> bool {
    match preset {
        Preset::Ladder(ladder) => ladder.video.hdr == HdrPolicy::Keep,
        Preset::Mp4(file) | Preset::File(file) => {
            file.video.as_ref().is_some_and(|video| video.common.hdr == HdrPolicy::Keep)
        }
    }
}

/// How much softer: rates of about four fifths.
const SOFTER_CRF: u8 = 2;

/// The same with a little less quality everywhere.
pub fn softer(catalogue: &Catalogue) -> Catalogue {
    let mut softer = catalogue.clone();
    for preset in softer.presets.values_mut() {
        match preset {
            Preset::Ladder(ladder) => {
                ladder.rungs.iter_mut().for_each(|rung| soften(&mut rung.target));
            }
            Preset::Mp4(file) | Preset::File(file) => {
                file.video.iter_mut().for_each(|video| soften(&mut video.target));
            }
        }
    }
    softer
}

fn soften(target: &mut VideoTarget) {
    let less = |rate: &mut BitsPerSecond| rate.0 = rate.0 * 4 / 5;
    target.crf.iter_mut().for_each(|crf| *crf += SOFTER_CRF);
    target.bitrate.iter_mut().for_each(less);
    // Where the peak binds, the rate factor changes nothing.
    less(&mut target.max_bitrate);
}
