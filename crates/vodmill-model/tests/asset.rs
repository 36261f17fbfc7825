//! `asset.json`: what this build writes, and what the previous one has written.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vodmill_model::asset::{AssetHead, Output};
use vodmill_model::{AssetDocument, GenerationName};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// An `asset.json` of vodmill 0.1.0, and what its receipt has as the digest of the description.
fn previous(asset: &str) -> (Value, String) {
    let folder = top().join("tests/fixtures").join(asset);
    let read = |path: PathBuf| -> Value {
        serde_json::from_slice(&fs::read(path).expect("a fixture")).expect("JSON")
    };
    let document = read(folder.join("asset.json"));
    let generation = document["generation"].as_str().expect("a name");
    let receipt = read(folder.join(generation).join("receipt.json"));
    (document, receipt["description"].as_str().expect("a digest").to_owned())
}

const PREVIOUS: [&str; 4] = [
    "packages-0.1.0/published/ts",
    "packages-0.1.0/published/fmp4",
    "home-0.1.0/published/film",
    "home-0.1.0/published/clear",
];

fn read(document: &Value) -> Result<AssetDocument, String> {
    AssetDocument::read(document.to_string().as_bytes()).map_err(|error| error.to_string())
}

/// What the previous build has made of one film, in the version that is written now.
fn current() -> Value {
    let film = read(&previous(PREVIOUS[2]).0).expect("read");
    let mut document = AssetDocument::new(film.asset().clone());
    document.receipt = film.receipt;
    document.publication = film.publication;
    serde_json::to_value(document).expect("JSON")
}

