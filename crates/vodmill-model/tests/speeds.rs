//! `speed = "auto"`.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{catalogue, fixture, plan_of};
use vodmill_model::audience::{Audience, AudiencePrices};
use vodmill_model::preset::{Preset, Speed, VideoCodec};
use vodmill_model::validate::validate;
use vodmill_model::{Catalogue, Plan};

/// The default pipeline with the ladder at `auto`, watched so often; those of us-east-1 are its prices.
fn watched(expected_views: u64) -> Catalogue {
    let mut catalogue = catalogue();
    let Some(Preset::Ladder(ladder)) = catalogue.presets.get_mut("hls") else { panic!() };
    ladder.video.speed = Speed::Auto;
    let pipeline = catalogue.pipelines.get_mut("default").unwrap();
    pipeline.mp4.clear();
    let prices = AudiencePrices {
        currency: "USD".to_owned(),
        core_hour_billionths: 36_250_000,
        gb_billionths: 85_000_000,
    };
    let region = "us-east-1".to_owned();
    pipeline.audience = Some(Audience { expected_views, region, prices: Some(prices) });
    catalogue
}

fn plan_at(catalogue: &Catalogue) -> Plan {
    plan_of(&fixture("plain-1080p25"), catalogue, "default").unwrap()
}

fn speed(plan: &Plan) -> &str {
    let speed = &plan.video[0].options["preset"];
    assert!(plan.video.iter().all(|encode| encode.options["preset"] == *speed));
    speed
}

#[test]
fn more_views_never_make_it_faster() {
    let order = ["veryfast", "faster", "medium"];
    let chosen: Vec<String> = [1, 2, 3, 5, 10, 100, 1000, 1_000_000_000]
        .into_iter()
        .map(|views| speed(&plan_at(&watched(views))).to_owned())
        .collect();
    let rank = |speed: &String| order.iter().position(|one| one == speed).unwrap();
    assert!(chosen.is_sorted_by_key(rank), "{chosen:?}");
    assert_eq!(chosen.first().unwrap(), "veryfast");
    assert_eq!(chosen.last().unwrap(), "medium");
}

#[test]
fn dear_processors_make_it_faster() {
    let mut catalogue = watched(1000);
    assert_eq!(speed(&plan_at(&catalogue)), "medium");
    let pipeline = catalogue.pipelines.get_mut("default").unwrap();
    let prices = pipeline.audience.as_mut().unwrap().prices.as_mut().unwrap();
    prices.core_hour_billionths = 24_000_000_000;
    assert_eq!(speed(&plan_at(&catalogue)), "faster");
}

#[test]
fn the_plan_says_why() {
    let plan = plan_at(&watched(1000));
    let decision = plan.decisions.iter().find(|one| one.about == "speed").unwrap();
    assert_eq!(decision.choice, "medium");
    assert_eq!(
        decision.reason,
        "1000 expected views; veryfast: -0.05 to encode and +36.87 to deliver; faster: -0.02 to encode \
         and +11.65 to deliver, in USD for an hour"
    );
}

#[test]
fn a_speed_that_is_named_stays() {
    let mut catalogue = watched(1);
    let Some(Preset::Ladder(ladder)) = catalogue.presets.get_mut("hls") else { panic!() };
    ladder.video.speed = Speed::Slow;
    let plan = plan_at(&catalogue);
    assert_eq!(speed(&plan), "slow");
    assert!(plan.decisions.iter().all(|one| one.about != "speed"));
}

#[test]
fn auto_asks_who_watches() {
    let said = |catalogue: &Catalogue| {
        let issues = validate(catalogue).into_iter();
        issues.map(|issue| issue.to_string()).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(said(&watched(1)), "");
    let never = said(&watched(0));
    assert!(never.contains("audience.expected_views: must be at least 1"), "{never}");
    let mut nobody = watched(1);
    nobody.pipelines.get_mut("default").unwrap().audience = None;
    let message = said(&nobody);
    assert!(message.contains("pipelines/default.toml: audience: preset \"hls\""), "{message}");
    let mut other = watched(1);
    let Some(Preset::Ladder(ladder)) = other.presets.get_mut("hls-hdr") else { panic!() };
    (ladder.video.speed, ladder.video.codec) = (Speed::Auto, VideoCodec::Hevc);
    let message = said(&other);
    assert!(message.contains("presets/hls-hdr.toml: video.speed: \"auto\""), "{message}");
}
