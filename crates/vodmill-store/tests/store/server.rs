//! One SeaweedFS for all tests of this run, which scripts/test-servers has started; without it, for
//! this process, on free ports of the loopback address. That one dies with the process, and its files
//! with it or with the next run.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, OnceLock};

use vodmill_store::s3::{Bucket, Condition, PutOptions, S3Settings};

/// Its services take this port and those above.
const PORTS: u16 = 10;

struct Server {
    port: u16,
    credentials: PathBuf,
    // Held open for as long as the process lives; none if the server is the run's.
    _child: Option<Running>,
}

/// A script of scripts/services, and what it prints.
pub type Running = (Child, BufReader<ChildStdout>);

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(start)
}

fn start() -> Server {
    let dir = place();
    let credentials = credentials_in(&dir);
    let (port, child) = of_this_run_or_own("seaweedfs", &dir);
    make_bucket(port, &credentials);
    Server { port, credentials, _child: child }
}

/// The port of a server that all tests of this run share, or of a new one.
pub fn of_this_run_or_own(name: &str, dir: &Path) -> (u16, Option<Running>) {
    if let Ok(port) = std::env::var(format!("VODMILL_TEST_{}", name.to_uppercase())) {
        return (port.parse().expect("a port"), None);
    }
    for _ in 0..5 {
        let port = free_ports();
        if let Some(child) = service(name, dir, port) {
            return (port, Some(child));
        }
    }
    panic!("{name} does not start; see {}/log", dir.display());
}

/// Starts `scripts/services/NAME`, and waits until it says that it is ready. It is told when this
/// process ends, by the end of the thread that starts it, which therefore never ends.
pub fn service(name: &str, dir: &Path, port: u16) -> Option<Running> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/services").join(name);
    let mut command = Command::new(script);
    command.arg(dir).arg(port.to_string()).stdin(Stdio::null()).stdout(Stdio::piped());
    // Its end takes longer than the test's, whose output it must not hold open.
    command.stderr(fs::File::create(dir.with_extension("said")).expect("a file"));
    let (started, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = started.send(command.spawn());
        loop {
            std::thread::park();
        }
    });
    let mut child = wait.recv().expect("an answer").expect("the script runs");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("its output");
    (line == "ready\n").then_some((child, output))
}

/// A folder for the server's files, the folders of earlier runs removed.
fn place() -> PathBuf {
    let root = std::env::temp_dir();
    let mine = format!("vodmill-store-{}", std::process::id());
    for entry in fs::read_dir(&root).expect("temporary folder").flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix("vodmill-store-"));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            // Another run may be removing it too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let dir = root.join(mine);
    fs::create_dir_all(&dir).expect("folder");
    dir
}

pub fn credentials_in(dir: &Path) -> PathBuf {
    let path = dir.join("credentials");
    let text = "[default]\naws_access_key_id = vodmill\naws_secret_access_key = vodmill-secret\n";
    fs::write(&path, text).expect("credentials");
    path
}

/// The first of as many free ports, below those that the system gives to clients.
pub fn free_ports() -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let mut candidates = std::iter::repeat_with(|| rand::random_range(12_000..31_000));
    candidates.find(|port| (*port..port + PORTS).all(free)).expect("free ports")
}

/// Where the server listens.
pub fn address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], server().port))
}

/// How it is reached.
pub fn settings() -> S3Settings {
    settings_for(&format!("http://{}", address()))
}

/// How it is reached through `endpoint`.
pub fn settings_for(endpoint: &str) -> S3Settings {
    reach(endpoint, &server().credentials)
}

/// A bucket for all tests; each keeps to a prefix of its own.
pub fn bucket() -> Bucket {
    Bucket::open("tests", &settings())
}

/// The server makes a bucket when it is first written to.
fn make_bucket(port: u16, credentials: &Path) {
    let settings = reach(&format!("http://127.0.0.1:{port}"), credentials);
    let put = PutOptions::default();
    Bucket::open("tests", &settings)
        .put("made", "".as_bytes(), &put, &Condition::None)
        .expect("a bucket");
}

fn reach(endpoint: &str, credentials: &Path) -> S3Settings {
    S3Settings {
        endpoint: Some(endpoint.to_owned()),
        region: Some("us-east-1".to_owned()),
        credentials_file: Some(credentials.to_owned()),
        ..S3Settings::default()
    }
}

/// A name that no other test has.
pub fn unique(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Ids of processes come again within a run.
    static PROCESS: LazyLock<u32> = LazyLock::new(rand::random);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{name}-{:08x}-{number}", *PROCESS)
}
