//! The HLS part of a package: variants, alternatives, key periods.

use std::collections::BTreeSet;

use super::super::Decisions;
use super::super::audio::AudioEncodes;
use super::super::language;
use super::super::sounds::Sound;
use super::{Material, score};
use crate::pipeline::{AudioPlacement, Encryption};
use crate::plan::{
    AudioAlternativePlan, EncryptionPlan, HlsPlan, SubtitleAlternativePlan, VariantPlan,
};
use crate::role::Role;
use crate::spec::Playlist;
use crate::units::Ticks;

/// Room below zero for encoder delay and for pictures that are decoded before they are shown.
const BASE: Ticks = Ticks::from_seconds(10);

/// The HLS plan, if a playlist is asked for; the audio that it takes is added to `encodes`.
pub(in crate::planner) fn plan(
    material: &Material<'_>,
    subtitles: Vec<SubtitleAlternativePlan>,
    encodes: &mut AudioEncodes<'_>,
    decisions: &mut Decisions,
) -> Option<HlsPlan> {
    let playlist = material.requested.playlist?;
    let preset = &material.requested.ladders.first()?.audio;
    let audio = &material.source.audio;
    let ids: Vec<String> =
        audio.iter().map(|sound| encodes.want(sound, preset, decisions)).collect();
    let group = in_group(material, playlist, decisions);
    let mut variants = variants(material, playlist, &ids, group);
    score::set(&mut variants, &material.pictures.encodes.list, decisions);
    let segments = material.timeline.segment_ends.len();
    let encryption = playlist.encryption.as_ref();
    Some(HlsPlan {
        container: playlist.container,
        iframe_map: true,
        base: BASE,
        variants,
        audio: if group { alternatives(audio, &ids, encodes) } else { Vec::new() },
        subtitles,
        encryption: encryption.map(|encryption| encryption_plan(encryption, segments, decisions)),
    })
}

/// Whether sound goes into playlists of its own.
fn in_group(material: &Material<'_>, playlist: &Playlist, decisions: &mut Decisions) -> bool {
    let pictures = !material.pictures.encodes.rungs.is_empty();
    let (group, choice, reason) = match (material.source.audio.len(), playlist.audio) {
        (0, _) => return false,
        (1, _) if !pictures => (false, "one variant", "there is only sound"),
        (1, AudioPlacement::Muxed) => {
            (false, "in the segments of every rung", "the pipeline's way")
        }
        (1, AudioPlacement::Group) => (true, "playlists of its own", "the pipeline's way"),
        _ => (true, "playlists of its own", "there are several tracks to choose from"),
    };
    decisions.add("hls audio", choice, reason);
    group
}

fn variants(
    material: &Material<'_>,
    playlist: &Playlist,
    audio: &[String],
    group: bool,
) -> Vec<VariantPlan> {
    let rungs = &material.pictures.encodes.rungs;
    if rungs.is_empty() {
        // A variant needs media of its own, even where the group offers its track once more.
        return vec![VariantPlan {
            name: "audio".to_owned(),
            video: None,
            muxed_audio: audio.first().cloned(),
            prefix: "hls/audio".to_owned(),
            iframes: false,
            score: None,
        }];
    }
    let variant = |(name, video): &(String, String)| VariantPlan {
        name: name.clone(),
        video: Some(video.clone()),
        muxed_audio: audio.first().filter(|_| !group).cloned(),
        prefix: format!("hls/{name}"),
        iframes: playlist.iframes,
        score: None,
    };
    rungs.iter().map(variant).collect()
}

