//! What is published when all goes well.

use std::fs;

use vodmill_manifest::hls::MultivariantPlaylist;
use vodmill_queue::JobState;

use crate::fake::{Original, What};
use crate::home::{Home, assert_state, fault, job, wait_until, work};
use crate::tree;

#[test]
fn every_kind_of_package_is_published_and_sound() {
    let home = Home::new();
    let worker = home.open();
    let pipelines = ["clear", "secret", "fmp4", "fmp4-secret"];
    let jobs = pipelines.map(|name| home.submit(&worker, name, name));
    work(&worker);
    for (pipeline, id) in pipelines.iter().zip(&jobs) {
        let job = assert_state(&worker, id, JobState::Published);
        assert_eq!(job.asset.as_deref(), Some(*pipeline));
        let report = home.assert_sound(&worker, pipeline);
        // Two rungs, and sound by itself in fMP4; one picture for each segment of a rung.
        let streams = if pipeline.starts_with("fmp4") { 3 } else { 2 };
        assert_eq!(report.segments, 16 * streams, "{pipeline}");
        assert_eq!(report.iframes, 16 * 2, "{pipeline}");
        assert_pointer(&home, pipeline);
        assert!(home.root.join("done").join(format!("{pipeline}.mov")).is_file());
    }
    home.assert_swept();
    assert!(!home.root.join("inbox").join("clear.mov").exists());
}

#[test]
fn segments_are_stored_while_later_chunks_are_encoded() {
    let home = Home::new();
    home.desk.order(&[fault("film", "video/3", 1, What::Wait)]);
    let worker = home.open();
    let id = home.submit(&worker, "film", "fmp4-secret");
    let stored = || tree::read(&home.published("film"));
    let has = |tree: &tree::Tree, object: &str| tree.keys().any(|name| name.ends_with(object));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_until("segments of three chunks", || {
                let tree = stored();
                [
                    "low/000003.m4s",
                    "high/000011.m4s",
                    "audio-swe/000008.m4s",
                    "low/iframes-0001.mp4",
                ]
                .iter()
                .all(|object| has(&tree, object))
            });
            let tree = stored();
            for absent in ["000012.m4s", ".m3u8", "asset.json", "receipt.json"] {
                assert!(!has(&tree, absent), "{absent}: {:?}", tree.keys());
            }
            home.desk.let_go();
        });
        work(&worker);
    });
    assert_state(&worker, &id, JobState::Published);
    home.assert_sound(&worker, "film");
    home.assert_swept();
}

#[test]
fn pictures_that_were_delivered_and_did_not_come_are_stated() {
    let home = Home::new();
    home.desk.order(&[fault("cut", "video/1", 1, What::LostPicture)]);
    let worker = home.open();
    let jobs = ["cut", "whole"].map(|title| home.submit(&worker, title, "clear"));
    work(&worker);
    for id in &jobs {
        assert_state(&worker, id, JobState::Published);
    }
    let repairs = |title: &str| {
        let json = fs::read(home.published(title).join("asset.json")).expect("asset.json");
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        json["repairs"].as_array().expect("a list").clone()
    };
    let lost = repairs("cut");
    assert_eq!(lost[0]["code"], "pictures_lost", "{lost:?}");
    assert!(lost[0]["detail"].as_str().is_some_and(|it| it.starts_with("1 of 400")), "{lost:?}");
    assert_eq!(repairs("whole"), Vec::<serde_json::Value>::new());
}

/// `asset.json` and `index.m3u8` name what is there.
fn assert_pointer(home: &Home, asset: &str) {
    let folder = home.published(asset);
    let json = fs::read(folder.join("asset.json")).expect("asset.json");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let receipt = json.pointer("/receipt/path").and_then(|path| path.as_str());
    assert!(folder.join(receipt.expect("a receipt")).is_file());
    let output = |kind: &str| {
        let outputs = json["outputs"].as_array().expect("a list");
        outputs.iter().find(|output| output["kind"] == kind).expect("an output")
    };
    let mp4 = output("file")["path"].as_str();
    assert!(folder.join(mp4.expect("an MP4")).is_file());
    assert!(json["published_at"].is_string());
    assert!(json["encode_cpu_ms"].is_u64() && json["package_cpu_ms"].is_u64());
    let objects = json["objects"].as_u64().expect("a number");
    let generation = folder.join(json["generation"].as_str().expect("a generation"));
    assert_eq!(objects, tree::read(&generation).len() as u64);
    let variant = &output("hls")["variants"][0];
    assert!(variant["encode"].is_string() && variant["iframes_bytes"].is_u64(), "{variant}");
    let text = fs::read(folder.join("index.m3u8")).expect("index.m3u8");
    let playlist = MultivariantPlaylist::read(&text).expect("a playlist");
    assert_eq!(playlist.variants.len(), 2);
    for variant in &playlist.variants {
        assert!(folder.join(&variant.uri).is_file(), "{}", variant.uri);
        assert!(variant.codecs.contains(&"avc1.42C01E".to_owned()), "{:?}", variant.codecs);
        assert!(variant.codecs.contains(&"mp4a.40.2".to_owned()), "{:?}", variant.codecs);
    }
}

