//! Other keys for a package, while jobs publish the same asset.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

use vodmill_model::transcode::{Progress, ProgressSink};
use vodmill_pipeline::{Error, Rekey, Rekeyed, Worker, names_path};
use vodmill_queue::{JobState, SqliteQueue};
use vodmill_store::{
    Entry, Expected, Headers, Key, LocalStore, PendingUpload, PutOutcome, Store, StoreError, Upload,
};

use crate::fake::{Original, What};
use crate::home::{Bounds, Home, assert_state, fault, work, work_until};

fn rekey(home: &Home, worker: &Worker, watch: &dyn ProgressSink) -> Result<Rekeyed, Error> {
    rekey_in(&LocalStore::new(home.published("")), home, worker, watch)
}

fn rekey_in(
    store: &dyn Store,
    home: &Home,
    worker: &Worker,
    watch: &dyn ProgressSink,
) -> Result<Rekeyed, Error> {
    let names = SqliteQueue::open(names_path(&home.settings(Bounds::default()).keys));
    let rekey = Rekey {
        store,
        keys: &*worker.keys(),
        names: &names.expect("names"),
        asset: "film",
        scratch: home.root.join("rekey"),
        watch,
    };
    rekey.run()
}

fn version(home: &Home, worker: &Worker, title: &str) -> String {
    let original = home.drop_original("film.mov", &Original::titled(title));
    worker.submit(&home.submission(&original, "secret")).expect("submit").job
}

fn current(home: &Home) -> String {
    let generation = home.generation("film");
    generation.file_name().expect("a name").to_string_lossy().into_owned()
}

/// A new version has been planned; the old one gets other keys; then the new one is done.
#[test]
fn a_version_that_was_begun_before_is_published_after() {
    let home = Home::new();
    let worker = home.open();
    version(&home, &worker, "first");
    work(&worker);
    home.desk.order(&[fault("second", "mp4", 1, What::Fail)]);
    let second = version(&home, &worker, "second");
    work_until(&worker, || home.desk.count("second", "mp4") == 1);
    for round in ["g0001r1-", "g0001r2-"] {
        let done = rekey(&home, &worker, &|_| {}).expect("other keys");
        assert!(done.generation.starts_with(round), "{done:?}");
        assert_eq!(current(&home), done.generation);
        home.assert_sound(&worker, "film");
    }
    work(&worker);
    assert_state(&worker, &second, JobState::Published);
    assert_eq!(current(&home), format!("g0002-{}", &second[..8]));
    home.assert_sound(&worker, "film");
    let done = rekey(&home, &worker, &|_| {}).expect("other keys for the new one");
    assert_eq!(done.before, format!("g0002-{}", &second[..8]));
    home.assert_sound(&worker, "film");
}

#[test]
fn keys_that_are_overtaken_are_no_success() {
    let home = Home::new();
    let worker = home.open();
    version(&home, &worker, "first");
    work(&worker);
    let second = version(&home, &worker, "second");
    let meanwhile = Once::new();
    let watch = |_: Progress| meanwhile.call_once(|| work(&worker));
    let error = rekey(&home, &worker, &watch).expect_err("it was overtaken");
    let why = format!("{error:?}");
    assert!(why.contains("a later version was published meanwhile"), "{why}");
    assert_eq!(current(&home), format!("g0003-{}", &second[..8]), "the pointer goes only forward");
    home.assert_sound(&worker, "film");
    assert!(rekey(&home, &worker, &|_| {}).is_ok(), "the later version gets other keys");
    assert!(current(&home).starts_with("g0003r1-"));
}

#[test]
fn what_another_package_left_is_not_taken_along() {
    let home = Home::new();
    let worker = home.open();
    version(&home, &worker, "first");
    work(&worker);
    let playlist = home.published("film/index.m3u8");
    let left = fs::read(&playlist).expect("a playlist");
    assert!(rekey(&home, &worker, &|_| {}).is_ok());
    // The pointer has two objects: the old one of one of them, as after a crash.
    fs::write(&playlist, left).expect("write");
    assert!(rekey(&home, &worker, &|_| {}).is_ok());
    assert!(fs::read_to_string(&playlist).expect("a playlist").contains(&current(&home)));
    home.assert_sound(&worker, "film");
}

/// A store that gives no media as bytes, as a bucket gives none of more than 64 MiB.
struct FilesOnly(LocalStore);

impl Store for FilesOnly {
    fn get(&self, key: &Key) -> vodmill_store::Result<Vec<u8>> {
        match key.as_str().ends_with(".ts") {
            true => Err(StoreError::BadKey(format!("{key} is too large"))),
            false => self.0.get(key),
        }
    }

    fn put(&self, key: &Key, bytes: &[u8], headers: &Headers) -> vodmill_store::Result<()> {
        self.0.put(key, bytes, headers)
    }

    fn put_if(
        &self,
        key: &Key,
        bytes: &[u8],
        headers: &Headers,
        expected: &Expected,
    ) -> vodmill_store::Result<PutOutcome> {
        self.0.put_if(key, bytes, headers, expected)
    }

    fn put_files(&self, files: &[Upload]) -> vodmill_store::Result<()> {
        self.0.put_files(files)
    }

    fn get_version(&self, key: &Key) -> vodmill_store::Result<(Vec<u8>, Expected)> {
        self.0.get_version(key)
    }

    fn get_file(&self, key: &Key, path: &Path) -> vodmill_store::Result<()> {
        self.0.get_file(key, path)
    }

    fn file(&self, _key: &Key) -> Option<PathBuf> {
        None
    }

    fn list(&self, prefix: &Key) -> vodmill_store::Result<Vec<Entry>> {
        self.0.list(prefix)
    }

    fn remove(&self, prefix: &Key) -> vodmill_store::Result<()> {
        self.0.remove(prefix)
    }

    fn remove_objects(&self, keys: &[Key]) -> vodmill_store::Result<()> {
        self.0.remove_objects(keys)
    }

    fn remove_if(&self, key: &Key, expected: &Expected) -> vodmill_store::Result<()> {
        self.0.remove_if(key, expected)
    }

    fn remove_unfinished(
        &self,
        prefix: Option<&Key>,
        is_over: &dyn Fn(&PendingUpload) -> bool,
    ) -> vodmill_store::Result<()> {
        self.0.remove_unfinished(prefix, is_over)
    }
}

#[test]
fn objects_of_any_size_get_other_keys() {
    let home = Home::new();
    let worker = home.open();
    version(&home, &worker, "first");
    work(&worker);
    let store = FilesOnly(LocalStore::new(home.published("")));
    rekey_in(&store, &home, &worker, &|_| {}).expect("other keys");
    assert!(current(&home).starts_with("g0001r1-"));
    home.assert_sound(&worker, "film");
}
