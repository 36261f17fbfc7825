//! HLS in every form that a pipeline can ask for, judged by readers of our own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use vodmill_tests::cases::case;
use vodmill_tests::conformance::{Kind, Package, Report, assert_package};
use vodmill_tests::product::Home;

/// Publishes the 27-second film and applies every rule.
fn published(hls: &str, encrypted: bool) -> (Home, Package) {
    published_case("film.mp4", hls, encrypted)
}

fn published_case(name: &str, hls: &str, encrypted: bool) -> (Home, Package) {
    let home = Home::quick(hls, encrypted);
    let asset = home.publish(&case(name));
    let keys = home.keys(&asset);
    assert_eq!(keys.is_some(), encrypted, "keys exported");
    assert_package(&asset, keys.as_deref());
    let ended = home.vodmill(&["check".as_ref(), asset.as_os_str()]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let package = Package::load(&asset, keys.as_deref(), &mut Report::default());
    (home, package.expect("the package loads"))
}

/// What the film has to become in any form.
fn three_rungs(package: &Package) {
    let sizes: Vec<_> = package.multivariant.variants.iter().map(|one| one.resolution).collect();
    assert_eq!(sizes, [Some((160, 90)), Some((320, 180)), Some((480, 270))]);
    assert_eq!(package.of(Kind::IFrames).count(), 3, "an I-frame playlist for each");
    for rendition in package.of(Kind::Variant) {
        let durations: Vec<f64> =
            rendition.playlist.segments.iter().map(|one| one.duration).collect();
        assert_eq!(durations, [6.0, 6.0, 6.0, 6.0, 3.0], "{}", rendition.uri);
        assert_eq!(rendition.video().map(|video| video.pictures.len()), Some(27 * 25));
    }
    for name in ["thumbnails/poster.jpg", "thumbnails/storyboard.vtt"] {
        assert!(package.generation.join(name).is_file(), "{name}");
    }
}

fn mp4s(package: &Package) -> usize {
    let folders = ["mp4", "private/mp4"].map(|name| package.generation.join(name));
    folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().count()
}

#[test]
fn ts_encrypted_muxed() {
    let (_home, package) = published("", true);
    three_rungs(&package);
    assert_eq!(package.keys.len(), 3, "5 segments, 2 for each key");
    assert_eq!(mp4s(&package), 1);
    assert!(package.of(Kind::Audio).next().is_none());
}

#[test]
fn ts_clear_group() {
    let (_home, package) = published("audio = \"group\"", false);
    three_rungs(&package);
    assert_eq!(package.of(Kind::Audio).count(), 1);
    let sound = package.of(Kind::Variant).any(|one| one.pieces[0].contents.audio.is_some());
    assert!(!sound, "sound in the variants as well");
}

#[test]
fn fmp4_clear_muxed() {
    let (_home, package) = published("container = \"fmp4\"", false);
    three_rungs(&package);
    let maps = package.renditions.iter().all(|one| one.playlist.map.is_some());
    assert!(maps, "a playlist without EXT-X-MAP");
}

#[test]
fn fmp4_encrypted_languages() {
    let (_home, package) =
        published_case("film_languages.mkv", "container = \"fmp4\"\naudio = \"group\"", true);
    three_rungs(&package);
    assert_eq!(package.of(Kind::Audio).count(), 2);
    assert_eq!(package.of(Kind::Subtitles).count(), 1);
    let first = &package.of(Kind::Subtitles).next().expect("subtitles").pieces[0];
    assert!(first.text.contains("rad 0") && first.text.contains("rad 1"), "{}", first.text);
}

#[test]
fn fmp4_encrypted_muxed() {
    let (_home, package) = published("container = \"fmp4\"", true);
    three_rungs(&package);
    assert!(package.of(Kind::Audio).next().is_none());
    assert_eq!(package.keys.len(), 3, "5 segments, 2 for each key");
}

#[test]
fn fmp4_clear_group() {
    let (_home, package) = published("container = \"fmp4\"\naudio = \"group\"", false);
    three_rungs(&package);
    assert_eq!(package.of(Kind::Audio).count(), 1);
}

/// Sound alone: in segments that are timed by it, behind keys all the same.
#[test]
fn sound_alone() {
    for hls in ["", "container = \"fmp4\""] {
        let (_home, package) = published_case("film.m4a", hls, true);
        let variants: Vec<_> = package.of(Kind::Variant).collect();
        assert_eq!((variants.len(), package.of(Kind::IFrames).count()), (1, 0));
        let pieces = &variants[0].pieces;
        assert_eq!((pieces.len(), package.keys.len()), (5, 3));
        assert!(pieces.iter().all(|piece| piece.contents.video.is_none()));
        let off = variants[0].playlist.duration() - 27.0;
        assert!(off.abs() < 0.05, "{off} s off");
    }
}

#[test]
fn ts_of_several_languages_is_a_group_by_itself() {
    let (_home, package) = published_case("film_languages.mkv", "", true);
    three_rungs(&package);
    let languages: Vec<_> = package
        .multivariant
        .alternatives
        .iter()
        .map(|one| (one.kind.as_str(), one.language.as_deref()))
        .collect();
    assert_eq!(
        languages,
        [("AUDIO", Some("sv")), ("AUDIO", Some("en")), ("SUBTITLES", Some("sv"))]
    );
}

/// Paths of the files that a description names, by their names.
fn file_paths(json: &Value) -> BTreeMap<&str, &str> {
    let mut paths = BTreeMap::new();
    for output in json["outputs"].as_array().expect("outputs") {
        if let (Some(name), Some(path)) = (output["name"].as_str(), output["path"].as_str()) {
            paths.insert(name, path);
        }
    }
    paths
}

/// The pipeline that a user has who configured nothing.
#[test]
fn the_default_pipeline() {
    let home = Home::new();
    let asset = home.publish(&case("good.mp4"));
    let keys = home.keys(&asset).expect("the default pipeline encrypts");
    assert_package(&asset, Some(&keys));
    let package = Package::load(&asset, Some(&keys), &mut Report::default()).expect("a package");
    assert_eq!(mp4s(&package), 3, "phone, tablet, TV; what the web takes is the tablet's");
    let json = home.asset_json(&asset);
    let paths = file_paths(&json);
    assert_eq!(paths.len(), 4);
    assert_eq!(paths["web"], paths["tablet"]);
    assert_ne!(paths["tv"], paths["tablet"]);
    for path in paths.values() {
        assert!(asset.join(path).is_file(), "{path}");
    }
    assert_eq!(json["frames"], 100);
    assert_eq!(json["duration_ms"], 4000);
}

/// The same original again is the same job; another build of the package would be a new one.
#[test]
fn the_same_file_again_costs_nothing() {
    let home = Home::quick("", true);
    let asset = home.publish(&case("good.mp4"));
    let before = fs::read(asset.join("asset.json")).expect("asset.json");
    home.publish(&case("good.mp4"));
    assert_eq!(before, fs::read(asset.join("asset.json")).expect("asset.json"));
    assert_eq!(generations(&asset), 1);
}

fn generations(asset: &Path) -> usize {
    let entries = fs::read_dir(asset).expect("an asset").flatten();
    entries.filter(|entry| entry.path().is_dir()).count()
}
