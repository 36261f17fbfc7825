//! What `check` finds in a package that was damaged, forged or opened with the wrong keys.
//!
//! Damage is done to a copy. Where a finding beyond size and digest is wanted, the receipt is
//! forged to fit, as by somebody who can write to the destination.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};
use vodmill_keys::{Iv, KeyRing, Kid, SegmentKey, aes128};
use vodmill_manifest::hls::MediaPlaylist;
use vodmill_model::pipeline::ProofLevel;
use vodmill_pipeline::{CheckReport, Worker};

use crate::home::{Bounds, Home, all_keys, work};
use crate::tree::{self, Tree};

/// A published asset, and copies of it to be damaged.
struct TaskContext {
    home: Home,
    worker: Worker,
    pristine: Tree,
    generation: String,
}

impl TaskContext {
    fn new() -> TaskContext {
        let home = Home::new();
        let worker = home.open();
        home.submit(&worker, "film", "secret");
        work(&worker);
        let generation = home.generation("film");
        let generation = generation.file_name().expect("a name").to_string_lossy().into_owned();
        let pristine = tree::read(&home.published("film"));
        TaskContext { home, worker, pristine, generation }
    }

    /// A fresh copy.
    fn copy(&self) -> Copy<'_> {
        let folder = self.home.root.join("copy");
        let _ = fs::remove_dir_all(&folder);
        for (name, bytes) in &self.pristine {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("make folder");
            fs::write(path, bytes).expect("copy");
        }
        Copy { context: self, folder }
    }

    /// What is found after `damage`.
    fn after(&self, damage: impl FnOnce(&Copy<'_>)) -> CheckReport {
        let copy = self.copy();
        damage(&copy);
        copy.check(all_keys(&self.worker))
    }
}

struct Copy<'a> {
    context: &'a TaskContext,
    folder: PathBuf,
}

impl Copy<'_> {
    fn path(&self, object: &str) -> PathBuf {
        self.folder.join(&self.context.generation).join(object)
    }

    fn read(&self, object: &str) -> Vec<u8> {
        fs::read(self.path(object)).expect("read object")
    }

    fn text(&self, object: &str) -> String {
        String::from_utf8(self.read(object)).expect("text")
    }

    fn write(&self, object: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(object), bytes).expect("write object");
    }

    fn swap(&self, left: &str, right: &str) {
        let (a, b) = (self.read(left), self.read(right));
        self.write(left, b);
        self.write(right, a);
    }

    fn check(&self, keys: KeyRing) -> CheckReport {
        self.try_check(keys).expect("check")
    }

    fn try_check(&self, keys: KeyRing) -> vodmill_pipeline::Result<CheckReport> {
        let settings = self.context.home.settings(Bounds::default());
        vodmill_pipeline::check(&settings, &self.folder, keys, ProofLevel::Standard)
    }

    /// Makes the receipt list what is there, and the pointer name that receipt.
    fn forge_receipt(&self) {
        let root = self.folder.join(&self.context.generation);
        let mut receipt: Value = serde_json::from_slice(&self.read("receipt.json")).expect("JSON");
        let objects = tree::read(&root).into_iter().filter(|(name, _)| name != "receipt.json");
        let fact = |(name, bytes): (String, Vec<u8>)| serde_json::json!({ "name": name, "bytes": bytes.len(), "sha256": sha256(&bytes) });
        receipt["objects"] = objects.map(fact).collect();
        self.point_at(&serde_json::to_vec(&receipt).expect("JSON"));
    }

    /// Makes the receipt say something else, and the pointer name that receipt.
    fn claim(&self, from: &str, to: &str) {
        self.forge_receipt();
        let receipt = self.text("receipt.json");
        let changed = receipt.replacen(from, to, 1);
        assert_ne!(receipt, changed, "{from} is not there");
        self.point_at(changed.as_bytes());
    }

    /// Writes a receipt, and makes the pointer name it.
    fn point_at(&self, receipt: &[u8]) {
        self.write("receipt.json", receipt);
        let pointer = self.folder.join("asset.json");
        let mut asset = read_json(&pointer);
        asset["receipt"]["sha256"] = sha256(receipt).into();
        fs::write(pointer, serde_json::to_vec(&asset).expect("JSON")).expect("write");
    }

    /// A segment as players see it: its key's id and its clear bytes.
    fn open(&self, rung: &str, number: usize) -> (Kid, Vec<u8>) {
        let playlist = self.read(&format!("hls/{rung}/index.m3u8"));
        let playlist = MediaPlaylist::read(&playlist).expect("a playlist");
        let segment = &playlist.segments[number];
        let reference = segment.key.as_ref().expect("a key");
        let kid = reference.uri.rsplit('/').next().and_then(Kid::from_hex).expect("a key id");
        let key = all_keys(&self.context.worker).get(&kid).expect("the key");
        let mut bytes = self.read(&format!("hls/{rung}/{}", segment.uri));
        aes128::decrypt(&key, &Iv::from_bytes(reference.iv.expect("an IV")), &mut bytes)
            .expect("opens");
        (kid, bytes)
    }
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("read")).expect("JSON")
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn assert_found(report: &CheckReport, object: &str, code: &str) {
    let found = report.findings.iter().any(|f| f.object == object && f.code == code);
    assert!(found, "no {code} at {object}: {:#?}", report.findings);
}

