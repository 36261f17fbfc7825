//! AV1 beside H.264 in one playlist, and in an MP4: judged by readers of our own, by FFmpeg, and played in
//! Chromium.

use std::path::{Path, PathBuf};

use vodmill_tests::cases::case;
use vodmill_tests::conformance::{Kind, Package, Report, assert_package};
use vodmill_tests::product::Home;

use super::browser;

/// Two rungs in AV1 that encode fast, of other sizes than those in H.264: the player tells rungs apart by
/// them.
const LADDER: &str = r#"
kind = "ladder"
[video]
codec = "av1"
speed = "ultrafast"
[[rung]]
name = "av1-low"
width = 240
height = 136
crf = 45
max_bitrate = "400k"
[[rung]]
name = "av1-high"
width = 400
height = 224
crf = 45
max_bitrate = "2M"
"#;

/// An MP4 that shares the encode of the upper one.
const MP4: &str = r#"
kind = "mp4"
[video]
codec = "av1"
speed = "ultrafast"
width = 400
height = 224
crf = 45
max_bitrate = "2M"
"#;

/// A home whose default pipeline makes both codecs, encrypted, in several chunks of several segments.
fn home() -> Home {
    let home = Home::quick("", false);
    home.write("presets/small-av1.toml", LADDER);
    home.write("presets/small-av1-mp4.toml", MP4);
    let text = "ladder = \"small\"\nmore_ladders = [\"small-av1\"]\nmp4 = [\"small-av1-mp4\"]\n\
                chunk_seconds = 4\n[hls]\ncontainer = \"fmp4\"\nsegment_seconds = 2\n\
                [encryption]\nkey_uri = \"http://127.0.0.1:8480/k/{kid}\"\nsegments_per_key = 2\n";
    home.write("pipelines/default.toml", text);
    home
}

fn published(home: &Home, name: &str) -> (PathBuf, Package) {
    let asset = home.publish(&case(name));
    let keys = home.keys(&asset);
    assert_package(&asset, keys.as_deref());
    for options in [&[][..], &["--full"]] {
        let mut arguments = vec!["check".as_ref(), asset.as_os_str()];
        arguments.extend(options.iter().map(|option: &&str| std::ffi::OsStr::new(*option)));
        let checked = home.vodmill(&arguments);
        assert_eq!(checked.code, 0, "{options:?}: {checked:?}");
    }
    let package = Package::load(&asset, keys.as_deref(), &mut Report::default());
    (asset, package.expect("it loads"))
}

/// Codecs of pictures, up to their profile, and SCORE of each variant.
fn variants(package: &Package) -> Vec<(&str, Option<f64>)> {
    let all = package.multivariant.variants.iter();
    all.map(|one| (one.codecs[0].split('.').next().unwrap_or_default(), one.score)).collect()
}

#[test]
fn av1_stands_beside_h264_and_plays() {
    let home = home();
    let (asset, package) = published(&home, "film.mp4");
    let h264 = [("avc1", Some(1.0)), ("avc1", Some(3.0)), ("avc1", Some(5.0))];
    let av1 = [("av01", Some(2.0)), ("av01", Some(4.0))];
    assert_eq!(variants(&package), [&h264[..], &av1].concat());
    assert_eq!(package.of(Kind::IFrames).count(), 5);
    a_lie_is_found(&home, &asset, &package);
    let keys = home.keys(&asset);
    let playlist = ["--playlist", "index.m3u8", "--expect-levels", "5"];
    browser::plays(&asset, &playlist, keys.as_deref());
    let mp4 = package.generation.join("private/mp4/small-av1-mp4.mp4");
    let folder = mp4.parent().expect("a folder");
    browser::plays(folder, &["--file", "small-av1-mp4.mp4"], None);
}

/// A receipt that claims another level than the bitstream has.
fn a_lie_is_found(home: &Home, asset: &Path, package: &Package) {
    let receipt = package.generation.join("receipt.json");
    let text = std::fs::read_to_string(&receipt).expect("the receipt");
    let lie = text.replace("av01.0.00M", "av01.0.05M");
    assert_ne!(text, lie, "nothing is said of the level");
    std::fs::write(&receipt, lie).expect("writing");
    let checked = home.vodmill(&["check".as_ref(), asset.as_os_str()]);
    let said = format!("{}{}", checked.out, checked.err);
    assert!(checked.code != 0 && said.contains("codec"), "{checked:?}");
    std::fs::write(&receipt, text).expect("writing");
}
