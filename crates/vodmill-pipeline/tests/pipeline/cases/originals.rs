//! What becomes of originals.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use vodmill_model::Rejected;
use vodmill_pipeline::{Disposal, Stop, Submission, Worker};
use vodmill_queue::{JobInfo, JobState};

use crate::fake::{Original, What};
use crate::home::{Home, assert_state, fault, job, wait_until, work};

fn refusal(job: &JobInfo) -> Rejected {
    serde_json::from_str(job.reason.as_deref().expect("a reason")).expect("a refusal")
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.as_ref().display()))
}

#[test]
fn refused_originals_move_with_their_reason() {
    let home = Home::new();
    home.desk.order(&[fault("torn", "video/2", 1, What::Reject)]);
    let worker = home.open();
    let text = home.root.join("inbox/letter.mov");
    fs::write(&text, "Dear Sir or Madam").expect("write");
    let letter = worker.submit(&home.submission(&text, "clear")).expect("submit").job;
    let torn = home.submit(&worker, "torn", "clear");
    work(&worker);
    let codes = [(letter, "letter", "input_not_media"), (torn, "torn", "media_damaged")];
    for (id, name, code) in codes {
        let why = refusal(&assert_state(&worker, &id, JobState::Rejected));
        assert_eq!(why.reason.code(), code);
        let rejected = home.root.join("rejected").join(format!("{name}.mov"));
        assert!(rejected.is_file(), "{name}");
        let note = read(home.root.join("rejected").join(format!("{name}.mov.reason.txt")));
        let first = note.lines().next().expect("a line");
        assert!(first.contains(name), "{note}");
        assert!(note.contains(why.reason.remedy()) && note.contains(code), "{note}");
        assert!(!home.root.join("inbox").join(format!("{name}.mov")).exists());
        assert!(!home.published(name).exists());
    }
    home.assert_swept();
}

#[test]
fn an_original_that_is_replaced_is_a_job_of_its_own() {
    let home = Home::new();
    home.desk.order(&[fault("old", "audio", 1, What::Wait)]);
    let worker = home.open();
    let original = home.drop_original("film.mov", &Original::titled("old"));
    let submission = home.submission(&original, "clear");
    let old = worker.submit(&submission).expect("submit").job;
    let replace = || {
        wait_until("audio begun", || home.desk.count("old", "audio") == 1);
        home.drop_original("film.mov", &Original { frames: 300, ..Original::titled("new") });
        home.desk.let_go();
    };
    std::thread::scope(|scope| {
        scope.spawn(replace);
        work(&worker);
    });
    let why = refusal(&assert_state(&worker, &old, JobState::Rejected));
    assert_eq!(why.reason.code(), "input_changed");
    assert!(read(&original).contains("new"), "the new file is where it was put");
    assert!(!home.published("film").exists());
    let new = worker.submit(&home.submission(&original, "clear")).expect("submit").job;
    assert_ne!(old, new);
    work(&worker);
    assert_state(&worker, &new, JobState::Published);
    home.assert_sound(&worker, "film");
    assert!(read(home.root.join("done/film.mov")).contains("new"));
}

/// The old one's next look comes when the new one was published and put away already.
#[test]
fn an_original_that_was_replaced_and_carried_away_is_refused() {
    let home = Home::new();
    home.desk.order(&[fault("old", "audio", 1, What::Wait)]);
    let worker = home.open();
    let original = home.drop_original("film.mov", &Original::titled("old"));
    let old = worker.submit(&home.submission(&original, "clear")).expect("submit").job;
    let replace = || {
        wait_until("audio begun", || home.desk.count("old", "audio") == 1);
        home.drop_original("film.mov", &Original { frames: 300, ..Original::titled("new") });
        let new = worker.submit(&home.submission(&original, "clear")).expect("submit").job;
        wait_until("the new one is put away", || home.root.join("done/film.mov").exists());
        assert_state(&worker, &new, JobState::Published);
        home.desk.let_go();
    };
    std::thread::scope(|scope| {
        scope.spawn(replace);
        work(&worker);
    });
    let why = refusal(&assert_state(&worker, &old, JobState::Rejected));
    assert_eq!(why.reason.code(), "input_changed");
    home.assert_sound(&worker, "film");
}

