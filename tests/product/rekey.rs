//! `vodmill rekey`: other keys for a published asset, whatever happens on the way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use vodmill_tests::cases::case;
use vodmill_tests::conformance::assert_package;
use vodmill_tests::product::{Home, Passes, media};

const FMP4: &str = "container = \"fmp4\"\naudio = \"group\"\n";

/// All media in the clear, by name within its generation.
fn clear(home: &Home, asset: &Path) -> BTreeMap<String, Vec<u8>> {
    let keys = home.keys(asset).expect("keys");
    assert_package(asset, Some(&keys));
    let generation = generation(home, asset);
    let inner = |name: String| name.replace(&format!("{generation}/"), "");
    media(asset, &keys).into_iter().map(|(name, bytes)| (inner(name), bytes)).collect()
}

fn generation(home: &Home, asset: &Path) -> String {
    home.asset_json(asset)["generation"].as_str().expect("a generation").to_owned()
}

fn rekey(home: &Home, asset: &Path) -> Value {
    let name = asset.file_name().and_then(|name| name.to_str()).expect("a name");
    let place = home.at("published");
    let place = place.to_str().expect("a path of ours");
    let ended = home.vodmill(&["rekey", name, "--in", place, "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    serde_json::from_str(&ended.out).expect("JSON")
}

#[test]
fn the_same_media_under_other_keys() {
    for hls in ["", FMP4] {
        let home = Home::quick(hls, true);
        let asset = home.publish(&case("good.mp4"));
        let (before, old) = (clear(&home, &asset), generation(&home, &asset));
        let pointer = fs::read(asset.join("index.m3u8")).expect("the pointer");
        let sealed = sealed(&asset.join(&old));
        let done = rekey(&home, &asset);
        assert_eq!(done["before"], old.as_str());
        assert_eq!(done["generation"], generation(&home, &asset).as_str());
        assert_eq!(clear(&home, &asset), before, "other media");
        let now = self::sealed(&asset.join(generation(&home, &asset)));
        assert_eq!(now.keys().collect::<Vec<_>>(), sealed.keys().collect::<Vec<_>>());
        let same: Vec<_> = now.iter().filter(|(name, bytes)| sealed[*name] == **bytes).collect();
        assert!(same.is_empty(), "still under the old keys: {same:?}");
        // A page that is open goes on with what it has loaded.
        fs::write(asset.join("index.m3u8"), pointer).expect("the old pointer");
        let check = home.vodmill(&["check".as_ref(), asset.join(&old).as_os_str()]);
        assert!(check.out.ends_with("\nsound\n"), "{check:?}");
    }
}

/// Encrypted objects of a generation as they are stored, but for init segments.
fn sealed(generation: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = vodmill_tests::product::tree(&generation.join("hls"));
    let is_sealed = |name: &String| {
        [".ts", ".m4s"].iter().any(|end| name.ends_with(end)) && !name.contains("init")
    };
    files
        .into_iter()
        .filter(|(name, _)| is_sealed(name))
        .map(|(name, path)| (name, fs::read(path).expect("an object")))
        .collect()
}

/// Killed anywhere, the old generation stays published; the next attempt goes on with the same one.
#[test]
fn killed_on_the_way() {
    let mut home = Home::quick_with_faults("", true);
    let asset = home.publish(&case("good.mp4"));
    let old = generation(&home, &asset);
    let before = clear(&home, &asset);
    let name = asset.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    let place = home.at("published").to_str().expect("a path of ours").to_owned();
    for point in ["queue.next_generation.committed", "store.files.renamed", "store.put.renamed"] {
        let passes = Passes::order(&mut home, &format!("{point}=kill"));
        let ended = home.vodmill(&["rekey", &name, "--in", &place]);
        Passes::end(&mut home);
        let killed = passes.read().iter().any(|pass| pass.point == point && pass.action.is_some());
        assert!(killed && ended.code != 0, "{point}: {ended:?}");
        assert_eq!(generation(&home, &asset), old, "{point}: the pointer has moved");
        let check = home.vodmill(&["check".as_ref(), asset.as_os_str()]);
        assert!(check.out.ends_with("\nsound\n"), "{point}: {check:?}");
    }
    let done = rekey(&home, &asset);
    assert_eq!(clear(&home, &asset), before);
    let folders = fs::read_dir(&asset).expect("the asset").flatten();
    let mut generations: Vec<_> = folders
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    generations.sort();
    assert_eq!(generations, [old.as_str(), done["generation"].as_str().expect("a name")]);
    assert!(!home.at("published/.vodmill").exists(), "scratch is left");
}

#[test]
fn what_cannot_be_rekeyed() {
    let home = Home::quick("", false);
    let clear = home.publish(&case("good.mp4"));
    let name = clear.file_name().and_then(|name| name.to_str()).expect("a name");
    let place = home.at("published");
    let place = place.to_str().expect("a path of ours");
    let ended = home.vodmill(&["rekey", name, "--in", place]);
    assert!(ended.code == 3 && ended.err.contains("not encrypted"), "{ended:?}");
    let ended = home.vodmill(&["rekey", "nothing", "--in", place]);
    assert!(ended.code == 2 && ended.err.contains("not published"), "{ended:?}");
    let ended = home.vodmill(&["rekey", "../published", "--in", place]);
    assert_eq!(ended.code, 2, "{ended:?}");
}
