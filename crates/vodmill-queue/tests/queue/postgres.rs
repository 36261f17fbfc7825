//! What only a server has: it goes down, answers get lost, and its clock counts.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use vodmill_queue::{
    ClaimFilter, Completion, Error, Failure, JobFilter, JobState, Lease, PostgresOptions,
    PostgresQueue, Queue, TaskState,
};

use crate::server::{Server, execute, shared};
use crate::world::{MINUTE, POLICY, ending, job, task};

fn claim(queue: &dyn Queue, lease: Duration) -> Option<Lease> {
    queue.claim("me", lease, &ClaimFilter::default()).unwrap()
}

#[test]
fn the_servers_clock_counts() {
    let queue = PostgresQueue::open(&shared().database()).unwrap();
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
    let url = shared().database();
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
    let url = shared().database();
    let error = PostgresQueue::open_existing(&url).unwrap_err();
    assert!(matches!(error, Error::NoDatabase { .. }), "{error}");
    drop(PostgresQueue::open(&url).unwrap());
    drop(PostgresQueue::open_existing(&url).unwrap());
    execute(&url, "UPDATE settings SET value = '99' WHERE name = 'schema'");
    let error = PostgresQueue::open(&url).unwrap_err();
    assert!(matches!(error, Error::NewerSchema { found: 99, .. }), "{error}");
    let url = shared().database();
    execute(&url, "CREATE TABLE jobs (x TEXT)");
    let error = PostgresQueue::open(&url).unwrap_err();
    assert!(matches!(error, Error::NotAQueue { .. }), "{error}");
    let missing = url.replace("/test", "/missing");
    let start = Instant::now();
    let error = PostgresQueue::open(&missing).unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    assert!(start.elapsed() < MINUTE / 4, "trying again does not make a database");
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

/// Four workers, and a server that is killed under them.
#[test]
fn a_killed_server_loses_nothing_and_does_nothing_twice() {
    const JOBS: usize = 60;
    let mut server = Server::start(&[]);
    let url = server.database();
    let queue = PostgresQueue::open(&url).unwrap();
    let done = Mutex::new(HashMap::new());
    let all_ended = AtomicBool::new(false);
    thread::scope(|scope| {
        for worker in 0..4 {
            let (url, done, all_ended) = (&url, &done, &all_ended);
            scope.spawn(move || {
                let queue = PostgresQueue::open(url).unwrap();
                while !all_ended.load(Ordering::SeqCst) {
                    work(&queue, &format!("worker {worker}"), done);
                }
            });
        }
        let enqueuing = scope.spawn(|| {
            for at in 0..JOBS {
                queue.enqueue(&job(&format!("j{at}")), &[task("plan", &[])]).unwrap();
            }
        });
        for _ in 0..2 {
            let before = done.lock().unwrap().len();
            until(|| done.lock().unwrap().len() >= before + 20);
            server.kill_and_start(Duration::from_millis(500), &[]);
        }
        enqueuing.join().unwrap();
        let published = JobFilter { state: Some(JobState::Published), ..JobFilter::default() };
        until(|| queue.jobs(&published, 1000).unwrap().len() == JOBS);
        all_ended.store(true, Ordering::SeqCst);
    });
    let done = done.into_inner().unwrap();
    assert_eq!(done.len(), JOBS * 4, "{done:?}");
    assert!(done.values().all(|times| *times == 1), "{done:?}");
    for at in 0..JOBS {
        let tasks = queue.tasks(&format!("j{at}")).unwrap();
        assert!(tasks.iter().all(|task| task.state == TaskState::Done), "{tasks:?}");
    }
}

fn work(queue: &PostgresQueue, holder: &str, done: &Mutex<HashMap<(String, String), usize>>) {
    queue.reap_expired().unwrap();
    // A claim whose answer was lost holds its task until the lease expires.
    let lease = Duration::from_secs(5);
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

/// Passes bytes between a queue and its server; when armed, it swallows the answer to the next
/// COMMIT, and breaks the connection.
struct Thief {
    armed: Arc<AtomicBool>,
    port: u16,
}

impl Thief {
    fn new(server: u16) -> Self {
        let armed = Arc::new(AtomicBool::new(false));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let trap = armed.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, trap) = (client.unwrap(), trap.clone());
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                thread::spawn(move || serve(client, server, &trap));
            }
        });
        Self { armed, port }
    }

    /// Runs `operation` with its first answer lost.
    fn robbed<T>(&self, operation: impl FnOnce() -> T) -> T {
        self.armed.store(true, Ordering::SeqCst);
        let result = operation();
        assert!(!self.armed.load(Ordering::SeqCst), "nothing was committed");
        result
    }
}

