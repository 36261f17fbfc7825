//! `vodmill measure` on what the program has published.

use std::fs;
use std::path::Path;

use serde_json::Value;
use vodmill_tests::cases::case;
use vodmill_tests::product::{Ended, Home};

fn measure(home: &Home, more: &[&str]) -> Ended {
    let film = case("film.mp4");
    let mut arguments = vec!["measure", film.to_str().expect("UTF-8")];
    arguments.extend(more);
    home.vodmill(&arguments)
}

fn json(ended: &Ended) -> Value {
    assert_eq!(ended.code, 0, "{ended:?}");
    serde_json::from_str(&ended.out).expect("JSON")
}

fn mean(rung: &Value) -> f64 {
    rung["quality"]["mean"].as_f64().expect("a score")
}

/// An encrypted package: its keys are in the home.
#[test]
fn rungs_are_the_better_the_larger_they_are() {
    let home = Home::quick("", true);
    let asset = home.publish(&case("film.mp4"));
    let asset = asset.to_str().expect("UTF-8");
    let page = home.at("page.html");
    let html = ["--html", page.to_str().expect("UTF-8"), "--worst", "2"];
    let all = json(&measure(&home, &[&[asset, "--json", "--neg"][..], &html].concat()));
    let rungs = all["distorted"].as_array().expect("a list");
    let names: Vec<&str> = rungs.iter().filter_map(|rung| rung["name"].as_str()).collect();
    let wanted = ["low", "mid", "high"].map(|name| format!("{asset}/{name}"));
    assert_eq!(names, wanted);
    assert!(rungs.is_sorted_by(|one, next| mean(one) < mean(next)), "{names:?}");
    for rung in rungs {
        let frames = rung["frames"].as_u64().expect("a number");
        let scores = rung["scores"].as_array().expect("a list").len() as u64;
        assert_eq!(scores, frames.div_ceil(5));
        assert_eq!(rung.get("notes"), None, "the same grid, the same length");
    }
    page_is_whole(&page, 3 * 2 * 2);
    left_nothing_behind(&home);

    // The very stream of a rung, in a file.
    let some = json(&measure(&home, &[asset, "--json", "--rung", "high", "--every", "3"]));
    assert_eq!(some["distorted"].as_array().map(Vec::len), Some(1));
    let unknown = measure(&home, &[asset, "--rung", "huge"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("there is no rung huge; there are low, mid, high"), "{unknown:?}");

    fs::remove_dir_all(home.at("state/keys")).expect("keys");
    let closed = measure(&home, &[asset]);
    assert_eq!(closed.code, 1);
    assert!(
        closed.err.contains("its key") && closed.err.contains("is not in this home"),
        "{closed:?}"
    );
}

/// All of it is in the file: no script, nothing to fetch, as many pictures as were asked for.
fn page_is_whole(page: &Path, pictures: usize) {
    let text = fs::read_to_string(page).expect("the page");
    assert_eq!(text.matches("src=\"data:image/jpeg;base64,/9j/").count(), pictures);
    assert_eq!(text.matches("<polyline class=\"line").count(), 2 * 3, "lines, and their keys");
    for outside in ["http:", "https:", "<script", "<link", "url("] {
        assert!(!text.contains(outside), "{outside}");
    }
}

fn left_nothing_behind(home: &Home) {
    let state = fs::read_dir(home.at("state")).expect("the state");
    let names = state.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let left: Vec<String> = names.filter(|name| name.starts_with("measure")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_cannot_be_measured_is_said() {
    let home = Home::new();
    let film = case("film.mp4");
    let film = film.to_str().expect("UTF-8");
    assert_eq!(measure(&home, &["not-there.mp4"]).code, 2);
    let even = measure(&home, &[film, "--every", "2"]);
    assert_eq!(even.code, 2);
    assert!(even.err.contains("every 3rd or every 5th"), "{even:?}");
    home.write("text.mp4", "no film");
    let text = home.at("text.mp4");
    let refused = measure(&home, &[text.to_str().expect("UTF-8")]);
    assert_eq!(refused.code, 3);
    assert!(refused.err.contains("text.mp4"), "{refused:?}");
    let nowhere = measure(&home, &[film, "--html", "not-there/page.html"]);
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.err.contains("--html: there is no folder not-there"), "{nowhere:?}");
    assert!(!nowhere.err.contains("measure:"), "before the work: {nowhere:?}");
}

/// A package, and a file, without pictures.
#[test]
fn sound_alone_is_refused_by_its_name() {
    let home = Home::quick("", true);
    let sound = case("film.m4a");
    let asset = home.publish(&sound);
    let package = measure(&home, &[asset.to_str().expect("UTF-8")]);
    assert_eq!(package.code, 2);
    assert!(package.err.contains("has no pictures: it is sound only"), "{package:?}");
    let file = measure(&home, &[sound.to_str().expect("UTF-8")]);
    assert_eq!(file.code, 3);
    assert!(file.err.contains("film.m4a: it has no pictures"), "{file:?}");
}
