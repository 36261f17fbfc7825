//! Mistakes in pipelines and presets, all found at once.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{catalogue, catalogue_with_hdr};
use vodmill_model::pipeline::{Container, Pipeline};
use vodmill_model::preset::{
    AudioCodec, FileContainer, FilePreset, HdrPolicy, Preset, Profile, VideoCodec,
};
use vodmill_model::validate::validate;
use vodmill_model::{BitsPerSecond, Catalogue, QualityTarget};

fn ladder(catalogue: &mut Catalogue) -> &mut vodmill_model::Ladder {
    match catalogue.presets.get_mut("hls") {
        Some(Preset::Ladder(ladder)) => ladder,
        other => panic!("{other:?}"),
    }
}

fn paths(catalogue: &Catalogue) -> Vec<String> {
    validate(catalogue).into_iter().map(|issue| issue.path).collect()
}

fn pipeline_paths(change: impl Fn(&mut Pipeline)) -> Vec<String> {
    let mut catalogue = catalogue();
    change(catalogue.pipelines.get_mut("default").unwrap());
    paths(&catalogue)
}

#[test]
fn what_is_shipped_is_right() {
    assert_eq!(validate(&catalogue()), []);
}

#[test]
fn a_container_holds_its_codecs_alone() {
    let file = |name: &str, change: &dyn Fn(&mut FilePreset)| {
        let mut catalogue = catalogue();
        let Some(Preset::File(file) | Preset::Mp4(file)) = catalogue.presets.get_mut(name) else {
            panic!("no file {name}");
        };
        change(file);
        paths(&catalogue)
    };
    let h264 = |file: &mut FilePreset| file.video.as_mut().unwrap().common.codec = VideoCodec::H264;
    assert_eq!(file("webm", &h264), ["video.codec"]);
    assert_eq!(file("webm", &|file| file.audio.codec = AudioCodec::Aac), ["audio.codec"]);
    assert_eq!(file("webm", &|file| file.audio.sample_rate = 44_100), ["audio.sample_rate"]);
    assert_eq!(file("mp3", &|file| file.audio.channels = 6), ["audio.channels"]);
    assert_eq!(file("mp3", &|file| file.audio.bitrate = BitsPerSecond(100_000)), ["audio.bitrate"]);
    let webm = file("phone", &|file| file.container = FileContainer::Webm);
    assert_eq!(webm[..3], ["container", "audio.codec", "video.codec"]);
    let mp4 = catalogue().presets["phone"].file().unwrap().video.clone();
    assert_eq!(file("mp3", &|file| file.video.clone_from(&mp4)), ["video"]);
    assert_eq!(pipeline_paths(|pipeline| pipeline.files = vec!["hls".to_owned()]), ["files[0]"]);
}

#[test]
fn every_mistake_of_a_ladder_is_found_at_once() {
    let mut catalogue = catalogue();
    let hls = ladder(&mut catalogue);
    hls.audio.channels = 3;
    hls.rungs[0].name = "Low!".to_owned();
    hls.rungs[1].target.width = 961;
    hls.rungs[1].target.bitrate = Some(BitsPerSecond(1_000_000));
    hls.rungs[2].name = "mid".to_owned();
    hls.rungs[2].target.crf = Some(52);
    hls.rungs[2].target.max_bitrate = BitsPerSecond(1_000_000);
    assert_eq!(
        paths(&catalogue),
        [
            "audio.channels",
            "rung[0].name",
            "rung[1].width",
            "rung[1]",
            "rung[2].name",
            "rung[2].crf",
            "rung[2].max_bitrate"
        ]
    );
    ladder(&mut catalogue).rungs.clear();
    ladder(&mut catalogue).audio.channels = 2;
    assert_eq!(paths(&catalogue), ["rung"]);
}

#[test]
fn pipelines_are_checked_together_with_their_presets() {
    assert_eq!(pipeline_paths(|pipeline| pipeline.ladder = "phone".to_owned()), ["ladder"]);
    assert_eq!(pipeline_paths(|pipeline| pipeline.mp4[1] = "phone".to_owned()), ["mp4[1]"]);
    assert_eq!(pipeline_paths(|pipeline| pipeline.mp4[1] = "pad".to_owned()), ["mp4[1]"]);
    assert_eq!(
        pipeline_paths(|pipeline| pipeline.hls.segment_seconds = 5),
        ["hls.segment_seconds"]
    );
    assert_eq!(pipeline_paths(|pipeline| pipeline.chunk_seconds = 4), ["chunk_seconds"]);
}

