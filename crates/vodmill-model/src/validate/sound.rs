//! Checks of the map of sounds.

use std::collections::BTreeSet;

use super::Report;
use crate::audio_map::{AudioInput, MappedSound};
use crate::planner::language;

/// More sounds, or channels of a file, than anybody delivers.
const MOST: u32 = 64;

pub(super) fn check(audio: &AudioInput, report: &mut Report<'_>) {
    let sounds = u32::try_from(audio.map.len()).unwrap_or(u32::MAX);
    report.within(sounds, 0..=MOST, "input.audio.map");
    for (number, sound) in audio.map.iter().enumerate() {
        check_sound(sound, &format!("input.audio.map[{number}]"), report);
    }
}

fn check_sound(sound: &MappedSound, path: &str, report: &mut Report<'_>) {
    let from = format!("{path}.from");
    let message = "name one track, or the 1, 2 or 6 channels of mono, stereo or 5.1";
    report.expect(matches!(sound.from.len(), 1 | 2 | 6), &from, message);
    let mut seen = BTreeSet::new();
    for source in &sound.from {
        let numbers = source.track.max(source.channel.unwrap_or(1));
        let message = format!("{source} is out of range: tracks and channels go to {MOST}");
        report.expect(numbers <= MOST, &from, message);
        report.expect(seen.insert(source), &from, format!("{source} is named twice: remove one"));
    }
    let known = sound.language.is_empty() || language::bcp47(&sound.language).is_some();
    let message = format!("{:?} is no language: write it as \"en\" or \"pt-BR\"", sound.language);
    report.expect(known, format!("{path}.language"), message);
    let name = &sound.name;
    let plain = name.chars().count() <= 80 && !name.contains(|c: char| c.is_control() || c == '"');
    let message = format!("{name:?}: 80 characters at most, without quotes");
    report.expect(plain, format!("{path}.name"), message);
}
