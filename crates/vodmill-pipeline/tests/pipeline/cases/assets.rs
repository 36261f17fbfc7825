//! Names of assets, generations, and which one the pointer names.

use std::fs;
use std::path::{Path, PathBuf};

use vodmill_model::pipeline::ProofLevel;
use vodmill_pipeline::{Disposal, Submission, Worker, names_path, owner};
use vodmill_queue::{JobState, SqliteQueue};
use vodmill_store::LocalStore;

use crate::fake::{Original, What};
use crate::home::{Bounds, Home, assert_state, fault, job, jobs, work, work_until};
use crate::tree;

fn leave(home: &Home, original: &Path) -> Submission {
    Submission { disposal: Disposal::Leave, ..home.submission(original, "clear") }
}

fn generation_name(home: &Home, asset: &str) -> String {
    let generation: PathBuf = home.generation(asset);
    generation.file_name().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn equal_names_from_different_folders_are_different_assets() {
    let home = Home::new();
    let worker = home.open();
    let jobs = ["a/film.mov", "b/film.mov", "b/film.mp4"].map(|name| {
        let original = home.drop_original(name, &Original::titled(name));
        worker.submit(&home.submission(&original, "clear")).expect("submit").job
    });
    work(&worker);
    let asset =
        |id: &String| assert_state(&worker, id, JobState::Published).asset.expect("an asset");
    let mut assets: Vec<_> = jobs.iter().map(asset).collect();
    for asset in &assets {
        home.assert_sound(&worker, asset);
    }
    assets.sort();
    assets.dedup();
    assert_eq!(assets.len(), 3, "{assets:?}");
    assert!(home.root.join("done/film.mov").is_file());
    assert!(home.root.join("done/film.2.mov").is_file(), "neither original replaced the other");
}

#[test]
fn a_second_version_is_a_second_generation() {
    let home = Home::new();
    let worker = home.open();
    for (number, title) in [(1, "first"), (2, "second")] {
        let original = home.drop_original("film.mov", &Original::titled(title));
        let id = worker.submit(&home.submission(&original, "secret")).expect("submit").job;
        work(&worker);
        assert_eq!(job(&worker, &id).asset.as_deref(), Some("film"));
        assert!(generation_name(&home, "film").starts_with(&format!("g000{number}-")));
        home.assert_sound(&worker, "film");
    }
    let generations: Vec<_> = fs::read_dir(home.published("film"))
        .expect("list")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.is_dir())
        .collect();
    assert_eq!(generations.len(), 2, "players of the first one are not cut off");
    for generation in generations {
        let settings = home.settings(Bounds::default());
        let keys = crate::home::all_keys(&worker);
        let report =
            vodmill_pipeline::check(&settings, &generation, keys, ProofLevel::Full).expect("check");
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
    }
}

/// Opens the worker with a pipeline that differs, so that the same original is another job.
fn open_edited(home: &Home) -> Worker {
    let mut settings = home.settings(Bounds::default());
    let pipeline = settings.catalogue.pipelines.get_mut("clear").expect("the pipeline");
    pipeline.hls.segment_seconds = 2;
    home.open_with(settings)
}

#[test]
fn a_job_that_was_overtaken_leaves_the_pointer() {
    // The new job has to end while the old one waits: on a slow machine it takes a longer wait, which
    // doubles with each failure.
    assert!((1..=3).any(is_overtaken), "the old one never waited long enough");
}

/// Whether the old job, after so many failures, came in last; if so, all is as it should be.
fn is_overtaken(failures: u32) -> bool {
    let home = Home::new();
    home.desk.order(&[fault("film", "mp4", failures, What::Fail)]);
    let original = home.drop_original("film.mov", &Original::titled("film"));
    let worker = home.open();
    let old = worker.submit(&leave(&home, &original)).expect("submit").job;
    work_until(&worker, || home.desk.count("film", "mp4") == failures as usize);
    drop(worker);
    // The old one waits for its next attempt.
    let worker = open_edited(&home);
    let new = worker.submit(&leave(&home, &original)).expect("submit").job;
    assert_ne!(old, new);
    work(&worker);
    assert_eq!(jobs(&worker).len(), 2);
    for id in [&old, &new] {
        assert_state(&worker, id, JobState::Published);
    }
    let (first, last) = (job(&worker, &new), job(&worker, &old));
    if first.ended_at >= last.ended_at {
        return false;
    }
    assert_eq!(generation_name(&home, "film"), format!("g0002-{}", &new[..8]));
    assert!(home.published("film").join(format!("g0001-{}", &old[..8])).is_dir());
    home.assert_sound(&worker, "film");
    true
}

/// Says in `asset.json` that another generation is published.
fn publish_as(home: &Home, generation: &str) {
    let path = home.published("film/asset.json");
    let text = fs::read_to_string(&path).expect("asset.json");
    let text = text.replace(&generation_name(home, "film"), generation);
    fs::write(path, text).expect("write");
}

fn next_version(home: &Home, worker: &Worker, title: &str) -> String {
    let original = home.drop_original("film.mov", &Original::titled(title));
    let id = worker.submit(&home.submission(&original, "clear")).expect("submit").job;
    work(worker);
    id
}

