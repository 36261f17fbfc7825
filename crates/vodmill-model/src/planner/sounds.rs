//! Which sounds a file holds: what a viewer chooses between. A track may be one, or a channel of one,
//! or nothing at all.

use std::cmp::Reverse;

use super::Decisions;
use super::audio::{codec_name, is_usable};
use super::grouping::{self, Strand};
use crate::audio_map::{MappedSound, SoundSource};
use crate::media::{AudioTrack, MediaInfo};
use crate::outcome::{Reason, Rejected};
use crate::pipeline::InputPolicy;
use crate::role::Role;
use crate::units::Ticks;

/// Without a layout of its own, a track of so many channels has one that everybody takes for it.
const MOST_WITH_A_LAYOUT: u32 = 8;

/// One sound of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sound<'a> {
    /// Where it comes from, in the order of its layout; a whole track, or channels.
    pub parts: Vec<Part<'a>>,
    /// libav's name of the layout; empty where unknown.
    pub layout: String,
    pub channels: u32,
    pub language: Option<String>,
    pub title: Option<String>,
    pub roles: Vec<Role>,
    /// Whether it is marked as the default.
    pub default: bool,
    /// Why channels belong together, where that had to be found out.
    pub joined: Option<&'static str>,
}

/// A track, or one channel of it from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub track: &'a AudioTrack,
    pub channel: Option<u32>,
}

impl<'a> Sound<'a> {
    /// A track as it is.
    pub(super) fn whole(track: &'a AudioTrack) -> Sound<'a> {
        Sound {
            parts: vec![Part { track, channel: None }],
            layout: track.layout.clone(),
            channels: track.channels,
            language: track.language.clone(),
            title: track.title.clone(),
            roles: track.roles.clone(),
            default: track.default,
            joined: None,
        }
    }

    /// The track that it is named after.
    pub(super) fn track(&self) -> &'a AudioTrack {
        self.parts[0].track
    }

    /// When its first sample is heard.
    pub(crate) fn first(&self) -> Ticks {
        self.parts.iter().map(|part| part.track.first).min().unwrap_or_default()
    }

    /// When its last sample ends.
    pub(crate) fn end(&self) -> Ticks {
        self.parts.iter().map(|part| part.track.end).max().unwrap_or_default()
    }

    /// Whether something of track `index` is in it.
    pub(crate) fn is_of(&self, index: u32) -> bool {
        self.parts.iter().any(|part| part.track.index == index)
    }

    /// Where it comes from, as `track 1 + track 2`.
    pub(crate) fn origin(&self) -> String {
        let names: Vec<_> = self.parts.iter().map(Part::name).collect();
        names.join(" + ")
    }

    fn is_programme(&self) -> bool {
        self.roles.iter().all(|role| role.is_programme())
    }
}

impl Part<'_> {
    /// As `track 1` or `track 1 channel 2`.
    pub(crate) fn name(&self) -> String {
        match self.channel {
            Some(channel) => format!("track {} channel {}", self.track.index, channel + 1),
            None => format!("track {}", self.track.index),
        }
    }
}

/// The sounds of a file, and what is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sounds<'a> {
    /// The default first, then in the order of the file.
    pub list: Vec<Sound<'a>>,
    /// Tracks and channels in which nothing is heard.
    pub silent: Vec<Part<'a>>,
    /// Tracks that the pipeline's map does not name.
    pub unmapped: Vec<&'a AudioTrack>,
}

/// The sounds of `media`, as the pipeline maps them or as they are found out.
pub(crate) fn sounds<'a>(
    media: &'a MediaInfo,
    policy: &InputPolicy,
) -> Result<Sounds<'a>, Rejected> {
    match policy.audio.map.as_slice() {
        [] => Ok(found_out(media)),
        map => mapped(media, map),
    }
}

fn found_out(media: &MediaInfo) -> Sounds<'_> {
    let usable = || media.audio.iter().filter(|track| is_usable(track));
    let mut sounds = Sounds::default();
    let mut strands = Vec::new();
    for track in usable() {
        if is_of_single_channels(track) {
            strands.extend(Strand::of(track));
        } else if is_silent(track) {
            sounds.silent.push(Part { track, channel: None });
        } else {
            sounds.list.push(Sound::whole(track));
        }
    }
    let grouped = grouping::group(strands);
    sounds.list.extend(grouped.sounds);
    sounds.silent.extend(grouped.silent);
    if sounds.list.is_empty() {
        // A file that is silent throughout has silent sound.
        sounds.list.extend(usable().next().map(Sound::whole));
        sounds.silent.retain(|part| !sounds.list.iter().any(|sound| sound.is_of(part.track.index)));
    }
    sounds.list.sort_by_key(|sound| sound.track().index);
    default_first(&mut sounds.list);
    sounds
}

