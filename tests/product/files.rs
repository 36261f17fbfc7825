//! WebM and MP3 files (presets of kind "file"), judged by readers of our own and played in Chromium.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vodmill_tests::cases::case;
use vodmill_tests::mp3::Mp3;
use vodmill_tests::product::Home;
use vodmill_tests::webm::{CLUSTER, CUES, Webm};

use super::browser;

const WEBM: &str = r#"
kind = "file"
container = "webm"
[video]
codec = "vp9"
speed = "ultrafast"
width = 320
height = 180
crf = 40
max_bitrate = "500k"
[audio]
codec = "opus"
bitrate = "64k"
"#;

const MP3: &str = r#"
kind = "file"
container = "mp3"
[audio]
codec = "mp3"
bitrate = "64k"
sample_rate = 44100
"#;

/// Seconds of `film.mp4`.
const FILM: f64 = 27.0;
const PICTURES: usize = 675;

/// A home whose default pipeline makes these files, in several chunks, and no HLS unless `more` says so.
fn home(more: &str) -> Home {
    let home = Home::quick("", false);
    home.write("presets/small-webm.toml", WEBM);
    home.write("presets/small-mp3.toml", MP3);
    let files = "files = [\"small-webm\", \"small-mp3\"]\nchunk_seconds = 8\n";
    home.write("pipelines/default.toml", &format!("{files}{more}"));
    home
}

const NO_HLS: &str = "ladder = \"\"\nmp4 = []\n";

fn is_sound(home: &Home, asset: &Path) {
    for options in [&[][..], &["--full"]] {
        let mut arguments = vec!["check".as_ref(), asset.as_os_str()];
        arguments.extend(options.iter().map(|option: &&str| std::ffi::OsStr::new(*option)));
        let ended = home.vodmill(&arguments);
        assert_eq!(ended.code, 0, "{options:?}: {ended:?}");
    }
}

/// The path of a file in the package, as the asset's description gives it.
fn path_of(json: &Value, ending: &str) -> PathBuf {
    let text = json.to_string();
    let end = text.find(&format!(".{ending}\"")).expect("it is described") + ending.len() + 1;
    let begin = text[..end].rfind('"').expect("a string") + 1;
    PathBuf::from(&text[begin..end])
}

#[test]
fn a_film_becomes_webm_and_mp3() {
    let home = home(NO_HLS);
    let asset = home.publish(&case("film.mp4"));
    is_sound(&home, &asset);
    let json = home.asset_json(&asset);
    let text = json.to_string();
    for codec in ["vp09.00.", "\"opus\"", "\"mp3\""] {
        assert!(text.contains(codec), "{codec}: {text}");
    }
    judge_webm(&fs::read(asset.join(path_of(&json, "webm"))).expect("a WebM"));
    judge_mp3(&fs::read(asset.join(path_of(&json, "mp3"))).expect("an MP3"));
}

fn judge_webm(bytes: &[u8]) {
    let webm = Webm::read(bytes).expect("it is WebM");
    let at = |id: u64| webm.order.iter().position(|it| *it == id).expect("it is there");
    assert!(at(CUES) < at(CLUSTER), "the index is not in front: {:x?}", webm.order);
    assert_eq!(webm.cues, webm.clusters, "an entry for each Cluster");
    let codecs: Vec<&str> = webm.tracks.iter().map(|track| track.codec.as_str()).collect();
    assert_eq!(codecs, ["V_VP9", "A_OPUS"]);
    assert!(webm.tracks.iter().all(|track| track.is_default));
    let (video, audio) = (webm.of(webm.tracks[0].number), webm.of(webm.tracks[1].number));
    assert_eq!(video.len(), PICTURES);
    let keys: Vec<usize> = (0..video.len()).filter(|&n| video[n].key).collect();
    assert_eq!(keys, (0..PICTURES).step_by(50).collect::<Vec<_>>());
    assert_eq!(webm.clusters.len(), keys.len(), "a Cluster for each group of pictures");
    for (n, picture) in video.iter().enumerate() {
        assert_eq!(picture.time, n as i64 * 40, "picture {n}");
        // Frame marker, profile 0, shown: no hidden picture and no frame that repeats another.
        assert_eq!(picture.data[0] & 0b1111_1010, 0b1000_0010, "picture {n}");
    }
    let sound = &webm.tracks[1];
    assert_eq!(sound.private[..8], *b"OpusHead");
    let pre_skip = u64::from(u16::from_le_bytes([sound.private[10], sound.private[11]]));
    assert_eq!(sound.codec_delay, pre_skip * 1_000_000 / 48);
    assert_eq!(sound.seek_preroll, 80_000_000);
    assert_eq!(audio[0].time, 0);
    let samples = audio.len() as u64 * 960 - pre_skip;
    let heard = samples as f64 / 48_000.0 - audio.last().expect("sound").discard as f64 / 1e9;
    assert!((heard - FILM).abs() < 0.0001, "{heard} s are heard");
    assert!((webm.duration - FILM).abs() < 0.02, "{} s", webm.duration);
}

