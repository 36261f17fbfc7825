//! `vodmill rekey`: other keys for a published asset, whatever happens on the way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use vodmill_tests::cases::case;
use vodmill_tests::conformance::assert_package;
use vodmill_tests::product::{Daemon, Home, Passes, media, tree, wait_until};
use vodmill_tests::services::Cdn;

const PATIENCE: Duration = Duration::from_secs(120);

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
    let files = tree(&generation.join("hls"));
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
    // Before the pointer moves, between its two objects, and after it.
    let steps = [
        "queue.next_generation.committed",
        "rekey.keyed",
        "store.files.renamed",
        "rekey.stored",
        "store.put.renamed",
        "rekey.described",
        "rekey.playlist",
        "rekey.pointed",
    ];
    let orders: String = steps.iter().map(|point| format!("{point}=kill;")).collect();
    let passes = Passes::order(&mut home, &orders);
    for point in steps {
        let ended = home.vodmill(&["rekey", &name, "--in", &place]);
        let last = passes.read().pop().expect("a point");
        assert!(last.point == point && last.action.is_some(), "{point}: {last:?} {ended:?}");
        assert_ne!(ended.code, 0, "{point}");
        if point == "rekey.pointed" {
            break;
        }
        assert_eq!(generation(&home, &asset), old, "{point}: the pointer has moved");
        // In between, the playlist is that of the new one, which is whole.
        let whole = if point == "rekey.playlist" { asset.join(&old) } else { asset.clone() };
        let check = home.vodmill(&["check".as_ref(), whole.as_os_str()]);
        assert!(check.out.ends_with("\nsound\n"), "{point}: {check:?}");
    }
    Passes::end(&mut home);
    let new = generation(&home, &asset);
    assert_eq!(clear(&home, &asset), before);
    let folders = fs::read_dir(&asset).expect("the asset").flatten();
    let mut generations: Vec<_> = folders
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    generations.sort();
    assert_eq!(generations, [old.as_str(), &new], "all attempts are one");
    let left = tree(&home.at("published/.vodmill"));
    assert_eq!(left.keys().collect::<Vec<_>>(), ["owner.json"], "scratch is gone");
}

/// The end of keys is in the file of their set, which is replaced whole.
#[test]
fn killed_while_keys_are_revoked() {
    let mut home = Home::quick_with_faults("", true);
    let asset = home.publish(&case("good.mp4"));
    let name = asset.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    for (point, revoked) in [("keys.written", false), ("keys.renamed", true)] {
        Passes::order(&mut home, &format!("{point}=kill"));
        assert_ne!(home.vodmill(&["keys", "revoke", &name]).code, 0, "{point}");
        Passes::end(&mut home);
        let listed = home.vodmill(&["keys", "list"]);
        assert_eq!(listed.out.contains("revoked"), revoked, "{point}: {listed:?}");
        let check = home.vodmill(&["check".as_ref(), asset.as_os_str()]);
        assert!(check.out.ends_with("\nsound\n"), "{point}: {check:?}");
    }
    assert_eq!(home.vodmill(&["keys", "revoke", &name]).code, 0, "again is no error");
    let files = tree(&home.at("state/keys"));
    assert!(!files.keys().any(|name| name.contains(".part")), "{files:?}");
}

/// Caches are told of the pointer that has moved, by whoever carries.
#[test]
fn caches_drop_the_pointer() {
    let cdn = Cdn::start("E1");
    let mut home = Home::quick("", true);
    for (name, value) in cdn.account() {
        home.set(name, value);
    }
    let endpoint = cdn.endpoint();
    let aws = format!("settle_seconds = 0\n[aws]\ncloudfront_endpoint = \"{endpoint}\"\n");
    home.write("vodmill.toml", &aws);
    let file = home.at("pipelines/default.toml");
    let pipeline = fs::read_to_string(file).expect("a pipeline");
    let table = "[invalidation]\ndistribution = \"E1\"\npath = \"/video\"";
    home.write("pipelines/default.toml", &format!("{pipeline}\n{table}\n"));
    let daemon = Daemon::start(&home, &[]);
    home.drop_into("default", &case("good.mp4"), "film.mp4");
    let asset = home.at("published/film");
    wait_until("it is published", PATIENCE, || asset.join("asset.json").exists().then_some(()));
    // What waits is durable: nobody need run.
    drop(daemon);
    rekey(&home, &asset);
    let invalidations = || {
        let ended = home.vodmill(&["invalidations", "--json"]);
        serde_json::from_str::<Value>(&ended.out).expect("JSON")
    };
    let waiting = invalidations()["waiting"].clone();
    assert_eq!(waiting.as_array().map(Vec::len), Some(2), "{waiting}");
    let _daemon = Daemon::start(&home, &[]);
    wait_until("the CDN hears of it", PATIENCE, || (!cdn.batches().is_empty()).then_some(()));
    assert_eq!(cdn.batches()[0].paths, ["/video/film/*"]);
    cdn.complete_all();
    wait_until("it is noted", PATIENCE, || {
        (invalidations()["batches"][0]["state"] == "completed").then_some(())
    });
    assert_eq!(cdn.refusals(), Vec::<String>::new());
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