fn hdr_paths(change: impl Fn(&mut Pipeline, &mut vodmill_model::Ladder)) -> Vec<String> {
    let mut catalogue = catalogue_with_hdr();
    let Some(Preset::Ladder(ladder)) = catalogue.presets.get_mut("hls-hdr") else {
        panic!("no ladder");
    };
    change(catalogue.pipelines.get_mut("hdr").unwrap(), ladder);
    catalogue.pipelines.remove("hevc");
    paths(&catalogue)
}

#[test]
fn high_dynamic_range_is_kept_only_where_that_makes_sense() {
    assert_eq!(validate(&catalogue_with_hdr()), []);
    let path = |path: &str| vec![path.to_owned()];
    assert_eq!(hdr_paths(|it, _| it.hls.container = Container::Ts), path("hls.container"));
    assert_eq!(hdr_paths(|it, _| it.hdr_ladder = "tv".to_owned()), path("hdr_ladder"));
    assert_eq!(hdr_paths(|it, _| it.hdr_ladder = "hls".to_owned()).len(), 4, "range and names");
    assert_eq!(hdr_paths(|it, _| it.ladder.clear()), path("hdr_ladder"));
    assert_eq!(hdr_paths(|_, ladder| ladder.rungs[0].name = "low".to_owned()), path("hdr_ladder"));
    assert_eq!(hdr_paths(|_, ladder| ladder.video.gop_seconds = 3), path("hdr_ladder"));
    assert_eq!(hdr_paths(|_, ladder| ladder.audio.channels = 6), path("hdr_ladder"));
    assert_eq!(hdr_paths(|_, ladder| ladder.video.hdr = HdrPolicy::ToneMap), path("hdr_ladder"));
    assert_eq!(hdr_paths(|_, ladder| ladder.video.profile = Profile::Main), path("video.profile"));
    assert_eq!(hdr_paths(|_, ladder| ladder.video.threads = 2), path("video.threads"));
    let mut catalogue = catalogue();
    ladder(&mut catalogue).video.hdr = HdrPolicy::Keep;
    assert_eq!(paths(&catalogue), ["video.hdr"], "H.264 keeps none");
}

fn av1_paths(change: impl Fn(&mut Pipeline, &mut vodmill_model::Ladder)) -> Vec<String> {
    let mut catalogue = common::catalogue_with_av1();
    let Some(Preset::Ladder(ladder)) = catalogue.presets.get_mut("hls-av1") else {
        panic!("no ladder");
    };
    change(catalogue.pipelines.get_mut("av1").unwrap(), ladder);
    paths(&catalogue)
}

#[test]
fn ladders_stand_beside_each_other_only_where_that_makes_sense() {
    assert_eq!(validate(&common::catalogue_with_av1()), []);
    let beside = ["more_ladders[0]"];
    let name = |name: &'static str| {
        move |it: &mut Pipeline, _: &mut vodmill_model::Ladder| it.more_ladders[0] = name.to_owned()
    };
    assert_eq!(av1_paths(|it, _| it.hls.container = Container::Ts), ["hls.container"]);
    assert_eq!(av1_paths(name("tv")), beside);
    assert_eq!(av1_paths(name("none")), beside);
    assert_eq!(av1_paths(name("hls-hdr")), beside, "it keeps high dynamic range");
    assert_eq!(av1_paths(|it, _| it.more_ladders.push("hls".to_owned())).len(), 4, "codec, names");
    assert_eq!(av1_paths(|it, _| it.ladder.clear()), beside);
    assert_eq!(av1_paths(|_, ladder| ladder.rungs[0].name = "low".to_owned()), beside);
    assert_eq!(av1_paths(|_, ladder| ladder.video.gop_seconds = 3), beside);
    assert_eq!(av1_paths(|_, ladder| ladder.audio.channels = 6), beside);
    let keeps = av1_paths(|_, ladder| ladder.video.hdr = HdrPolicy::Keep);
    assert_eq!(keeps, ["video.hdr", "more_ladders[0]"]);
    assert_eq!(av1_paths(|_, ladder| ladder.video.threads = 2), ["video.threads"]);
    let crf = |crf| av1_paths(|_, ladder| ladder.rungs[1].target.crf = Some(crf)).len();
    assert_eq!([crf(0), crf(1), crf(63), crf(64)], [1, 0, 0, 1]);
    let peak = |peak| av1_paths(|_, ladder| ladder.rungs[2].target.max_bitrate.0 = peak).len();
    assert_eq!([peak(100_000_000), peak(100_000_001)], [0, 1]);
}