/// Nothing is wrong but what is asked for.
fn assert_only(report: &CheckReport, object: &str, code: &str) {
    assert_found(report, object, code);
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
}

const SEGMENT: &str = "hls/low/000003.ts";
const NEXT: &str = "hls/low/000004.ts";
const PLAYLIST: &str = "hls/low/index.m3u8";

/// One object of each kind.
const OBJECTS: [&str; 6] = [
    SEGMENT,
    PLAYLIST,
    "hls/high/iframes-0001.ts",
    "hls/high/iframes.m3u8",
    "thumbnails/poster.jpg",
    "private/mp4/phone.mp4",
];

#[test]
fn every_object_is_found_when_it_changes_shrinks_or_goes() {
    let context = TaskContext::new();
    let intact = context.after(|_| {});
    assert!(intact.findings.is_empty(), "{:#?}", intact.findings);
    for object in OBJECTS {
        let flipped = context.after(|copy| {
            let mut bytes = copy.read(object);
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
            copy.write(object, bytes);
        });
        assert_found(&flipped, object, "object_digest");
        let cut = context.after(|copy| copy.write(object, &copy.read(object)[1..]));
        assert_found(&cut, object, "object_size");
        let gone = context.after(|copy| fs::remove_file(copy.path(object)).expect("remove"));
        assert_found(&gone, object, "object_missing");
    }
}

#[test]
fn strangers_and_edited_pointers_are_found() {
    let context = TaskContext::new();
    let strange = context.after(|copy| copy.write("hls/low/extra.ts", "?"));
    assert_only(&strange, "hls/low/extra.ts", "object_unknown");
    let swapped = context.after(|copy| copy.swap(SEGMENT, "hls/high/000003.ts"));
    assert!(swapped.findings.len() >= 2, "{:#?}", swapped.findings);
    let edited = context.after(|copy| {
        let path = copy.folder.join("index.m3u8");
        let text =
            fs::read_to_string(&path).expect("read").replacen("BANDWIDTH=", "BANDWIDTH=1", 1);
        fs::write(path, text).expect("write");
    });
    assert_only(&edited, "index.m3u8", "object_digest");
    let unpointed = context.after(|copy| {
        fs::remove_file(copy.folder.join("index.m3u8")).expect("remove");
    });
    assert_only(&unpointed, "index.m3u8", "object_missing");
    let receipt = context.after(|copy| {
        copy.write("receipt.json", copy.text("receipt.json").replacen('{', "{ ", 1));
    });
    assert_only(&receipt, "receipt.json", "object_digest");
}

#[test]
fn what_digests_cannot_tell_the_media_do() {
    let context = TaskContext::new();
    let swapped = context.after(|copy| {
        copy.swap(SEGMENT, NEXT);
        copy.forge_receipt();
    });
    for segment in [SEGMENT, NEXT] {
        let of_it = swapped.findings.iter().any(|finding| finding.object == segment);
        assert!(of_it, "{segment}: {:#?}", swapped.findings);
    }
    let slower = context.after(|copy| {
        copy.write(PLAYLIST, copy.text(PLAYLIST).replacen("#EXTINF:1.0", "#EXTINF:0.9", 1));
        copy.forge_receipt();
    });
    assert_found(&slower, &format!("{PLAYLIST}#000000.ts"), "extinf");
    let shorter = context.after(|copy| {
        copy.write(PLAYLIST, copy.text(PLAYLIST).replace("#EXT-X-ENDLIST", ""));
        copy.forge_receipt();
    });
    assert_found(&shorter, PLAYLIST, "playlist_invalid");
    let dropped = context.after(|copy| {
        let text = copy.text(PLAYLIST);
        let last = text.rfind("#EXTINF").expect("a segment");
        copy.write(PLAYLIST, format!("{}#EXT-X-ENDLIST\n", &text[..last]));
        copy.forge_receipt();
    });
    assert_found(&dropped, PLAYLIST, "segment_count");
}

