//! Inboxes: files are taken when they are complete, whatever they are called, once.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use vodmill_tests::cases::{NAMES, case};
use vodmill_tests::conformance::assert_package;
use vodmill_tests::product::{Daemon, Home, wait_until};

const PATIENCE: Duration = Duration::from_secs(180);

fn ended(home: &Home) -> Vec<Value> {
    let over = ["published", "rejected", "failed", "cancelled"];
    let jobs = home.jobs().into_iter();
    jobs.filter(|job| over.iter().any(|state| job["state"] == *state)).collect()
}

fn wait_for_jobs(home: &Home, count: usize) -> Vec<Value> {
    wait_until("jobs end", PATIENCE, || {
        let ended = ended(home);
        (ended.len() >= count).then_some(ended)
    })
}

/// Names of the files in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// I4: half a file, a pause, the rest.
#[test]
fn a_file_still_being_copied_is_left_alone() {
    let home = Home::quick("", false);
    let bytes = fs::read(case("good.mp4")).expect("the case");
    let place = home.inbox("default").join("slow.mp4");
    let mut file = File::create(&place).expect("a file in the inbox");
    file.write_all(&bytes[..bytes.len() / 2]).expect("half of it");
    let _daemon = Daemon::start(&home, &[]);
    let pause = Instant::now();
    wait_until("a pause longer than settling", PATIENCE, || {
        assert!(home.jobs().is_empty(), "taken while incomplete");
        (pause.elapsed() > Duration::from_secs(5)).then_some(())
    });
    file.write_all(&bytes[bytes.len() / 2..]).expect("the rest");
    drop(file);
    let jobs = wait_for_jobs(&home, 1);
    assert_eq!(jobs[0]["state"], "published", "{jobs:?}");
    assert_package(&home.only_asset(), None);
}

#[test]
fn names_are_only_names() {
    let home = Home::quick("", false);
    for name in NAMES {
        home.drop_into("default", &case("good.mp4"), name);
    }
    let _daemon = Daemon::start(&home, &[]);
    let jobs = wait_for_jobs(&home, NAMES.len());
    assert!(jobs.iter().all(|job| job["state"] == "published"), "{jobs:?}");
    for asset in home.assets() {
        assert_package(&asset, None);
    }
    assert_eq!(home.assets().len(), NAMES.len());
    wait_until("originals are moved", PATIENCE, || {
        (names(&home.inbox("default").join("done")).len() == NAMES.len()).then_some(())
    });
    let done = names(&home.inbox("default").join("done"));
    assert_eq!(done, NAMES.iter().map(|name| (*name).to_owned()).collect());
    assert!(names(&home.inbox("default")).is_empty());
}

#[test]
fn a_file_is_taken_once() {
    let home = Home::quick("", false);
    home.drop_into("default", &case("film.mp4"), "film.mp4");
    let mut daemon = Daemon::start(&home, &[]);
    wait_until("the job is taken", PATIENCE, || (!home.jobs().is_empty()).then_some(()));
    daemon.kill();
    let _again = Daemon::start(&home, &[]);
    wait_for_jobs(&home, 1);
    assert_eq!(home.jobs().len(), 1, "{:?}", home.jobs());
    wait_until("the original is moved", PATIENCE, || {
        names(&home.inbox("default").join("done")).contains("film.mp4").then_some(())
    });
}

#[test]
fn folders_are_pipelines() {
    let home = Home::quick("", false);
    home.pipeline("other", "destination = \"elsewhere\"", "", false);
    home.drop_into("other", &case("good.mp4"), "good.mp4");
    let _daemon = Daemon::start(&home, &[]);
    let jobs = wait_for_jobs(&home, 1);
    assert_eq!((&jobs[0]["pipeline"], &jobs[0]["state"]), (&"other".into(), &"published".into()));
    assert!(home.at("elsewhere/good/asset.json").is_file());
}

#[test]
fn a_refused_file_is_kept_with_its_reason() {
    let home = Home::quick("", false);
    home.drop_into("default", &case("damaged.mp4"), "holiday.mp4");
    let _daemon = Daemon::start(&home, &[]);
    let jobs = wait_for_jobs(&home, 1);
    assert_eq!(jobs[0]["state"], "rejected", "{jobs:?}");
    let rejected = home.inbox("default").join("rejected");
    let moved = wait_until("the file is moved", PATIENCE, || {
        let moved: PathBuf = rejected.join("holiday.mp4");
        moved.exists().then_some(moved)
    });
    let bytes = |path: &Path| fs::read(path).expect("a file");
    assert_eq!(bytes(&moved), bytes(&case("damaged.mp4")), "the original was altered");
    let notes: Vec<String> = names(&rejected)
        .into_iter()
        .filter(|name| name.starts_with("holiday.mp4.reason"))
        .collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    let note = fs::read_to_string(rejected.join(&notes[0])).expect("the reason");
    assert!(note.contains("media_damaged"), "{note}");
    assert!(home.assets().is_empty());
}