#[test]
fn the_previous_version_is_read_and_stays_as_its_receipt_vouches_for_it() {
    for name in PREVIOUS {
        let (document, digest) = previous(name);
        let read = read(&document).expect("read");
        assert_eq!(read.digest(), digest, "{name}");
        assert_eq!(serde_json::to_value(&read).expect("JSON"), document, "{name}");
        let asset = read.asset();
        assert_eq!(asset.version, 2);
        assert_eq!(asset.generation.as_str(), document["generation"]);
        let hls = asset.hls().map(|hls| serde_json::to_value(hls).expect("JSON"));
        assert_eq!(hls.unwrap_or_default(), document["hls"], "{name}");
        let stills = asset.stills().map(|stills| serde_json::to_value(stills).expect("JSON"));
        assert_eq!(stills.unwrap_or_default(), document["thumbnails"], "{name}");
        let files: Vec<_> = asset.files().map(|file| file.path.as_str()).collect();
        let mp4 = document["mp4"].as_array().expect("a list");
        assert_eq!(files, mp4.iter().map(|mp4| &mp4["path"]).collect::<Vec<_>>(), "{name}");
        assert!(asset.files().all(|file| file.container == "mp4"));
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    let document = current();
    assert_eq!(document["version"], 2);
    let kinds: Vec<_> =
        document["outputs"].as_array().expect("a list").iter().map(|it| &it["kind"]).collect();
    assert_eq!(kinds, ["hls", "file", "stills"]);
    for gone in ["hls", "mp4", "thumbnails"] {
        assert!(document.get(gone).is_none(), "{gone}");
    }
    let again = read(&document).expect("read");
    assert_eq!(serde_json::to_value(&again).expect("JSON"), document);
}

#[test]
fn a_receipt_vouches_for_all_but_the_facts_of_a_publication() {
    let document = current();
    let digest = read(&document).expect("read").digest();
    let mut later = document.clone();
    later["published_at"] = "2027-01-01T00:00:00Z".into();
    later["encode_cpu_ms"] = 1.into();
    later["package_cpu_ms"] = 1.into();
    later["receipt"]["sha256"] = "0".into();
    assert_eq!(read(&later).expect("read").digest(), digest);
    for field in ["asset", "pipeline", "objects", "bytes", "duration_ms", "frames"] {
        let mut other = document.clone();
        other[field] = match &document[field] {
            Value::String(_) => "other".into(),
            _ => 1.into(),
        };
        assert_ne!(read(&other).expect("read").digest(), digest, "{field}");
    }
    let mut other = document.clone();
    other["outputs"][0]["variants"][0]["bytes"] = 1.into();
    assert_ne!(read(&other).expect("read").digest(), digest);
}

#[test]
fn fields_that_its_version_does_not_have_are_errors() {
    let (version1, _) = previous(PREVIOUS[2]);
    for (document, at) in [
        (&version1, ""),
        (&version1, "/hls"),
        (&version1, "/hls/variants/0"),
        (&version1, "/mp4/0"),
        (&version1, "/thumbnails/poster"),
        (&current(), ""),
        (&current(), "/outputs/0"),
        (&current(), "/outputs/1"),
        (&current(), "/outputs/2/poster"),
        (&current(), "/original"),
        (&current(), "/receipt"),
    ] {
        let mut odd = document.clone();
        odd.pointer_mut(at).expect("a place")["other"] = 1.into();
        let error = read(&odd).expect_err(at);
        assert!(error.contains("unknown field `other`"), "{at}: {error}");
    }
    let mut mixed = version1;
    mixed["outputs"] = json!([]);
    assert!(read(&mixed).is_err());
    for wrong in ["", "[]", "{}", r#"{"version":2}"#, r#"{"version":"1"}"#] {
        assert!(AssetDocument::read(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn a_kind_that_a_newer_build_makes_is_kept_and_not_moved() {
    let mut newer = current();
    let dash = json!({ "kind": "dash", "manifest": "g0002-5ae983ba/dash/index.mpd" });
    newer["outputs"].as_array_mut().expect("a list").push(dash.clone());
    let document = read(&newer).expect("read");
    let Some(Output::Other(fields)) = document.asset().outputs.last() else { panic!("{newer}") };
    assert_eq!(Value::Object(fields.clone()), dash);
    assert_eq!(serde_json::to_value(&document).expect("JSON"), newer);
    assert_eq!(AssetDocument::new(document.asset().clone()).digest(), document.digest());
    let next = GenerationName::parse("g0002r1-00000000").expect("a name");
    assert_eq!(document.asset().as_generation(&next), None);
}

#[test]
fn another_generation_has_all_paths_but_the_pointers_within_it() {
    let document = current();
    let film = read(&document).expect("read");
    let next = GenerationName::parse("g0002r1-00000000").expect("a name");
    let moved = film.asset().as_generation(&next).expect("every kind is known");
    let moved = serde_json::to_string(&moved).expect("JSON");
    assert!(!moved.contains("g0002-5ae983ba"), "{moved}");
    let wanted = serde_json::to_string(film.asset()).expect("JSON");
    assert_eq!(moved, wanted.replace("g0002-5ae983ba", "g0002r1-00000000"));
}

#[test]
fn the_head_can_be_read_of_every_version() {
    let (version1, _) = previous(PREVIOUS[2]);
    let mut version3 = current();
    version3["version"] = 3.into();
    version3["more"] = json!({});
    version3["outputs"][1] = json!({ "kind": "hologram" });
    for document in [&version1, &current(), &version3] {
        let head = AssetHead::read(document.to_string().as_bytes()).expect("a head");
        assert_eq!((head.name.as_str(), head.generation.as_str()), ("film", "g0002-5ae983ba"));
        assert_eq!(head.published_at.as_deref(), document["published_at"].as_str());
        assert!(head.has_hls());
    }
    let error = read(&version3).expect_err("a newer version");
    assert!(error.contains("version 3"), "{error}");
    let mut without = current();
    without["outputs"].as_array_mut().expect("a list").remove(0);
    let head = AssetHead::read(without.to_string().as_bytes()).expect("a head");
    assert!(!head.has_hls());
}

#[test]
fn the_schema_that_is_published_is_that_of_the_code() {
    let path = top().join("docs/schemas/asset-2.json");
    let schema = serde_json::to_string_pretty(&AssetDocument::schema()).expect("JSON") + "\n";
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &schema).expect("written");
    }
    let published = fs::read_to_string(&path).expect("docs/schemas/asset-2.json");
    assert!(published == schema, "differs, look with BLESS=1 and git diff");
}
