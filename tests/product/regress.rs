//! `vodmill regress` (what CI asks): what is planted turns red, by its name; what changes nothing
//! stays green.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use vodmill_tests::product::{Ended, Home};
use vodmill_tests::tools;

const LADDER: &str = r#"
kind = "ladder"
[video]
speed = "veryfast"
gop_seconds = 1
[audio]
bitrate = "64k"
[[rung]]
name = "low"
width = 160
height = 90
crf = 26
max_bitrate = "400k"
[[rung]]
name = "high"
width = 320
height = 180
crf = 26
max_bitrate = "2M"
"#;

const PIPELINE: &str = r#"
ladder = "tv"
mp4 = ["one", "two", "three"]
[hls]
segment_seconds = 1
[encryption]
key_uri = "http://127.0.0.1:8480/k/{kid}"
segments_per_key = 2
[thumbnails]
storyboard_seconds = 1
"#;

fn mp4(width: u32, height: u32) -> String {
    let video =
        "[video]\nspeed = \"veryfast\"\ngop_seconds = 1\ncrf = 26\nmax_bitrate = \"1500k\"\n";
    format!(
        "kind = \"mp4\"\n{video}width = {width}\nheight = {height}\n[audio]\nbitrate = \"64k\"\n"
    )
}

/// A home with a clip of one's own: two seconds of an easy scene, two of a hard one.
fn home() -> Home {
    let home = Home::new();
    home.write("presets/tv.toml", LADDER);
    home.write("presets/one.toml", &mp4(256, 144));
    home.write("presets/two.toml", &mp4(192, 108));
    home.write("presets/three.toml", &mp4(288, 162));
    home.write("pipelines/default.toml", PIPELINE);
    home.write("clips/.keep", "");
    let clip = home.at("clips/own.mkv");
    let scenes = "smptebars=size=320x180:rate=25:duration=2[easy];\
                  testsrc2=size=320x180:rate=25:duration=2,noise=alls=40:all_seed=5:allf=t[hard];\
                  [easy][hard]concat,format=yuv420p[v]";
    let clip = clip.to_str().expect("UTF-8");
    let made = [
        "-f",
        "lavfi",
        "-i",
        "sine=duration=4",
        "-filter_complex",
        scenes,
        "-map",
        "[v]",
        "-map",
        "0:a",
        "-c:v",
        "ffv1",
        "-colorspace",
        "bt709",
        "-color_primaries",
        "bt709",
        "-color_trc",
        "bt709",
        "-color_range",
        "tv",
        "-c:a",
        "pcm_s16le",
        "-metadata:s:a",
        "language=eng",
        clip,
    ];
    tools::ffmpeg(&made).expect("ffmpeg makes a clip");
    home
}

fn regress(home: &Home, more: &[&str]) -> Ended {
    let clips = home.at("clips");
    let clips = clips.to_str().expect("UTF-8");
    home.vodmill(&[&["regress", "--made", "none", "--clips", clips], more].concat())
}

/// Replaces text of a file of the home; it has to be there.
fn edit(home: &Home, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(home.at(file)).expect("a file of the home");
    assert!(text.contains(from), "{file} has no {from:?}: {text}");
    home.write(file, &text.replace(from, to));
}

fn red(home: &Home, expected: &[&str]) -> Ended {
    let ended = regress(home, &["--junit", junit(home).to_str().expect("UTF-8")]);
    assert_eq!(ended.code, 1, "{ended:?}");
    for sentence in expected {
        assert!(ended.out.contains(sentence), "no {sentence:?} in\n{}", ended.out);
    }
    ended
}

fn junit(home: &Home) -> PathBuf {
    home.at("junit.xml")
}