#[test]
fn an_original_moves_only_after_publication() {
    let home = Home::new();
    let worker = home.open();
    let id = home.submit(&worker, "film", "clear");
    let (inbox, done) = (home.root.join("inbox/film.mov"), home.root.join("done/film.mov"));
    let stop = Stop::default();
    let ended = || job(&worker, &id).state.has_ended();
    std::thread::scope(|scope| {
        scope.spawn(|| worker.work(&stop, &ended));
        // Looked at in this order, a move that came too early cannot be missed.
        wait_until("moved", || {
            let moved = !inbox.exists();
            let pointer = home.published("film").join("asset.json").exists();
            assert!(!moved || pointer, "moved before it was published");
            moved
        });
    });
    assert!(done.is_file());
    assert_state(&worker, &id, JobState::Published);
}

#[test]
fn dropped_once_more_an_original_is_put_beside_the_first() {
    let home = Home::new();
    let worker = home.open();
    let original = home.drop_original("film.mov", &Original::titled("film"));
    let (bytes, modified) = (read(&original), fs::metadata(&original).and_then(|f| f.modified()));
    let submission = home.submission(&original, "clear");
    worker.submit(&submission).expect("submit");
    work(&worker);
    fs::write(&original, bytes).expect("write");
    let again = fs::File::options().write(true).open(&original).expect("open");
    again.set_modified(modified.expect("a time")).expect("set time");
    drop(again);
    assert_eq!(worker.submit(&submission).expect("submit").known, Some(JobState::Published));
    assert!(!original.exists());
    assert!(home.root.join("done/film.mov").is_file());
    assert!(home.root.join("done/film.2.mov").is_file());
}

#[test]
fn names_of_all_kinds_are_published_and_originals_may_stay() {
    let home = Home::new();
    let worker = home.open();
    let names: [&[u8]; 6] =
        [b"a b.mov", b"a+b.mov", b"-x'\"%20.mov", b"\xff\xfe.mov", b"\n.mov", b"x"];
    let jobs = names.map(|name| submit_and_leave(&home, &worker, OsStr::from_bytes(name)));
    work(&worker);
    let mut assets = Vec::new();
    for (name, id) in names.iter().zip(&jobs) {
        let asset = assert_state(&worker, id, JobState::Published).asset.expect("an asset");
        home.assert_sound(&worker, &asset);
        assert!(home.root.join("inbox").join(OsStr::from_bytes(name)).is_file());
        assets.push(asset);
    }
    assets.sort();
    assets.dedup();
    assert_eq!(assets.len(), names.len(), "{assets:?}");
}

fn submit_and_leave(home: &Home, worker: &Worker, name: &OsStr) -> String {
    let original = home.root.join("inbox").join(name);
    let json = serde_json::to_vec(&Original::titled("film")).expect("describe");
    fs::write(&original, json).expect("write");
    let submission =
        Submission { disposal: Disposal::Leave, ..home.submission(&original, "clear") };
    worker.submit(&submission).expect("submit").job
}

/// What a stranger does to the file at a path while its job is under way.
fn exchanged(meddle: impl Fn(&Path) + Sync) -> (Home, Worker, String) {
    let home = Home::new();
    home.desk.order(&[fault("old", "audio", 1, What::Wait)]);
    let worker = home.open();
    let original = home.drop_original("film.mov", &Original::titled("old"));
    let job = worker.submit(&home.submission(&original, "clear")).expect("submit").job;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_until("audio begun", || home.desk.count("old", "audio") == 1);
            meddle(&original);
            home.desk.let_go();
        });
        work(&worker);
    });
    (home, worker, job)
}

/// Writes a file of the same size and time as the one that is there.
fn replace_unseen(path: &Path, text: &str) {
    let modified = fs::metadata(path).and_then(|there| there.modified()).expect("a time");
    fs::remove_file(path).expect("remove");
    fs::write(path, text).expect("write");
    let file = fs::File::options().write(true).open(path).expect("open");
    file.set_modified(modified).expect("set time");
}

