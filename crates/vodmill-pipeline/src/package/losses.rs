//! What of a track was delivered and is not in the package, as it is stated in `asset.json`.

use std::collections::BTreeMap;

use vodmill_model::Plan;
use vodmill_model::asset::Repair;
use vodmill_model::plan::AudioEncode;
use vodmill_model::transcode::{AudioDone, CueBalance, SoundBalance};
use vodmill_model::units::Ticks;

/// Sound before the first picture and after the last one up to this is what encoders pad with; so is
/// what lies over other sound.
const PADDING: Ticks = Ticks(9_000);

/// Of all sounds, each once, by the ids of their encodes.
pub(super) fn of_sounds(plan: &Plan, sounds: &BTreeMap<String, AudioDone>) -> Vec<Repair> {
    let mut stated = Vec::new();
    let mut losses = Vec::new();
    for encode in &plan.audio {
        let name = name(encode);
        if let Some(done) = sounds.get(&encode.id).filter(|_| !stated.contains(&name)) {
            losses.extend(of_sound(&name, &done.balance));
            stated.push(name);
        }
    }
    losses
}

fn name(encode: &AudioEncode) -> String {
    let joined = encode.join.iter().flat_map(|join| &join.parts);
    let mut tracks: Vec<_> = joined.map(|part| part.track.to_string()).collect();
    if tracks.is_empty() {
        tracks.push(encode.track.to_string());
    }
    tracks.dedup();
    format!("audio track {}", tracks.join(" + "))
}

fn of_sound(name: &str, balance: &SoundBalance) -> Vec<Repair> {
    let SoundBalance { delivered, outside, overlap, holes, silence, longest_hole } = *balance;
    let mut losses = Vec::new();
    if holes > 0 {
        let number = if holes == 1 { "1 hole".to_owned() } else { format!("{holes} holes") };
        let detail = format!("{name} has {number}, {silence} in all, the longest {longest_hole}");
        losses.push(repair("sound_holes", detail, "Filled with silence."));
    }
    if outside > PADDING {
        let detail = format!(
            "{outside} of {delivered} of {name} lie before the first picture or after the last"
        );
        losses.push(repair("sound_left_out", detail, "It is left out."));
    }
    if overlap > PADDING {
        let detail = format!("{overlap} of {delivered} of {name} lie over other sound of it");
        losses.push(repair("sound_left_out", detail, "It is left out."));
    }
    losses
}

fn repair(code: &str, detail: String, remedy: &str) -> Repair {
    Repair { code: code.to_owned(), detail, remedy: remedy.to_owned() }
}

/// Of subtitle track `track`, `late` of whose cues begin after the end of the programme.
pub(super) fn of_subtitles(track: u32, balance: &CueBalance, late: u64) -> Vec<Repair> {
    let mut losses = Vec::new();
    let delivered = balance.delivered;
    if let Some(charset) = &balance.charset {
        losses.push(repair(
            "subtitles_converted",
            format!("subtitle track {track} is in {charset}, by the look of its text"),
            "Converted to UTF-8. Deliver it in UTF-8, and nothing has to be guessed.",
        ));
    }
    let outside = balance.outside + late;
    for (number, what, remedy) in [
        (balance.lost, "cannot be decoded", "They are left out."),
        (balance.altered, "hold characters that mean nothing, or are too long", PARTS),
        (outside, "lie before the beginning or after the end", "They are left out."),
    ] {
        if number > 0 {
            let detail = format!("{number} of {delivered} cues of subtitle track {track} {what}");
            losses.push(repair("subtitles_lost", detail, remedy));
        }
    }
    losses
}

const PARTS: &str = "What can be read of them is there; a mark stands for each character that \
                     cannot.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_stated_with_count_and_length() {
        let balance = SoundBalance {
            delivered: Ticks::from_seconds(60),
            outside: Ticks(9_000),
            overlap: Ticks(45_000),
            holes: 2,
            silence: Ticks(108_000),
            longest_hole: Ticks(90_000),
        };
        let losses = of_sound("audio track 1", &balance);
        let details: Vec<_> = losses.iter().map(|loss| loss.detail.as_str()).collect();
        assert_eq!(
            details,
            [
                "audio track 1 has 2 holes, 1.200 s in all, the longest 1.000 s",
                "0.500 s of 60.000 s of audio track 1 lie over other sound of it",
            ]
        );
    }

    #[test]
    fn what_is_whole_is_not_stated() {
        let balance = CueBalance { delivered: 9, empty: 4, ..CueBalance::default() };
        assert_eq!(of_subtitles(2, &balance, 0), []);
    }

    #[test]
    fn every_difference_is_stated_with_its_number() {
        let balance = CueBalance {
            delivered: 9,
            lost: 1,
            outside: 2,
            altered: 3,
            charset: Some("EUC-KR".to_owned()),
            ..CueBalance::default()
        };
        let losses = of_subtitles(2, &balance, 2);
        let details: Vec<_> = losses.iter().map(|loss| loss.detail.as_str()).collect();
        assert_eq!(
            details,
            [
                "subtitle track 2 is in EUC-KR, by the look of its text",
                "1 of 9 cues of subtitle track 2 cannot be decoded",
                "3 of 9 cues of subtitle track 2 hold characters that mean nothing, or are too long",
                "4 of 9 cues of subtitle track 2 lie before the beginning or after the end",
            ]
        );
    }
}