#[test]
fn what_is_planted_is_red_by_its_name_and_what_changes_nothing_green() {
    let home = home();
    let none = regress(&home, &[]);
    assert_eq!(none.code, 2, "{none:?}");
    assert!(none.err.contains("vodmill regress --update"), "{none:?}");

    let first = regress(&home, &["--update"]);
    assert_eq!(first.code, 0, "{first:?}");
    let baseline = fs::read_to_string(home.at("regression.json")).expect("a baseline");
    unchanged(&home, &baseline);
    quality(&home);
    structure(&home);
    layout(&home);
    in_the_baseline(&home, &baseline);
    // The home had no state before, and has none now.
    assert!(!home.at("state").exists());
}

/// Comments, and another order; the same numbers beside other work.
fn unchanged(home: &Home, baseline: &str) {
    edit(
        home,
        "presets/one.toml",
        "crf = 26\nmax_bitrate = \"1500k\"",
        "# As before.\nmax_bitrate = \"1500k\"\ncrf = 26",
    );
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            regress(
                home,
                &["--update", "--baseline", home.at("again.json").to_str().expect("UTF-8")],
            )
        });
        let green = regress(home, &["--json"]);
        assert_eq!(green.code, 0, "{green:?}");
        let verdicts: Value = serde_json::from_str(&green.out).expect("JSON");
        assert_eq!(verdicts["verdicts"][0]["causes"], Value::Array(Vec::new()), "{verdicts}");
        assert_eq!(other.join().expect("it ends").code, 0);
    });
    let without_cpu = |text: &str| {
        text.lines().filter(|line| !line.contains("\"cpu\": ")).collect::<Vec<_>>().join("\n")
    };
    let again = fs::read_to_string(home.at("again.json")).expect("a baseline");
    assert_eq!(without_cpu(&again), without_cpu(baseline));
}

/// A plant for each preset.
fn quality(home: &Home) {
    edit(home, "presets/one.toml", "crf = 26", "crf = 38");
    edit(home, "presets/two.toml", "[audio]", "profile = \"baseline\"\n[audio]");
    edit(home, "presets/three.toml", "1500k", "100k");
    edit(home, "presets/tv.toml", "veryfast", "ultrafast");
    let ended = red(
        home,
        &[
            "VMAF falls by",
            "preset one was changed: video.crf 38, was 26",
            "B-frames are lost: none, was",
            "mp4/three.mp4: the worst frames of clip own fall by",
            "% more bytes at equal quality, limit 2 %",
            "video.speed ultrafast, was veryfast",
        ],
    );
    assert!(!ended.out.contains("vodmill itself"), "{ended:?}");
    let junit = fs::read_to_string(junit(home)).expect("JUnit XML");
    assert!(junit.contains("<failure message=") && junit.contains("failures=\"5\""), "{junit}");
    edit(home, "presets/one.toml", "crf = 38", "crf = 26");
    edit(home, "presets/two.toml", "profile = \"baseline\"\n", "");
    edit(home, "presets/three.toml", "100k", "1500k");
    edit(home, "presets/tv.toml", "ultrafast", "veryfast");
}

/// Plants in the pipeline, and two files that have each other's size.
fn structure(home: &Home) {
    let rung =
        "[[rung]]\nname = \"low\"\nwidth = 160\nheight = 90\ncrf = 26\nmax_bitrate = \"400k\"\n";
    edit(home, "presets/tv.toml", rung, "");
    edit(home, "pipelines/default.toml", "segments_per_key = 2", "segments_per_key = 1");
    edit(
        home,
        "pipelines/default.toml",
        "segment_seconds = 1",
        "segment_seconds = 1\niframes = false",
    );
    edit(
        home,
        "pipelines/default.toml",
        "[thumbnails]\nstoryboard_seconds = 1",
        "[input]\naudio.map = [{ from = [\"1\"], language = \"fr\" }]",
    );
    edit(home, "presets/one.toml", "width = 256\nheight = 144", "width = 192\nheight = 108");
    edit(home, "presets/two.toml", "width = 192\nheight = 108", "width = 256\nheight = 144");
    red(
        home,
        &[
            "hls/low: it is missing",
            "hls/high: keys from segment 0, 1, 2, 3, was 0, 2",
            "EXT-X-I-FRAME-STREAM-INF hls/high/iframes.m3u8 is missing",
            "thumbnails/poster.jpg: the file is missing",
            "languages fra, was eng",
            "size 192x108, was 256x144: swapped with mp4/two.mp4",
        ],
    );
    home.write("presets/tv.toml", LADDER);
    home.write("presets/one.toml", &mp4(256, 144));
    home.write("presets/two.toml", &mp4(192, 108));
    home.write("pipelines/default.toml", PIPELINE);
}

