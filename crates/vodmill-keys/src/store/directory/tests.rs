use super::*;
use crate::store::conformance::{key_store_conformance, key_store_survives};
use crate::wrap::KeyEncryptionKey;

#[test]
fn keeps_the_contract_of_key_stores() {
    let dir = tempfile::tempdir().expect("scratch");
    let store = DirectoryKeyStore::open(dir.path().join("keys")).expect("open");
    key_store_conformance(&store).expect("contract");
    drop(store);
    let store = DirectoryKeyStore::open(dir.path().join("keys")).expect("open again");
    key_store_survives(&store).expect("durable");
}

#[test]
fn a_new_key_encryption_key_takes_the_place_of_the_old() {
    let dir = tempfile::tempdir().expect("scratch");
    let [old, new] = [1, 2].map(|byte| KeyEncryptionKey::from_bytes([byte; 32]));
    let open = |keks| DirectoryKeyStore::open_under(dir.path(), keks);
    let store = open(old.clone().into()).expect("open");
    let keys = KeySet::generate(2).expect("keys");
    let first = store.put("a", "g1", keys).expect("put");
    assert!(open(new.clone().into()).is_err(), "nothing would open");
    let both = KeyEncryptionKeys::new(new.clone(), vec![old.clone()]);
    let store = open(both).expect("open with both");
    assert_eq!(store.of_generation("a", "g1").expect("read"), Some(first.clone()));
    store.put("a", "g2", KeySet::generate(1).expect("keys")).expect("put");
    assert_eq!(store.rewrap().expect("rewrap"), 1);
    assert_eq!(store.rewrap().expect("again"), 0);
    let store = open(new.into()).expect("the new key is enough");
    assert_eq!(store.of_generation("a", "g1").expect("read"), Some(first));
    assert!(open(old.into()).is_err(), "the old key opens nothing");
}

#[test]
fn keys_are_not_stored_in_the_clear() {
    let dir = tempfile::tempdir().expect("scratch");
    let store = DirectoryKeyStore::open(dir.path()).expect("open");
    let keys = store.put("a", "g1", KeySet::generate(1).expect("keys")).expect("put");
    let file = fs::read_to_string(store.path(&set_file::name_of("a", "g1"))).expect("read");
    assert!(!file.contains(&hex::encode(keys.periods[0].key.expose())));
}

/// A store with two generations, and the file of the first.
fn two_sets(root: &Path) -> (DirectoryKeyStore, [KeySet; 2], PathBuf) {
    let store = DirectoryKeyStore::open(root).expect("open");
    let put = |asset| store.put(asset, "g1", KeySet::generate(3).expect("keys")).expect("put");
    let sets = [put("damaged"), put("whole")];
    let path = store.path(&set_file::name_of("damaged", "g1"));
    (store, sets, path)
}

fn damage(path: &Path, how: &str) {
    let text = fs::read(path).expect("read");
    fs::remove_file(path).expect("remove");
    match how {
        "emptied" => fs::write(path, "").expect("write"),
        "cut off" => fs::write(path, &text[..text.len() / 2]).expect("write"),
        "garbled" => fs::write(path, [0xff; 300]).expect("write"),
        "another's" => {
            let other = path.with_file_name(set_file::name_of("whole", "g1"));
            fs::copy(other, path).map(drop).expect("copy");
        }
        "a folder" => fs::create_dir(path).expect("make"),
        "a pipe" => {
            let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
            let kind = rustix::fs::FileType::Fifo;
            rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0).expect("make");
        }
        "of another kek" => {
            let text = String::from_utf8(text).expect("text");
            let set: WrappedKeySet = serde_json::from_str(&text).expect("a set");
            fs::write(path, text.replace(set.kek(), "0123456789abcdef")).expect("write");
        }
        _ => panic!("{how}"),
    }
}

const DAMAGES: [&str; 7] =
    ["emptied", "cut off", "garbled", "another's", "a folder", "a pipe", "of another kek"];

#[test]
fn a_damaged_set_costs_its_own_keys_alone() {
    for how in DAMAGES {
        let dir = tempfile::tempdir().expect("scratch");
        let (store, sets, path) = two_sets(dir.path());
        damage(&path, how);
        others_are_given(&store, &sets, how);
        drop(store);
        others_are_given(&DirectoryKeyStore::open(dir.path()).expect(how), &sets, how);
        // The index is gone too: a restored backup.
        fs::remove_file(dir.path().join("index.sqlite")).expect("remove");
        others_are_given(&DirectoryKeyStore::open(dir.path()).expect(how), &sets, how);
    }
}

fn others_are_given(store: &DirectoryKeyStore, [lost, whole]: &[KeySet; 2], how: &str) {
    for period in &whole.periods {
        let found = store.get(&period.kid).expect(how).expect(how);
        assert_eq!(found.key, period.key, "{how}");
    }
    assert!(store.get(&Kid::from_bytes([9; 16])).expect(how).is_none(), "{how}");
    let given = store.get(&lost.periods[0].kid);
    assert!(!matches!(given, Ok(Some(_))), "{how}: a damaged set gives no key");
    assert!(store.of_generation("damaged", "g1").is_err(), "{how}");
    let fresh = || KeySet::generate(1).expect("keys");
    store.put("another", "g1", fresh()).expect(how);
    assert!(store.put("damaged", "g1", fresh()).is_err(), "{how}: never new keys for old media");
    assert_eq!(store.expire("whole", "g1", 1 << 50).expect(how), Some(1 << 50));
    let listed = store.list().expect(how);
    assert!(listed.iter().any(|one| one.asset == "whole"), "{how}");
}

