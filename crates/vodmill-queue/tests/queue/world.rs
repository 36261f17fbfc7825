//! A queue to test, with a clock that the test moves.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tempfile::TempDir;
use vodmill_clock::{Clock, ManualClock};
use vodmill_queue::{
    Cause, ClaimFilter, Completion, JobOutcome, JobState, Lease, NewJob, NewTask, PostgresOptions,
    PostgresQueue, Queue, RetryPolicy, SqliteQueue, TaskInfo,
};

pub const MINUTE: Duration = Duration::from_secs(60);

pub const POLICY: RetryPolicy = RetryPolicy {
    cause: Cause::Failure,
    max_attempts: 3,
    base_delay: Duration::from_secs(10),
    max_delay: Duration::from_secs(15),
};

/// A queue on some engine.
pub struct World {
    pub queue: Arc<dyn Queue>,
    pub clock: Arc<ManualClock>,
    place: String,
    _dir: Option<TempDir>,
}

pub fn sqlite() -> World {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("queue.db").display().to_string();
    World::new(place, Some(dir))
}

pub fn postgres() -> World {
    World::new(crate::server::shared_database(), None)
}

/// Opens a queue: a URL of PostgreSQL's, or a file.
pub fn open(place: &str) -> Arc<dyn Queue> {
    match place.contains("://") {
        true => Arc::new(PostgresQueue::open(place).unwrap()),
        false => Arc::new(SqliteQueue::open(place).unwrap()),
    }
}

pub fn open_with_clock(place: &str, clock: Arc<dyn Clock>) -> Arc<dyn Queue> {
    if !place.contains("://") {
        return Arc::new(SqliteQueue::open_with_clock(place, clock).unwrap());
    }
    let options = PostgresOptions { clock: Some(clock), ..PostgresOptions::default() };
    Arc::new(PostgresQueue::open_with(place, &options).unwrap())
}

/// A name that no other test has.
pub fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    // Ids of processes come again within a run.
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(()));
    format!("test_{:016x}_{}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed))
}

impl World {
    fn new(place: String, dir: Option<TempDir>) -> Self {
        let clock = Arc::new(ManualClock::new(1_000_000));
        let queue = open_with_clock(&place, clock.clone());
        Self { queue, clock, place, _dir: dir }
    }

    /// One more handle, as another process would have.
    pub fn another(&self) -> Arc<dyn Queue> {
        open_with_clock(&self.place, self.clock.clone())
    }

    pub fn enqueue(&self, id: &str, tasks: &[NewTask]) {
        self.queue.enqueue(&job(id), tasks).unwrap();
    }

    pub fn try_claim(&self) -> Option<Lease> {
        self.queue.claim("me", MINUTE, &ClaimFilter::default()).unwrap()
    }

    pub fn claim(&self) -> Lease {
        self.try_claim().expect("a task is ready")
    }

    /// Claims all that is ready, and names it.
    pub fn drain(&self) -> Vec<String> {
        std::iter::from_fn(|| self.try_claim()).map(|lease| lease.key).collect()
    }

    pub fn done(&self, lease: &Lease) {
        self.queue.complete(lease, &Completion::default()).unwrap();
    }

    pub fn state(&self, id: &str) -> JobState {
        self.queue.job(id).unwrap().state
    }

    pub fn task(&self, job: &str, key: &str) -> TaskInfo {
        self.queue.tasks(job).unwrap().into_iter().find(|task| task.key == key).unwrap()
    }

    /// Everything that can be seen, to show that nothing changed.
    pub fn everything(&self) -> String {
        let jobs = self.queue.jobs(&Default::default(), 100).unwrap();
        let tasks: Vec<_> = jobs.iter().map(|job| self.queue.tasks(&job.id).unwrap()).collect();
        format!("{jobs:?} {tasks:?}")
    }
}

pub fn job(id: &str) -> NewJob {
    NewJob {
        id: id.into(),
        pipeline: "films".into(),
        name: format!("{id}.mov"),
        source: format!("inbox/{id}.mov"),
        payload: "{\"j\":1}".into(),
        priority: 0,
    }
}

pub fn task(key: &str, after: &[&str]) -> NewTask {
    NewTask {
        key: key.into(),
        kind: "work".into(),
        payload: format!("{{\"key\":\"{key}\"}}"),
        after: after.iter().map(|key| (*key).to_owned()).collect(),
        priority: 0,
    }
}

pub fn ending() -> Completion {
    Completion { job: Some(JobOutcome::Published), ..Completion::default() }
}

/// Tasks that wait for nothing, with keys that sort.
pub fn numbered(count: usize) -> Vec<NewTask> {
    (0..count).map(|at| task(&format!("t{at:05}"), &[])).collect()
}
