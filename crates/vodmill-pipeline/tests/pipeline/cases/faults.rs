//! Children that fail, die, hang or babble: each costs an attempt at most.

use std::time::Duration;

use vodmill_queue::JobState;

use crate::fake::What;
use crate::home::{Bounds, Home, assert_state, fault, work, work_by_hand};

/// Long enough for a child to start on a busy machine.
const STALL: Duration = Duration::from_secs(3);

#[test]
fn a_fault_costs_one_attempt_at_one_task() {
    let home = Home::new();
    let faults = [
        ("fails", "video/1", "video/0001", What::Fail),
        ("dies", "video/2", "video/0002", What::Abort),
        ("hangs", "video/0", "video/0000", What::Hang),
        ("swells", "video/1", "video/0001", What::Memory),
        ("spills", "video/3", "video/0003", What::HugeFile),
        ("stumbles", "segment/8", "segments/0002", What::Fail),
        ("collapses", "mp4", "package", What::Abort),
        ("balks", "probe", "plan", What::Fail),
    ];
    home.desk.order(&faults.map(|(title, point, _, what)| fault(title, point, 1, what)));
    let (clock, worker) = home.open_by_hand(Bounds { workers: 4, stall: STALL });
    let jobs = faults.map(|(title, ..)| home.submit(&worker, title, "clear"));
    work_by_hand(&worker, &clock);
    for ((title, _, key, what), job) in faults.iter().zip(&jobs) {
        assert_state(&worker, job, JobState::Published);
        home.assert_sound(&worker, title);
        for task in worker.queue().tasks(job).expect("list tasks") {
            let attempts = if task.key == *key { 2 } else { 1 };
            assert_eq!(task.attempts, attempts, "{what:?}: {}", task.key);
        }
    }
}

#[test]
fn what_libraries_print_is_not_listened_to() {
    let home = Home::new();
    home.desk.order(
        &["probe", "video/1", "audio", "segment/4", "mp4"]
            .map(|point| fault("film", point, 9, What::Garbage)),
    );
    let worker = home.open();
    let job = home.submit(&worker, "film", "secret");
    work(&worker);
    assert_state(&worker, &job, JobState::Published);
    for task in worker.queue().tasks(&job).expect("list tasks") {
        assert_eq!(task.attempts, 1, "{}", task.key);
    }
    home.assert_sound(&worker, "film");
}

#[test]
fn a_child_that_does_not_leave_is_made_to() {
    let home = Home::new();
    home.desk.order(&[fault("", "end", 1, What::Hang)]);
    let worker = home.open();
    let job = home.submit(&worker, "film", "clear");
    work(&worker);
    assert_state(&worker, &job, JobState::Published);
}