fn alternatives(
    sounds: &[Sound<'_>],
    ids: &[String],
    encodes: &AudioEncodes<'_>,
) -> Vec<AudioAlternativePlan> {
    let mut names = BTreeSet::new();
    let mut prefixes = BTreeSet::new();
    let mut choices = Choices::default();
    let alternative = |(number, (sound, id)): (usize, (&Sound<'_>, &String))| {
        let tag = sound.language.as_deref();
        let label = Naming { title: sound.title.as_deref(), tag, roles: &sound.roles };
        AudioAlternativePlan {
            audio: id.clone(),
            name: label.name("Audio", number, &mut names),
            language: tag.and_then(language::bcp47),
            default: number == 0,
            autoselect: choices.is_new(tag, &sound.roles, false) || number == 0,
            roles: sound.roles.clone(),
            channels: encodes.channels(id).unwrap_or(sound.channels),
            prefix: alternative_prefix("audio", tag, number, &mut prefixes),
        }
    };
    sounds.iter().zip(ids).enumerate().map(alternative).collect()
}

/// What players may choose from by themselves: of those that they cannot tell apart (RFC 8216,
/// 4.3.4.1) only the first, and nothing that no setting of a viewer asks for.
#[derive(Default)]
pub(in crate::planner) struct Choices(BTreeSet<(Option<String>, Vec<Role>, bool)>);

impl Choices {
    pub fn is_new(&mut self, tag: Option<&str>, roles: &[Role], forced: bool) -> bool {
        let told = |role: &&Role| matches!(role, Role::Description | Role::HearingImpaired);
        let asked_for = |role: &Role| role.is_programme() || told(&role);
        let mut characteristics: Vec<_> = roles.iter().filter(told).copied().collect();
        characteristics.sort_unstable();
        roles.iter().all(asked_for)
            && self.0.insert((tag.and_then(language::bcp47), characteristics, forced))
    }
}

/// What an alternative is named after.
#[derive(Clone, Copy)]
pub(in crate::planner) struct Naming<'a> {
    pub title: Option<&'a str>,
    pub tag: Option<&'a str>,
    pub roles: &'a [Role],
}

impl Naming<'_> {
    /// A NAME that is unique in its group: the track's title, else its language, else its number.
    pub fn name(self, kind: &str, number: usize, taken: &mut BTreeSet<String>) -> String {
        let name = self.title.map(clean).filter(|title| !title.is_empty());
        let name = name.unwrap_or_else(|| {
            let language = self.tag.and_then(language::name).map(str::to_owned);
            let name = language.unwrap_or_else(|| format!("{kind} {}", number + 1));
            self.roles.iter().fold(name, |name, role| format!("{name} ({})", role.name()))
        });
        let mut unique = name.clone();
        let mut next = 2;
        while !taken.insert(unique.clone()) {
            unique = format!("{name} ({next})");
            next += 1;
        }
        unique
    }
}

/// RFC 8216, 4.2: a quoted string holds no line feeds, carriage returns or double quotes.
fn clean(title: &str) -> String {
    let kept = title.chars().filter(|c| !c.is_control() && *c != '"').take(80).collect::<String>();
    kept.trim().to_owned()
}

/// A prefix of objects that is unique and safe in paths, as `hls/audio-swe`.
pub(in crate::planner) fn alternative_prefix(
    kind: &str,
    tag: Option<&str>,
    number: usize,
    taken: &mut BTreeSet<String>,
) -> String {
    let safe = tag
        .and_then(|tag| language::iso639(tag).or_else(|| language::bcp47(tag)))
        .map(|tag| tag.to_ascii_lowercase())
        .unwrap_or_else(|| (number + 1).to_string());
    let prefix =
        super::super::unique(&format!("hls/{kind}-{safe}"), |prefix| taken.contains(prefix));
    taken.insert(prefix.clone());
    prefix
}

fn encryption_plan(
    encryption: &Encryption,
    segments: usize,
    decisions: &mut Decisions,
) -> EncryptionPlan {
    let segments = u32::try_from(segments).unwrap_or(u32::MAX);
    let periods = segments.div_ceil(encryption.segments_per_key.max(1));
    let reason = format!("a new key every {} segments", encryption.segments_per_key);
    decisions.add(
        "encryption",
        format!("AES-128, {}", super::super::count(periods, "key")),
        reason,
    );
    EncryptionPlan {
        key_uri: encryption.key_uri.clone(),
        segments_per_key: encryption.segments_per_key.max(1),
        periods,
    }
}
