//! Cancelled, drained, aborted, opened twice.

use std::fs;
use std::time::{Duration, Instant};

use vodmill_pipeline::{Error, Stop, Worker};
use vodmill_queue::{JobState, TaskState};

use crate::fake::{self, What};
use crate::home::{Bounds, Home, PATIENCE, assert_state, fault, job, wait_until, work};

/// From a request to its effect: some beats of the heart, on a busy machine.
const SOON: Duration = Duration::from_secs(5);

fn one_worker(home: &Home) -> Worker {
    home.open_with(home.settings(Bounds { workers: 1, ..Bounds::default() }))
}

/// Works while `meanwhile` happens, which begins when `point` has begun; returns how long it took
/// from its end to the worker's.
fn work_while(home: &Home, worker: &Worker, point: &str, meanwhile: impl Fn(&Stop)) -> Duration {
    let stop = Stop::default();
    let begun = Instant::now();
    // A test that fails in `meanwhile` must end as well.
    let given_up = || begun.elapsed() > 2 * PATIENCE;
    let mut asked = begun;
    std::thread::scope(|scope| {
        scope.spawn(|| worker.work(&stop, &given_up));
        wait_until(point, || home.desk.count("film", point) > 0);
        meanwhile(&stop);
        asked = Instant::now();
    });
    asked.elapsed()
}

#[test]
fn cancelling_frees_the_worker_and_sweeps() {
    let home = Home::new();
    home.desk.order(&[fault("film", "video/0", 1, What::Hang)]);
    let worker = one_worker(&home);
    let film = home.submit(&worker, "film", "clear");
    let next = home.submit(&worker, "next", "clear");
    work_while(&home, &worker, "video/0", |stop| {
        worker.queue().cancel(&film).expect("cancel");
        let asked = Instant::now();
        wait_until("the next job begun", || home.desk.count("next", "video/0") > 0);
        assert!(asked.elapsed() < SOON, "after {:?}", asked.elapsed());
        wait_until("the next job done", || job(&worker, &next).state.has_ended());
        stop.drain(SOON);
    });
    assert_state(&worker, &next, JobState::Published);
    assert_state(&worker, &film, JobState::Cancelled);
    assert!(home.root.join("inbox/film.mov").is_file(), "the original stays");
    assert!(!home.published("film").exists());
    home.assert_swept();
}

#[test]
fn a_job_cancelled_while_it_is_packaged_leaves_nothing() {
    let home = Home::new();
    home.desk.order(&[
        fault("film", "segment/0", 1, What::Wait),
        fault("next", "mp4", 1, What::WaitLonger),
    ]);
    let worker = home.open();
    let film = home.submit(&worker, "film", "clear");
    let next = home.submit(&worker, "next", "clear");
    work_while(&home, &worker, "segment/0", |stop| {
        wait_until("both packaged", || home.desk.count("next", "mp4") > 0);
        worker.queue().cancel(&film).expect("cancel");
        // The worker that ends the next job sweeps after the cancelled one, whose child still
        // lives, and only then begins to write.
        home.desk.let_go_longer();
        wait_until("the next job settled", || job(&worker, &next).cleaned);
        home.desk.let_go();
        stop.drain(SOON);
    });
    assert_state(&worker, &film, JobState::Cancelled);
    home.assert_swept();
}

#[test]
fn a_drain_parks_what_does_not_end_in_time() {
    let home = Home::new();
    home.desk.order(&[fault("film", "video/2", 1, What::Hang)]);
    let worker = one_worker(&home);
    let film = home.submit(&worker, "film", "clear");
    let grace = Duration::from_millis(300);
    let took = work_while(&home, &worker, "video/2", |stop| stop.drain(grace));
    assert!(took >= grace && took < grace + SOON, "{took:?}");
    let tasks = worker.queue().tasks(&film).expect("list tasks");
    let parked = tasks.iter().find(|task| task.key == "video/0002").expect("the chunk");
    assert_eq!((parked.state, parked.attempts), (TaskState::Ready, 0));
    drop(worker);
    let worker = home.open();
    work(&worker);
    assert_state(&worker, &film, JobState::Published);
    home.assert_sound(&worker, "film");
    let counts = (0..4).map(|chunk| home.desk.count("film", &format!("video/{chunk}")));
    assert_eq!(counts.collect::<Vec<_>>(), [1, 1, 2, 1]);
    assert_eq!(home.desk.count("film", "audio"), 1);
}

#[test]
fn a_drain_lets_end_what_ends_in_time() {
    let home = Home::new();
    home.desk.order(&[fault("film", "video/1", 1, What::Wait)]);
    let worker = one_worker(&home);
    let film = home.submit(&worker, "film", "clear");
    work_while(&home, &worker, "video/1", |stop| {
        stop.drain(Duration::from_secs(60));
        home.desk.let_go();
    });
    let tasks = worker.queue().tasks(&film).expect("list tasks");
    let state = |key: &str| tasks.iter().find(|task| task.key == key).map(|task| task.state);
    assert_eq!(state("video/0001"), Some(TaskState::Done));
    assert_eq!(state("video/0002"), Some(TaskState::Ready));
    assert_eq!(home.desk.count("film", "video/2"), 0);
}

#[test]
fn an_abort_parks_everything_at_once() {
    let home = Home::new();
    home.desk.order(&[fault("film", "video/0", 1, What::Hang)]);
    let worker = home.open();
    let film = home.submit(&worker, "film", "clear");
    let took = work_while(&home, &worker, "video/0", |stop| {
        stop.drain(Duration::from_secs(60));
        stop.abort();
    });
    assert!(took < SOON, "{took:?}");
    let leased = |task: &vodmill_queue::TaskInfo| task.state == TaskState::Leased;
    assert!(!worker.queue().tasks(&film).expect("list tasks").iter().any(leased));
    work(&worker);
    assert_state(&worker, &film, JobState::Published);
    assert_eq!(home.desk.count("film", "video/0"), 2);
}

#[test]
fn one_process_at_a_time() {
    let home = Home::new();
    let worker = home.open();
    let second = Worker::local(home.settings(Bounds::default()), fake::build()).open();
    assert!(matches!(second, Err(Error::Busy(_))));
    drop(worker);
    fs::metadata(home.root.join("state/lock")).expect("the lock's file stays");
    home.open();
}