#[test]
fn a_damaged_set_does_not_keep_others_under_the_old_kek() {
    let dir = tempfile::tempdir().expect("scratch");
    let [old, new] = [1, 2].map(|byte| KeyEncryptionKey::from_bytes([byte; 32]));
    let store = DirectoryKeyStore::open_under(dir.path(), old.clone().into()).expect("open");
    let whole = store.put("whole", "g1", KeySet::generate(1).expect("keys")).expect("put");
    store.put("cut", "g1", KeySet::generate(1).expect("keys")).expect("put");
    damage(&store.path(&set_file::name_of("cut", "g1")), "cut off");
    let both = KeyEncryptionKeys::new(new.clone(), vec![old]);
    let store = DirectoryKeyStore::open_under(dir.path(), both).expect("open");
    let error = store.rewrap().expect_err("the old key is still needed").to_string();
    assert!(error.contains("1 generations wrapped anew, and 1 that do not open"), "{error}");
    let store =
        DirectoryKeyStore::open_under(dir.path(), new.into()).expect("the new key is enough");
    assert_eq!(store.of_generation("whole", "g1").expect("read"), Some(whole));
}

#[test]
fn a_mended_set_gives_its_keys_again() {
    let dir = tempfile::tempdir().expect("scratch");
    let (store, [set, _], path) = two_sets(dir.path());
    let text = fs::read(&path).expect("read");
    damage(&path, "cut off");
    assert!(store.get(&set.periods[2].kid).is_err());
    fs::write(&path, text).expect("put back");
    let found = store.get(&set.periods[2].kid).expect("read").expect("there");
    assert_eq!(found.key, set.periods[2].key);
}

#[test]
fn keys_that_other_processes_store_are_found() {
    let dir = tempfile::tempdir().expect("scratch");
    let [one, two] = [0, 1].map(|_| DirectoryKeyStore::open(dir.path()).expect("open"));
    let set = one.put("a", "g1", KeySet::generate(2).expect("keys")).expect("put");
    assert!(two.get(&set.periods[1].kid).expect("read").is_some());
    // Put back from a backup, by hand.
    let other = tempfile::tempdir().expect("scratch");
    fs::copy(dir.path().join("kek"), other.path().join("kek")).expect("copy");
    let elsewhere = DirectoryKeyStore::open(other.path()).expect("open");
    let kept = elsewhere.put("b", "g1", KeySet::generate(2).expect("keys")).expect("put");
    let name = set_file::name_of("b", "g1");
    fs::copy(elsewhere.path(&name), one.path(&name)).expect("copy");
    for store in [&one, &two] {
        assert!(store.get(&kept.periods[1].kid).expect("read").is_some());
    }
}

#[test]
fn a_store_without_a_usable_index_makes_one() {
    for damage in [&b""[..], b"not a database at all, but some text that is long enough"] {
        let dir = tempfile::tempdir().expect("scratch");
        let (store, sets, _) = two_sets(dir.path());
        drop(store);
        for ending in ["-wal", "-shm"] {
            let _ = fs::remove_file(dir.path().join(format!("index.sqlite{ending}")));
        }
        fs::write(dir.path().join("index.sqlite"), damage).expect("damage");
        let store = DirectoryKeyStore::open(dir.path()).expect("open");
        for period in sets.iter().flat_map(|set| &set.periods) {
            assert!(store.get(&period.kid).expect("read").is_some());
        }
    }
}

/// Were a file read for a key id that nobody knows, it would be found damaged.
#[test]
fn an_unknown_key_id_reads_no_key_file() {
    let dir = tempfile::tempdir().expect("scratch");
    let (store, ..) = two_sets(dir.path());
    for name in sets_in(&generations(dir.path())).expect("list") {
        fs::write(store.path(&name), "damaged").expect("write in place");
    }
    for byte in 0..200 {
        assert!(store.get(&Kid::from_bytes([byte; 16])).expect("get").is_none());
    }
    store.put("another", "g1", KeySet::generate(9).expect("keys")).expect("put");
    assert!(store.seen().damaged.is_empty(), "a file was read");
}

#[test]
fn what_a_key_store_makes_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("scratch");
    let root = dir.path().join("keys");
    let (_store, ..) = two_sets(&root);
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("list") {
            let path = entry.expect("entry").path();
            let mode = fs::metadata(&path).expect("facts").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
            folders.extend(path.is_dir().then_some(path));
        }
    }
}

#[test]
fn a_kek_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    for mode in [0o644, 0o640, 0o606, 0o660] {
        let dir = tempfile::tempdir().expect("scratch");
        drop(DirectoryKeyStore::open(dir.path()).expect("open"));
        let kek = dir.path().join("kek");
        fs::set_permissions(&kek, fs::Permissions::from_mode(mode)).expect("chmod");
        let error = DirectoryKeyStore::open(dir.path()).err().expect("refused").to_string();
        assert!(error.contains(&format!("chmod 600 {}", kek.display())), "{error}");
    }
}
