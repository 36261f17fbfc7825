use vodmill_av::Libav;
use vodmill_model::Transcode;
use vodmill_model::preset::FileContainer;
use vodmill_model::role::Role;
use vodmill_model::transcode::{FileOrder, FileSound};
use vodmill_model::units::Ratio;

use super::audio;
use super::make::{Film, HEAD, media};
use super::reader::{decode, of, packets, run};
use crate::decode::orders::probe;

/// Position of a box's name.
fn position(bytes: &[u8], name: &[u8; 4]) -> usize {
    bytes.windows(4).position(|four| four == name).unwrap()
}

#[test]
fn an_mp4_streams_and_starts_at_zero() {
    let dir = tempfile::tempdir().unwrap();
    let film = Film { rate: Ratio::new(24000, 1001), gop: 24, ..Film::default() };
    let video = film.chunks(dir.path(), &[48, 48]);
    let sources = ["sine=f=440:d=5", "sine=f=880:d=5"];
    let arguments = [
        "-f", "lavfi", "-i", sources[0], "-f", "lavfi", "-i", sources[1], "-map", "0", "-map", "1",
    ];
    let sound = media(dir.path(), "s.mka", &arguments);
    let audio = [(0, "swe"), (1, "eng")].map(|(track, language)| {
        let rendition = audio::rendition(&sound, dir.path(), track, 192_192);
        FileSound { path: rendition, language: Some(language.to_owned()), roles: Vec::new() }
    });
    let path = dir.path().join("m.mp4");
    let order = FileOrder {
        container: FileContainer::Mp4,
        video: Some(video),
        audio: audio.to_vec(),
        path: path.clone(),
    };
    Libav.write_file(&order).unwrap();
    decode(&path);
    let bytes = std::fs::read(&path).unwrap();
    assert!(position(&bytes, b"moov") < position(&bytes, b"mdat"), "the index is not first");
    assert!(!bytes[..position(&bytes, b"mdat")].windows(4).any(|four| HEAD.contains(&four)));
    Libav.write_file(&order).unwrap();
    assert!(bytes == std::fs::read(&path).unwrap(), "the same bytes again");
    check_streams(&path);
    check_packets(&path);
    check_turns(&path);
}

/// Tracks take turns: what is played together lies together.
fn check_turns(path: &std::path::Path) {
    let mut packets = packets(path);
    packets.sort_by_key(|packet| packet.position);
    for pair in packets.windows(2) {
        assert!((pair[1].dts - pair[0].dts).abs() < 1.0, "{pair:?}");
    }
}

fn check_streams(path: &std::path::Path) {
    let entries = "stream=codec_tag_string,start_time,duration,nb_frames:stream_tags=language,creation_time:stream_disposition=default";
    let json = run("ffprobe", &["-of", "json", "-show_entries", entries, path.to_str().unwrap()]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let streams = value["streams"].as_array().unwrap();
    assert_eq!(streams.len(), 3);
    for (stream, (tag, language, default)) in
        streams.iter().zip([("avc1", "und", 1), ("mp4a", "swe", 1), ("mp4a", "eng", 0)])
    {
        assert_eq!(stream["codec_tag_string"], tag);
        assert_eq!(stream["tags"]["language"], language);
        assert_eq!(stream["disposition"]["default"], default, "{tag} {language}");
        assert!(stream["tags"]["creation_time"].is_null());
        assert_eq!(stream["start_time"], "0.000000", "{tag}");
        let duration: f64 = stream["duration"].as_str().unwrap().parse().unwrap();
        assert!((duration - 4.004).abs() < 0.0001, "{tag} {duration}");
    }
}

fn check_packets(path: &std::path::Path) {
    let packets = packets(path);
    let video = of(&packets, "video");
    assert_eq!(video.len(), 96);
    assert!(video[0].key && video[0].pts == 0.0 && video[0].dts < 0.0);
    let audio = of(&packets, "audio");
    assert_eq!(audio.len(), 2 * (192_192_usize + 1024).div_ceil(1024));
    assert!((audio[0].pts + 1024.0 / 48000.0).abs() < 0.0001);
}

#[test]
fn sound_alone_is_an_m4a() {
    let dir = tempfile::tempdir().unwrap();
    let sound = media(dir.path(), "s.wav", &["-f", "lavfi", "-i", "sine=d=2"]);
    let rendition = audio::rendition(&sound, dir.path(), 0, 96_000);
    let roles = vec![Role::Description];
    let audio = vec![FileSound { path: rendition, language: None, roles: roles.clone() }];
    let path = dir.path().join("m.mp4");
    Libav
        .write_file(&FileOrder {
            container: FileContainer::Mp4,
            video: None,
            audio: audio.clone(),
            path: path.clone(),
        })
        .unwrap();
    decode(&path);
    assert_eq!(std::fs::read(&path).unwrap()[8..12], *b"M4A ");
    // An M4A has no `kind` box.
    let rendition = audio[0].clone();
    let film = Film::default().chunks(dir.path(), &[50]);
    let mp4 = FileOrder {
        container: FileContainer::Mp4,
        video: Some(film),
        audio: vec![rendition],
        path: path.clone(),
    };
    Libav.write_file(&mp4).unwrap();
    let info = probe(&path).unwrap();
    assert_eq!(info.audio[0].roles, roles);
}
