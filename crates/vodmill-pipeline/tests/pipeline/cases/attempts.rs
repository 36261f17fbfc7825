//! What fails for good fails alone; what cannot be proved is never published.

use vodmill_pipeline::Worker;
use vodmill_queue::{JobState, TaskInfo, TaskState};

use crate::fake::What;
use crate::home::{Bounds, Home, assert_state, fault, work};
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

// One test for all: its time is the time between attempts.
#[test]
fn spent_attempts_fail_the_job_and_nothing_else() {
    let home = Home::new();
    home.desk.order(&FAULTS.map(|(title, point, what, _)| fault(title, point, 99, what)));
    let worker = home.open_with(home.settings(Bounds { workers: 4, ..Bounds::default() }));
    let jobs = FAULTS.map(|(title, ..)| home.submit(&worker, title, "secret"));
    let good = home.submit(&worker, "good", "secret");
    work(&worker);
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
    retried_with_what_it_had(&home, &worker, &jobs[6]);
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

fn retried_with_what_it_had(home: &Home, worker: &Worker, job: &str) {
    home.desk.order(&[]);
    worker.retry(job).expect("retry");
    work(worker);
    assert_state(worker, job, JobState::Published);
    home.assert_sound(worker, "dying");
    assert_eq!(home.desk.count("dying", "video/0"), 1, "not encoded again");
    assert_eq!(home.desk.count("dying", "video/1"), 5);
}
