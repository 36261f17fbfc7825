//! Progressive MP4s, one for each platform.

use std::collections::BTreeMap;

use super::Decisions;
use super::audio::AudioEncodes;
use super::language;
use super::sounds::Sound;
use super::wanted::Wanted;
use crate::plan::{Mp4AudioPlan, Mp4Plan};
use crate::preset::AudioPreset;

/// The MP4s that can be made; `video` has the id of the encode by name of the preset.
pub(super) fn mp4s(
    wanted: &Wanted<'_>,
    video: &BTreeMap<String, String>,
    audio: &[Sound<'_>],
    encodes: &mut AudioEncodes<'_>,
    decisions: &mut Decisions,
) -> Vec<Mp4Plan> {
    let mut plans = Vec::new();
    for (name, preset) in &wanted.mp4 {
        let plan = Mp4Plan {
            name: (*name).to_owned(),
            object: wanted.mp4_object(name),
            video: video.get(*name).cloned(),
            audio: tracks(audio, &preset.audio, encodes, decisions),
        };
        let about = format!("mp4 {name}");
        match (&plan.video, plan.audio.len()) {
            (None, 0) => {
                decisions.add(about, "left out", "it holds sound only, and the source has none");
                continue;
            }
            (None, tracks) => {
                let why = if preset.video.is_some() { "the source" } else { "the preset" };
                let reason = format!("{why} has no pictures");
                decisions.add(
                    about,
                    format!("{}, sound only", super::count(tracks as u64, "audio track")),
                    reason,
                );
            }
            (Some(id), tracks) => {
                let choice = format!("{id} and {}", super::count(tracks as u64, "audio track"));
                decisions.add(about, choice, "every language, the default first");
            }
        }
        plans.push(plan);
    }
    plans
}

fn tracks(
    audio: &[Sound<'_>],
    preset: &AudioPreset,
    encodes: &mut AudioEncodes<'_>,
    decisions: &mut Decisions,
) -> Vec<Mp4AudioPlan> {
    let track = |sound: &Sound<'_>| Mp4AudioPlan {
        audio: encodes.want(sound, preset, decisions),
        language: sound.language.as_deref().and_then(language::iso639),
        roles: sound.roles.clone(),
    };
    audio.iter().map(track).collect()
}