#[test]
fn numbers_follow_what_is_published_and_never_wrap() {
    for (published, next) in [
        ("g4294967295-00000000", Some("g4294967296-")),
        ("g18446744073709551615-00000000", None),
        ("another-programs", None),
    ] {
        let home = Home::new();
        let worker = home.open();
        next_version(&home, &worker, "first");
        publish_as(&home, published);
        let id = next_version(&home, &worker, "second");
        match next {
            Some(next) => {
                assert_state(&worker, &id, JobState::Published);
                assert!(generation_name(&home, "film").starts_with(next), "{published}");
                home.assert_sound(&worker, "film");
            }
            None => {
                assert_state(&worker, &id, JobState::Failed);
                assert_eq!(generation_name(&home, "film"), published, "nothing is published");
            }
        }
    }
}

/// What `vodmill adopt` does.
fn adopt(home: &Home) {
    let place = home.published("").display().to_string();
    let names = SqliteQueue::open(names_path(&home.settings(Bounds::default()).keys));
    owner::adopt(&LocalStore::new(&place), &names.expect("names"), &place).expect("adopt");
}

fn lose_names(home: &Home) {
    for ending in ["", "-wal", "-shm", ".made"] {
        let _ = fs::remove_file(home.root.join(format!("names.sqlite{ending}")));
    }
}

#[test]
fn lost_names_do_not_begin_again() {
    let home = Home::new();
    let worker = home.open();
    next_version(&home, &worker, "first");
    let second = next_version(&home, &worker, "second");
    drop(worker);
    lose_names(&home);
    let worker = home.open();
    let third = next_version(&home, &worker, "third");
    let why = assert_state(&worker, &third, JobState::Failed).reason.expect("a reason");
    assert!(why.contains("vodmill adopt"), "{why}");
    assert_eq!(generation_name(&home, "film"), format!("g0002-{}", &second[..8]));
    adopt(&home);
    worker.retry(&third).expect("again");
    work(&worker);
    assert_eq!(generation_name(&home, "film"), format!("g0003-{}", &third[..8]));
    home.assert_sound(&worker, "film");
}

/// The pointer may be gone too: generations that lie there count.
#[test]
fn numbers_follow_what_lies_there() {
    let home = Home::new();
    let worker = home.open();
    next_version(&home, &worker, "first");
    next_version(&home, &worker, "second");
    drop(worker);
    lose_names(&home);
    adopt(&home);
    fs::remove_file(home.published("film/asset.json")).expect("remove");
    let worker = home.open();
    let third = next_version(&home, &worker, "third");
    assert_eq!(generation_name(&home, "film"), format!("g0003-{}", &third[..8]));
}

/// A destination without a mark, as earlier versions left it, and an asset that is not ours in it.
#[test]
fn an_asset_of_another_home_is_never_taken_over() {
    let home = Home::new();
    let worker = home.open();
    next_version(&home, &worker, "first");
    let before = tree::read(&home.published("film"));
    drop(worker);
    lose_names(&home);
    fs::remove_file(home.published(".vodmill/owner.json")).expect("remove");
    let worker = home.open();
    let id = next_version(&home, &worker, "second");
    let why = assert_state(&worker, &id, JobState::Failed).reason.expect("a reason");
    assert!(why.contains("knows nothing of") && why.contains("vodmill adopt"), "{why}");
    assert_eq!(tree::read(&home.published("film")), before);
    let original = home.drop_original("other.mov", &Original::titled("other"));
    let id = worker.submit(&home.submission(&original, "clear")).expect("submit").job;
    work(&worker);
    assert_state(&worker, &id, JobState::Published);
}

/// Moved with all that is in it, a home goes on with its assets.
#[test]
fn a_home_that_moves_keeps_its_assets() {
    let parent = tempfile::tempdir().expect("scratch");
    let parent = parent.path().canonicalize().expect("a folder");
    let home = Home::at(&parent.join("before"));
    let worker = home.open();
    next_version(&home, &worker, "first");
    drop(worker);
    fs::rename(parent.join("before"), parent.join("after")).expect("move");
    let home = Home::at(&parent.join("after"));
    let worker = home.open();
    let id = next_version(&home, &worker, "second");
    assert_eq!(assert_state(&worker, &id, JobState::Published).asset.as_deref(), Some("film"));
    assert_eq!(generation_name(&home, "film"), format!("g0002-{}", &id[..8]));
}

#[test]
fn a_pipeline_without_a_ladder_leaves_no_playlist() {
    let home = Home::new();
    let worker = home.open();
    next_version(&home, &worker, "first");
    assert!(home.published("film/index.m3u8").is_file());
    let old = fs::read(home.published("film/index.m3u8")).expect("a playlist");
    drop(worker);
    let mut settings = home.settings(Bounds::default());
    let pipeline = settings.catalogue.pipelines.get_mut("clear").expect("the pipeline");
    pipeline.ladder = String::new();
    let worker = home.open_with(settings);
    next_version(&home, &worker, "second");
    assert!(!home.published("film/index.m3u8").exists(), "players were led to the old version");
    home.assert_sound(&worker, "film");
    fs::write(home.published("film/index.m3u8"), old).expect("put back");
    let report = home.check(&worker, "film");
    let found: Vec<_> = report.findings.iter().map(|it| (&*it.object, &*it.code)).collect();
    assert_eq!(found, [("index.m3u8", "object_unknown")]);
}
