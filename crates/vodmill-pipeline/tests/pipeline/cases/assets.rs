//! Names of assets, generations, and which one the pointer names.

use std::fs;
use std::path::{Path, PathBuf};

use vodmill_model::pipeline::ProofLevel;
use vodmill_pipeline::{Disposal, Mill, Submission};
use vodmill_queue::JobState;

use crate::fake::{Original, What};
use crate::home::{Bounds, Home, assert_state, fault, job, jobs, work, work_until};

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
    let mill = home.open();
    let jobs = ["a/film.mov", "b/film.mov", "b/film.mp4"].map(|name| {
        let original = home.drop_original(name, &Original::titled(name));
        mill.submit(&home.submission(&original, "clear")).expect("submit").job
    });
    work(&mill);
    let asset = |id: &String| assert_state(&mill, id, JobState::Published).asset.expect("an asset");
    let mut assets: Vec<_> = jobs.iter().map(asset).collect();
    for asset in &assets {
        home.assert_sound(&mill, asset);
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
    let mill = home.open();
    for (number, title) in [(1, "first"), (2, "second")] {
        let original = home.drop_original("film.mov", &Original::titled(title));
        let id = mill.submit(&home.submission(&original, "secret")).expect("submit").job;
        work(&mill);
        assert_eq!(job(&mill, &id).asset.as_deref(), Some("film"));
        assert!(generation_name(&home, "film").starts_with(&format!("g000{number}-")));
        home.assert_sound(&mill, "film");
    }
    let generations: Vec<_> = fs::read_dir(home.published("film"))
        .expect("list")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.is_dir())
        .collect();
    assert_eq!(generations.len(), 2, "players of the first one are not cut off");
    for generation in generations {
        let settings = home.settings(Bounds::default());
        let keys = crate::home::all_keys(&mill);
        let report =
            vodmill_pipeline::check(&settings, &generation, keys, ProofLevel::Full).expect("check");
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
    }
}

/// Opens the mill with a pipeline that differs, so that the same original is another job.
fn open_edited(home: &Home) -> Mill {
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
    let mill = home.open();
    let old = mill.submit(&leave(&home, &original)).expect("submit").job;
    work_until(&mill, || home.desk.count("film", "mp4") == failures as usize);
    drop(mill);
    // The old one waits for its next attempt.
    let mill = open_edited(&home);
    let new = mill.submit(&leave(&home, &original)).expect("submit").job;
    assert_ne!(old, new);
    work(&mill);
    assert_eq!(jobs(&mill).len(), 2);
    for id in [&old, &new] {
        assert_state(&mill, id, JobState::Published);
    }
    let (first, last) = (job(&mill, &new), job(&mill, &old));
    if first.ended_at >= last.ended_at {
        return false;
    }
    assert_eq!(generation_name(&home, "film"), format!("g0002-{}", &new[..8]));
    assert!(home.published("film").join(format!("g0001-{}", &old[..8])).is_dir());
    home.assert_sound(&mill, "film");
    true
}
