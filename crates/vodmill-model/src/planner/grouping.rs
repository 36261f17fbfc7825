//! Which single channels make one sound: left and right as two mono tracks, 5.1 as six. By labels
//! where there are some; else by titles, languages and position, as broadcasters deliver them.

use std::collections::BTreeSet;

use super::labels::{self, Label};
use super::sounds::{Part, Sound};
use crate::media::AudioTrack;
use crate::role::Role;
use crate::units::Ticks;

/// Channels of one sound begin and end together, but for what encoders pad.
const APART: Ticks = Ticks::from_seconds(1);

/// Channels of 5.1 that stand in a row: SMPTE ST 2035 and EBU R 123 begin with left, right, centre,
/// LFE and the surrounds, and go on with pairs.
const SURROUND: usize = 6;

/// One channel that nothing binds to others yet.
#[derive(Clone, Debug)]
pub(super) struct Strand<'a> {
    part: Part<'a>,
    label: Option<Label>,
    /// The title without what names the channel.
    stem: String,
    silent: bool,
}

/// What strands have in common that make one sound.
#[derive(PartialEq)]
struct Key<'a> {
    codec: &'a str,
    sample_rate: u32,
    language: Option<&'a str>,
    roles: &'a [Role],
    stem: &'a str,
    /// Channels of one track stay among themselves.
    track: Option<u32>,
}

impl<'a> Strand<'a> {
    /// The channels of a track.
    pub(super) fn of(track: &'a AudioTrack) -> Vec<Strand<'a>> {
        let title = labels::of_title(track.title.as_deref().unwrap_or_default());
        let label = labels::of_layout(&track.layout).or(title.label);
        let strand = |channel| Strand {
            part: Part { track, channel: (track.channels > 1).then_some(channel) },
            label: label.filter(|_| track.channels == 1),
            stem: title.stem.clone(),
            silent: track.silent_channels.contains(&channel),
        };
        (0..track.channels).map(strand).collect()
    }

    fn key(&self) -> Key<'_> {
        let track = self.part.track;
        Key {
            codec: &track.codec,
            sample_rate: track.sample_rate,
            language: track.language.as_deref(),
            roles: &track.roles,
            stem: &self.stem,
            track: self.part.channel.map(|_| track.index),
        }
    }

    fn goes_with(&self, other: &Strand<'_>) -> bool {
        let (one, other) = (self.part.track, other.part.track);
        let near = |one: Ticks, other: Ticks| one <= other + APART && other <= one + APART;
        near(one.first, other.first) && near(one.end, other.end)
    }
}

/// What came of strands.
#[derive(Default)]
pub(super) struct Grouped<'a> {
    pub sounds: Vec<Sound<'a>>,
    pub silent: Vec<Part<'a>>,
}

/// Puts strands together.
pub(super) fn group(mut strands: Vec<Strand<'_>>) -> Grouped<'_> {
    let mut grouped = Grouped::default();
    while let Some(first) = strands.first().cloned() {
        let (alike, others) =
            strands.into_iter().partition::<Vec<_>, _>(|strand| strand.key() == first.key());
        strands = others;
        if alike.iter().any(|strand| strand.label.is_some()) {
            grouped.by_label(alike);
        } else {
            grouped.by_position(alike);
        }
    }
    grouped
}

impl<'a> Grouped<'a> {
    /// A label that comes again begins another sound.
    fn by_label(&mut self, strands: Vec<Strand<'a>>) {
        let mut taken = BTreeSet::new();
        let mut set: Vec<Strand<'a>> = Vec::new();
        for strand in strands {
            let apart = set.first().is_some_and(|first| !first.goes_with(&strand));
            let label = strand.label.unwrap_or(Label::Centre);
            if apart || !taken.insert(label) {
                self.add_labelled(std::mem::take(&mut set));
                taken = BTreeSet::from([label]);
            }
            set.push(strand);
        }
        self.add_labelled(set);
    }

    fn add_labelled(&mut self, mut set: Vec<Strand<'a>>) {
        set.sort_by_key(|strand| strand.label.unwrap_or(Label::Centre));
        let labels: Vec<_> =
            set.iter().map(|strand| strand.label.unwrap_or(Label::Centre)).collect();
        match labels::layout(&labels) {
            Some(layout) => self.add(&set, &layout, "labelled as channels of one sound"),
            None => set.chunks(1).for_each(|one| self.add(one, "mono", "")),
        }
    }

    fn by_position(&mut self, strands: Vec<Strand<'a>>) {
        let mut rest = strands.as_slice();
        while let [first, ..] = rest {
            let together = rest.iter().take_while(|strand| first.goes_with(strand)).count();
            let block = match &rest[..together] {
                run if is_surround(run) => SURROUND,
                run => run.len().min(2),
            };
            let (set, others) = rest.split_at(block);
            self.add(set, layout_of(block as u32), "alike and next to each other");
            rest = others;
        }
    }

    /// Adds what is heard of `set`. Of a pair of which one is silent, the other is mono; in surround
    /// sound a channel may be silent for a whole film.
    fn add(&mut self, set: &[Strand<'a>], layout: &str, reason: &'static str) {
        let (heard, silent): (Vec<_>, Vec<_>) =
            set.iter().cloned().partition(|strand| !strand.silent);
        let front = set.iter().take(2).all(|strand| !strand.silent);
        match heard.len() {
            0 => {}
            1 if set.len() > 1 => self.push(&heard, "mono", "nothing is heard beside it"),
            2 if set.len() > 2 && front => self.push(&heard, "stereo", reason),
            _ => return self.push(set, layout, reason),
        }
        self.silent.extend(silent.iter().map(|strand| strand.part));
    }

    fn push(&mut self, set: &[Strand<'a>], layout: &str, reason: &'static str) {
        let [first, ..] = set else { return };
        let parts: Vec<_> = set.iter().map(|strand| strand.part).collect();
        let found_out = parts.len() > 1 || first.part.channel.is_some();
        self.sounds.push(Sound {
            layout: layout.to_owned(),
            channels: parts.len() as u32,
            title: title(set),
            default: parts.iter().any(|part| part.track.default),
            joined: found_out.then_some(reason),
            parts,
            ..Sound::whole(first.part.track)
        });
    }
}

/// The title that all channels have; of one alone its own.
fn title(set: &[Strand<'_>]) -> Option<String> {
    let title = |strand: &Strand<'_>| strand.part.track.title.clone();
    let [first, others @ ..] = set else { return None };
    if others.iter().all(|other| title(other) == title(first)) {
        return title(first);
    }
    labels::common_title(title(first)?.as_str())
}

fn is_surround(run: &[Strand<'_>]) -> bool {
    let heard = |channel: usize| run.get(channel).is_some_and(|strand| !strand.silent);
    run.len() >= SURROUND && heard(0) && heard(1) && heard(2) && (heard(4) || heard(5))
}

/// The layout of channels that are only counted.
pub(super) fn layout_of(channels: u32) -> &'static str {
    match channels {
        1 => "mono",
        2 => "stereo",
        _ => "5.1",
    }
}
