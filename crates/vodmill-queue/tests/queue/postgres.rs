//! What only a server has: it goes down, answers get lost, and its clock counts.

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use vodmill_queue::{
    BatchLimits, ClaimFilter, Completion, Control, Error, EventKind, Failure, Invalidations,
    JobFilter, JobState, Jobs, Kept, Lease, Leases, Names, Outbox, PostgresOptions, PostgresQueue,
    Queue, Secrets, StalePath, Subscription, Subscriptions, TaskState,
};

use crate::server::{Server, execute, shared_database, shared_port};
use crate::thief::Thief;
use crate::world::{MINUTE, POLICY, ending, job, task};

fn claim(queue: &dyn Queue, lease: Duration) -> Option<Lease> {
    queue.claim("me", lease, &ClaimFilter::default()).unwrap()
}

#[test]
fn the_servers_clock_counts() {
    let queue = PostgresQueue::open(&shared_database()).unwrap();
    queue.enqueue(&job("j"), &[task("a", &[])]).unwrap();
    let lease = claim(&queue, Duration::from_millis(200)).unwrap();
    let start = Instant::now();
    while queue.reap_expired().unwrap() == 0 {
        assert!(start.elapsed() < MINUTE);
        thread::sleep(Duration::from_millis(10));
    }
    assert!(start.elapsed() > Duration::from_millis(100));
    let error = queue.complete(&lease, &ending()).unwrap_err();
    assert!(matches!(error, Error::LeaseLost { .. }), "{error}");
    assert_eq!(queue.tasks("j").unwrap()[0].state, TaskState::Ready);
}

#[test]
fn waiting_ends_with_another_process_work() {
    let url = shared_database();
    let (here, there) = (PostgresQueue::open(&url).unwrap(), PostgresQueue::open(&url).unwrap());
    assert!(claim(&here, MINUTE).is_none());
    let start = Instant::now();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            loop {
                match claim(&here, MINUTE) {
                    Some(lease) => return lease,
                    None => here.wait(MINUTE),
                }
            }
        });
        there.enqueue(&job("j"), &[task("a", &[])]).unwrap();
        assert_eq!(waiting.join().unwrap().key, "a");
    });
    assert!(start.elapsed() < MINUTE / 2, "it waited its time out");
}

#[test]
fn opening_is_refused_in_plain_words() {
    let url = shared_database();
    let error = PostgresQueue::open_existing(&url).unwrap_err();
    assert!(matches!(error, Error::NoDatabase { .. }), "{error}");
    drop(PostgresQueue::open(&url).unwrap());
    drop(PostgresQueue::open_existing(&url).unwrap());
    execute(&url, "UPDATE settings SET value = '99' WHERE name = 'schema'");
    let error = PostgresQueue::open(&url).unwrap_err();
    assert!(matches!(error, Error::NewerSchema { found: 99, .. }), "{error}");
    let url = shared_database();
    execute(&url, "CREATE TABLE jobs (x TEXT)");
    let error = PostgresQueue::open(&url).unwrap_err();
    assert!(matches!(error, Error::NotAQueue { .. }), "{error}");
    let missing = url.replace("/test", "/missing");
    let start = Instant::now();
    let error = PostgresQueue::open(&missing).unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    assert!(start.elapsed() < MINUTE / 4, "trying again does not make a database");
}

/// Two processes of this release begin at once on what the one before left, in the middle of a job.
#[test]
fn the_third_schema_is_brought_up_to_date() {
    let url = shared_database();
    execute(&url, include_str!("postgres-3.sql"));
    let refused = PostgresQueue::open_existing(&url).unwrap_err();
    assert!(matches!(refused, Error::OlderSchema { found: 3, .. }), "{refused}");
    let [queue, other] = thread::scope(|scope| {
        let open = || scope.spawn(|| PostgresQueue::open(&url).unwrap());
        [open(), open()].map(|opening| opening.join().unwrap())
    });
    drop(PostgresQueue::open_existing(&url).unwrap());
    assert_eq!(other.secret_by_name("kid").unwrap().unwrap().value, "wrapped");
    assert_eq!(other.next_generation("j", "again").unwrap(), 2);
    // What it was in the middle of goes on, and is told of now.
    assert_eq!(queue.reap_expired().unwrap(), 1);
    let lease = loop {
        match claim(&queue, MINUTE) {
            Some(lease) if lease.key == "publish" => break lease,
            Some(other) => queue.complete(&other, &ending()).unwrap(),
            None => thread::sleep(Duration::from_millis(50)),
        }
    };
    let kinds = vec![EventKind::Published];
    let site = Subscription { pipeline: "films".into(), target: "site".into(), kinds };
    queue.subscribe(Subscriptions::new(vec![site]));
    let path = StalePath { distribution: "E1".into(), path: "/j/index.m3u8".into() };
    let completion = Completion { stale: vec![path], ..ending() };
    queue.complete(&lease, &completion).unwrap();
    let delivery = other.claim_delivery("site", MINUTE).unwrap().unwrap();
    assert_eq!(delivery.event.job.as_deref(), Some("j"));
    assert!(other.delivered(&delivery).unwrap());
    let limits = BatchLimits { paths: 9, wildcards: 9 };
    let batch = other.claim_batch("E1", &limits, MINUTE).unwrap().unwrap();
    assert_eq!(batch.paths, ["/j/index.m3u8"]);
    assert_eq!(queue.tasks("k").unwrap()[0].state, TaskState::Done);
}

