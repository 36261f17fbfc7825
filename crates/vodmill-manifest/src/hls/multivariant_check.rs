//! The rules of RFC 8216 §4.3.4 that concern more than one entry.

use std::collections::HashSet;

use super::error::PlaylistError;
use super::multivariant::MultivariantPlaylist;

impl MultivariantPlaylist {
    /// Whether the playlist keeps the rules on groups, defaults and rates.
    ///
    /// # Errors
    /// [`PlaylistError::Empty`] without variants, [`PlaylistError::Rule`] with
    /// the first broken rule.
    pub fn check(&self) -> Result<(), PlaylistError> {
        if self.variants.is_empty() {
            return Err(PlaylistError::Empty);
        }
        let audio = self.audio.iter().map(|a| (a.group.as_str(), a.name.as_str(), a.default));
        let audio = groups("AUDIO", audio)?;
        let subtitles =
            self.subtitles.iter().map(|s| (s.group.as_str(), s.name.as_str(), s.default));
        let subtitles = groups("SUBTITLES", subtitles)?;
        for variant in &self.variants {
            rates(variant.bandwidth, variant.average_bandwidth, &variant.uri)?;
            defined("AUDIO", variant.audio_group.as_deref(), &audio)?;
            defined("SUBTITLES", variant.subtitle_group.as_deref(), &subtitles)?;
            if variant.frame_rate.is_some_and(|rate| rate.num == 0 || rate.den == 0) {
                return rule(format!("{}: no frame rate is zero", variant.uri));
            }
        }
        let scored = self.variants.iter().filter(|variant| variant.score.is_some()).count();
        if scored > 0 && scored < self.variants.len() {
            return rule("SCORE stands on some variants only".to_owned());
        }
        self.i_frames.iter().try_for_each(|s| rates(s.bandwidth, s.average_bandwidth, &s.uri))
    }
}

/// The groups of one type; names are unique in each, and one is the default at most.
fn groups<'a>(
    kind: &str,
    members: impl Iterator<Item = (&'a str, &'a str, bool)>,
) -> Result<HashSet<&'a str>, PlaylistError> {
    let (mut names, mut defaults, mut groups) = (HashSet::new(), HashSet::new(), HashSet::new());
    for (group, name, default) in members {
        if group.is_empty() || name.is_empty() {
            return rule(format!("{kind}: GROUP-ID and NAME may not be empty"));
        }
        if !names.insert((group, name)) {
            return rule(format!("{kind} group {group:?} has two members named {name:?}"));
        }
        if default && !defaults.insert(group) {
            return rule(format!("{kind} group {group:?} has two defaults"));
        }
        groups.insert(group);
    }
    Ok(groups)
}

fn defined(kind: &str, group: Option<&str>, known: &HashSet<&str>) -> Result<(), PlaylistError> {
    match group {
        Some(group) if !known.contains(group) => {
            rule(format!("{kind} group {group:?} is not defined"))
        }
        _ => Ok(()),
    }
}

fn rates(peak: u64, average: Option<u64>, uri: &str) -> Result<(), PlaylistError> {
    if peak == 0 {
        return rule(format!("{uri}: BANDWIDTH is zero"));
    }
    if average.is_some_and(|average| average > peak) {
        return rule(format!("{uri}: AVERAGE-BANDWIDTH is larger than BANDWIDTH"));
    }
    Ok(())
}

fn rule<T>(text: String) -> Result<T, PlaylistError> {
    Err(PlaylistError::Rule(text))
}
