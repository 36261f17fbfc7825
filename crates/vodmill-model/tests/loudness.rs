//! A loudness that presets ask for.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{catalogue, fixture, plan_of};
use vodmill_model::loudness::{Decibels, Lufs};
use vodmill_model::validate::validate;
use vodmill_model::{Catalogue, Preset};

/// The catalogue with a loudness in the ladder, and in one MP4 of its sound.
fn loud(ladder: Option<i8>, mp4: Option<i8>) -> Catalogue {
    let mut catalogue = catalogue();
    for (name, loudness) in [("hls", ladder), ("web", mp4)] {
        let audio = match catalogue.presets.get_mut(name) {
            Some(Preset::Ladder(ladder)) => &mut ladder.audio,
            Some(Preset::Mp4(file)) => &mut file.audio,
            other => panic!("{other:?}"),
        };
        audio.loudness = loudness.map(Lufs);
    }
    catalogue
}

fn sounds(catalogue: &Catalogue) -> Vec<String> {
    let plan = plan_of(&fixture("plain-1080p25"), catalogue, "default").unwrap();
    let mut ids: Vec<_> = plan.audio.into_iter().map(|encode| encode.id).collect();
    ids.sort();
    ids
}

#[test]
fn each_loudness_is_an_encode_of_its_own() {
    let without = sounds(&loud(None, None));
    assert!(without.iter().all(|id| !id.contains("lufs")));
    let same = sounds(&loud(Some(-23), Some(-23)));
    assert_eq!(same.iter().filter(|id| id.ends_with("-lufs23")).count(), 1, "{same:?}");
    let two = sounds(&loud(Some(-23), Some(-16)));
    assert!(two.iter().any(|id| id.ends_with("-lufs16")), "{two:?}");
}

#[test]
fn the_plan_says_what_it_does_and_the_address_hangs_on_it() {
    let media = fixture("plain-1080p25");
    let [before, after] = [loud(None, None), loud(Some(-23), Some(-23))]
        .map(|catalogue| plan_of(&media, &catalogue, "default").unwrap());
    let encode = after.audio.iter().find(|encode| encode.loudness.is_some()).unwrap();
    let plan = encode.loudness.unwrap();
    assert_eq!((plan.target, plan.most_peak), (Lufs(-23), Decibels::whole(-1)));
    let said = after.decisions.iter().find(|it| it.about == format!("loudness of {}", encode.id));
    assert_eq!(said.unwrap().choice, "-23 LUFS");
    let plain = before.audio.iter().find(|it| encode.id.starts_with(&it.id)).unwrap();
    assert_ne!(before.audio_rendition(plain), after.audio_rendition(encode));
    assert!(!serde_json::to_string(plain).unwrap().contains("loudness"), "addresses stay");
}

#[test]
fn a_loudness_is_within_reason() {
    let issues = |loudness| {
        let issues = validate(&loud(Some(loudness), None));
        issues.into_iter().map(|issue| issue.path).collect::<Vec<_>>()
    };
    for (loudness, right) in [(-32, false), (-31, true), (-5, true), (-4, false), (0, false)] {
        let found = issues(loudness);
        assert_eq!(found.is_empty(), right, "{loudness}: {found:?}");
        assert!(right || found == ["audio.loudness"], "{loudness}: {found:?}");
    }
}