#[test]
fn a_score_is_asked_for_where_one_can_be_aimed_at() {
    let ask = |score: u8, change: fn(&mut vodmill_model::Ladder)| {
        let mut catalogue = catalogue();
        let it = ladder(&mut catalogue);
        it.quality = QualityTarget::Vmaf(score);
        change(it);
        paths(&catalogue)
    };
    assert_eq!(ask(70, |_| {}), [""; 0]);
    assert_eq!(ask(99, |_| {}), [""; 0]);
    for wrong in [0, 69, 100, 255] {
        assert_eq!(ask(wrong, |_| {}), ["quality"], "{wrong}");
    }
    let by_rate = |it: &mut vodmill_model::Ladder| {
        let target = &mut it.rungs[0].target;
        (target.crf, target.bitrate) = (None, Some(BitsPerSecond(500_000)));
    };
    assert_eq!(ask(95, by_rate), ["quality"]);
    assert_eq!(hdr_paths(|_, ladder| ladder.quality = QualityTarget::Vmaf(95)), ["quality"]);
    let of_pipeline = |score| pipeline_paths(|it| it.quality = Some(QualityTarget::Vmaf(score)));
    assert_eq!((of_pipeline(95), of_pipeline(60)), (vec![], vec!["quality".to_owned()]));
    let without = pipeline_paths(|it| {
        (it.quality, it.ladder) = (Some(QualityTarget::Fixed), String::new());
        it.encryption = None;
    });
    assert_eq!(without, ["quality"]);
}

#[test]
fn key_uris_tell_keys_apart_and_hold_no_unknown_placeholder() {
    let issues = |uri: &str| {
        pipeline_paths(|pipeline| {
            pipeline.encryption.as_mut().unwrap().key_uri = uri.to_owned();
        })
        .len()
    };
    assert_eq!(issues("https://keys.example/{asset}/{generation}/{kid}.key?v=1"), 0);
    assert_eq!(issues("https://keys.example/{kid}/key"), 1);
    assert_eq!(issues("https://keys.example/k?id={kid}"), 1);
    assert_eq!(issues("https://keys.example/{tenant}/{kid}"), 1);
    assert_eq!(issues("/k/{kid}"), 1);
    for uri in ["mysql://k/{kid}", "https:/k/{kid}", "https://:1/{kid}", "https://k:99999/{kid}"] {
        assert_eq!(issues(uri), 1, "{uri}");
    }
}

#[test]
fn folders_do_not_climb() {
    let destination =
        |folder: &str| pipeline_paths(|pipeline| pipeline.destination = folder.to_owned()).len();
    assert_eq!(destination("published/films"), 0);
    assert_eq!(destination("../published"), 1);
    assert_eq!(destination("published/.."), 1);
    assert_eq!(destination(" "), 1);
}

#[test]
fn events_come_from_a_url() {
    let events = |url: &str| pipeline_paths(|pipeline| pipeline.events = url.to_owned());
    assert!(events("https://sqs.eu-central-1.amazonaws.com/123456789012/media").is_empty());
    assert_eq!(events("mysql://sqs/media"), ["events"]);
    assert_eq!(events("arn:aws:sqs:eu-central-1:123456789012:media"), ["events"]);
}

#[test]
fn a_misspelt_field_is_an_error() {
    let rung = "kind = 'ladder'\n[[rung]]\nname = 'low'\nwidth = 640\nheight = 360\ncrf = 23\n\
                max_bitrate = '1M'\n";
    assert!(toml::from_str::<Preset>(rung).is_ok());
    assert!(toml::from_str::<Preset>(&format!("{rung}buffer = 2\n")).is_err());
    let mp4 = "kind = 'mp4'\n[video]\nwidth = 640\nheight = 360\ncrf = 23\nmax_bitrate = '1M'\n";
    assert!(toml::from_str::<Preset>(mp4).is_ok());
    assert!(toml::from_str::<Preset>(&format!("{mp4}sped = 'fast'\n")).is_err());
    assert!(toml::from_str::<Preset>("kind = 'ladder'\nrung = []\n[video]\ngop = 2\n").is_err());
}