#[test]
fn clear_media_and_keys_in_the_open_are_found() {
    let context = TaskContext::new();
    let clear = context.after(|copy| {
        copy.write(SEGMENT, copy.open("low", 3).1);
        copy.forge_receipt();
    });
    assert_found(&clear, SEGMENT, "key_wrong");
    let admitted = context.after(|copy| {
        copy.write("hls/low/000000.ts", copy.open("low", 0).1);
        let text = copy.text(PLAYLIST);
        let key = text.lines().find(|line| line.starts_with("#EXT-X-KEY")).expect("a key");
        copy.write(PLAYLIST, text.replacen(key, "#EXT-X-KEY:METHOD=NONE", 1));
        copy.forge_receipt();
    });
    assert_found(&admitted, "hls/low/000000.ts", "clear_media");
    for place in ["thumbnails/poster.key", "hls/low/film.key"] {
        let key = context.after(|copy| {
            let kid = copy.open("low", 0).0;
            let key = all_keys(&context.worker).get(&kid).expect("the key");
            copy.write(place, key.expose());
            copy.forge_receipt();
        });
        assert_found(&key, place, "key_published");
    }
    let stray = context.after(|copy| {
        copy.write("hls/low/clear.ts", copy.open("low", 0).1);
        copy.forge_receipt();
    });
    assert!(!stray.findings.is_empty(), "clear media that no playlist names");
}

#[test]
fn clear_media_of_every_container_is_found_beside_encrypted() {
    let context = TaskContext::new();
    for place in ["thumbnails/film.mp4", "thumbnails/film.webm", "thumbnails/film.mp3"] {
        let clear = context.after(|copy| {
            copy.write(place, copy.read("private/mp4/phone.mp4"));
            copy.forge_receipt();
        });
        assert_found(&clear, place, "clear_media");
    }
}

#[test]
fn objects_and_outputs_are_held_against_each_other() {
    let context = TaskContext::new();
    let intact = context.after(|copy| copy.forge_receipt());
    assert!(intact.findings.is_empty(), "{:#?}", intact.findings);
    let of_none = context.after(|copy| {
        copy.write("thumbnails/notes.txt", "of no output");
        copy.forge_receipt();
    });
    assert_only(&of_none, "thumbnails/notes.txt", "unreachable");
    let claimed = context.after(|copy| {
        let listed = "\"thumbnails/poster.jpg\"";
        let more = format!("\"thumbnails/other.jpg\", {listed}");
        copy.claim(&format!("[{listed}"), &format!("[{more}"));
    });
    assert_only(&claimed, "thumbnails/other.jpg", "object_unknown");
    let renamed = context.after(|copy| {
        copy.claim("\"container\":\"mp4\"", "\"container\":\"webm\"");
    });
    assert_found(&renamed, "private/mp4/phone.mp4", "container");
}

#[test]
fn what_cannot_be_proved_here_is_refused() {
    let context = TaskContext::new();
    for (from, to, why) in [
        ("\"kind\":\"stills\"", "\"kind\":\"hologram\"", "hologram"),
        ("\"version\":2", "\"version\":3", "version 3"),
    ] {
        let copy = context.copy();
        copy.claim(from, to);
        let error = copy.try_check(all_keys(&context.worker)).expect_err(why);
        assert!(format!("{error:?}").contains(why), "{error:?}");
    }
}

#[test]
fn wrong_keys_are_found_and_missing_ones_counted() {
    let context = TaskContext::new();
    let copy = context.copy();
    let kid = copy.open("low", 0).0;
    let mut wrong = KeyRing::default();
    wrong.insert(&kid, &SegmentKey::from_bytes([7; 16]));
    let report = copy.check(wrong);
    assert!(report.without_key > 0, "the other periods");
    let codes = ["key_wrong", "media_unreadable"];
    assert!(report.findings.iter().all(|finding| codes.contains(&finding.code.as_str())));
    assert_found(&report, "hls/low/000000.ts", "key_wrong");
    let report = copy.check(KeyRing::default());
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    // Two rungs and their pictures.
    assert_eq!(report.without_key, 4 * 16);
}