fn judge_mp3(bytes: &[u8]) {
    let mp3 = Mp3::read(bytes).expect("it is MP3");
    assert_eq!((mp3.sample_rate, mp3.channels), (44_100, 1));
    assert_eq!(mp3.told_frames as usize, mp3.rates.len());
    assert_eq!(mp3.told_bytes as usize, bytes.len());
    assert!(mp3.rates.iter().all(|rate| *rate == 64), "{:?}", mp3.rates);
    assert!(mp3.contents.is_sorted() && mp3.contents[50].abs_diff(128) < 4, "{:?}", mp3.contents);
    assert!((mp3.duration() - FILM).abs() < 0.0001, "{} s", mp3.duration());
}

/// Wherever a byte is altered, and wherever the end is missing.
#[test]
fn damage_to_a_file_is_found() {
    let home = home(NO_HLS);
    let asset = home.publish(&case("good.mp4"));
    is_sound(&home, &asset);
    let json = home.asset_json(&asset);
    for ending in ["webm", "mp3"] {
        let path = asset.join(path_of(&json, ending));
        let whole = fs::read(&path).expect("a file");
        for part in 0..12 {
            let at = part * (whole.len() - 1) / 11;
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (part % 8);
            for damaged in [&flipped[..], &whole[..at]] {
                fs::write(&path, damaged).expect("writing");
                let ended = home.vodmill(&["check".as_ref(), asset.as_os_str()]);
                let told = ended.out.contains(&format!(".{ending} "));
                assert!(ended.code == 1 && told, "{ending} at {at}: {ended:?}");
            }
        }
        fs::write(&path, whole).expect("writing");
    }
}

/// Clear media of an encrypted pipeline are for no viewer; and a second run gives the same bytes.
#[test]
fn beside_encrypted_hls_files_are_private() {
    let more = "ladder = \"small\"\nmp4 = []\n[encryption]\n\
                key_uri = \"http://127.0.0.1:8480/k/{kid}\"\nsegments_per_key = 2\n";
    let asset_of = |home: &Home| {
        let asset = home.publish(&case("good.mp4"));
        let json = home.asset_json(&asset);
        ["webm", "mp3"].map(|ending| asset.join(path_of(&json, ending)))
    };
    let (one, two) = (home(more), home(more));
    for (first, second) in asset_of(&one).iter().zip(&asset_of(&two)) {
        assert!(first.to_string_lossy().contains("/private/"), "{first:?}");
        assert!(fs::read(first).expect("a file") == fs::read(second).expect("a file"));
    }
}

/// A file of sound becomes a WebM of sound, a silent film one without.
#[test]
fn what_an_original_lacks_its_files_lack() {
    for (name, codecs, has_mp3) in
        [("no_video.m4a", &["A_OPUS"][..], true), ("no_audio.mp4", &["V_VP9"], false)]
    {
        let home = home(NO_HLS);
        let asset = home.publish(&case(name));
        is_sound(&home, &asset);
        let json = home.asset_json(&asset);
        let webm = Webm::read(&fs::read(asset.join(path_of(&json, "webm"))).expect("a WebM"));
        let webm = webm.expect("it is WebM");
        let found: Vec<&str> = webm.tracks.iter().map(|track| track.codec.as_str()).collect();
        assert_eq!(found, codecs, "{name}");
        assert_eq!(json.to_string().contains(".mp3\""), has_mp3, "{name}");
    }
}

#[test]
fn chromium_plays_webm_and_mp3() {
    let home = home(NO_HLS);
    let asset = home.publish(&case("film.mp4"));
    let json = home.asset_json(&asset);
    for ending in ["webm", "mp3"] {
        let file = path_of(&json, ending);
        let file = file.to_string_lossy();
        let options = ["--rate", "8", "--file", &file, "--seek", "13.5", "--expect-duration", "27"];
        browser::plays(&asset, &options, None);
    }
}