/// Size and time are as they were; what tells the two apart is the file's number and its content.
#[test]
fn another_file_of_the_same_size_and_time_is_not_published_as_the_first() {
    let (home, worker, job) = exchanged(|path| {
        replace_unseen(path, &read(path).replace("old", "new"));
    });
    let why = refusal(&assert_state(&worker, &job, JobState::Rejected));
    assert_eq!(why.reason.code(), "input_changed");
    assert!(!home.published("film").exists());
    let path = home.root.join("inbox/film.mov");
    assert!(read(&path).contains("new"), "it is where it was put");
    let new = worker.submit(&home.submission(&path, "clear")).expect("submit");
    assert_eq!(new.known, None);
    work(&worker);
    assert_state(&worker, &new.job, JobState::Published);
}

/// Only bytes in the middle differ, and it is the same file: all that tells is the time of change.
#[test]
fn bytes_that_are_changed_in_the_middle_are_found() {
    let meddle = |path: &Path| {
        let modified = fs::metadata(path).and_then(|there| there.modified()).expect("a time");
        let file = fs::File::options().write(true).open(path).expect("open");
        std::os::unix::fs::FileExt::write_all_at(&file, b"!", 40_000).expect("write");
        file.set_modified(modified).expect("set time");
    };
    let home = Home::new();
    home.desk.order(&[fault(&long_title(), "audio", 1, What::Wait)]);
    let worker = home.open();
    let original = home.drop_original("film.mov", &Original::titled(&long_title()));
    let job = worker.submit(&home.submission(&original, "clear")).expect("submit").job;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_until("audio begun", || home.desk.count(&long_title(), "audio") == 1);
            meddle(&original);
            home.desk.let_go();
        });
        work(&worker);
    });
    assert_eq!(
        refusal(&assert_state(&worker, &job, JobState::Rejected)).reason.code(),
        "input_changed"
    );
}

fn long_title() -> String {
    "x".repeat(100_000)
}

#[test]
fn links_pipes_and_folders_in_its_place_are_refused_and_block_nobody() {
    let meddlers: [fn(&Path); 3] = [
        |path| {
            let secret = path.with_file_name("../secret.mov");
            fs::rename(path, &secret).expect("move");
            std::os::unix::fs::symlink(&secret, path).expect("link");
        },
        |path| {
            fs::remove_file(path).expect("remove");
            let made = std::process::Command::new("mkfifo").arg(path).status();
            assert!(made.expect("mkfifo").success());
        },
        |path| {
            fs::remove_file(path).expect("remove");
            fs::create_dir(path).expect("folder");
        },
    ];
    for meddle in meddlers {
        let (home, worker, job) = exchanged(meddle);
        let why = refusal(&assert_state(&worker, &job, JobState::Rejected));
        assert_eq!(why.reason.code(), "input_changed", "{}", why.detail);
        assert!(!home.published("film").exists());
        assert!(home.submission_refused("film.mov"));
    }
}

/// Its content is what it was: a mode, an owner or a label is no other file.
#[test]
fn a_change_of_mode_is_no_change_of_the_original() {
    use std::os::unix::fs::PermissionsExt as _;
    let (home, worker, job) = exchanged(|path| {
        fs::set_permissions(path, fs::Permissions::from_mode(0o640)).expect("change mode");
    });
    assert_state(&worker, &job, JobState::Published);
    assert!(home.root.join("done/film.mov").is_file());
}

/// A file that comes under the name of one that was published, of the same size and time, and with
/// the same head and tail, is published too.
#[test]
fn another_original_is_told_by_all_of_its_content() {
    let home = Home::new();
    let worker = home.open();
    let title = |letter: &str| format!("{}{letter}{}", "x".repeat(50_000), "x".repeat(50_000));
    let original = home.drop_original("film.mov", &Original::titled(&title("a")));
    let bytes = fs::metadata(&original).expect("there");
    worker.submit(&home.submission(&original, "clear")).expect("submit");
    work(&worker);
    home.drop_original("film.mov", &Original::titled(&title("b")));
    let file = fs::File::options().write(true).open(&original).expect("open");
    file.set_modified(bytes.modified().expect("a time")).expect("set time");
    let second = worker.submit(&home.submission(&original, "clear")).expect("submit");
    assert_eq!(second.known, None, "it was taken for the first");
    work(&worker);
    assert_state(&worker, &second.job, JobState::Published);
}
