//! Which of several programmes of a multiplex is published: one, whole.

use std::borrow::Cow;

use super::Decisions;
use super::audio::is_usable;
use super::tracks::main_video;
use crate::media::{MediaInfo, Programme};

/// The file as if it held nothing but the programme that is published: the one that the film is in
/// or, for sound alone, the one with the most tracks of it. A file with fewer than two is as it is.
pub(crate) fn chosen(media: &MediaInfo) -> Cow<'_, MediaInfo> {
    match choose(media) {
        Some(programme) => Cow::Owned(only(media, programme)),
        None => Cow::Borrowed(media),
    }
}

/// The programmes that are not published.
pub(crate) fn dropped(media: &MediaInfo) -> Vec<&Programme> {
    let Some(taken) = choose(media) else { return Vec::new() };
    media.programmes.iter().filter(|programme| programme.number != taken.number).collect()
}

pub(super) fn explain(media: &MediaInfo, decisions: &mut Decisions) {
    if let Some(programme) = choose(media) {
        let reason = format!("one of {}: the film is in it", media.programmes.len());
        decisions.add("programme", named(programme), reason);
    }
}

/// Its number and name.
pub(crate) fn named(programme: &Programme) -> String {
    match &programme.name {
        Some(name) => format!("programme {}, {name}", programme.number),
        None => format!("programme {}", programme.number),
    }
}

fn choose(media: &MediaInfo) -> Option<&Programme> {
    if media.programmes.len() < 2 {
        return None;
    }
    match main_video(media) {
        Some(main) => {
            media.programmes.iter().find(|programme| programme.tracks.contains(&main.index))
        }
        None => most_sound(media),
    }
}

fn most_sound(media: &MediaInfo) -> Option<&Programme> {
    let sounds = |programme: &Programme| {
        let tracks = media.audio.iter().filter(|track| is_usable(track));
        tracks.filter(|track| programme.tracks.contains(&track.index)).count()
    };
    let most = media.programmes.iter().map(sounds).max()?;
    media.programmes.iter().find(|programme| sounds(programme) == most)
}

fn only(media: &MediaInfo, programme: &Programme) -> MediaInfo {
    let mut media = media.clone();
    let inside = |index: u32| programme.tracks.contains(&index);
    media.video.retain(|track| inside(track.index));
    media.audio.retain(|track| inside(track.index));
    media.subtitles.retain(|track| inside(track.index));
    media.other.retain(|track| inside(track.index));
    media.clock_jumps.clone_from(&programme.clock_jumps);
    media.clocks_disagree = programme.clocks_disagree;
    media.programmes.clear();
    media
}
