//! The contract on every store, and what is particular to one.

mod archive;
mod bucket;
mod events;
mod faults;
mod location;
mod probe;
mod proxy;
mod server;
mod sync;

use vodmill_store::s3::{ObjectSettings, S3Store};
use vodmill_store::{
    Headers, Key, LocalStore, MemoryStore, PendingUpload, Store, StoreError, Upload, conformance,
};

#[test]
fn local_keeps_the_contract() {
    let dir = tempfile::tempdir().expect("scratch");
    conformance::run(&LocalStore::new(dir.path().join("root")), dir.path());
}

#[test]
fn memory_keeps_the_contract() {
    let dir = tempfile::tempdir().expect("scratch");
    conformance::run(&MemoryStore::default(), dir.path());
}

#[test]
fn a_bucket_keeps_the_contract() {
    let dir = tempfile::tempdir().expect("scratch");
    let prefix = Key::new(server::unique("contract")).expect("key");
    let (settings, objects) = (server::settings(), ObjectSettings::default());
    let store = S3Store::new("tests", Some(&prefix), &settings, &objects);
    conformance::run(&store, dir.path());
    assert!(store.claims_hold());
}

#[test]
fn keys_cannot_leave_the_store() {
    for bad in ["", "/etc/passwd", "a//b", "a/../b", ".", "a/.", "a\\b", "a\nb"] {
        assert!(matches!(Key::new(bad), Err(StoreError::BadKey(_))), "{bad:?}");
    }
}

#[test]
fn a_failed_put_leaves_the_old_object_and_no_litter() {
    let dir = tempfile::tempdir().expect("scratch");
    let store = LocalStore::new(dir.path());
    std::fs::create_dir(dir.path().join("occupied")).expect("a folder in the way");
    let key = Key::new("occupied").expect("key");
    let error =
        store.put(&key, b"x", &Headers::default()).expect_err("a folder cannot be replaced");
    assert_eq!(error.to_string(), "put occupied");
    assert_eq!(std::fs::read_dir(dir.path()).expect("list").count(), 1, "only the folder");
}

#[test]
fn what_was_begun_is_removed_where_nobody_is_at_work() {
    let dir = tempfile::tempdir().expect("scratch");
    let store = LocalStore::new(dir.path());
    let folder = dir.path().join("a/b");
    std::fs::create_dir_all(&folder).expect("folder");
    for name in [".vodmill-1-0-one.ts", ".vodmill-1-1-two-three.ts", "one.ts"] {
        std::fs::write(folder.join(name), "x").expect("write");
    }
    let is_over = |begun: &PendingUpload| {
        assert!(begun.since.is_some_and(|since| since.elapsed().is_ok()), "{begun:?}");
        begun.key.as_str() == "a/b/two-three.ts"
    };
    store.remove_unfinished(Some(&Key::new("a").expect("key")), &|_| false).expect("look");
    store.remove_unfinished(None, &is_over).expect("remove");
    assert!(folder.join(".vodmill-1-0-one.ts").exists() && folder.join("one.ts").exists());
    assert!(!folder.join(".vodmill-1-1-two-three.ts").exists());
}

#[test]
fn symbolic_links_are_not_published() {
    let dir = tempfile::tempdir().expect("scratch");
    let link = dir.path().join("link");
    std::os::unix::fs::symlink("/etc/hostname", &link).expect("link");
    let store = LocalStore::new(dir.path().join("root"));
    let key = Key::new("a/g").expect("key");
    let upload = Upload { key, file: link, bytes: 1, headers: Headers::default(), bulk: false };
    assert!(matches!(store.put_files(&[upload]), Err(StoreError::NotAnObject(_))));
}

#[test]
fn nothing_is_kept_behind_a_link() {
    let dir = tempfile::tempdir().expect("scratch");
    let (root, outside) = (dir.path().join("root"), dir.path().join("outside"));
    std::fs::create_dir_all(root.join("a")).expect("folder");
    std::fs::create_dir_all(outside.join("b")).expect("folder");
    std::fs::write(outside.join("x"), "theirs").expect("file");
    std::os::unix::fs::symlink(&outside, root.join("linked")).expect("link");
    std::os::unix::fs::symlink(outside.join("x"), root.join("a/x")).expect("link");
    std::os::unix::fs::symlink(outside.join("gone"), root.join("a/gone")).expect("link");
    let store = LocalStore::new(&root);
    for name in ["linked/x", "linked/new", "linked/b/new", "a/x", "a/gone"] {
        let key = Key::new(name).expect("a key");
        let upload = dir.path().join("upload");
        std::fs::write(&upload, "ours").expect("file");
        let headers = Headers::default();
        let kept = headers.clone();
        let upload =
            Upload { key: key.clone(), file: upload, bytes: 4, headers: kept, bulk: false };
        for done in [
            store.put(&key, b"ours", &headers).err(),
            store.get(&key).err(),
            store.get_version(&key).err(),
            store.put_files(&[upload]).err(),
        ] {
            assert!(matches!(done, Some(StoreError::Link(_))), "{name}: {done:?}");
        }
    }
    assert_eq!(std::fs::read_to_string(outside.join("x")).expect("theirs"), "theirs");
    assert!(!outside.join("new").exists() && !outside.join("gone").exists());
}
