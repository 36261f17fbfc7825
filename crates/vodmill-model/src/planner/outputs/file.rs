//! Files, one for each platform.

use super::super::audio::AudioEncodes;
use super::super::sounds::Sound;
use super::super::{Decisions, count, language};
use super::Material;
use crate::plan::{FileAudioPlan, FilePlan};
use crate::preset::{FileContainer, FilePreset};

/// The files that can be made.
pub(super) fn plan(
    material: &Material<'_>,
    sounds: &mut AudioEncodes<'_>,
    decisions: &mut Decisions,
) -> Vec<FilePlan> {
    let mut plans: Vec<FilePlan> = Vec::new();
    for (name, preset) in &material.requested.files {
        let Some(mut plan) = one(material, name, preset, sounds, decisions) else { continue };
        if let Some(same) = plans.iter().find(|other| holds_the_same(other, &plan)) {
            let about = format!("{} {name}", preset.container.as_str());
            let choice = format!("the object of {}", same.name);
            decisions.add(about, choice, "the same streams in the same container: stored once");
            plan.object.clone_from(&same.object);
        }
        plans.push(plan);
    }
    plans
}

/// Whether two files are the same to the byte.
fn holds_the_same(one: &FilePlan, other: &FilePlan) -> bool {
    (one.container, &one.video, &one.audio) == (other.container, &other.video, &other.audio)
}

fn one(
    material: &Material<'_>,
    name: &str,
    preset: &FilePreset,
    sounds: &mut AudioEncodes<'_>,
    decisions: &mut Decisions,
) -> Option<FilePlan> {
    let plan = FilePlan {
        name: name.to_owned(),
        container: preset.container,
        object: object(material, name, preset.container),
        video: material.pictures.encodes.files.get(name).cloned(),
        audio: audio(material, preset, sounds, decisions),
    };
    let about = format!("{} {name}", preset.container.as_str());
    let tracks = count(plan.audio.len() as u64, "audio track");
    match &plan.video {
        None if plan.audio.is_empty() => {
            decisions.add(about, "left out", "it holds sound only, and the source has none");
            return None;
        }
        None => {
            let who = if preset.video.is_some() { "the source" } else { "the preset" };
            decisions.add(about, format!("{tracks}, sound only"), format!("{who} has no pictures"));
        }
        Some(id) => {
            let reason = if holds_one_sound(preset.container) {
                "the default track: it holds one"
            } else {
                "every language, the default first"
            };
            decisions.add(about, format!("{id} and {tracks}"), reason);
        }
    }
    Some(plan)
}

/// A file is clear: where HLS is encrypted it must not lie beside it under a prefix that everybody
/// may read.
fn object(material: &Material<'_>, name: &str, container: FileContainer) -> String {
    let extension = container.as_str();
    let private = if material.requested.is_encrypted() { "private/" } else { "" };
    format!("{private}{extension}/{name}.{extension}")
}

fn holds_one_sound(container: FileContainer) -> bool {
    match container {
        FileContainer::Mp4 | FileContainer::Webm => false,
        FileContainer::Mp3 => true,
    }
}

/// The default sound first; all of them where the container holds several.
fn audio(
    material: &Material<'_>,
    preset: &FilePreset,
    sounds: &mut AudioEncodes<'_>,
    decisions: &mut Decisions,
) -> Vec<FileAudioPlan> {
    let most = if holds_one_sound(preset.container) { 1 } else { usize::MAX };
    let mut tracks = Vec::new();
    for sound in material.source.audio.iter().take(most) {
        tracks.push(track(sound, sounds.want(sound, &preset.audio, decisions)));
    }
    tracks
}

fn track(sound: &Sound<'_>, audio: String) -> FileAudioPlan {
    FileAudioPlan {
        audio,
        language: sound.language.as_deref().and_then(language::iso639),
        roles: sound.roles.clone(),
    }
}
