//! The contract of [`Store`] as a suite, to be run on every implementation.

use std::fs;
use std::path::Path;

use crate::{Entry, Key, Store, StoreError, Tree};

/// Runs the suite on an empty `store`, with `scratch`, an empty directory, to work in.
///
/// # Panics
/// Where the store does not keep the contract.
pub fn run(store: &dyn Store, scratch: &Path) {
    replaces_objects(store);
    keeps_keys_in_order(store);
    stores_a_tree_once(store, scratch);
    removes_a_prefix_and_no_more(store);
}

fn key(text: &str) -> Key {
    Key::new(text).expect("a good key")
}

fn replaces_objects(store: &dyn Store) {
    let object = key("a/pointer.json");
    assert!(matches!(store.get(&object), Err(StoreError::NotFound(_))), "nothing there yet");
    store.put(&object, b"one").expect("put");
    store.put(&object, b"three").expect("put again");
    assert_eq!(store.get(&object).expect("get"), b"three");
}

fn keeps_keys_in_order(store: &dyn Store) {
    for name in ["b/z", "b/a/2", "b/a/1", "bb/not-under-b"] {
        store.put(&key(name), name.as_bytes()).expect("put");
    }
    let entry = |name: &str| Entry { key: key(name), bytes: name.len() as u64 };
    let expected = vec![entry("b/a/1"), entry("b/a/2"), entry("b/z")];
    assert_eq!(store.list(&key("b")).expect("list"), expected);
    assert_eq!(store.list(&key("nowhere")).expect("list"), vec![]);
}

fn stores_a_tree_once(store: &dyn Store, scratch: &Path) {
    let dir = scratch.join("tree");
    let make = |content: &str| {
        fs::create_dir_all(dir.join("hls/low")).expect("folders");
        fs::write(dir.join("hls/low/000000.ts"), content).expect("file");
        fs::write(dir.join("receipt.json"), content).expect("file");
    };
    make("first");
    let prefix = key("asset/g1");
    assert_eq!(store.put_tree(&prefix, &dir).expect("put tree"), Tree::Stored);
    assert!(!dir.exists(), "the directory was taken");
    assert_eq!(store.get(&key("asset/g1/hls/low/000000.ts")).expect("get"), b"first");
    assert_eq!(store.put_tree(&prefix, &dir).expect("repeated"), Tree::AlreadyThere);
    make("second");
    assert_eq!(store.put_tree(&prefix, &dir).expect("repeated"), Tree::AlreadyThere);
    assert!(!dir.exists(), "the directory was taken");
    assert_eq!(store.get(&key("asset/g1/receipt.json")).expect("get"), b"first");
}

fn removes_a_prefix_and_no_more(store: &dyn Store) {
    store.put(&key("gone/one"), b"1").expect("put");
    store.put(&key("gone-not"), b"2").expect("put");
    store.remove(&key("gone")).expect("remove");
    store.remove(&key("gone")).expect("remove again");
    assert_eq!(store.list(&key("gone")).expect("list"), vec![]);
    assert_eq!(store.get(&key("gone-not")).expect("get"), b"2");
}
