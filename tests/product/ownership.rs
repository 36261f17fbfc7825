//! What is one account's, or one home's, alone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use vodmill_tests::cases::case;
use vodmill_tests::product::{Home, tree};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("facts").permissions().mode() & 0o777
}

/// Every plain file and folder below, and the folder itself.
fn all_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("a kind");
        match (kind.is_dir(), kind.is_file()) {
            (true, _) => found.extend(all_in(&entry.path())),
            (_, true) => found.push(entry.path()),
            _ => {}
        }
    }
    found
}

fn assert_private(folder: &Path) {
    for path in all_in(folder) {
        let mode = mode(&path);
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
    }
}

#[test]
fn state_is_private_and_packages_are_not() {
    let home = Home::quick("", true);
    let asset = home.publish(&case("good.mp4"));
    assert_private(&home.at("state"));
    for path in all_in(&asset) {
        let wanted = if path.is_dir() { 0o755 } else { 0o644 };
        assert_eq!(mode(&path), wanted, "{}", path.display());
    }
    // As an earlier version left it.
    for path in all_in(&home.at("state")) {
        let open = if path.is_dir() { 0o755 } else { 0o644 };
        if !path.ends_with("keys/kek") {
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).expect("chmod");
        }
    }
    assert_eq!(home.vodmill(&["keys", "list"]).code, 0);
    assert_private(&home.at("state"));
    let name = asset.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    let place = home.at("published").display().to_string();
    assert_eq!(home.vodmill(&["rekey", &name, "--in", &place]).code, 0);
    for path in all_in(&asset) {
        let wanted = if path.is_dir() { 0o755 } else { 0o644 };
        assert_eq!(mode(&path), wanted, "{}", path.display());
    }
    let to = home.at("exported").display().to_string();
    assert_eq!(home.vodmill(&["keys", "export", &name, "--to", &to]).code, 0);
    assert_private(&home.at("exported"));
}

#[test]
fn a_secret_that_others_can_read_is_refused_in_words() {
    let home = Home::quick("", true);
    home.publish(&case("good.mp4"));
    let kek = home.at("state/keys/kek");
    for bits in [0o644, 0o640, 0o602] {
        fs::set_permissions(&kek, fs::Permissions::from_mode(bits)).expect("chmod");
        let refused = home.vodmill(&["keys", "list"]);
        assert_ne!(refused.code, 0, "{refused:?}");
        assert!(refused.err.contains(&format!("chmod 600 {}", kek.display())), "{refused:?}");
    }
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o600)).expect("chmod");
    assert_eq!(home.vodmill(&["keys", "list"]).code, 0);
}

/// Two homes, one destination: neither takes what is the other's, nor goes by another name.
#[test]
fn a_second_home_is_refused_until_it_is_told_to_take_over() {
    let first = Home::quick("", false);
    let asset = first.publish(&case("good.mp4"));
    let place = first.at("published").display().to_string();
    let before = tree(&asset);
    let second = Home::quick("", false);
    let film = case("good.mp4");
    let run = |home: &Home| {
        let film = film.as_os_str();
        home.vodmill(&["run".as_ref(), "--out".as_ref(), place.as_ref(), film])
    };
    let refused = run(&second);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains(&format!("vodmill adopt {place}")), "{refused:?}");
    assert_eq!(tree(&asset).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert_eq!(fs::read_dir(&place).expect("the destination").count(), 2, "no other name");
    assert_eq!(second.vodmill(&["gc", "--in", &place]).code, 2);

    assert_eq!(second.vodmill(&["adopt", &place]).code, 0);
    let taken = run(&second);
    assert_eq!(taken.code, 0, "{taken:?}");
    let generation = second.asset_json(&asset)["generation"].as_str().expect("one").to_owned();
    assert!(generation.starts_with("g0002-"), "{generation}");
    let refused = first.vodmill(&["gc", "--in", &place]);
    assert!(refused.code == 2 && refused.err.contains("vodmill adopt"), "{refused:?}");
}
