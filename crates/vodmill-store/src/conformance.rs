//! The contract of [`Store`] as a suite, to be run on every implementation.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{Entry, Expected, Headers, Key, PutOutcome, Store, StoreError, Upload};

/// Runs the suite on an empty `store`, with `scratch`, an empty directory, to work in.
///
/// # Panics
/// Where the store does not keep the contract.
pub fn run(store: &dyn Store, scratch: &Path) {
    replaces_objects(store);
    keeps_keys_in_order(store);
    lets_the_first_decide(store);
    replaces_what_was_seen(store);
    removes_only_what_was_looked_at(store);
    spares_what_is_finished(store);
    has_one_winner(store);
    takes_files(store, scratch);
    takes_files_again(store, scratch);
    refuses_a_file_of_another_size(store, scratch);
    gives_files(store, scratch);
    removes_a_prefix_and_no_more(store);
    removes_objects(store);
}

fn key(text: &str) -> Key {
    Key::new(text).expect("a good key")
}

fn put(store: &dyn Store, name: &str, bytes: &[u8]) {
    store.put(&key(name), bytes, &Headers::default()).expect("put");
}

fn names(store: &dyn Store, prefix: &str) -> Vec<String> {
    let entries = store.list(&key(prefix)).expect("list");
    entries.into_iter().map(|entry| entry.key.to_string()).collect()
}

fn upload(scratch: &Path, name: &str, content: &str) -> Upload {
    let file = scratch.join(name.replace('/', "-"));
    fs::write(&file, content).expect("file");
    let headers = Headers {
        content_type: Some("text/plain".to_owned()),
        cache_control: Some("max-age=60".to_owned()),
    };
    Upload { key: key(name), file, bytes: content.len() as u64, headers, bulk: true }
}

fn replaces_objects(store: &dyn Store) {
    let object = key("a/pointer.json");
    assert!(matches!(store.get(&object), Err(StoreError::NotFound(_))), "nothing there yet");
    put(store, "a/pointer.json", b"one");
    put(store, "a/pointer.json", b"three");
    assert_eq!(store.get(&object).expect("get"), b"three");
    put(store, "a/empty", b"");
    assert_eq!(store.get(&key("a/empty")).expect("get"), b"");
}

fn keeps_keys_in_order(store: &dyn Store) {
    for name in ["b/z", "b/a/2", "b/a/1", "b/a+b %c", "bb/not-under-b"] {
        put(store, name, name.as_bytes());
    }
    let entry = |name: &str| Entry { key: key(name), bytes: name.len() as u64 };
    let expected = vec![entry("b/a+b %c"), entry("b/a/1"), entry("b/a/2"), entry("b/z")];
    assert_eq!(store.list(&key("b")).expect("list"), expected);
    assert_eq!(store.list(&key("nowhere")).expect("list"), vec![]);
}

fn put_if(store: &dyn Store, key: &Key, bytes: &[u8], expected: &Expected) -> PutOutcome {
    store.put_if(key, bytes, &Headers::default(), expected).expect("put")
}

fn lets_the_first_decide(store: &dyn Store) {
    let claim = key("claims/one");
    assert!(matches!(store.get_version(&claim), Err(StoreError::NotFound(_))), "nothing there");
    assert_eq!(put_if(store, &claim, b"first", &Expected::Nothing), PutOutcome::Stored);
    assert_eq!(put_if(store, &claim, b"second", &Expected::Nothing), PutOutcome::Refused);
    assert_eq!(store.get(&claim).expect("get"), b"first");
}

fn replaces_what_was_seen(store: &dyn Store) {
    let object = key("claims/two");
    let unseen = Expected::Version("\"0123456789abcdef0123456789abcdef\"".to_owned());
    assert_eq!(put_if(store, &object, b"none", &unseen), PutOutcome::Refused, "there is none yet");
    put(store, "claims/two", b"first");
    let (bytes, first) = store.get_version(&object).expect("get");
    assert_eq!(bytes, b"first");
    assert_eq!(put_if(store, &object, b"second", &first), PutOutcome::Stored);
    assert_eq!(
        put_if(store, &object, b"third", &first),
        PutOutcome::Refused,
        "it is the second now"
    );
    let (bytes, second) = store.get_version(&object).expect("get");
    assert_eq!(bytes, b"second");
    assert_eq!(put_if(store, &object, b"third", &second), PutOutcome::Stored);
}