/// Whether nothing is heard in any channel.
fn is_silent(track: &AudioTrack) -> bool {
    (0..track.channels).all(|channel| track.silent_channels.contains(&channel))
}

/// Whether its channels have to be put together with others, or taken apart.
fn is_of_single_channels(track: &AudioTrack) -> bool {
    let unknown = track.layout.is_empty() && track.channels > 2;
    let odd = !track.silent_channels.is_empty() || track.channels > MOST_WITH_A_LAYOUT;
    track.channels == 1 || (unknown && odd)
}

/// The one that plays where the viewer chose nothing: the programme, marked as the default.
fn default_first(list: &mut Vec<Sound<'_>>) {
    let rank = |number: &usize| {
        let sound = &list[*number];
        (Reverse(sound.is_programme()), Reverse(sound.default), *number)
    };
    if let Some(number) = (0..list.len()).min_by_key(rank) {
        let default = list.remove(number);
        list.insert(0, default);
    }
}

fn mapped<'a>(media: &'a MediaInfo, map: &[MappedSound]) -> Result<Sounds<'a>, Rejected> {
    let list = map.iter().map(|sound| mapped_sound(media, sound)).collect::<Result<Vec<_>, _>>()?;
    let is_named = |track: &&AudioTrack| {
        list.iter().flat_map(|sound| &sound.parts).any(|part| part.track == *track)
    };
    let unmapped =
        media.audio.iter().filter(|track| is_usable(track) && !is_named(track)).collect();
    Ok(Sounds { list, silent: Vec::new(), unmapped })
}

fn mapped_sound<'a>(media: &'a MediaInfo, sound: &MappedSound) -> Result<Sound<'a>, Rejected> {
    let alone = sound.from.len() == 1;
    let parts: Vec<_> = sound
        .from
        .iter()
        .map(|source| mapped_part(media, *source, alone))
        .collect::<Result<_, _>>()?;
    let Some(first) = parts.first() else {
        return Err(Rejected::new(Reason::SoundNotAsMapped, "a sound of the map is from nothing"));
    };
    let whole = Sound::whole(first.track);
    let channels = parts.len() as u32;
    let (channels, layout) = match first.channel {
        None if alone => (whole.channels, whole.layout.clone()),
        _ => (channels, grouping::layout_of(channels).to_owned()),
    };
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ok(Sound {
        channels,
        layout,
        language: given(&sound.language).or(whole.language),
        title: given(&sound.name).or(whole.title),
        roles: sound.role.map_or(whole.roles, |role| vec![role]),
        default: false,
        joined: Some("the pipeline's map says so"),
        parts,
    })
}

fn mapped_part(media: &MediaInfo, source: SoundSource, alone: bool) -> Result<Part<'_>, Rejected> {
    let wrong = |detail: String| Rejected::new(Reason::SoundNotAsMapped, detail);
    let track = media.audio.get(source.track as usize - 1).ok_or_else(|| {
        let there = super::count(media.audio.len() as u64, "sound track");
        wrong(format!("the map names sound track {}; the file has {there}", source.track))
    })?;
    if !is_usable(track) {
        let codec = codec_name(&track.codec);
        return Err(wrong(format!("sound track {source}, {codec}, is empty or cannot be decoded")));
    }
    let channels = super::count(track.channels, "channel");
    match source.channel {
        Some(channel) if channel > track.channels => Err(wrong(format!(
            "the map names {source}; sound track {} has {channels}",
            source.track
        ))),
        None if !alone && track.channels != 1 => {
            Err(wrong(format!("sound track {source} has {channels}: which one is meant?")))
        }
        Some(channel) if track.channels > 1 => Ok(Part { track, channel: Some(channel - 1) }),
        _ => Ok(Part { track, channel: None }),
    }
}

/// Says what became of every track.
pub(super) fn explain(media: &MediaInfo, sounds: &Sounds<'_>, decisions: &mut Decisions) {
    for track in media.audio.iter().filter(|track| !is_usable(track)) {
        let reason = format!("this build cannot decode {}", codec_name(&track.codec));
        decisions.add(format!("audio track {}", track.index), "dropped", reason);
    }
    for part in &sounds.silent {
        decisions.add(format!("audio {}", part.name()), "dropped", "nothing is heard in it");
    }
    for track in &sounds.unmapped {
        let reason = "the pipeline's map does not name it";
        decisions.add(format!("audio track {}", track.index), "dropped", reason);
    }
    for sound in &sounds.list {
        if let Some(reason) = sound.joined {
            let form = if sound.layout.is_empty() { "one sound" } else { &sound.layout };
            decisions.add(format!("audio {}", sound.origin()), form, reason);
        }
    }
    if let [default, _, ..] = sounds.list.as_slice() {
        let reason = if default.default { "marked as the default" } else { "the first one" };
        decisions.add("default audio", default.origin(), reason);
    }
}
