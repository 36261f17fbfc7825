//! Numbers that no original has, in every place.

use serde_json::Value;
use vodmill_model::media::{ClockJump, Crop, DolbyVision, Programme};
use vodmill_model::units::Ticks;
use vodmill_model::{MediaInfo, Ratio};

use crate::common::{catalogue_with_hdr, fixture, fixture_names, plan_of};

/// What hostile bytes may make of a number.
const EXTREMES: [i128; 12] = [
    0,
    1,
    -1,
    i16::MAX as i128 + 2,
    u32::MAX as i128,
    i32::MIN as i128,
    1 << 52,
    1 << 60,
    -(1 << 60),
    i64::MAX as i128,
    i64::MIN as i128,
    u64::MAX as i128,
];

/// The places of all numbers in a document.
fn numbers(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(at.to_owned()),
        // What is said again and again is said three times.
        Value::Array(items) => (0..items.len().min(3))
            .for_each(|index| numbers(&items[index], &format!("{at}/{index}"), found)),
        Value::Object(fields) => {
            fields.iter().for_each(|(name, it)| numbers(it, &format!("{at}/{name}"), found))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn with(media: &Value, changes: &[(&str, i128)]) -> Option<MediaInfo> {
    let mut media = media.clone();
    for (place, number) in changes {
        *media.pointer_mut(place)? = serde_json::from_str(&number.to_string()).ok()?;
    }
    serde_json::from_value(media).ok()
}

/// An original of which everything is said that can be said in numbers.
fn talkative() -> MediaInfo {
    let mut media = fixture("plain-1080p25");
    let jumps = vec![ClockJump { packet: 90, shift: Ticks::from_seconds(4) }];
    let tracks = vec![media.video[0].index, media.audio[0].index];
    let programme = Programme {
        number: 1,
        name: None,
        tracks,
        clock_jumps: jumps.clone(),
        clocks_disagree: false,
    };
    media.programmes =
        vec![Programme { number: 2, tracks: vec![7], ..programme.clone() }, programme];
    media.clock_jumps = jumps;
    let track = &mut media.video[0];
    track.crop = Some(Crop { left: 8, top: 8, right: 8, bottom: 8 });
    (track.pictures, track.before_first_key) = (Some(track.packets), 3);
    track.nominal_rate = Some(Ratio::new(25, 1));
    track.dolby_vision = Some(DolbyVision {
        profile: 8,
        compatibility: 1,
        base_layer: true,
        enhancement_layer: false,
    });
    media
}

/// Arithmetic that wraps panics here, and would be a wrong plan in a release.
#[test]
fn no_number_of_an_original_makes_the_planner_wrap_or_panic() {
    let catalogue = catalogue_with_hdr();
    let mut planned = 0;
    let originals = fixture_names().into_iter().map(|name| fixture(&name)).chain([talkative()]);
    for media in originals {
        let media = serde_json::to_value(media).unwrap();
        let mut places = Vec::new();
        numbers(&media, "", &mut places);
        let mut random = 0x9e37_79b9_u64;
        let mut next = |bound: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as usize % bound
        };
        let one = places.iter().flat_map(|place| EXTREMES.map(|number| vec![(&**place, number)]));
        let mut changes: Vec<Vec<(&str, i128)>> = one.collect();
        for _ in 0..300 {
            let mut change = || (&*places[next(places.len())], EXTREMES[next(EXTREMES.len())]);
            changes.push(vec![change(), change(), change()]);
        }
        for media in changes.iter().filter_map(|change| with(&media, change)) {
            for pipeline in ["default", "hevc"] {
                // Refused or planned: both are answers.
                planned += usize::from(plan_of(&media, &catalogue, pipeline).is_ok());
            }
        }
    }
    assert!(planned > 1000, "{planned}");
}
