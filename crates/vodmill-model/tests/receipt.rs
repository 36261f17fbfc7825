//! `receipt.json`: what this build writes, and what the previous one has written.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vodmill_model::Receipt;
use vodmill_model::receipt::{OutputFact, ReceiptHead};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const PREVIOUS: [&str; 4] = [
    "packages-0.1.0/published/ts",
    "packages-0.1.0/published/fmp4",
    "home-0.1.0/published/film",
    "home-0.1.0/published/clear",
];

/// The receipt of a package of vodmill 0.1.0.
fn previous(asset: &str) -> Value {
    let folder = top().join("tests/fixtures").join(asset);
    let json = |path: PathBuf| -> Value {
        serde_json::from_slice(&fs::read(path).expect("a fixture")).expect("JSON")
    };
    let generation = json(folder.join("asset.json"))["generation"].clone();
    json(folder.join(generation.as_str().expect("a name")).join("receipt.json"))
}

fn read(receipt: &Value) -> Result<Receipt, String> {
    Receipt::read(receipt.to_string().as_bytes()).map_err(|error| error.to_string())
}

/// The receipt of a film of vodmill 0.1.0, in the version that is written now.
fn current() -> Value {
    serde_json::to_value(read(&previous(PREVIOUS[2])).expect("read")).expect("JSON")
}

#[test]
fn the_previous_version_is_read_with_all_that_it_claims() {
    for name in PREVIOUS {
        let old = previous(name);
        let receipt = read(&old).expect("read");
        let new = serde_json::to_value(&receipt).expect("JSON");
        for same in [
            "build",
            "plan",
            "original",
            "asset",
            "generation",
            "duration",
            "frames",
            "frame_rate",
            "objects",
            "description",
        ] {
            assert_eq!(new[same], old[same], "{name}: {same}");
        }
        let hls = serde_json::to_value(receipt.hls()).expect("JSON");
        for same in ["base", "segment_ends", "encrypted", "playlists", "multivariant"] {
            assert_eq!(hls[same], old[same], "{name}: {same}");
        }
        assert_eq!(receipt.is_encrypted(), old["encrypted"], "{name}");
        let files = receipt.outputs.iter().filter_map(|output| match output {
            OutputFact::File(file) => Some(serde_json::to_value(file).expect("JSON")),
            OutputFact::Hls(_) | OutputFact::Stills(_) => None,
        });
        let mp4 = old["mp4"].as_array().expect("a list").iter().cloned().map(|mut mp4| {
            mp4["container"] = "mp4".into();
            mp4
        });
        assert!(files.eq(mp4), "{name}");
    }
}

#[test]
fn stills_of_the_previous_version_are_found_by_their_names() {
    let receipt = read(&previous(PREVIOUS[2])).expect("read");
    let Some(OutputFact::Stills(stills)) = receipt.outputs.last() else { panic!("{receipt:?}") };
    assert!(stills.objects.contains(&"thumbnails/poster.jpg".to_owned()), "{stills:?}");
    assert!(stills.objects.iter().all(|name| name.starts_with("thumbnails/")), "{stills:?}");
}

#[test]
fn what_is_written_is_what_is_read() {
    let receipt = current();
    assert_eq!(receipt["version"], 2);
    let outputs = receipt["outputs"].as_array().expect("a list");
    let kinds: Vec<_> = outputs.iter().map(|output| &output["kind"]).collect();
    assert_eq!(kinds, ["hls", "file", "stills"]);
    let again = read(&receipt).expect("read");
    assert_eq!(serde_json::to_value(&again).expect("JSON"), receipt);
}

#[test]
fn what_its_version_does_not_have_is_an_error() {
    let version1 = previous(PREVIOUS[2]);
    for (receipt, at) in [
        (&version1, ""),
        (&version1, "/playlists/0"),
        (&version1, "/mp4/0"),
        (&version1, "/objects/0"),
        (&current(), ""),
        (&current(), "/objects/0"),
        (&current(), "/outputs/0"),
        (&current(), "/outputs/0/playlists/0"),
        (&current(), "/outputs/1"),
        (&current(), "/outputs/2"),
    ] {
        let mut odd = receipt.clone();
        odd.pointer_mut(at).expect("a place")["other"] = 1.into();
        let error = read(&odd).expect_err(at);
        assert!(error.contains("unknown field `other`"), "{at}: {error}");
    }
    let mut mixed = version1;
    mixed["outputs"] = json!([]);
    assert!(read(&mixed).is_err());
    let mut unproved = current();
    unproved["outputs"][1]["kind"] = "hologram".into();
    assert!(read(&unproved).expect_err("a kind").contains("hologram"));
    for wrong in ["", "[]", "{}", r#"{"version":2}"#, r#"{"version":1}"#, r#"{"version":0}"#] {
        assert!(Receipt::read(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn the_head_can_be_read_of_every_version() {
    let mut version3 = current();
    version3["version"] = 3.into();
    version3["more"] = json!({});
    version3["objects"][0]["more"] = json!({});
    version3["outputs"][1] = json!({ "kind": "hologram" });
    for receipt in [&previous(PREVIOUS[2]), &current(), &version3] {
        let head = ReceiptHead::read(receipt.to_string().as_bytes()).expect("a head");
        assert_eq!((head.asset.as_str(), head.generation.as_str()), ("film", "g0002-5ae983ba"));
        let names = head.objects.iter().map(|object| Value::from(object.name.as_str()));
        let objects = receipt["objects"].as_array().expect("a list");
        assert!(names.eq(objects.iter().map(|object| object["name"].clone())));
    }
    let error = read(&version3).expect_err("a newer version");
    assert!(error.contains("version 3"), "{error}");
}

#[test]
fn the_schema_that_is_published_is_that_of_the_code() {
    let path = top().join("docs/schemas/receipt-2.json");
    let schema = schemars::schema_for!(Receipt);
    let schema = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &schema).expect("written");
    }
    let published = fs::read_to_string(&path).expect("docs/schemas/receipt-2.json");
    assert!(published == schema, "differs, look with BLESS=1 and git diff");
}
