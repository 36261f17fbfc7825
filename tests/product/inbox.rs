//! Inboxes: files are taken when they are complete, whatever they are called, once.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use vodmill_tests::cases::{NAMES, case};
use vodmill_tests::conformance::assert_package;
use vodmill_tests::product::{Daemon, Home, SMALL_LADDER, wait_until};
use vodmill_tests::tools::succeeded;

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
    let latin = OsStr::from_bytes(b"\xe5 latin.mp4");
    home.drop_into("default", &case("good.mp4"), latin);
    let _daemon = Daemon::start(&home, &[]);
    let jobs = wait_for_jobs(&home, NAMES.len() + 1);
    assert!(jobs.iter().all(|job| job["state"] == "published"), "{jobs:?}");
    for asset in home.assets() {
        let name = asset.file_name().expect("an asset has a name").to_string_lossy();
        let safe = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        assert!(name.chars().all(safe) && !name.starts_with(['-', '.']), "{name}");
        assert_package(&asset, None);
    }
    assert_eq!(home.assets().len(), NAMES.len() + 1);
    wait_until("originals are moved", PATIENCE, || {
        (names(&home.inbox("default").join("done")).len() == NAMES.len() + 1).then_some(())
    });
    let done = names(&home.inbox("default").join("done"));
    let all = NAMES.iter().copied().chain(["\u{fffd} latin.mp4"]);
    assert_eq!(done, all.map(str::to_owned).collect());
    assert!(home.inbox("default").join("done").join(latin).exists(), "its name was altered");
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

/// The second one is the same content under the same name: it goes where the first one went.
#[test]
fn the_same_file_again_is_put_away_too() {
    let home = Home::quick("", false);
    let place = home.drop_into("default", &case("good.mp4"), "good.mp4");
    let _daemon = Daemon::start(&home, &[]);
    wait_for_jobs(&home, 1);
    let done = home.inbox("default").join("done");
    wait_until("the original is moved", PATIENCE, || done.join("good.mp4").exists().then_some(()));
    // With its time, as careful copying does: only so is it the same file.
    succeeded(Command::new("cp").arg("-p").arg(done.join("good.mp4")).arg(&place)).expect("cp");
    let again = done.join("good.2.mp4");
    wait_until("the second one is moved", PATIENCE, || again.exists().then_some(()));
    assert_eq!(home.jobs().len(), 1, "{:?}", home.jobs());
}

#[test]
fn another_file_of_the_same_name_is_the_next_generation() {
    let home = Home::quick("", false);
    home.drop_into("default", &case("good.mp4"), "good.mp4");
    let _daemon = Daemon::start(&home, &[]);
    wait_for_jobs(&home, 1);
    let first = home.asset_json(&home.only_asset());
    home.drop_into("default", &case("faststart.mp4"), "good.mp4");
    wait_for_jobs(&home, 2);
    let second = home.asset_json(&home.only_asset());
    let number = |asset: &Value| asset["generation"].as_str().expect("a name")[..5].to_owned();
    assert_eq!((number(&first), number(&second)), ("g0001".to_owned(), "g0002".to_owned()));
    assert_ne!(first["original"]["sha256"], second["original"]["sha256"]);
    assert_package(&home.only_asset(), None);
}

/// The first job must not publish a mixture: it is refused, and the new file is a job of its own.
#[test]
fn a_file_replaced_while_it_is_worked_on() {
    let home = Home::quick("", false);
    home.drop_into("default", &case("minute.mp4"), "film.mp4");
    let daemon = Daemon::start(&home, &["--log", "debug"]);
    let is_done = |line: &str| line.contains("video/") && line.contains("task done");
    wait_until("a chunk is done", PATIENCE, || daemon.log().lines().any(is_done).then_some(()));
    home.drop_into("default", &case("good.mp4"), "film.mp4");
    let jobs = wait_for_jobs(&home, 2);
    let with = |state: &str| jobs.iter().filter(|job| job["state"] == state).count();
    assert_eq!((with("published"), with("rejected")), (1, 1), "{jobs:?}");
    let refused = jobs.iter().find(|job| job["state"] == "rejected").expect("one is");
    assert_eq!(refused["reason"]["reason"], "input_changed", "{refused}");
    let done = home.inbox("default").join("done/film.mp4");
    wait_until("the new one is put away", PATIENCE, || done.exists().then_some(()));
    assert_eq!(fs::read(done).expect("it"), fs::read(case("good.mp4")).expect("the case"));
    assert_package(&home.only_asset(), None);
}

/// A job under way keeps the pipeline that it was taken with; it is not worked on twice.
#[test]
fn an_edited_preset_makes_no_second_job_of_a_file_under_way() {
    let home = Home::quick("", false);
    home.drop_into("default", &case("minute.mp4"), "film.mp4");
    let mut daemon = Daemon::start(&home, &[]);
    wait_until("the job is taken", PATIENCE, || (!home.jobs().is_empty()).then_some(()));
    daemon.kill();
    home.write("presets/small.toml", &SMALL_LADDER.replace("crf = 28", "crf = 30"));
    let _again = Daemon::start(&home, &[]);
    let jobs = wait_for_jobs(&home, 1);
    assert_eq!((jobs.len(), &jobs[0]["state"]), (1, &"published".into()), "{jobs:?}");
    assert_eq!(home.jobs().len(), 1);
}

