//! High dynamic range that a pipeline keeps as HEVC (I9), judged by readers of our own and by
//! FFmpeg.

use std::path::{Path, PathBuf};

use serde_json::Value;
use vodmill_tests::cases::case;
use vodmill_tests::conformance::{Kind, Package, Report, assert_package};
use vodmill_tests::product::Home;
use vodmill_tests::tools;

/// Two rungs in HEVC that encode fast.
const HDR_LADDER: &str = r#"
kind = "ladder"
[video]
codec = "hevc"
hdr = "keep"
speed = "ultrafast"
[[rung]]
name = "hdr-low"
width = 160
height = 90
crf = 28
max_bitrate = "400k"
[[rung]]
name = "hdr-high"
width = 480
height = 270
crf = 28
max_bitrate = "2M"
"#;

/// An MP4 that shares the encode of the upper one.
const HDR_MP4: &str = r#"
kind = "mp4"
[video]
codec = "hevc"
hdr = "keep"
speed = "ultrafast"
width = 480
height = 270
crf = 28
max_bitrate = "2M"
"#;

/// A home whose default pipeline has these presets, in several chunks of several segments.
fn home(presets: &str, encrypted: bool) -> Home {
    let home = Home::quick("", false);
    home.write("presets/small-hdr.toml", HDR_LADDER);
    home.write("presets/small-hdr-mp4.toml", HDR_MP4);
    let key = "[encryption]\nkey_uri = \"http://127.0.0.1:8480/k/{kid}\"\nsegments_per_key = 2\n";
    let key = if encrypted { key } else { "" };
    let hls = "[hls]\ncontainer = \"fmp4\"\nsegment_seconds = 2\n";
    let text = format!("{presets}\nchunk_seconds = 2\n[thumbnails]\n{hls}{key}");
    home.write("pipelines/default.toml", &text);
    home
}

const MIXED: &str = r#"
ladder = "small"
hdr_ladder = "small-hdr"
mp4 = ["small-mp4", "small-hdr-mp4"]
"#;

fn published(home: &Home, name: &str) -> (PathBuf, Package) {
    let asset = home.publish(&case(name));
    let keys = home.keys(&asset);
    assert_package(&asset, keys.as_deref());
    let checked = home.vodmill(&["check".as_ref(), asset.as_os_str()]);
    assert_eq!(checked.code, 0, "{checked:?}");
    let package = Package::load(&asset, keys.as_deref(), &mut Report::default());
    (asset, package.expect("it loads"))
}

/// CODECS of pictures, without the level, and VIDEO-RANGE of each variant.
fn variants(package: &Package) -> Vec<(&str, Option<&str>)> {
    let known = |one: &str| {
        ["avc1.", "hvc1.2.4.L", "hvc1.1.6.L"].into_iter().find(|codec| one.starts_with(codec))
    };
    let all = package.multivariant.variants.iter();
    all.map(|one| (known(&one.codecs[0]).unwrap_or("?"), one.range.as_deref())).collect()
}

/// What FFmpeg reads of the pictures in a file, and of its first frame.
fn look(file: &Path) -> (Value, Value) {
    let mut command = std::process::Command::new("ffprobe");
    command.args(["-v", "error", "-of", "json", "-select_streams", "v", "-read_intervals", "%+#1"]);
    command.args(["-show_streams", "-show_frames"]).arg(file);
    let output = tools::succeeded(&mut command).expect("ffprobe reads it");
    let read: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    (read["streams"][0].clone(), read["frames"][0]["side_data_list"].clone())
}

fn frames(file: &Path) -> u64 {
    let decoded = tools::decode(file).expect("FFmpeg decodes it without a complaint");
    decoded.iter().find(|one| one.kind == "video").map_or(0, |one| one.frames)
}

