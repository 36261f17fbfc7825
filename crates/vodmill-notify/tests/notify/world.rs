//! A queue whose clock the test moves, and a dispatcher at work on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vodmill_clock::ManualClock;
use vodmill_notify::{Address, Dispatcher, Secrets, Target};
use vodmill_queue::{
    ClaimFilter, Completion, EventKind, JobOutcome, Jobs, Lease, Leases, NewJob, NewTask, Outbox,
    SqliteQueue, StalePath, Subscription,
};

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const PATIENCE: Duration = Duration::from_secs(60);

const ALL: [EventKind; 5] = [
    EventKind::Progressing,
    EventKind::Published,
    EventKind::Rejected,
    EventKind::Failed,
    EventKind::Warning,
];

pub struct World {
    pub queue: SqliteQueue,
    pub clock: Arc<ManualClock>,
    _dir: TempDir,
}

impl World {
    pub fn new() -> World {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::new(1_795_334_400_123));
        let path = dir.path().join("queue.db");
        let queue = SqliteQueue::open_with_clock(path, clock.clone()).expect("a queue");
        World { queue, clock, _dir: dir }
    }

    /// Runs `test` while a dispatcher sends.
    pub fn dispatched_by(&self, dispatcher: &Dispatcher, test: impl FnOnce()) {
        self.queue.subscribe(dispatcher.subscriptions());
        let stop = AtomicBool::new(false);
        let go_on = |pause: Duration| {
            thread::sleep(pause.min(Duration::from_millis(10)));
            !stop.load(Ordering::SeqCst)
        };
        thread::scope(|scope| {
            scope.spawn(|| dispatcher.run(&self.queue, &*self.clock, &go_on));
            // Also when the test panics: the scope would wait for ever.
            let _stop = OnDrop(&stop);
            test();
        });
    }

    /// Lets a job begin.
    pub fn begin(&self, id: &str) -> Lease {
        let name = format!("{id}.mov");
        let job = NewJob { id: id.into(), pipeline: "films".into(), name, ..NewJob::default() };
        let task = NewTask { key: "publish".into(), kind: "work".into(), ..NewTask::default() };
        self.queue.enqueue(&job, &[task]).expect("a job");
        let lease = self.queue.claim("me", Duration::from_secs(60), &ClaimFilter::default());
        lease.expect("a claim").expect("a task")
    }

    /// Lets a job end well, with these paths stale.
    pub fn publish(&self, id: &str, stale: &[&str]) {
        let lease = self.begin(id);
        self.queue.set_job_asset(id, id, id).expect("an asset");
        let path = |path: &&str| StalePath { distribution: "E1".into(), path: (*path).to_owned() };
        let completion = Completion {
            result: format!("{{\"asset\":\"{id}\",\"generation\":\"g0001-{id}\"}}"),
            job: Some(JobOutcome::Published),
            stale: stale.iter().map(path).collect(),
            ..Completion::default()
        };
        self.queue.complete(&lease, &completion).expect("its end");
    }

    /// Moves the clock in steps until something is so.
    pub fn pass_time(&self, step: Duration, what: &str, mut so: impl FnMut() -> bool) {
        wait_until(what, || {
            self.clock.advance(step);
            so()
        });
    }
}

struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

pub fn webhook(name: &str, url: String) -> Target {
    let secrets = Secrets::parse(SECRET).expect("a secret");
    target(name, Address::Webhook { url, secrets })
}

pub fn target(name: &str, address: Address) -> Target {
    let subscription = Subscription {
        pipeline: "films".into(),
        target: format!("films/{name}"),
        kinds: ALL.to_vec(),
    };
    let give_up_after = Duration::from_secs(72 * 3600);
    Target { subscription, address, timeout: Duration::from_secs(2), give_up_after }
}
