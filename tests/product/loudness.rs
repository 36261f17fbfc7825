//! Sound that a preset brings to a loudness, judged by FFmpeg's meter.

use std::path::Path;
use std::process::Command;

use vodmill_tests::cases::case;
use vodmill_tests::product::Home;
use vodmill_tests::tools::succeeded;

const LOUD: &str = r#"
kind = "mp4"
[audio]
loudness = -27
"#;

/// Integrated loudness of a file, in LUFS.
fn integrated(file: &Path) -> f64 {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-hide_banner", "-i"]).arg(file);
    command.args(["-vn", "-af", "ebur128", "-f", "null", "-"]);
    let output = succeeded(&mut command).expect("FFmpeg measures it");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let summary = text.rsplit("Summary:").next().expect("a summary");
    let number = summary.split("I:").nth(1).and_then(|rest| rest.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn a_film_is_as_loud_as_was_asked_for_and_says_so() {
    let home = Home::quick("", false);
    home.write("presets/loud.toml", LOUD);
    home.write("pipelines/default.toml", "ladder = \"\"\nmp4 = [\"loud\"]\n");
    let asset = home.publish(&case("film.mp4"));
    let checked = home.vodmill(&["check".as_ref(), asset.as_os_str()]);
    assert_eq!(checked.code, 0, "{checked:?}");
    let json = home.asset_json(&asset);
    let path = json["outputs"][0]["path"].as_str().expect("a path");
    let after = integrated(&asset.join(path));
    assert!((after + 27.0).abs() <= 0.5, "{after} LUFS");
    let said = &json["loudness"][0];
    let levels = &said["levels"];
    let before = levels["measured"]["integrated"].as_f64().expect("a number");
    assert!((before - integrated(&case("film.mp4"))).abs() <= 0.5, "{said}");
    let gain = levels["gain"].as_f64().expect("a number");
    assert!((before + gain + 27.0).abs() < 0.011 && levels["target"] == -27, "{said}");
    let receipt = json["receipt"]["path"].as_str().expect("a path");
    let receipt = std::fs::read_to_string(asset.join(receipt)).expect("the receipt");
    let receipt: serde_json::Value = serde_json::from_str(&receipt).expect("JSON");
    assert_eq!(receipt["loudness"][0], *said);
}