fn is_kept(file: &Path, transfer: &str) {
    let (stream, _) = look(file);
    let name = file.display();
    let want = [
        ("codec_name", "hevc"),
        ("codec_tag_string", "hvc1"),
        ("profile", "Main 10"),
        ("pix_fmt", "yuv420p10le"),
        ("color_range", "tv"),
        ("color_space", "bt2020nc"),
        ("color_transfer", transfer),
        ("color_primaries", "bt2020"),
    ];
    for (field, value) in want {
        assert_eq!(stream[field], value, "{name}: {field}");
    }
}

fn is_sdr(file: &Path, codec: &str) {
    let (stream, said) = look(file);
    let name = file.display();
    assert_eq!(stream["codec_name"], codec, "{name}");
    assert_eq!(stream["pix_fmt"], "yuv420p", "{name}");
    assert_eq!(stream["color_transfer"], "bt709", "{name}");
    assert_eq!(stream["color_primaries"], "bt709", "{name}");
    assert!(!said.to_string().contains("Mastering"), "{name}: {said}");
}

fn mp4(package: &Package, name: &str) -> PathBuf {
    let folder = if package.keys.is_empty() { "mp4" } else { "private/mp4" };
    package.generation.join(folder).join(name)
}

/// What a file says that it was graded on.
fn mastering(file: &Path) -> Option<(String, String, u64)> {
    let (_, said) = look(file);
    let said = said.as_array()?;
    let find = |kind: &str| said.iter().find(|data| data["side_data_type"] == kind);
    let display = find("Mastering display metadata")?;
    let light = find("Content light level metadata")?;
    let text = |field: &str| display[field].as_str().unwrap_or_default().to_owned();
    Some((text("red_x"), text("max_luminance"), light["max_content"].as_u64()?))
}

#[test]
fn i9_hdr10_is_kept_as_hevc_beside_h264() {
    let home = home(MIXED, false);
    let (asset, package) = published(&home, "hdr10.mp4");
    let (h264, hevc) = (("avc1.", Some("SDR")), ("hvc1.2.4.L", Some("PQ")));
    assert_eq!(variants(&package), [h264, h264, h264, hevc, hevc]);
    assert_eq!(package.of(Kind::IFrames).count(), 5);
    let p3 = Some(("34000/50000".to_owned(), "10000000/10000".to_owned(), 1000));
    for rendition in package.of(Kind::Variant) {
        let file = rendition.clear.path();
        assert_eq!(frames(file), 125, "{}", rendition.uri);
        if rendition.uri.contains("/hdr-") {
            is_kept(file, "smpte2084");
            assert_eq!(mastering(file), p3, "{}", rendition.uri);
        } else {
            is_sdr(file, "h264");
        }
    }
    let kept = mp4(&package, "small-hdr-mp4.mp4");
    is_kept(&kept, "smpte2084");
    assert_eq!((frames(&kept), mastering(&kept)), (125, p3));
    has_boxes(&kept, &["colr", "mdcv", "clli"]);
    is_sdr(&mp4(&package, "small-mp4.mp4"), "h264");
    let json = home.asset_json(&asset);
    let hls = Home::output(&json, "hls");
    let ranges: Vec<_> =
        hls["variants"].as_array().expect("a list").iter().map(|one| &one["video_range"]).collect();
    assert_eq!(ranges, [&Value::Null, &Value::Null, &Value::Null, &"PQ".into(), &"PQ".into()]);
    let plan = home.plan(&case("hdr10.mp4"));
    assert!(
        plan["chunks"].as_array().is_some_and(|chunks| chunks.len() == 3),
        "{}",
        plan["chunks"]
    );
    let remedy = hazard(&plan, "hdr_pq");
    assert_eq!(remedy, Some("kept as HEVC, tone mapped to SDR elsewhere".to_owned()));
    a_lie_is_found(&home, &asset, &package);
}