#[test]
fn encrypted_packages_hold_no_clear_segment_and_no_key() {
    let home = Home::new();
    let worker = home.open();
    home.submit(&worker, "film", "secret");
    work(&worker);
    let tree = tree::read(&home.generation("film"));
    let segments: Vec<_> = tree.iter().filter(|(name, _)| name.ends_with(".ts")).collect();
    // Two rungs, and their pictures chunk by chunk.
    assert_eq!(segments.len(), 2 * (16 + 4));
    for (name, bytes) in segments {
        // The first object of pictures begins with what EXT-X-MAP leads to, a line of the fake.
        let clear = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let bytes = if name.ends_with("iframes-0000.ts") { &bytes[clear..] } else { &bytes[..] };
        assert!(!bytes.windows(7).any(|bytes| bytes == b"\"title\""), "{name} is clear");
    }
    let keys: Vec<_> =
        worker.keys().list().expect("list").into_iter().flat_map(|g| g.kids).collect();
    assert_eq!(keys.len(), 4, "16 segments, 5 to a key");
    for kid in keys {
        let stored = worker.keys().get(&kid).expect("get").expect("key");
        let key = stored.key.expose();
        let holds_key = |bytes: &Vec<u8>| bytes.windows(16).any(|bytes| bytes == key);
        assert!(!tree.values().any(holds_key), "key {kid} is published");
    }
}

#[test]
fn sound_alone_subtitles_and_languages_are_published() {
    let home = Home::new();
    let worker = home.open();
    let several = Original {
        audio: vec!["swe".to_owned(), "eng".to_owned()],
        subtitles: vec!["eng".to_owned()],
        ..Original::titled("several")
    };
    let silent = Original { audio: Vec::new(), ..Original::titled("silent") };
    let short = Original { frames: 1, ..Original::titled("short") };
    for original in [several, silent, short] {
        let path = home.drop_original(&format!("{}.mov", original.title), &original);
        worker.submit(&home.submission(&path, "secret")).expect("submit");
    }
    work(&worker);
    for asset in ["several", "silent", "short"] {
        home.assert_sound(&worker, asset);
    }
    let names = tree::read(&home.generation("several"));
    assert!(names.keys().any(|name| name.starts_with("hls/subtitles-")), "{:?}", names.keys());
}

#[test]
fn the_same_original_twice_is_one_job() {
    let home = Home::new();
    let worker = home.open();
    let original = home.drop_original("film.mov", &Original::titled("film"));
    let submission = home.submission(&original, "clear");
    let first = worker.submit(&submission).expect("submit");
    let second = worker.submit(&submission).expect("submit again");
    assert_eq!((first.known, second.known), (None, Some(JobState::Waiting)));
    assert_eq!(first.job, second.job);
    work(&worker);
    assert_state(&worker, &first.job, JobState::Published);
    assert_eq!(home.desk.count("film", "probe"), 1);
}

#[test]
fn what_is_encoded_is_not_encoded_again() {
    let home = Home::new();
    let worker = home.open();
    home.submit(&worker, "film", "clear");
    work(&worker);
    let encodes = home.desk.begun().iter().filter(|(_, p)| p.starts_with("video/")).count();
    // Another package of the same media: other containers, other keys.
    let again = home.drop_original("again.mov", &Original::titled("film"));
    let job_id = worker.submit(&home.submission(&again, "fmp4-secret")).expect("submit").job;
    work(&worker);
    assert_eq!(job(&worker, &job_id).state, JobState::Published);
    let after = home.desk.begun().iter().filter(|(_, p)| p.starts_with("video/")).count();
    assert_eq!((encodes, after), (4, 4));
    home.assert_sound(&worker, "again");
}