fn serve(mut client: TcpStream, mut server: TcpStream, armed: &AtomicBool) {
    let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let stolen = Arc::new(AtomicBool::new(false));
    let robbed = stolen.clone();
    thread::spawn(move || {
        let mut buffer = [0; 65536];
        while let Ok(length @ 1..) = answers.read(&mut buffer) {
            if robbed.load(Ordering::SeqCst) || back.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = back.shutdown(Shutdown::Both);
        let _ = answers.shutdown(Shutdown::Both);
    });
    let mut buffer = [0; 65536];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        let sent = &buffer[..length];
        let commits = sent.windows(7).any(|bytes| bytes == b"COMMIT\0");
        if commits && armed.swap(false, Ordering::SeqCst) {
            stolen.store(true, Ordering::SeqCst);
        }
        if server.write_all(sent).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}

#[test]
fn an_answer_lost_at_commit_is_found_again() {
    let url = shared().database();
    let thief = Thief::new(shared().port());
    let direct = PostgresQueue::open(&url).unwrap();
    let robbed = url.replace(&shared().port().to_string(), &thief.port.to_string());
    let queue = PostgresQueue::open(&robbed).unwrap();

    thief.robbed(|| queue.enqueue(&job("j"), &[task("a", &[]), task("b", &["a"])])).unwrap();
    assert_eq!(direct.tasks("j").unwrap().len(), 2);
    // The first claim holds the task; the second finds none, and the lease expires in time.
    let short = Duration::from_millis(300);
    let none = thief.robbed(|| queue.claim("me", short, &ClaimFilter::default())).unwrap();
    assert_eq!(none, None);
    assert_eq!(direct.leases().unwrap().len(), 1);
    until(|| direct.reap_expired().unwrap() == 1);

    let lease = claim(&queue, MINUTE).unwrap();
    thief.robbed(|| queue.release(&lease)).unwrap();
    let lease = claim(&queue, MINUTE).unwrap();
    assert_eq!(lease.attempt, 2);
    let failure = thief.robbed(|| queue.fail(&lease, "broken", "{}", &POLICY)).unwrap();
    assert!(matches!(failure, Failure::Retried { .. }));
    assert_eq!(direct.tasks("j").unwrap()[0].attempts, 2);
    direct.cancel("j").unwrap();
    direct.retry("j").unwrap();

    let lease = claim(&queue, MINUTE).unwrap();
    let then = vec![task("c", &["a"])];
    let completion = Completion { then, ..Completion::default() };
    thief.robbed(|| queue.complete(&lease, &completion)).unwrap();
    assert_eq!(direct.tasks("j").unwrap().len(), 3);
    let lease = claim(&queue, MINUTE).unwrap();
    thief.robbed(|| queue.reject(&lease, "why")).unwrap();
    assert_eq!(direct.job("j").unwrap().state, JobState::Rejected);
    let generation = thief.robbed(|| queue.next_generation("film", "j")).unwrap();
    assert_eq!((generation, direct.next_generation("film", "j").unwrap()), (1, 1));
    assert_eq!(thief.robbed(|| queue.claim_asset("film", "me")).unwrap(), "film");
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