#[test]
fn a_second_daemon_is_refused_in_plain_words() {
    let home = Home::quick("", false);
    let daemon = Daemon::start(&home, &[]);
    let queue = home.at("state/daemon/queue.sqlite");
    wait_until("the first one has begun", PATIENCE, || queue.exists().then_some(()));
    let second = home.vodmill(&["daemon"]);
    assert_eq!(second.code, 1, "{second:?}");
    assert!(second.err.contains("another vodmill is at work"), "{}", second.err);
    // One in the foreground has a state of its own.
    home.publish(&case("good.mp4"));
    drop(daemon);
}

#[test]
fn a_text_is_refused() {
    let home = Home::quick("", false);
    home.drop_into("default", &case("text.mp4"), "notes.mp4");
    let _daemon = Daemon::start(&home, &[]);
    let note = home.inbox("default").join("rejected/notes.mp4.reason.txt");
    let note = wait_until("the reason is there", PATIENCE, || fs::read_to_string(&note).ok());
    for part in ["notes.mp4", "What was found:", "What to do:", "Reason code:"] {
        assert!(note.contains(part), "{note}");
    }
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

/// A transport stream looks whole wherever it is cut: all that tells is who has it open.
#[test]
fn a_stream_whose_copy_pauses_is_published_whole() {
    let home = Home::quick("", false);
    let bytes = fs::read(case("good.ts")).expect("the case");
    let place = home.inbox("default").join("slow.ts");
    let mut file = File::create(&place).expect("a file in the inbox");
    file.write_all(&bytes[..bytes.len() / 2]).expect("half of it");
    let _daemon = Daemon::start(&home, &[]);
    let pause = Instant::now();
    wait_until("a pause longer than any settling", PATIENCE, || {
        assert!(home.jobs().is_empty(), "taken while it is open for writing");
        (pause.elapsed() > Duration::from_secs(8)).then_some(())
    });
    file.write_all(&bytes[bytes.len() / 2..]).expect("the rest");
    drop(file);
    let jobs = wait_for_jobs(&home, 1);
    assert_eq!((jobs.len(), &jobs[0]["state"]), (1, &"published".into()), "{jobs:?}");
    let original = &home.asset_json(&home.only_asset())["original"];
    assert_eq!((&original["bytes"], &original["name"]), (&bytes.len().into(), &"slow.ts".into()));
}

/// Names of programs that are not done yet are neither taken nor moved away from under them.
#[test]
fn what_other_programs_are_writing_stays_where_it_is() {
    let home = Home::quick("", false);
    let names_left = ["a.mp4.filepart", "b.mp4.!qB", "c.mp4.opdownload", "d.mp4", "d.mp4.aria2"];
    for name in names_left {
        home.drop_into("default", &case("good.mp4"), name);
    }
    home.drop_into("default", &case("good.mp4"), "Team Meeting – Ü 2026.mp4");
    let _daemon = Daemon::start(&home, &[]);
    wait_for_jobs(&home, 1);
    assert_eq!(home.only_asset().file_name(), Some(OsStr::new("team-meeting-u-2026")));
    wait_until("the original is moved", PATIENCE, || {
        (names(&home.inbox("default")) == names_left.map(str::to_owned).into()).then_some(())
    });
    assert_eq!(home.jobs().len(), 1, "{:?}", home.jobs());
}

/// A pipe in an inbox keeps nobody waiting, and ten thousand files no other inbox; the daemon leaves
/// in the midst of them.
#[test]
fn one_inbox_does_not_stop_another() {
    let home = Home::quick("", false);
    home.pipeline("other", "destination = \"elsewhere\"", "", false);
    let pipe = home.inbox("default").join("pipe.ts");
    succeeded(Command::new("mkfifo").arg(&pipe)).expect("mkfifo");
    for number in 0..4000 {
        fs::write(home.inbox("default").join(format!("{number}.txt")), "no media").expect("write");
    }
    let mut daemon = Daemon::start(&home, &[]);
    wait_until("the first ones are taken", PATIENCE, || (home.jobs().len() > 10).then_some(()));
    home.drop_into("other", &case("good.mp4"), "good.mp4");
    let dropped = Instant::now();
    let taken = |job: &Value| job["pipeline"] == "other";
    wait_until("the other one is taken", PATIENCE, || home.jobs().iter().any(taken).then_some(()));
    assert!(dropped.elapsed() < Duration::from_secs(20), "after {:?}", dropped.elapsed());
    let asked = Instant::now();
    daemon.terminate();
    daemon.ended(PATIENCE);
    assert!(asked.elapsed() < Duration::from_secs(20), "left after {:?}", asked.elapsed());
}
