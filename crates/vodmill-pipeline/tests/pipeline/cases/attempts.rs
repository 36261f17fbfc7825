//! What fails for good fails alone; what cannot be proved is never published.

use std::sync::Arc;
use std::time::Duration;

use vodmill_clock::ManualClock;
use vodmill_pipeline::{Stop, Worker};
use vodmill_queue::{JobState, TaskInfo, TaskState};

use crate::fake::What;
use crate::home::{Bounds, Home, assert_state, fault, wait_until, work_by_hand};
use crate::tree;

/// Title, point, fault, and what the reason tells.
const FAULTS: [(&str, &str, What, &str); 8] = [
    ("short", "video/1", What::ShortFile, "frame_count"),
    ("miscounted", "video/1", What::ShortCount, "99 frames of 100 planned"),
    ("misjudged", "segment/4", What::WrongDuration, "extinf"),
    ("corrupt", "segment/4", What::Corrupt, "media_unreadable"),
    ("late", "segment/4", What::Late, "start_time"),
    ("backwards", "mp4", What::IndexLast, "not_streamable"),
    ("dying", "video/1", What::Abort, "ended without a result"),
    ("altered", "segment/4", What::OtherConfiguration, "codec_configuration"),
];

#[test]
fn spent_attempts_fail_the_job_and_nothing_else() {
    let home = Home::new();
    home.desk.order(&FAULTS.map(|(title, point, what, _)| fault(title, point, 99, what)));
    let (clock, worker) = home.open_by_hand(Bounds { workers: 4, ..Bounds::default() });
    let jobs = FAULTS.map(|(title, ..)| home.submit(&worker, title, "secret"));
    let good = home.submit(&worker, "good", "secret");
    work_by_hand(&worker, &clock);
    for ((title, _, what, cause), id) in FAULTS.iter().zip(&jobs) {
        let reason = assert_state(&worker, id, JobState::Failed).reason.expect("a reason");
        assert!(reason.contains(cause), "{what:?}: {reason}");
        let left = tree::read(&home.published(title));
        assert!(left.is_empty(), "{what:?}: {:?}", left.keys());
        assert!(home.root.join("inbox").join(format!("{title}.mov")).is_file(), "{what:?}");
        let spent = quarantined(&worker, id);
        assert_eq!(spent.attempts, 4, "{what:?}");
        assert_no_key(&worker, spent.evidence.as_deref().unwrap_or_default());
    }
    assert_state(&worker, &good, JobState::Published);
    home.assert_sound(&worker, "good");
    home.assert_swept();
    assert_evidence(&quarantined(&worker, &jobs[6]));
    retried_with_what_it_had(&home, (&worker, &clock), &jobs[6]);
}

fn quarantined(worker: &Worker, job: &str) -> TaskInfo {
    let tasks = worker.queue().tasks(job).expect("list tasks");
    let spent = tasks.into_iter().find(|task| task.state == TaskState::Quarantined);
    spent.expect("a task in quarantine")
}

fn assert_evidence(spent: &TaskInfo) {
    let evidence = spent.evidence.as_deref().expect("evidence");
    let evidence: serde_json::Value = serde_json::from_str(evidence).expect("JSON");
    assert_eq!(evidence["task"], "video/0001");
    assert_eq!(evidence["attempt"], 4);
    assert!(evidence["cause"].as_str().is_some_and(|cause| cause.contains("signal: 6")));
}

/// Neither as hex digits nor as a list of bytes.
fn assert_no_key(worker: &Worker, evidence: &str) {
    let keys = worker.keys();
    let sets = keys.list().expect("list keys");
    assert!(!sets.is_empty());
    for kid in sets.iter().flat_map(|set| &set.kids) {
        let key = *keys.get(kid).expect("a store").expect("a key").key.expose();
        let hex = hex::encode(key);
        let list = serde_json::to_string(&key).expect("JSON");
        assert!(!evidence.contains(&hex) && !evidence.contains(&list), "a key is in {evidence}");
    }
}

fn retried_with_what_it_had(home: &Home, (worker, clock): (&Worker, &Arc<ManualClock>), job: &str) {
    home.desk.order(&[]);
    worker.retry(job).expect("retry");
    work_by_hand(worker, clock);
    assert_state(worker, job, JobState::Published);
    home.assert_sound(worker, "dying");
    assert_eq!(home.desk.count("dying", "video/0"), 1, "not encoded again");
    assert_eq!(home.desk.count("dying", "video/1"), 5);
}

/// Hours of it: a lease is a minute, and a worker that is busy has no other sign of life.
#[test]
fn a_lease_is_kept_for_as_long_as_the_work_takes() {
    let home = Home::new();
    home.desk.order(&[fault("film", "video/1", 1, What::Wait)]);
    let (clock, worker) = home.open_by_hand(Bounds { workers: 1, ..Bounds::default() });
    let film = home.submit(&worker, "film", "clear");
    let stop = Stop::new(Arc::clone(&clock) as Arc<_>);
    std::thread::scope(|scope| {
        let work = scope.spawn(|| worker.work(&stop, &|| false));
        wait_until("video/1 begun", || home.desk.count("film", "video/1") > 0);
        for _ in 0..720 {
            // The one that looks round, and the heart; the third is at work.
            clock.until_waiting(2);
            clock.advance(Duration::from_secs(15));
        }
        clock.until_waiting(2);
        assert_eq!(worker.queue().reap_expired().expect("reap"), 0, "after three hours");
        home.desk.let_go();
        while worker.queue().job(&film).is_ok_and(|job| !job.state.has_ended()) {
            clock.until_idle();
            clock.advance(Duration::from_millis(500));
        }
        stop.drain(Duration::ZERO);
        while !work.is_finished() {
            clock.advance(Duration::from_millis(500));
            clock.until_idle();
        }
    });
    assert_state(&worker, &film, JobState::Published);
    let tasks = worker.queue().tasks(&film).expect("list tasks");
    assert!(tasks.iter().all(|task| (task.attempts, task.losses) == (1, 0)), "{tasks:?}");
}
