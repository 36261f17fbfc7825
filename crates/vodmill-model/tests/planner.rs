//! Plans of real-life originals against committed text. `BLESS=1 cargo test -p vodmill-model`
//! writes the text anew; read the difference before committing it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{catalogue, catalogue_with_hdr, fixture, fixture_names, manifest_path, plan_of};
use vodmill_model::plan::VideoEncode;
use vodmill_model::preset::{Ladder, Preset, Profile, Speed};
use vodmill_model::units::Size;
use vodmill_model::{Catalogue, Plan, Ticks};

/// Whether the plan of a fixture is as committed in `golden`.
fn is_as_committed(
    fixture_name: &str,
    catalogue: &Catalogue,
    pipeline: &str,
    golden: &str,
) -> bool {
    let text = match plan_of(&fixture(fixture_name), catalogue, pipeline) {
        Ok(plan) => serde_json::to_string_pretty(&plan).unwrap(),
        Err(rejected) => serde_json::to_string_pretty(&rejected).unwrap(),
    } + "\n";
    let path = manifest_path(&format!("tests/golden/{golden}.json"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    std::fs::read_to_string(&path).unwrap_or_default() == text
}

#[test]
fn plans_are_as_committed() {
    let mut wrong = fixture_names();
    let catalogue = catalogue();
    wrong.retain(|name| !is_as_committed(name, &catalogue, "default", name));
    assert!(wrong.is_empty(), "plans differ, look with BLESS=1 and git diff: {wrong:?}");
}

#[test]
fn plans_that_keep_high_dynamic_range_are_as_committed() {
    let catalogue = catalogue_with_hdr();
    let mut wrong = vec![
        ("hdr-pq-2160p", "hdr"),
        ("hlg-portrait", "hdr"),
        ("plain-1080p25", "hdr"),
        ("hdr-pq-2160p", "hevc"),
        ("plain-1080p25", "hevc"),
    ];
    wrong.retain(|(name, pipeline)| {
        let golden = format!("kept/{name}.{pipeline}");
        !is_as_committed(name, &catalogue, pipeline, &golden)
    });
    assert!(wrong.is_empty(), "plans differ, look with BLESS=1 and git diff: {wrong:?}");
}

#[test]
fn plans_of_webm_and_mp3_are_as_committed() {
    let mut catalogue = catalogue();
    let mut files = catalogue.pipelines["default"].clone();
    (files.ladder, files.encryption, files.mp4) = (String::new(), None, Vec::new());
    files.files = vec!["webm".to_owned(), "mp3".to_owned()];
    catalogue.pipelines.insert("files".to_owned(), files);
    let mut wrong = vec!["plain-1080p25", "portrait-phone", "several-languages", "audio-only"];
    wrong.retain(|name| !is_as_committed(name, &catalogue, "files", &format!("files/{name}")));
    assert!(wrong.is_empty(), "plans differ, look with BLESS=1 and git diff: {wrong:?}");
}

/// Renditions that another version of vodmill made are found again, if their encoder is the same.
#[test]
fn an_address_hangs_on_its_own_encoder_alone() {
    let plan = plan_of(&fixture("plain-1080p25"), &catalogue(), "default").unwrap();
    let mut other = plan.clone();
    other.build.encoders.insert("libvpx-vp9".to_owned(), "1".to_owned());
    let (h264, chunk) = (&plan.video[0], &plan.chunks[0]);
    assert_eq!(plan.video_rendition(h264, chunk), other.video_rendition(h264, chunk));
    assert_eq!(plan.audio_rendition(&plan.audio[0]), other.audio_rendition(&plan.audio[0]));
    let vp9 = VideoEncode { encoder: "libvpx-vp9".to_owned(), ..h264.clone() };
    assert_ne!(plan.video_rendition(&vp9, chunk), other.video_rendition(&vp9, chunk));
}

/// In a last segment that is shorter than a frame of AAC no frame may begin, and nothing be in it.
#[test]
fn sound_alone_has_no_segment_shorter_than_a_frame() {
    let ends_of = |ticks: i64| {
        let mut media = fixture("audio-only");
        media.declared_duration = None;
        media.audio[0].end = media.audio[0].first + Ticks(ticks);
        plan_of(&media, &catalogue(), "default").unwrap().timeline.segment_ends
    };
    const SIX: i64 = 6 * 90_000;
    assert_eq!(ends_of(SIX), [Ticks(SIX)]);
    for more in [1, 450, 1919, 5759] {
        assert_eq!(ends_of(SIX + more), [Ticks(SIX + more)], "{more} ticks over");
        assert_eq!(ends_of(2 * SIX + more), [Ticks(SIX), Ticks(2 * SIX + more)]);
    }
    assert_eq!(ends_of(SIX + 5760), [Ticks(SIX), Ticks(SIX + 5760)]);
    assert_eq!(ends_of(450), [Ticks(450)]);
}

/// A job that was begun before an upgrade goes on with the plan that it has.
#[test]
fn a_plan_of_0_1_0_is_what_it_was() {
    let text = std::fs::read_to_string(manifest_path("tests/former/plan-0.1.0.json")).unwrap();
    let former: Plan = serde_json::from_str(&text).unwrap();
    let now = plan_of(&fixture("plain-1080p25"), &catalogue(), "default").unwrap();
    assert_eq!(former.outputs.len(), now.outputs.len());
    assert_eq!((&former.timeline, &former.chunks), (&now.timeline, &now.chunks));
    let written = serde_json::to_string(&former).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&written).unwrap(), former);
    let address = former.video_rendition(&former.video[0], &former.chunks[0]);
    assert_eq!(address, "04b1f093fe76b5c1b33ab515fcdef9719a061fbdfcde78f0cf76044b21a47055");
}

