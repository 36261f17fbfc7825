//! `vodmill check` finds whatever happens to a published package.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use vodmill_tests::cases::case;
use vodmill_tests::product::{Ended, Home, tree};
use vodmill_tests::tools::succeeded;

type Damage = fn(&Path);

const DAMAGES: [(&str, &str, Damage); 14] = [
    ("a byte of a segment", "hls/mid/000001.ts", |generation| {
        flip(&generation.join("hls/mid/000001.ts"))
    }),
    ("a byte of an MP4", "private/mp4/small-mp4.mp4", |generation| {
        flip(&generation.join("private/mp4/small-mp4.mp4"))
    }),
    ("a byte of the I-frames", "hls/low/iframes-0000.ts", |generation| {
        flip(&generation.join("hls/low/iframes-0000.ts"))
    }),
    ("a byte of the poster", "thumbnails/poster.jpg", |generation| {
        flip(&generation.join("thumbnails/poster.jpg"))
    }),
    ("a segment cut short", "hls/low/000002.ts", |generation| {
        cut(&generation.join("hls/low/000002.ts"))
    }),
    ("a segment gone", "hls/high/000003.ts", |generation| {
        remove(&generation.join("hls/high/000003.ts"))
    }),
    ("a file too many", "hls/low/extra.ts", |generation| {
        fs::write(generation.join("hls/low/extra.ts"), "more").expect("writing");
    }),
    ("an MP4 gone", "private/mp4/small-mp4.mp4", |generation| {
        remove(&generation.join("private/mp4/small-mp4.mp4"));
    }),
    ("a playlist gone", "hls/high/index.m3u8", |generation| {
        remove(&generation.join("hls/high/index.m3u8"))
    }),
    ("two segments swapped", "hls/mid/000000.ts", |generation| {
        let [one, other, aside] =
            ["000000", "000001", "aside"].map(|name| generation.join(format!("hls/mid/{name}.ts")));
        for (from, to) in [(&one, &aside), (&other, &one), (&aside, &other)] {
            fs::rename(from, to).expect("renaming");
        }
    }),
    ("a duration in a playlist", "hls/mid/index.m3u8", |generation| {
        edit(&generation.join("hls/mid/index.m3u8"), "#EXTINF:6", "#EXTINF:5");
    }),
    ("an IV in a playlist", "hls/mid/index.m3u8", |generation| {
        edit(&generation.join("hls/mid/index.m3u8"), "IV=0x", "IV=0xf");
    }),
    ("BANDWIDTH", "index.m3u8", |generation| {
        edit(&generation.with_file_name("index.m3u8"), ":BANDWIDTH=", ":BANDWIDTH=1");
    }),
    ("asset.json", "asset.json", |generation| {
        edit(&generation.with_file_name("asset.json"), "\"frames\": 675", "\"frames\": 676");
    }),
];

/// By the name of the object that was damaged.
#[test]
fn damage_is_found() {
    let home = Home::quick("", true);
    let asset = home.publish(&case("film.mp4"));
    let keys = home.keys(&asset).expect("keys");
    assert_eq!(check(&home, &asset, &keys).code, 0, "an undamaged package");
    let missed: Vec<&str> = DAMAGES
        .iter()
        .filter(|(_, object, damage)| {
            let copy = copy(&asset, &home.at("copy"));
            damage(&generation(&copy));
            let ended = check(&home, &copy, &keys);
            ended.code != 1 || !ended.out.contains(&format!("  {object} "))
        })
        .map(|(name, _, _)| *name)
        .collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn another_key_is_found() {
    let home = Home::quick("", true);
    let asset = home.publish(&case("good.mp4"));
    let keys = home.keys(&asset).expect("keys");
    for key in fs::read_dir(&keys).expect("keys").flatten() {
        flip(&key.path());
    }
    let ended = check(&home, &asset, &keys);
    assert_eq!(ended.code, 1, "{ended:?}");
}

fn check(home: &Home, asset: &Path, keys: &Path) -> Ended {
    home.vodmill(&["check".as_ref(), asset.as_os_str(), "--keys".as_ref(), keys.as_os_str()])
}

/// A fresh copy of an asset, under its own name.
fn copy(asset: &Path, to: &Path) -> PathBuf {
    if to.exists() {
        fs::remove_dir_all(to).expect("removing the last copy");
    }
    fs::create_dir_all(to).expect("a place for the copy");
    succeeded(Command::new("cp").arg("-r").arg(asset).arg(to)).expect("copying");
    to.join(asset.file_name().expect("an asset has a name"))
}

fn generation(asset: &Path) -> PathBuf {
    let entries = fs::read_dir(asset).expect("an asset").flatten();
    entries.map(|entry| entry.path()).find(|path| path.is_dir()).expect("a generation")
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).expect("writing");
}

fn cut(path: &Path) {
    let bytes = fs::read(path).expect("reading");
    fs::write(path, &bytes[..bytes.len() - 1]).expect("writing");
}

fn remove(path: &Path) {
    fs::remove_file(path).expect("removing");
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("reading");
    assert!(text.contains(from), "no {from} in {}", path.display());
    fs::write(path, text.replacen(from, to, 1)).expect("writing");
}

/// Tables within the ranges of I-frames, EXTINF of sound without the encoder's delay: what 0.1.0 made
/// is sound still, and takes other keys.
#[test]
fn packages_of_0_1_0_are_sound() {
    let home = Home::new();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/packages-0.1.0");
    for (name, from) in tree(&kept) {
        let to = home.at(&name);
        fs::create_dir_all(to.parent().expect("a folder")).expect("making");
        fs::copy(from, &to).expect("copying");
        if name.starts_with("state/") {
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).expect("hiding");
        }
    }
    let place = home.at("published");
    for asset in ["ts", "fmp4"] {
        let check = || home.vodmill(&["check".as_ref(), place.join(asset).as_os_str()]);
        let before = check();
        assert!(before.out.ends_with("\nsound\n"), "{before:?}");
        let rekey = ["rekey".as_ref(), asset.as_ref(), "--in".as_ref(), place.as_os_str()];
        let rekeyed = home.vodmill::<&std::ffi::OsStr>(&rekey);
        assert_eq!(rekeyed.code, 0, "{rekeyed:?}");
        let after = check();
        assert!(after.out.ends_with("\nsound\n"), "{after:?}");
        assert_eq!(after.out.lines().next().map(|line| line.contains("g0001r1-")), Some(true));
        let described = |place: &Path| home.asset_json(&place.join(asset));
        let (old, new) = (described(&kept.join("published")), described(&place));
        assert_eq!((&old["version"], &new["version"]), (&1.into(), &2.into()));
        assert_eq!(Home::output(&new, "hls")["container"], old["hls"]["container"]);
        for same in ["pipeline", "original", "frames", "objects", "bytes", "encode_cpu_ms"] {
            assert_eq!(new[same], old[same], "{same}");
        }
    }
}