/// Key frames, segments and encryption.
fn layout(home: &Home) {
    edit(home, "presets/tv.toml", "gop_seconds = 1", "gop_seconds = 2");
    edit(home, "pipelines/default.toml", "segment_seconds = 1", "segment_seconds = 2");
    edit(
        home,
        "pipelines/default.toml",
        "[encryption]\nkey_uri = \"http://127.0.0.1:8480/k/{kid}\"\nsegments_per_key = 2\n",
        "",
    );
    red(
        home,
        &[
            "a key frame every 50 pictures, was 25",
            "segments 2 of 2 s, was 4 of 1 s",
            "encryption none, was AES-128",
            "pipeline default was changed: encryption.segments_per_key left out, was 2",
        ],
    );
    home.write("presets/tv.toml", LADDER);
    home.write("pipelines/default.toml", PIPELINE);
}

/// What no setting can do wrong is planted in the baseline, as if it had been otherwise.
fn in_the_baseline(home: &Home, baseline: &str) {
    let planted = baseline
        .replace("\"colour range\":\"limited\"", "\"colour range\":\"full\"")
        .replace(
            "\"EXT-X-ENDLIST\":\"\"",
            "\"EXT-X-ENDLIST\":\"\",\"EXT-X-START\":\"TIME-OFFSET=0\"",
        )
        .replace("x264 core", "x264 elder core");
    assert_ne!(planted, baseline);
    home.write("regression.json", &planted);
    red(
        home,
        &[
            "colour range limited, was full",
            "EXT-X-START is missing",
            "the settings are the same; other encoders: libav and its encoders",
        ],
    );
}

const AV1: &str = r#"
kind = "ladder"
[video]
codec = "av1"
speed = "ultrafast"
gop_seconds = 1
[audio]
bitrate = "64k"
[[rung]]
name = "av1-low"
width = 160
height = 90
crf = 35
max_bitrate = "400k"
"#;

/// A ladder beside the first has verdicts and causes of its own; loudness is part of what sound is.
#[test]
fn further_ladders_and_loudness_are_red_by_their_own_preset() {
    let home = home();
    home.write("presets/beside.toml", AV1);
    let pipeline = "ladder = \"tv\"\nmore_ladders = [\"beside\"]\nmp4 = [\"one\"]\n\
                    [hls]\ncontainer = \"fmp4\"\nsegment_seconds = 1\n";
    home.write("pipelines/default.toml", pipeline);
    let only = ["--pipeline", "default"];
    assert_eq!(regress(&home, &[&["--update"], &only[..]].concat()).code, 0);
    edit(&home, "presets/beside.toml", "crf = 35", "crf = 55");
    edit(&home, "presets/one.toml", "64k\"", "64k\"\nloudness = -30");
    let ended = regress(&home, &only);
    assert_eq!(ended.code, 1, "{ended:?}");
    for sentence in [
        "  beside: hls/av1-low:",
        "preset beside was changed: rung[av1-low].crf 55, was 35",
        "mp4/one.mp4: loudness is additional",
        "  tv: as before",
    ] {
        assert!(ended.out.contains(sentence), "no {sentence:?} in\n{}", ended.out);
    }
    let none = regress(&home, &["--pipeline", "preset-beside"]);
    assert!(none.err.contains("no pipeline preset-beside"), "{none:?}");
}