#[test]
fn patience_ends() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://me:secret@127.0.0.1:{port}/none");
    let options =
        PostgresOptions { patience: Duration::from_millis(300), ..PostgresOptions::default() };
    let start = Instant::now();
    let error = PostgresQueue::open_with(&url, &options).unwrap_err();
    assert!(start.elapsed() > Duration::from_millis(100), "it did not try again");
    assert!(start.elapsed() < MINUTE / 4);
    assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
}

/// How often each task of each job was completed.
type Done = Mutex<HashMap<(String, String), usize>>;

const JOBS: usize = 60;

/// Sets a flag when it goes, by a panic too, so that nobody waits for ever.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Four workers, and a server that is killed under them.
#[test]
fn a_killed_server_loses_nothing_and_does_nothing_twice() {
    let mut server = Server::start(&[]);
    let url = server.database();
    let (done, all_ended) = (Done::default(), AtomicBool::new(false));
    let queue = PostgresQueue::open(&url).unwrap();
    thread::scope(|scope| {
        for worker in ["one", "two", "three", "four"] {
            let (url, done, all_ended) = (&url, &done, &all_ended);
            scope.spawn(move || {
                let queue = PostgresQueue::open(url).unwrap();
                while !all_ended.load(Ordering::SeqCst) {
                    work(&queue, worker, done);
                }
            });
        }
        let _ends = Ends(&all_ended);
        scope.spawn(|| enqueue_all(&queue));
        for _ in 0..2 {
            let before = done.lock().unwrap().len();
            until(|| done.lock().unwrap().len() >= before + 20);
            server.kill_and_start(Duration::from_millis(500), &[]);
        }
        let published = JobFilter { state: Some(JobState::Published), ..JobFilter::default() };
        until(|| queue.jobs(&published, 1000).unwrap().len() == JOBS);
    });
    let done = done.into_inner().unwrap();
    assert_eq!(done.len(), JOBS * 4, "{done:?}");
    assert!(done.values().all(|times| *times == 1), "{done:?}");
}

fn enqueue_all(queue: &PostgresQueue) {
    for at in 0..JOBS {
        queue.enqueue(&job(&format!("j{at}")), &[task("plan", &[])]).unwrap();
    }
}

fn work(queue: &PostgresQueue, holder: &str, done: &Done) {
    queue.reap_expired().unwrap();
    // A claim whose answer was lost holds its task until the lease expires.
    let lease = Duration::from_secs(2);
    let Some(lease) = queue.claim(holder, lease, &ClaimFilter::default()).unwrap() else {
        return queue.wait(Duration::from_millis(200));
    };
    let completion = match lease.key.as_str() {
        "plan" => {
            let end = task("end", &["plan", "one", "two"]);
            Completion { then: vec![task("one", &[]), task("two", &[]), end], ..Default::default() }
        }
        "end" => ending(),
        _ => Completion::default(),
    };
    match queue.complete(&lease, &completion) {
        Ok(()) => *done.lock().unwrap().entry((lease.job_id, lease.key)).or_default() += 1,
        Err(Error::LeaseLost { .. }) => {}
        Err(error) => panic!("{error}: {error:?}"),
    }
}

fn until(holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < 2 * MINUTE, "it does not come to be");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A queue behind a thief, and the same queue seen directly.
fn behind_a_thief() -> (Thief, PostgresQueue, PostgresQueue) {
    let url = shared_database();
    let thief = Thief::new(shared_port());
    let direct = PostgresQueue::open(&url).unwrap();
    let robbed = url.replace(&format!(":{}/", shared_port()), &format!(":{}/", thief.port));
    let queue = PostgresQueue::open(&robbed).unwrap();
    (thief, queue, direct)
}

