//! Several processes on one queue, and sudden death.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use vodmill_clock::{Clock, ManualClock, SystemClock};
use vodmill_queue::{
    ClaimFilter, Completion, Enqueued, JobFilter, JobState, Lease, Queue, TaskState,
};

use crate::world::{MINUTE, ending, job, numbered, open, open_with_clock, task};

const PLACE: &str = "VODMILL_QUEUE_TEST_PLACE";
/// Marks what a child reports among what the test harness prints.
const MARK: &str = "#did ";

macro_rules! on_both {
    ($($test:ident)*) => {
        mod sqlite {
            $(#[test] fn $test() {
                let dir = tempfile::tempdir().unwrap();
                super::$test(&|| dir.path().join(crate::world::unique()).display().to_string());
            })*
        }
        mod postgres {
            $(#[test] fn $test() {
                super::$test(&|| crate::server::shared_database());
            })*
        }
    };
}
on_both! { each_task_goes_to_one_process processes_can_create_it_together
killed_at_any_time_nothing_is_lost }

/// Gives a new place for a queue each time.
type Places<'a> = &'a dyn Fn() -> String;

fn each_task_goes_to_one_process(places: Places<'_>) {
    let place = places();
    let queue = open(&place);
    queue.enqueue(&job("j"), &numbered(90)).unwrap();
    let children: Vec<Child> = (0..3).map(|_| spawn("claim_all", &place)).collect();
    let mut keys: Vec<String> = children.into_iter().flat_map(reports).collect();
    keys.sort();
    let expected: Vec<_> = numbered(90).into_iter().map(|task| task.key).collect();
    assert_eq!(keys, expected);
}

fn processes_can_create_it_together(places: Places<'_>) {
    for _ in 0..5 {
        let place = places();
        let children: Vec<Child> = (0..4).map(|_| spawn("create", &place)).collect();
        let all: Vec<String> = children.into_iter().flat_map(reports).collect();
        assert_eq!(all.iter().filter(|did| *did == "new").count(), 1, "{all:?}");
        assert_eq!(all.len(), 4, "{all:?}");
    }
}

fn killed_at_any_time_nothing_is_lost(places: Places<'_>) {
    let place = places();
    let queue = open(&place);
    let mut done = 0;
    for _ in 0..10 {
        let mut child = spawn("work", &place);
        // A moment that is as good as any: there is no event to wait for.
        std::thread::sleep(Duration::from_millis(100 + random(200)));
        child.kill().unwrap();
        let reported = reports(child);
        done += reported.len();
        println!("a child reported {} steps", reported.len());
        verify(&*queue, &reported);
    }
    assert!(done > 20, "the children hardly worked: {done} reports");
    finish_all(&place);
}

/// Once the leases of the dead have expired, every job can be brought to its end.
fn finish_all(place: &str) {
    let tomorrow = SystemClock.now() + 86_400_000;
    let queue = open_with_clock(place, Arc::new(ManualClock::new(tomorrow)));
    queue.reap_expired().unwrap();
    while let Some(lease) = claim(&*queue) {
        step(&*queue, &lease);
    }
    for job in queue.jobs(&JobFilter::default(), u32::MAX).unwrap() {
        assert_eq!(job.state, JobState::Published, "{}", job.id);
    }
}

/// All that a child was told had happened has happened, and every job is consistent.
fn verify(queue: &dyn Queue, reported: &[String]) {
    for line in reported {
        let (what, id) = line.split_once(' ').unwrap();
        let found = queue.job(id).unwrap();
        match what {
            "enqueued" => {}
            "planned" => assert_eq!(queue.tasks(id).unwrap()[0].state, TaskState::Done),
            "published" => assert_eq!(found.state, JobState::Published),
            other => panic!("what is {other}?"),
        }
    }
    for job in queue.jobs(&JobFilter::default(), u32::MAX).unwrap() {
        verify_job(queue, &job.id, job.state);
    }
}

/// A job is `plan`, which adds `chunk` and `end` (after both); `end` publishes.
fn verify_job(queue: &dyn Queue, id: &str, state: JobState) {
    let tasks = queue.tasks(id).unwrap();
    let done = tasks.iter().filter(|task| task.state == TaskState::Done).count();
    assert_eq!(tasks.len(), if done > 0 { 3 } else { 1 }, "{id}");
    assert_eq!(state == JobState::Published, done == 3, "{id}");
    if let Some(end) = tasks.iter().find(|task| task.key == "end") {
        assert_eq!(end.pending as usize, 2 - done.min(2), "{id}");
        assert_eq!(end.state == TaskState::Waiting, end.pending > 0, "{id}");
    }
}

#[test]
#[ignore = "run by the tests above, in a process of its own"]
fn claim_all() {
    let Some(queue) = childs_queue() else { return };
    while let Some(lease) = claim(&*queue) {
        did(&lease.key);
    }
}

#[test]
#[ignore = "run by the tests above, in a process of its own"]
fn create() {
    let Some(queue) = childs_queue() else { return };
    let enqueued = queue.enqueue(&job("j"), &[task("a", &[])]).unwrap();
    did(if enqueued == Enqueued::New { "new" } else { "there" });
}

#[test]
#[ignore = "run by the tests above, in a process of its own"]
fn work() {
    let Some(queue) = childs_queue() else { return };
    for at in 0.. {
        let id = format!("{}-{at}", std::process::id());
        queue.enqueue(&job(&id), &[task("plan", &[])]).unwrap();
        did(&format!("enqueued {id}"));
        while let Some(lease) = claim(&*queue) {
            step(&*queue, &lease);
        }
    }
}

fn step(queue: &dyn Queue, lease: &Lease) {
    let then = vec![task("chunk", &["plan"]), task("end", &["plan", "chunk"])];
    let (what, completion) = match lease.key.as_str() {
        "plan" => ("planned", Completion { then, ..Completion::default() }),
        "end" => ("published", ending()),
        _ => ("", Completion::default()),
    };
    queue.complete(lease, &completion).unwrap();
    if !what.is_empty() {
        did(&format!("{what} {}", lease.job_id));
    }
}

fn claim(queue: &dyn Queue) -> Option<Lease> {
    queue.claim("child", MINUTE, &ClaimFilter::default()).unwrap()
}

fn childs_queue() -> Option<Arc<dyn Queue>> {
    std::env::var(PLACE).ok().map(|place| open(&place))
}

fn did(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{MARK}{what}").unwrap();
    out.flush().unwrap();
}

fn spawn(name: &str, place: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("processes::{name}"), "--ignored", "--nocapture"])
        .env(PLACE, place)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What a child reported until its end.
fn reports(mut child: Child) -> Vec<String> {
    let out = BufReader::new(child.stdout.take().unwrap());
    let lines: Vec<String> = out
        .split(b'\n')
        .filter_map(|line| {
            let line = String::from_utf8(line.unwrap()).unwrap();
            line.find(MARK).map(|at| line[at + MARK.len()..].to_owned())
        })
        .collect();
    child.wait().unwrap();
    lines
}

fn random(below: u64) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::from(now.subsec_nanos() / 7919) % below
}
