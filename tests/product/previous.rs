//! A home as the previous build left it: published packages, their keys, a queue, and a job that was
//! killed half way. See `tests/fixtures/README.md`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use serde_json::Value;
use vodmill_tests::product::{Daemon, Home, tree, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

/// The job that was killed when its first chunk was done.
const HALF: &str = "14a94ff4918c2218";

/// The home of the fixture, where this test is.
fn home() -> Home {
    let home = Home::new();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/home-0.1.0");
    for (name, from) in tree(&kept) {
        let to = home.at(&name);
        fs::create_dir_all(to.parent().expect("a folder")).expect("making");
        match name.strip_suffix(".sql") {
            Some(database) => load(&home, &from, &home.at(database)),
            None => drop(fs::copy(from, &to).expect("copying")),
        }
    }
    for (name, path) in tree(&home.at("state")) {
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(path, private).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    // What the queue knows of the original that was being worked on.
    let modified = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_795_932_142_196_130_712);
    let original = fs::File::options().write(true).open(home.at("inbox/half/half.mp4"));
    original.and_then(|file| file.set_modified(modified)).expect("dating the original");
    home
}

/// Makes a database of its text.
fn load(home: &Home, text: &Path, database: &Path) {
    let text = fs::read_to_string(text).expect("reading");
    let text = text.replace("@HOME@", home.path().to_str().expect("a path of text"));
    let database = Connection::open(database).expect("a database");
    // Its rows are in the order of their tables.
    database.pragma_update(None, "foreign_keys", false).expect("an option");
    database.pragma_update(None, "journal_mode", "wal").expect("a log");
    database.execute_batch(&text).expect("its tables");
}

fn sound(home: &Home, asset: &str) {
    for level in [&["check"][..], &["check", "--full"]] {
        let folder = home.at("published").join(asset);
        let folder = folder.to_str().expect("a path of text");
        let ended = home.vodmill(&[level, &[folder]].concat());
        assert!(ended.out.ends_with("\nsound\n"), "{asset}: {ended:?}");
    }
}

#[test]
fn what_it_published_is_proved_priced_and_given_other_keys() {
    let home = home();
    sound(&home, "film");
    sound(&home, "clear");
    let jobs: BTreeMap<String, String> = home.jobs().iter().map(state).collect();
    assert_eq!(jobs.len(), 4);
    assert_eq!(jobs.values().filter(|state| *state == "published").count(), 3, "{jobs:?}");
    for cost in
        [&["cost", "film", "--views", "100", "--region", "us-east-1"][..], &["cost", "--by-month"]]
    {
        let ended = home.vodmill(&[cost, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let place = home.at("published");
    let rekeyed = home.vodmill(&["rekey", "film", "--in", place.to_str().expect("text")]);
    assert_eq!(rekeyed.code, 0, "{rekeyed:?}");
    sound(&home, "film");
}

#[test]
fn what_it_replaced_is_removed_and_nothing_else() {
    let home = home();
    let before = tree(&home.at("published"));
    let ended = home.vodmill(&["gc", "--keep-days", "0"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let after = tree(&home.at("published"));
    let gone: Vec<_> = before.keys().filter(|name| !after.contains_key(*name)).collect();
    assert!(!gone.is_empty(), "{ended:?}");
    assert!(gone.iter().all(|name| name.starts_with("film/g0001-")), "{gone:?}");
    sound(&home, "film");
    sound(&home, "clear");
}

#[test]
fn what_it_was_at_goes_on_where_it_was() {
    let home = home();
    let chunk = || {
        let shown = home.vodmill(&["jobs", "show", HALF, "--json"]);
        let job: Value = serde_json::from_str(&shown.out).expect("JSON");
        let tasks = job["tasks"].as_array().expect("tasks").clone();
        tasks.into_iter().find(|task| task["key"] == "video/0000").expect("a first chunk")
    };
    let before = chunk();
    let _daemon = Daemon::start(&home, &[]);
    wait_until("the job is published", PATIENCE, || {
        home.jobs().iter().map(state).find(|(id, state)| id == HALF && state == "published")
    });
    assert_eq!(chunk(), before, "the chunk that was done is not done again");
    sound(&home, "half");
}

fn state(job: &Value) -> (String, String) {
    let text = |field: &str| job[field].as_str().expect("text").to_owned();
    (text("id"), text("state"))
}
