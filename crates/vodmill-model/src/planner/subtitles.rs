//! Subtitles: text tracks are published as WebVTT, pictures are not.

use std::collections::BTreeSet;

use super::Decisions;
use super::language;
use super::outputs::Material;
use super::outputs::hls::{Choices, Naming, alternative_prefix};
use crate::media::{MediaInfo, SubtitleTrack};
use crate::plan::{SubtitleAlternativePlan, SubtitlePlan};

/// What to extract, and how HLS offers it.
pub(super) fn plan(
    material: &Material<'_>,
    decisions: &mut Decisions,
) -> (Vec<SubtitlePlan>, Vec<SubtitleAlternativePlan>) {
    let wanted = material.requested.playlist.is_some_and(|playlist| playlist.subtitles);
    let kept = kept(material.media, wanted, decisions);
    plans(material.media, &kept)
}

/// The text tracks; each other one is dropped with its reason.
fn kept<'a>(
    media: &'a MediaInfo,
    wanted: bool,
    decisions: &mut Decisions,
) -> Vec<&'a SubtitleTrack> {
    let mut kept = Vec::new();
    for track in &media.subtitles {
        let about = format!("subtitle track {}", track.index);
        match () {
            () if !track.text => decisions.add(
                about,
                "dropped",
                format!("{} holds pictures or cannot be decoded; WebVTT is text", track.codec),
            ),
            () if !wanted => decisions.add(about, "left out", "the pipeline asks for none"),
            () => kept.push(track),
        }
    }
    kept
}

/// What to extract and how it is offered, one for each track.
fn plans(
    media: &MediaInfo,
    tracks: &[&SubtitleTrack],
) -> (Vec<SubtitlePlan>, Vec<SubtitleAlternativePlan>) {
    let mut names = BTreeSet::new();
    let mut prefixes = BTreeSet::new();
    let mut choices = Choices::default();
    let default = tracks.iter().position(|track| track.default);
    let plans = tracks.iter().enumerate().map(|(number, track)| {
        let id = format!("s{number}");
        let tag = track.language.as_deref();
        let label = Naming { title: track.title.as_deref(), tag, roles: &track.roles };
        let new = choices.is_new(tag, &track.roles, track.forced);
        let alternative = SubtitleAlternativePlan {
            subtitle: id.clone(),
            name: label.name("Subtitles", number, &mut names),
            language: tag.and_then(language::bcp47),
            default: default == Some(number),
            autoselect: new || default == Some(number),
            forced: track.forced,
            roles: track.roles.clone(),
            prefix: alternative_prefix("subtitles", tag, number, &mut prefixes),
        };
        let plan = SubtitlePlan { id, track: track.index, clock_jumps: media.clock_jumps.clone() };
        (plan, alternative)
    });
    plans.unzip()
}
