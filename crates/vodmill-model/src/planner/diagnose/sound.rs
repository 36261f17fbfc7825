//! What is odd about sound.

use super::super::audio;
use super::super::sounds::{Sound, Sounds};
use super::{CLOCKLESS, Found};
use crate::media::{AudioTrack, MediaInfo};
use crate::plan::HazardCode;
use crate::units::Ticks;

pub(super) fn sounds(media: &MediaInfo, sounds: &Sounds<'_>, found: &mut Found) {
    dropped(media, sounds, found);
    if sounds.list.is_empty() {
        found.add(HazardCode::NoAudio, "there is no sound", "outputs hold pictures only");
    }
    let tracks =
        || media.audio.iter().filter(|track| sounds.list.iter().any(|it| it.is_of(track.index)));
    tracks().filter(|track| track.format_changes).for_each(|track| changes(media, track, found));
    tracks().filter(|track| audio::stretched(track)).for_each(|track| drifts(track, found));
    for sound in &sounds.list {
        joined(sound, found);
        surround(sound, found);
    }
}

fn dropped(media: &MediaInfo, sounds: &Sounds<'_>, found: &mut Found) {
    let code = HazardCode::TrackDropped;
    for track in media.audio.iter().filter(|track| !audio::is_usable(track)) {
        let codec = audio::codec_name(&track.codec);
        let detail = format!("audio track {} ({codec}) is empty or cannot be decoded", track.index);
        found.repair(code, detail, "it is left out");
    }
    for part in &sounds.silent {
        let detail = format!("nothing is heard in audio {}, from beginning to end", part.name());
        found.repair(code, detail, "it is left out");
    }
    for track in &sounds.unmapped {
        let detail = format!("audio track {} is not in the pipeline's map", track.index);
        found.repair(code, detail, "it is left out");
    }
}

fn changes(media: &MediaInfo, track: &AudioTrack, found: &mut Found) {
    let detail = format!("audio track {} changes its rate or channels on the way", track.index);
    let code = HazardCode::SoundFormatChanges;
    match CLOCKLESS.contains(&media.container.as_str()) {
        false => found.add(code, detail, "every part is converted to the same form"),
        true => found.repair(
            code,
            format!("{detail}, and the file has no clock"),
            "every part is converted to the same form; after a change of rate the time is a guess",
        ),
    }
}

fn drifts(track: &AudioTrack, found: &mut Found) {
    let (little, remedy) = match track.drift > Ticks::ZERO {
        true => ("less", "it is stretched, lower in pitch by as much, and stays in time"),
        false => ("more", "it is squeezed, higher in pitch by as much, and stays in time"),
    };
    let off = Ticks(track.drift.0.saturating_abs());
    let detail =
        format!("audio track {} holds {off} {little} sound than its times say", track.index);
    found.repair(HazardCode::SoundDrifts, detail, remedy);
}

fn joined(sound: &Sound<'_>, found: &mut Found) {
    let Some(reason) = sound.joined.filter(|_| sound.parts.len() > 1) else { return };
    let detail = format!("{}: {reason}", sound.origin());
    let remedy =
        format!("one sound, {}; if that is wrong, set `map` under [input.audio]", sound.layout);
    found.add(HazardCode::SoundJoined, detail, remedy);
}

fn surround(sound: &Sound<'_>, found: &mut Found) {
    if sound.channels <= 2 {
        return;
    }
    let layout = if sound.layout.is_empty() { "unknown layout" } else { &sound.layout };
    let detail = format!("audio {} has {} channels, {layout}", sound.origin(), sound.channels);
    found.add(HazardCode::SurroundSound, detail, "mixed down to what each preset holds");
}
