//! AV1 in files, and in a ladder beside that in H.264.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{catalogue_with_av1, fixture, plan_of};
use vodmill_model::plan::VideoEncode;
use vodmill_model::{MediaInfo, Plan, Preset, Size};

fn planned(media: &MediaInfo) -> Plan {
    plan_of(media, &catalogue_with_av1(), "av1").unwrap()
}

fn av1(plan: &Plan) -> impl Iterator<Item = &VideoEncode> {
    plan.video.iter().filter(|encode| encode.encoder == "libsvtav1")
}

/// Names and scores of the variants.
fn scores(plan: &Plan) -> Vec<(&str, Option<u32>)> {
    plan.hls().unwrap().variants.iter().map(|one| (one.name.as_str(), one.score)).collect()
}

#[test]
fn its_rungs_stand_beside_h264_and_are_preferred_at_equal_size() {
    let plan = planned(&fixture("plain-1080p25"));
    assert_eq!(
        scores(&plan),
        [
            ("low", Some(1)),
            ("mid", Some(3)),
            ("high", Some(5)),
            ("av1-low", Some(2)),
            ("av1-mid", Some(4)),
            ("av1-high", Some(6)),
        ]
    );
    for encode in av1(&plan) {
        assert_eq!(encode.options["svtav1-params"], "lp=1:scd=0");
        assert_eq!(encode.options["g"], "50");
        assert!(encode.filter.ends_with("colorspace=bt709,format=yuv420p"), "{}", encode.filter);
    }
    let mp4 = plan.files().find(|file| file.name == "av1").unwrap();
    assert_eq!(mp4.video.as_deref(), Some("v720-av1"));
    let sound: Vec<_> = plan.audio.iter().map(|encode| encode.id.as_str()).collect();
    assert_eq!(sound, ["a1-128k"], "one sound for all");
    assert!(plan.decisions.iter().any(|decision| decision.about == "hls score"));
}

/// A ladder alone leaves nothing to prefer, and its playlist as it was.
#[test]
fn one_codec_has_no_scores() {
    let plan = plan_of(&fixture("plain-1080p25"), &catalogue_with_av1(), "default").unwrap();
    assert!(scores(&plan).iter().all(|(_, score)| score.is_none()));
}

#[test]
fn high_dynamic_range_is_mapped_and_what_keeps_it_is_above_all() {
    let mut catalogue = catalogue_with_av1();
    let pipeline = catalogue.pipelines.get_mut("av1").unwrap();
    pipeline.hdr_ladder = "hls-hdr".to_owned();
    let plan = plan_of(&fixture("hdr-pq-2160p"), &catalogue, "av1").unwrap();
    assert!(av1(&plan).all(|encode| encode.filter.contains("tonemap=mobius")));
    let scores = scores(&plan);
    assert_eq!(scores[5], ("av1-high", Some(6)));
    assert_eq!(scores[6..], [("hdr-low", Some(7)), ("hdr-high", Some(8))]);
}

#[test]
fn small_pictures_are_padded() {
    let mut media = fixture("plain-1080p25");
    media.video[0].coded = Size { width: 640, height: 20 };
    let plan = planned(&media);
    assert!(av1(&plan).all(|encode| encode.size == Size { width: 640, height: 64 }));
}

/// libav makes a constant rate of equal mean and peak, which SVT-AV1 has for other streams only.
#[test]
fn the_mean_rate_stays_below_the_peak() {
    let mut catalogue = catalogue_with_av1();
    let Some(Preset::Mp4(file)) = catalogue.presets.get_mut("av1") else { panic!("no file") };
    let target = &mut file.video.as_mut().unwrap().target;
    (target.crf, target.bitrate, target.buffer_seconds) = (None, Some(target.max_bitrate), 60);
    let plan = plan_of(&fixture("plain-1080p25"), &catalogue, "av1").unwrap();
    let encode = av1(&plan).find(|encode| encode.id == "v720-av1").unwrap();
    let option = |name: &str| encode.options[name].parse::<u64>().unwrap();
    assert_eq!(option("b") + 1, option("maxrate"));
    assert_eq!(option("bufsize"), option("maxrate") * 10, "no longer buffer than it takes");
}
