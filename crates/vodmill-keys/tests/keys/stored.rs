//! What earlier builds, and others, have made: it is read, and gives the same keys and IVs.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use vodmill_keys::{
    DirectoryKeyStore, IvSeed, KeyEncryptionKey, KeySet, KeyStore, KeyTerms, Kid, WrappedKeySet,
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Wrapped by another implementation of AES-256-GCM, that of Python's `cryptography`.
#[test]
fn a_set_that_others_wrapped_opens_and_is_stored_as_it_was() {
    let text = fs::read_to_string(fixture("set.json")).unwrap();
    let wrapped: WrappedKeySet = serde_json::from_str(&text).unwrap();
    let set = wrapped.unwrap(&KeyEncryptionKey::from_bytes([1; 32])).unwrap();
    for (number, period) in set.periods.iter().enumerate() {
        assert_eq!(period.kid, Kid::from_bytes([0xa0 + number as u8; 16]));
        assert_eq!(period.key.expose(), &[0xb0 + number as u8; 16]);
    }
    assert_eq!(set.iv_seed, IvSeed::from_bytes([0xc5; 32]));
    assert_eq!(set.terms, KeyTerms { max_age: Some(600), expires: Some(1_900_000_000) });
    let again: serde_json::Value = serde_json::to_value(&wrapped).unwrap();
    assert_eq!(again, serde_json::from_str::<serde_json::Value>(&text).unwrap());
}

#[test]
fn an_iv_is_what_it_always_was() {
    let iv = IvSeed::from_bytes([0xc5; 32]).iv("hls/low/000003.ts", 7);
    assert_eq!(iv.to_hex(), "8f322eab9adaab07c7f1cede4956604a");
}

/// The folder `state/keys` of a home that vodmill 0.1.0 made before keys had a crate of their own,
/// and what its `keys export` gave.
#[test]
fn a_folder_of_an_earlier_build_is_read() {
    let keys = [
        ("4b4bfe7b74d9a9408e0dda28dbeaf40a", "a34a06b6d70ef97e7c5ce67437fcd379"),
        ("7c7270615563a23b05a676ac50cecdd7", "23337ab370e71fd61b9a6689a0029fc7"),
        ("a3b0e317db5af2db30d7a67786b7e482", "5f2ea511116c05c06892094ce7e16631"),
    ];
    for has_index in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        restore(&fixture("home"), folder.path());
        if !has_index {
            fs::remove_file(folder.path().join("index.sqlite")).unwrap();
        }
        let store = DirectoryKeyStore::open(folder.path()).unwrap();
        for (number, (kid, key)) in keys.iter().enumerate() {
            let kid = Kid::from_hex(kid).unwrap();
            let found = store.get(&kid).unwrap().expect("it is there");
            assert_eq!(
                (found.asset.as_str(), found.generation.as_str()),
                ("clip", "g0001-5ea1df24")
            );
            assert_eq!(found.period, number);
            assert_eq!(crate::hex(key), found.key.expose());
            assert!(found.terms.expires.is_some(), "it was revoked in three days");
        }
        let fresh = store.put("clip", "g0001-5ea1df24", KeySet::generate(3).unwrap()).unwrap();
        assert_eq!(fresh.kids()[0].to_string(), keys[0].0, "its keys stay");
    }
}

/// A copy whose files are private, which Git does not keep.
fn restore(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let copy = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            restore(&entry.path(), &copy);
        } else {
            fs::copy(entry.path(), &copy).unwrap();
            fs::set_permissions(&copy, Permissions::from_mode(0o600)).unwrap();
        }
    }
}