fn removes_only_what_was_looked_at(store: &dyn Store) {
    put(store, "claims/old", b"one");
    let (_, one) = store.get_version(&key("claims/old")).expect("get");
    put(store, "claims/old", b"another");
    store.remove_if(&key("claims/old"), &one).expect("another one is there");
    assert_eq!(store.get(&key("claims/old")).expect("get"), b"another");
    let (_, another) = store.get_version(&key("claims/old")).expect("get");
    store.remove_if(&key("claims/old"), &another).expect("remove");
    assert!(matches!(store.get(&key("claims/old")), Err(StoreError::NotFound(_))));
    store.remove_if(&key("claims/old"), &another).expect("nothing is there");
    store.remove_if(&key("claims/none/old"), &Expected::Nothing).expect("nothing was there");
}

fn spares_what_is_finished(store: &dyn Store) {
    put(store, "begun/a/whole", b"whole");
    store.remove_unfinished(Some(&key("begun")), &|_| true).expect("remove what is unfinished");
    store.remove_unfinished(Some(&key("nowhere")), &|_| true).expect("nothing is there");
    store.remove_unfinished(None, &|_| true).expect("anywhere");
    assert_eq!(store.get(&key("begun/a/whole")).expect("get"), b"whole");
}

fn has_one_winner(store: &dyn Store) {
    if !store.claims_hold() {
        return;
    }
    for round in 0..5 {
        let claim = key(&format!("claims/race-{round}"));
        let winners = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for racer in 0..4 {
                let (claim, winners) = (&claim, &winners);
                scope.spawn(move || {
                    let bytes = format!("racer {racer}");
                    if put_if(store, claim, bytes.as_bytes(), &Expected::Nothing)
                        == PutOutcome::Stored
                    {
                        winners.fetch_add(1, Ordering::Relaxed);
                        assert_eq!(store.get(claim).expect("get"), bytes.as_bytes());
                    }
                });
            }
        });
        assert_eq!(winners.into_inner(), 1, "winners of round {round}");
    }
}

fn takes_files(store: &dyn Store, scratch: &Path) {
    let files =
        [upload(scratch, "asset/g1/hls/low/0.ts", "one"), upload(scratch, "asset/g1/r", "")];
    store.put_files(&files).expect("put files");
    assert!(files.iter().all(|upload| !upload.file.exists()), "the files were taken");
    assert_eq!(store.get(&key("asset/g1/hls/low/0.ts")).expect("get"), b"one");
    assert_eq!(names(store, "asset"), ["asset/g1/hls/low/0.ts", "asset/g1/r"]);
    store.put_files(&[]).expect("no files are no error");
}

/// After a crash between two files the whole call is repeated.
fn takes_files_again(store: &dyn Store, scratch: &Path) {
    let first = upload(scratch, "again/1", "one");
    store.put_files(std::slice::from_ref(&first)).expect("put");
    let second = upload(scratch, "again/2", "two");
    store.put_files(&[first, second]).expect("repeated, with one more");
    assert_eq!(names(store, "again"), ["again/1", "again/2"]);
    let other = upload(scratch, "again/1", "1");
    store.put_files(&[other]).expect("replaced");
    assert_eq!(store.get(&key("again/1")).expect("get"), b"1");
}

fn refuses_a_file_of_another_size(store: &dyn Store, scratch: &Path) {
    let grown = Upload { bytes: 2, ..upload(scratch, "size/1", "one") };
    store.put_files(&[grown]).expect_err("it is not what the caller takes it for");
    let missing = Upload { file: scratch.join("nothing"), ..upload(scratch, "size/2", "x") };
    store.put_files(&[missing]).expect_err("neither file nor object");
    assert_eq!(names(store, "size"), Vec::<String>::new());
}

fn gives_files(store: &dyn Store, scratch: &Path) {
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
    put(store, "big/1", &bytes);
    let path = scratch.join("got");
    store.get_file(&key("big/1"), &path).expect("get file");
    assert_eq!(fs::read(&path).expect("read"), bytes);
    let missing = store.get_file(&key("big/2"), &scratch.join("missing"));
    assert!(matches!(missing, Err(StoreError::NotFound(_))), "{missing:?}");
    if let Some(file) = store.file(&key("big/1")) {
        assert_eq!(fs::read(file).expect("read in place"), bytes);
    }
}

fn removes_a_prefix_and_no_more(store: &dyn Store) {
    put(store, "gone/one", b"1");
    put(store, "gone/deep/two", b"2");
    put(store, "gone-not", b"3");
    store.remove(&key("gone")).expect("remove");
    store.remove(&key("gone")).expect("remove again");
    assert_eq!(store.list(&key("gone")).expect("list"), vec![]);
    assert_eq!(store.get(&key("gone-not")).expect("get"), b"3");
}

fn removes_objects(store: &dyn Store) {
    put(store, "some/one", b"1");
    put(store, "some/two", b"2");
    store.remove_objects(&[key("some/one"), key("some/never")]).expect("remove");
    assert_eq!(names(store, "some"), ["some/two"]);
    store.remove_objects(&[]).expect("none");
}
