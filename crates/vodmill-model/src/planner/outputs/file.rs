//! Files for download: MP4, WebM, MP3.

use std::collections::BTreeMap;

use super::super::Decisions;
use super::super::audio::AudioEncodes;
use super::super::language;
use super::super::requested::Requested;
use super::super::sounds::Sound;
use crate::plan::{FileAudioPlan, FilePlan};
use crate::preset::{AudioPreset, FileContainer};

/// The files that can be made; `video` has the id of the encode by name of the preset.
pub(in crate::planner) fn files(
    wanted: &Requested<'_>,
    video: &BTreeMap<String, String>,
    audio: &[Sound<'_>],
    encodes: &mut AudioEncodes<'_>,
    decisions: &mut Decisions,
) -> Vec<FilePlan> {
    let mut plans = Vec::new();
    for (name, preset) in &wanted.files {
        let plan = FilePlan {
            name: (*name).to_owned(),
            container: preset.container,
            object: wanted.file_object(name, preset.container),
            video: video.get(*name).cloned(),
            audio: tracks(held(audio, preset.container), &preset.audio, encodes, decisions),
        };
        let about = format!("{} {name}", preset.container.as_str());
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
                    format!("{}, sound only", super::super::count(tracks as u64, "audio track")),
                    reason,
                );
            }
            (Some(id), tracks) => {
                let choice =
                    format!("{id} and {}", super::super::count(tracks as u64, "audio track"));
                decisions.add(about, choice, "every language, the default first");
            }
        }
        plans.push(plan);
    }
    plans
}

/// The sounds that a file holds: an MP3 has room for the first alone.
fn held<'s, 'a>(audio: &'s [Sound<'a>], container: FileContainer) -> &'s [Sound<'a>] {
    match container {
        FileContainer::Mp3 => &audio[..audio.len().min(1)],
        FileContainer::Mp4 | FileContainer::Webm => audio,
    }
}

fn tracks(
    audio: &[Sound<'_>],
    preset: &AudioPreset,
    encodes: &mut AudioEncodes<'_>,
    decisions: &mut Decisions,
) -> Vec<FileAudioPlan> {
    let track = |sound: &Sound<'_>| FileAudioPlan {
        audio: encodes.want(sound, preset, decisions),
        language: sound.language.as_deref().and_then(language::iso639),
        roles: sound.roles.clone(),
    };
    audio.iter().map(track).collect()
}