#[test]
fn a_lease_whose_answer_was_lost_expires() {
    let (thief, queue, direct) = behind_a_thief();
    thief.robbed(|| queue.enqueue(&job("j"), &[task("a", &[])])).unwrap();
    assert_eq!(direct.tasks("j").unwrap().len(), 1);
    // The first claim holds the task, and its repetition finds none.
    let short = Duration::from_millis(300);
    let none = thief.robbed(|| queue.claim("me", short, &ClaimFilter::default())).unwrap();
    assert_eq!(none, None);
    assert_eq!(direct.leases().unwrap().len(), 1);
    until(|| direct.reap_expired().unwrap() == 1);
    assert_eq!(claim(&queue, MINUTE).unwrap().attempt, 2);
}

#[test]
fn an_end_whose_answer_was_lost_is_told_again() {
    let (thief, queue, direct) = behind_a_thief();
    queue.enqueue(&job("j"), &[task("a", &[])]).unwrap();
    let lease = claim(&queue, MINUTE).unwrap();
    thief.robbed(|| queue.release(&lease)).unwrap();
    let lease = claim(&queue, MINUTE).unwrap();
    assert_eq!(lease.attempt, 1);
    let failure = thief.robbed(|| queue.fail(&lease, "broken", "{}", &POLICY)).unwrap();
    assert!(matches!(failure, Failure::Retried { .. }));
    assert_eq!(direct.tasks("j").unwrap()[0].attempts, 1);
    direct.cancel("j").unwrap();
    direct.retry("j").unwrap();

    let lease = claim(&queue, MINUTE).unwrap();
    let completion = Completion { then: vec![task("b", &["a"])], ..Completion::default() };
    thief.robbed(|| queue.complete(&lease, &completion)).unwrap();
    assert_eq!(direct.tasks("j").unwrap().len(), 2);
    let lease = claim(&queue, MINUTE).unwrap();
    thief.robbed(|| queue.reject(&lease, "why")).unwrap();
    assert_eq!(direct.job("j").unwrap().state, JobState::Rejected);
}

#[test]
fn a_name_whose_answer_was_lost_is_the_same() {
    let (thief, queue, direct) = behind_a_thief();
    let generation = thief.robbed(|| queue.next_generation("film", "j")).unwrap();
    assert_eq!((generation, direct.next_generation("film", "j").unwrap()), (1, 1));
    assert_eq!(thief.robbed(|| queue.claim_asset("film", "me", &[])).unwrap(), "film");
    assert_eq!(
        thief.robbed(|| queue.keep_secret("id", &[], "v")).unwrap(),
        Kept::Stored("v".into())
    );
}

/// As an operator would set it up: an authority, and a certificate for one name.
fn certificates(dir: &Path) {
    let run = |args: &str| {
        let run = Command::new("openssl").args(args.split(' ')).current_dir(dir).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    };
    let new = "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2";
    run(&format!("{new} -keyout ca.key -out ca.pem -subj /CN=authority"));
    run(&format!("{new} -keyout other.key -out other.pem -subj /CN=stranger"));
    run(&format!(
        "{new} -keyout server.key -out server.crt -subj /CN=localhost -CA ca.pem -CAkey ca.key \
         -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE"
    ));
}

#[test]
fn certificates_are_verified_as_the_address_says() {
    let files = tempfile::tempdir().unwrap();
    certificates(files.path());
    let server = Server::start(&[]);
    let url = server.database();
    for name in ["server.key", "server.crt"] {
        let text = std::fs::read_to_string(files.path().join(name)).unwrap();
        let lines = format!("SELECT string_to_table('{}', E'\\n')", text.trim());
        // Its own user has to be the owner, and the only reader.
        server.run(&format!("COPY ({lines}) TO PROGRAM 'umask 077; cat > {name}'"));
    }
    server.run("ALTER SYSTEM SET ssl = on");
    server.run("SELECT pg_reload_conf()");
    let url = url.replace("127.0.0.1", "localhost");
    let options = PostgresOptions { patience: MINUTE / 12, ..PostgresOptions::default() };
    let open = |host: &str, mode: &str, authority: &str| {
        let roots = files.path().join(authority);
        let url = url.replace("localhost", host);
        let url = match authority {
            "" => format!("{url}?sslmode={mode}"),
            _ => format!("{url}?sslmode={mode}&sslrootcert={}", roots.display()),
        };
        PostgresQueue::open_with(&url, &options)
    };
    until(|| open("localhost", "require", "").is_ok());
    open("localhost", "disable", "").unwrap();
    open("localhost", "verify-full", "ca.pem").unwrap();
    for (host, authority) in
        [("localhost", ""), ("localhost", "other.pem"), ("127.0.0.1", "ca.pem")]
    {
        let start = Instant::now();
        let error = open(host, "verify-full", authority).unwrap_err();
        assert!(matches!(error, Error::Database { .. }), "{error}");
        assert!(start.elapsed() < MINUTE / 20, "trying again does not mend {authority}: {error:?}");
    }
}
