//! Frame types that one size decides and the others take.

use vodmill_model::plan::{FrameTypes, VideoEncode};
use vodmill_model::preset::FileContainer;
use vodmill_model::transcode::{FileOrder, Transcode, VideoInput, VideoOrder};
use vodmill_model::units::{Gop, Ratio, Size};

use super::clips::Clips;
use super::orders::{Job, encode, rung};
use crate::mux::reader::run;

const RATE: Ratio = Ratio { num: 25, den: 1 };

/// Moving pictures with cuts: types of frames vary. No group of 50 frames ends with the clip.
const SOURCE: &str = "mandelbrot=s=160x90:r=25,trim=duration=2[a];testsrc2=s=160x90:r=25:d=1[b];\
                      life=s=160x90:r=25:mold=10:seed=3,trim=duration=1.4,format=yuv420p[c];\
                      [a][b][c]concat=n=3";

/// An encode as the planner has it at `preset`.
fn of_preset(id: &str, side: u32, preset: &str, strategy: &str) -> VideoEncode {
    let options = [
        ("preset", preset),
        ("profile", "high"),
        ("threads", "1"),
        ("forced-idr", "1"),
        ("sc_threshold", "0"),
        ("g", "50"),
        ("keyint_min", "50"),
        ("crf", "23"),
        ("maxrate", "900000"),
        ("bufsize", "1800000"),
        ("b_strategy", strategy),
    ];
    let mut options: std::collections::BTreeMap<String, String> =
        options.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    if !["superfast", "veryfast", "faster"].contains(&preset) {
        options.insert("rc-lookahead".to_owned(), "20".to_owned());
    }
    let (width, height) = (side * 16 / 9 / 2 * 2, side);
    VideoEncode {
        id: id.to_owned(),
        size: Size { width, height },
        filter: format!("scale={width}:{height},format=yuv420p,setsar=1"),
        options,
        gop: Gop(50),
        ..rung()
    }
}

fn decider(preset: &str) -> VideoEncode {
    of_preset("low", 54, preset, "2")
}

/// One that takes its types from `low`; `waiting` as the planner says for the preset.
fn taker(id: &str, preset: &str) -> VideoEncode {
    let waiting = if preset == "veryslow" { 44 } else { 27 };
    let types = Some(FrameTypes { of: "low".to_owned(), waiting });
    VideoEncode { types, ..of_preset(id, 90, preset, "0") }
}

fn order(job: &Job, encodes: Vec<VideoEncode>, deciders: Vec<VideoEncode>) -> VideoOrder {
    let mut order = job.order("x", 0, 110);
    let path = order.encodes[0].1.clone();
    order.stills.clear();
    order.encodes = encodes
        .into_iter()
        .map(|encode| (encode.clone(), path.with_file_name(&encode.id)))
        .collect();
    order.deciders = deciders;
    order
}

/// Types of the frames of a rendition, in the order in which they are shown.
fn types(job: &Job, name: &str) -> String {
    let (rendition, mp4) = (job.path(name), job.path(&format!("{name}.mp4")));
    let video = Some(VideoInput { chunks: vec![rendition], rate: RATE });
    let container = FileContainer::Mp4;
    let order = FileOrder { container, video, audio: Vec::new(), path: mp4.clone() };
    vodmill_av::Libav.write_file(&order).unwrap();
    let entries = ["-of", "csv=p=0", "-show_entries", "frame=pict_type", mp4.to_str().unwrap()];
    let lines = run("ffprobe", &entries);
    lines.lines().filter_map(|line| line.chars().next()).collect()
}

#[test]
fn the_others_have_the_types_of_the_one_that_decides() {
    let clips = Clips::new();
    let job = Job::new(&clips.h264(SOURCE, "", "cuts.mp4"), RATE);
    for preset in ["superfast", "veryfast", "faster", "medium", "slow", "veryslow"] {
        let (low, high) = (decider(preset), taker("high", preset));
        assert_eq!(encode(&order(&job, vec![high, low], Vec::new())).unwrap().frames, 110);
        let decided = types(&job, "low");
        assert_eq!(decided.len(), 110);
        assert!(decided.contains("BP") && decided.contains("PP"), "{preset}: {decided}");
        assert_eq!(types(&job, "high"), decided, "{preset}");
    }
}

#[test]
fn whoever_takes_types_is_the_same_alone() {
    let clips = Clips::new();
    let job = Job::new(&clips.h264(SOURCE, "", "cuts.mp4"), RATE);
    let preset = "veryfast";
    let all = vec![decider(preset), taker("high", preset), taker("higher", preset)];
    encode(&order(&job, all, Vec::new())).unwrap();
    let (low, high) = (job.rendition("low"), job.rendition("high"));
    assert_eq!(high, job.rendition("higher"));
    std::fs::remove_file(job.path("low")).unwrap();
    encode(&order(&job, vec![taker("high", preset)], vec![decider(preset)])).unwrap();
    assert_eq!(job.rendition("high"), high);
    assert!(!job.path("low").exists(), "it is made for its types alone");
    encode(&order(&job, vec![decider(preset)], Vec::new())).unwrap();
    assert_eq!(job.rendition("low"), low);
}

#[test]
fn types_that_nobody_decides_are_an_error() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), RATE);
    let mut lonely = order(&job, vec![taker("high", "veryfast")], Vec::new());
    lonely.chunk.frames = 50;
    let error = encode(&lonely).unwrap_err();
    assert!(error.to_string().contains("no encode low decides its frame types"), "{error}");
}
