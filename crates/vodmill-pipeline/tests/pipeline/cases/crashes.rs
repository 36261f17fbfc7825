//! The whole worker killed, at every durable step and at any other time: nothing is lost, nothing is
//! published twice, and the bytes are those of an undisturbed run.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use vodmill_queue::JobState;

use crate::fake::Original;
use crate::home::{Home, assert_state, jobs};
use crate::tree::{self, Tree};
use crate::worker_process::WorkerProcess;

/// A home with one job in it that nobody works on yet, always at the same path and of the same
/// age, since a generation is named after its job.
fn fresh(root: &Path, pipeline: &str) -> Home {
    let _ = fs::remove_dir_all(root);
    let home = Home::at(root);
    // Those that are looked at are long enough for it.
    let frames = if pipeline == "titled" { 2500 } else { 400 };
    let film = Original { frames, ..Original::titled("film") };
    let original = home.drop_original("film.mov", &film);
    let file = fs::File::options().write(true).open(&original).expect("open");
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    file.set_modified(then).expect("set time");
    home.open().submit(&home.submission(&original, pipeline)).expect("submit");
    home
}

fn assert_ended_well(home: &Home, about: &str) {
    let worker = home.open();
    let job = &jobs(&worker)[0];
    assert_state(&worker, &job.id, JobState::Published);
    home.assert_sound(&worker, "film");
    home.assert_swept();
    assert!(!home.root.join("inbox/film.mov").exists(), "{about}");
    let done: Vec<_> = fs::read_dir(home.root.join("done")).expect("list").collect();
    assert_eq!(done.len(), 1, "{about}: {done:?}");
    assert!(!home.root.join("rejected").exists(), "{about}");
}

fn undisturbed(root: &Path, pipeline: &str) -> Tree {
    let home = fresh(root, pipeline);
    WorkerProcess::start(&home).finish();
    assert_ended_well(&home, "undisturbed");
    tree::read(&home.published(""))
}

/// Something that has happened, to be killed at.
type Moment<'a> = (&'a str, &'a dyn Fn(&Home) -> bool);

fn has_begun(home: &Home, point: &str) -> bool {
    home.desk.count("film", point) > 0
}

fn exists(home: &Home, path: &str) -> bool {
    home.root.join(path).exists()
}

/// Whether a folder holds a name that begins so.
fn holds(folder: &Path, start: &str) -> bool {
    let is_it = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with(start);
    fs::read_dir(folder).into_iter().flatten().flatten().any(is_it)
}

/// Kills a fresh worker at each moment, then lets another one finish. Returns how many were killed:
/// one may end before its moment is noticed.
fn kill_at(pipeline: &str, moments: &[Moment<'_>]) -> usize {
    let scratch = tempfile::tempdir().expect("make folder");
    let root = scratch.path().canonicalize().expect("find folder").join("home");
    let expected = undisturbed(&root, pipeline);
    let mut kills = 0;
    for (about, has_come) in moments {
        let home = fresh(&root, pipeline);
        kills += usize::from(WorkerProcess::start(&home).kill_when(|| has_come(&home)));
        WorkerProcess::start(&home).finish();
        assert_ended_well(&home, about);
        tree::assert_same(&expected, &tree::read(&home.published("")), about);
    }
    kills
}

#[test]
fn killed_while_it_plans_and_encodes() {
    let kills = kill_at(
        "clear",
        &[
            ("probing", &|home| has_begun(home, "probe")),
            ("sound", &|home| has_begun(home, "audio")),
            ("first chunk", &|home| has_begun(home, "video/0")),
            ("last chunk", &|home| has_begun(home, "video/3")),
            ("a rendition", &|home| exists(home, "state/renditions")),
        ],
    );
    assert_eq!(kills, 5);
}

#[test]
fn killed_while_it_looks_at_a_title() {
    let kills = kill_at(
        "titled",
        &[
            ("probing", &|home| has_begun(home, "probe")),
            ("trials", &|home| has_begun(home, "analyse")),
        ],
    );
    assert_eq!(kills, 2);
}

#[test]
fn killed_while_it_packages_and_publishes() {
    let kills = kill_at(
        "clear",
        &[
            ("muxing", &|home| has_begun(home, "segment/0")),
            ("muxing later on", &|home| has_begun(home, "segment/12")),
            ("MP4", &|home| has_begun(home, "mp4")),
            ("asset folder", &|home| exists(home, "published/film")),
            ("generation", &|home| holds(&home.published("film"), "g0001")),
            ("playlist", &|home| exists(home, "published/film/index.m3u8")),
            ("pointer", &|home| exists(home, "published/film/asset.json")),
            ("done folder", &|home| exists(home, "done")),
            ("original moved", &|home| exists(home, "done/film.mov")),
        ],
    );
    assert!(kills > 2, "{kills}");
}

#[test]
fn killed_again_and_again() {
    let scratch = tempfile::tempdir().expect("make folder");
    let root = scratch.path().canonicalize().expect("find folder").join("home");
    for pipeline in ["clear", "secret"] {
        let expected = undisturbed(&root, pipeline);
        let home = fresh(&root, pipeline);
        let mut kills = 0;
        // Each life is longer than the one before, so that it comes to an end at last.
        for life in (1..).map(|number| Duration::from_millis(25 * number)) {
            let born = Instant::now();
            if !WorkerProcess::start(&home).kill_when(|| born.elapsed() > life) {
                break;
            }
            kills += 1;
        }
        assert!(kills > 2, "it was killed in the middle of things");
        let about = format!("{pipeline}, killed {kills} times");
        assert_ended_well(&home, &about);
        let tree = tree::read(&home.published(""));
        match pipeline {
            "clear" => tree::assert_same(&expected, &tree, &about),
            // Other keys every time; the same pieces of the same sizes.
            _ => assert_eq!(sizes(&expected), sizes(&tree), "{about}"),
        }
    }
}

fn sizes(tree: &Tree) -> Vec<(&String, usize)> {
    tree.iter().map(|(name, bytes)| (name, bytes.len())).collect()
}