/// A receipt that claims another range of light than the bitstream has.
fn a_lie_is_found(home: &Home, asset: &Path, package: &Package) {
    let receipt = package.generation.join("receipt.json");
    let text = std::fs::read_to_string(&receipt).expect("the receipt");
    let lie = text.replace("\"range\": \"PQ\"", "\"range\": \"HLG\"");
    assert_ne!(text, lie, "nothing is said of the range");
    std::fs::write(&receipt, lie).expect("writing");
    let checked = home.vodmill(&["check".as_ref(), asset.as_os_str()]);
    let said = format!("{}{}", checked.out, checked.err);
    assert!(checked.code != 0 && said.contains("video_range"), "{checked:?}");
}

fn hazard(plan: &Value, code: &str) -> Option<String> {
    let hazards = plan["hazards"].as_array()?;
    let found = hazards.iter().find(|hazard| hazard["code"] == code)?;
    found["remedy"].as_str().map(str::to_owned)
}

fn has_boxes(file: &Path, names: &[&str]) {
    let bytes = std::fs::read(file).expect("the file");
    let has = |name: &str| bytes.windows(4).any(|four| four == name.as_bytes());
    let missing: Vec<_> = names.iter().filter(|name| !has(name)).collect();
    assert!(missing.is_empty(), "{missing:?} in {}", file.display());
}

/// The kept picture is the one that was delivered: not shifted in colour, light or time.
#[test]
fn i9_what_is_kept_looks_as_it_did() {
    let home = home(MIXED, false);
    let (_, package) = published(&home, "hdr10.mp4");
    let filter = "[0:v]scale=480:270,format=yuv420p10le,setpts=N/25/TB[a];\
                  [1:v]scale=480:270,format=yuv420p10le,setpts=N/25/TB[b];[a][b]ssim";
    let kept = mp4(&package, "small-hdr-mp4.mp4");
    let ssim = tools::ssim(&kept, &case("hdr10.mp4"), filter).expect("ffmpeg compares");
    assert!(ssim > 0.93, "SSIM {ssim}");
}

#[test]
fn i9_wrong_mastering_data_does_not_get_out() {
    let home = home(MIXED, true);
    let (_, package) = published(&home, "hdr10_zeros.mp4");
    let all = package.of(Kind::Variant).map(|one| one.clear.path().to_owned());
    for file in all.chain([mp4(&package, "small-hdr-mp4.mp4")]) {
        let (_, said) = look(&file);
        assert!(!said.to_string().contains("Mastering"), "{}: {said}", file.display());
    }
    is_kept(&mp4(&package, "small-hdr-mp4.mp4"), "smpte2084");
    let plan = home.plan(&case("hdr10_zeros.mp4"));
    assert_eq!(hazard(&plan, "wrong_mastering_data"), Some("left out".to_owned()));
}

#[test]
fn i9_hlg_is_kept_alone() {
    let home = home("ladder = \"small-hdr\"\nmp4 = [\"small-hdr-mp4\"]", false);
    let (_, package) = published(&home, "hdr_hlg.mp4");
    assert!(variants(&package).iter().all(|one| *one == ("hvc1.2.4.L", Some("HLG"))));
    for rendition in package.of(Kind::Variant) {
        is_kept(rendition.clear.path(), "arib-std-b67");
        assert_eq!(frames(rendition.clear.path()), 50);
    }
}

/// Presets that keep high dynamic range do no harm to what has none.
#[test]
fn i9_sdr_is_sdr_in_hevc_too() {
    let home = home("ladder = \"small-hdr\"\nmp4 = [\"small-hdr-mp4\"]", true);
    let (_, package) = published(&home, "good.mp4");
    assert!(variants(&package).iter().all(|one| *one == ("hvc1.1.6.L", None)));
    is_sdr(&mp4(&package, "small-hdr-mp4.mp4"), "hevc");
    for rendition in package.of(Kind::Variant) {
        is_sdr(rendition.clear.path(), "hevc");
        assert_eq!(frames(rendition.clear.path()), 100);
    }
}

/// A second ladder that is not wanted changes nothing.
#[test]
fn i9_an_sdr_original_has_no_rungs_for_hdr() {
    let (_, package) = published(&home(MIXED, false), "good.mp4");
    assert!(variants(&package).iter().all(|one| *one == ("avc1.", None)));
}
