//! High dynamic range that a preset keeps.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{catalogue, catalogue_with_hdr, fixture, plan_of};
use vodmill_model::media::{ContentLight, MasteringDisplay};
use vodmill_model::plan::{HazardCode, VideoEncode};
use vodmill_model::{MediaInfo, Plan, Size};

const PQ: &str = "hdr-pq-2160p";
const HLG: &str = "hlg-portrait";
const SDR: &str = "plain-1080p25";

fn planned(media: &MediaInfo, pipeline: &str) -> Plan {
    plan_of(media, &catalogue_with_hdr(), pipeline).unwrap()
}

fn by<'a>(plan: &'a Plan, encoder: &'a str) -> impl Iterator<Item = &'a VideoEncode> {
    plan.video.iter().filter(move |encode| encode.encoder == encoder)
}

fn remedy(plan: &Plan, code: HazardCode) -> Option<&str> {
    let hazard = plan.hazards.iter().find(|hazard| hazard.code == code);
    hazard.map(|hazard| hazard.remedy.as_str())
}

fn rungs(plan: &Plan) -> Vec<&str> {
    plan.hls().unwrap().variants.iter().map(|one| one.name.as_str()).collect()
}

#[test]
fn pq_is_kept_in_hevc_beside_h264() {
    let plan = planned(&fixture(PQ), "hdr");
    assert_eq!(rungs(&plan), ["low", "mid", "high", "hdr-low", "hdr-high"]);
    assert_eq!(plan.decode.as_ref().unwrap().picture_filter, "", "nothing is mapped for all");
    assert_eq!((by(&plan, "libx264").count(), by(&plan, "libx265").count()), (4, 2));
    for encode in by(&plan, "libx265") {
        assert!(encode.filter.ends_with(
            "color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc,format=yuv420p10le"
        ));
        assert!(!encode.filter.contains("tonemap"), "{}", encode.filter);
        assert_eq!(encode.options["color_trc"], "smpte2084");
        assert_eq!(encode.options["profile"], "main10");
        assert!(encode.options["x265-params"].ends_with(
            ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)\
             L(10000000,50):max-cll=1000,400"
        ));
        assert!(!encode.hdr10.is_empty());
    }
    for encode in by(&plan, "libx264") {
        assert!(encode.filter.contains("tonemap=mobius"), "{}", encode.filter);
        assert!(encode.filter.ends_with("colorspace=bt709,format=yuv420p"));
        assert_eq!(encode.options["color_trc"], "bt709");
        assert!(encode.hdr10.is_empty());
    }
    let stills = plan.stills();
    assert!(stills.is_none_or(|stills| stills.poster.filter.contains("tonemap")));
    let remedy = remedy(&plan, HazardCode::HdrPq);
    assert_eq!(remedy, Some("kept as HEVC, tone mapped to SDR elsewhere"));
    // One encode for the rung and the MP4.
    let mp4 = plan.files().find(|mp4| mp4.name == "tv-hdr").unwrap();
    assert_eq!(mp4.video.as_deref(), Some("v1080-hevc"));
}

#[test]
fn hlg_is_kept_without_mastering_data() {
    let mut media = fixture(HLG);
    media.video[0].hdr10 = fixture(PQ).video[0].hdr10;
    let plan = planned(&media, "hevc");
    assert_eq!(by(&plan, "libx264").count(), 0);
    for encode in &plan.video {
        assert_eq!(encode.options["color_trc"], "arib-std-b67");
        assert!(!encode.options["x265-params"].contains("master-display"));
        assert!(encode.hdr10.is_empty());
    }
    assert_eq!(remedy(&plan, HazardCode::HdrHlg), Some("kept as HEVC"));
    assert_eq!(remedy(&plan, HazardCode::HighBitDepth), Some("10 bits in HEVC"));
}

#[test]
fn sdr_has_no_rungs_for_hdr_and_is_8_bits_in_hevc() {
    let mixed = planned(&fixture(SDR), "hdr");
    assert_eq!(rungs(&mixed), ["low", "mid", "high"]);
    let plan = planned(&fixture(SDR), "hevc");
    for encode in &plan.video {
        assert_eq!(
            (encode.encoder.as_str(), encode.options["profile"].as_str()),
            ("libx265", "main")
        );
        assert!(encode.filter.ends_with("colorspace=bt709,format=yuv420p"));
    }
}

#[test]
fn without_the_ladder_nothing_is_kept() {
    let plan = plan_of(&fixture(PQ), &catalogue(), "default").unwrap();
    assert!(plan.decode.unwrap().picture_filter.contains("tonemap=mobius"));
    assert!(plan.video.iter().all(|encode| !encode.filter.contains("tonemap")));
    assert!(plan.hazards.iter().any(|hazard| hazard.remedy == "tone mapped to SDR"));
}

#[test]
fn wrong_mastering_data_is_left_out_and_said() {
    let mut media = fixture(PQ);
    let zeros = MasteringDisplay {
        red: (0, 0),
        green: (0, 0),
        blue: (0, 0),
        white: (0, 0),
        max_luminance: 0,
        min_luminance: 0,
    };
    media.video[0].hdr10.display = Some(zeros);
    media.video[0].hdr10.light = Some(ContentLight { max: 0, average: 0 });
    let plan = planned(&media, "hevc");
    for encode in &plan.video {
        let options = &encode.options["x265-params"];
        assert!(!options.contains("master-display") && !options.contains("max-cll"), "{options}");
        assert!(encode.hdr10.is_empty());
    }
    let wrong =
        |hazard: &&vodmill_model::plan::Hazard| hazard.code == HazardCode::WrongMasteringData;
    assert_eq!(plan.hazards.iter().filter(wrong).count(), 2);
}

#[test]
fn other_primaries_become_bt2020() {
    let mut media = fixture(PQ);
    media.video[0].colour.primaries = "smpte432".to_owned();
    let plan = planned(&media, "hevc");
    assert!(plan.video.iter().all(|encode| {
        encode.filter.contains("pin=smpte432:tin=smpte2084:p=bt2020:t=smpte2084")
            && encode.options["color_primaries"] == "bt2020"
    }));
}

/// x265 takes no picture of a few lines.
#[test]
fn small_pictures_are_padded() {
    let mut media = fixture(SDR);
    media.video[0].coded = Size { width: 640, height: 20 };
    let plan = planned(&media, "hevc");
    assert!(plan.video.iter().all(|encode| encode.size == Size { width: 640, height: 32 }));
}