/// The default pipeline with this ladder's rungs and these files.
fn plan_with(catalogue: &mut Catalogue, change: impl FnOnce(&mut Ladder), mp4: &[&str]) -> Plan {
    let Some(Preset::Ladder(ladder)) = catalogue.presets.get_mut("hls") else { panic!() };
    change(ladder);
    let pipeline = catalogue.pipelines.get_mut("default").unwrap();
    pipeline.mp4 = mp4.iter().map(|&name| name.to_owned()).collect();
    plan_of(&fixture("plain-1080p25"), catalogue, "default").unwrap()
}

fn strategies(plan: &Plan) -> Vec<(&str, Option<&str>, Option<&str>)> {
    let mut strategies = Vec::new();
    for encode in &plan.video {
        let strategy = encode.options.get("b_strategy").map(String::as_str);
        strategies.push((encode.id.as_str(), strategy, encode.types.as_ref().map(|_| "given")));
    }
    strategies
}

#[test]
fn frame_types_are_those_of_the_lowest_rung() {
    let all = ["phone", "tablet", "web", "tv"];
    let plan = plan_with(&mut catalogue(), |_| {}, &all);
    let given = |id| (id, Some("0"), Some("given"));
    let expected = [("v360", Some("2"), None), given("v540"), given("v720"), given("v1080")];
    assert_eq!(strategies(&plan), expected);
    assert!(plan.video[1..].iter().all(|one| plan.decider_of(one) == Some(&plan.video[0])));
    let alone = plan_with(&mut catalogue(), |ladder| ladder.rungs.truncate(1), &all);
    assert!(alone.video.iter().all(|encode| encode.types.is_none()), "one rung, nothing to share");
    let no_b_frames = |ladder: &mut Ladder| ladder.video.profile = Profile::Baseline;
    assert!(
        plan_with(&mut catalogue(), no_b_frames, &[]).video.iter().all(|one| one.types.is_none())
    );
    let threads = |ladder: &mut Ladder| ladder.video.threads = 2;
    assert!(plan_with(&mut catalogue(), threads, &[]).video.iter().all(|one| one.types.is_none()));
    let fast = |ladder: &mut Ladder| ladder.video.speed = Speed::Fast;
    assert!(plan_with(&mut catalogue(), fast, &[]).video.iter().all(|one| one.types.is_none()));
    let veryslow = |ladder: &mut Ladder| ladder.video.speed = Speed::Veryslow;
    for (plan, frames) in [(plan, 27), (plan_with(&mut catalogue(), veryslow, &[]), 44)] {
        assert_eq!(plan.video[1].types.as_ref().unwrap().waiting, frames);
    }
}

#[test]
fn a_ladder_is_the_same_with_files_and_without() {
    let with = plan_with(&mut catalogue(), |_| {}, &["phone", "tablet", "web", "tv"]);
    let without = plan_with(&mut catalogue(), |_| {}, &[]);
    assert_eq!(without.video.len(), 3);
    for rung in &without.video {
        assert_eq!(with.video_encode(&rung.id), Some(rung));
        let address = |plan: &Plan| plan.video_rendition(rung, &plan.chunks[0]);
        assert_eq!(address(&with), address(&without));
    }
}

/// Whoever takes frame types hangs on all that the one that decides them hangs on.
#[test]
fn an_address_hangs_on_who_decides_frame_types() {
    let before = plan_with(&mut catalogue(), |_| {}, &[]);
    let after = plan_with(&mut catalogue(), |ladder| ladder.rungs[0].target.crf = Some(30), &[]);
    for (one, other) in before.video.iter().zip(&after.video).skip(1) {
        assert_eq!(one, other);
        let address = |plan: &Plan| plan.video_rendition(one, &plan.chunks[0]);
        assert_ne!(address(&before), address(&after));
    }
}

/// Frames that wait for their types are part of what a process takes.
#[test]
fn waiting_frames_are_in_the_budget() {
    let shared = plan_with(&mut catalogue(), |_| {}, &[]);
    let apart = |ladder: &mut Ladder| ladder.video.threads = 2;
    let apart = plan_with(&mut catalogue(), apart, &[]);
    let waiting = 27 * 3 / 2 * (960 * 540 + 1920 * 1080);
    assert!(shared.budget.memory >= apart.budget.memory + waiting);
    assert_eq!(shared.budget.frames_in_flight, apart.budget.frames_in_flight + 27);
}

/// Of 720 lines the highest rung, tablets, the web and television sets take one stream; tablets and the
/// web one object, which holds the same sound.
#[test]
fn a_720p_original_is_encoded_once_at_its_size() {
    let mut media = fixture("plain-1080p25");
    media.video[0].coded = Size { width: 1280, height: 720 };
    let plan = plan_of(&media, &catalogue(), "default").unwrap();
    let ids: Vec<&str> = plan.video.iter().map(|encode| encode.id.as_str()).collect();
    assert_eq!(ids, ["v360", "v540", "v720"]);
    let objects: Vec<_> = plan.files().map(|file| (&*file.name, &*file.object)).collect();
    let expected = [
        ("phone", "private/mp4/phone.mp4"),
        ("tablet", "private/mp4/tablet.mp4"),
        ("web", "private/mp4/tablet.mp4"),
        ("tv", "private/mp4/tv.mp4"),
    ];
    assert_eq!(objects, expected);
    let decision = plan.decisions.iter().find(|one| one.choice == "the object of tablet").unwrap();
    assert_eq!(decision.about, "mp4 web");
}
