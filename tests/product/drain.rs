//! SIGTERM parks work within a deadline; the second one ends it at once; nothing is lost.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;
use vodmill_tests::cases::case;
use vodmill_tests::conformance::assert_package;
use vodmill_tests::product::{Daemon, Home, SMALL_LADDER, gone, wait_until};

const PATIENCE: Duration = Duration::from_secs(180);

/// A daemon in the middle of encoding.
fn busy(home: &Home) -> Daemon {
    home.drop_into("default", &case("film.mp4"), "film.mp4");
    let daemon = Daemon::start(home, &[]);
    wait_until("encoding starts", PATIENCE, || {
        let under_way = |task: &Value| task["kind"] == "video" && task["state"] == "leased";
        tasks(home).iter().any(under_way).then_some(())
    });
    daemon
}

/// Tasks of the one job.
fn tasks(home: &Home) -> Vec<Value> {
    let jobs = home.jobs();
    let Some(id) = jobs.first().and_then(|job| job["id"].as_str()) else { return Vec::new() };
    let shown = home.vodmill(&["jobs", "show", id, "--json"]);
    let job: Value = serde_json::from_str(&shown.out).expect("a job is JSON");
    job["tasks"].as_array().cloned().unwrap_or_default()
}

fn finishes(home: &Home) {
    let _daemon = Daemon::start(home, &[]);
    wait_until("the job is published", PATIENCE, || {
        let jobs = home.jobs();
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        assert_ne!(jobs[0]["state"], "failed", "{jobs:?}");
        (jobs[0]["state"] == "published").then_some(())
    });
    assert_package(&home.only_asset(), None);
}

/// Parked work is as if it had never begun.
fn no_attempt_counts(home: &Home) {
    for task in tasks(home) {
        let fresh = task["state"] == "done" || task["attempts"] == 0;
        assert!(fresh && task["state"] != "leased" && task["losses"] == 0, "{task}");
    }
}

#[test]
fn sigterm_parks_and_leaves() {
    let home = Home::quick("", false);
    home.write("vodmill.toml", "settle_seconds = 1\ndrain_seconds = 1\n");
    slow(&home);
    let mut daemon = busy(&home);
    let family = daemon.family();
    let asked = Instant::now();
    daemon.terminate();
    let status = daemon.ended(Duration::from_secs(20));
    assert!(status.success(), "{status}\n{}", daemon.log());
    assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?}", asked.elapsed());
    gone(&family);
    no_attempt_counts(&home);
    finishes(&home);
}

#[test]
fn work_that_is_done_within_the_deadline_is_finished() {
    let home = Home::quick("", false);
    home.write("vodmill.toml", "settle_seconds = 1\ndrain_seconds = 120\n");
    let mut daemon = busy(&home);
    daemon.terminate();
    assert!(daemon.ended(PATIENCE).success(), "{}", daemon.log());
    assert!(!daemon.log().contains("task parked"), "{}", daemon.log());
    let done = |task: &Value| task["kind"] == "video" && task["state"] == "done";
    assert!(tasks(&home).iter().any(done), "the chunk that was under way is done");
    no_attempt_counts(&home);
    finishes(&home);
}

#[test]
fn the_second_sigterm_aborts() {
    let home = Home::quick("", false);
    home.write("vodmill.toml", "settle_seconds = 1\ndrain_seconds = 600\n");
    slow(&home);
    let mut daemon = busy(&home);
    let family = daemon.family();
    daemon.terminate();
    wait_until("draining is logged", PATIENCE, || daemon.log().contains("draining").then_some(()));
    assert!(daemon.runs(), "it left before the second signal");
    let asked = Instant::now();
    daemon.terminate();
    daemon.ended(Duration::from_secs(20));
    assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?}", asked.elapsed());
    gone(&family);
    no_attempt_counts(&home);
    finishes(&home);
}

/// A slower encode, so that draining is not over before the second signal.
fn slow(home: &Home) {
    home.write("presets/small.toml", &SMALL_LADDER.replace("ultrafast", "medium"));
}

/// The daemon sweeps at its start; a bucket that answers late, or never, does not hold it.
#[test]
fn a_listing_that_takes_long_does_not_hold_a_daemon() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut home = Home::quick("", false);
    home.pipeline("default", "destination = \"s3://silent/published\"\n", "", false);
    for (name, value) in [("AWS_ACCESS_KEY_ID", "me"), ("AWS_SECRET_ACCESS_KEY", "secret")] {
        home.set(name, value);
    }
    let address = silent.local_addr().expect("an address");
    let bucket = format!(
        "drain_seconds = 1\n[s3]\nendpoint = \"http://{address}\"\nregion = \"us-east-1\"\n"
    );
    home.write("vodmill.toml", &bucket);
    let mut daemon = Daemon::start(&home, &[]);
    let asked = silent.accept().expect("the bucket is asked");
    daemon.terminate();
    // By itself, or by force where it was asked for before any work could begin.
    daemon.ended(Duration::from_secs(20));
    drop(asked);
}
