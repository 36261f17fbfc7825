//! PostgreSQL servers of the tests' own.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::world::unique;

/// A server on a free port, stopped when it is dropped or this process ends.
pub struct Server {
    dir: PathBuf,
    port: u16,
    script: Child,
}

/// The port of the server of all tests of this run, which scripts/test-servers has started; without
/// it, of this process. Each test has a database of its own.
pub fn shared_port() -> u16 {
    static SERVER: OnceLock<Server> = OnceLock::new();
    match std::env::var("VODMILL_TEST_POSTGRES") {
        Ok(port) => port.parse().expect("a port"),
        // What is killed here are processes, so the disk need not be waited for.
        Err(_) => {
            SERVER
                .get_or_init(|| Server::start(&["-c", "fsync=off", "-c", "max_connections=200"]))
                .port
        }
    }
}

/// The URL of a new database on the shared server.
pub fn shared_database() -> String {
    database_on(shared_port())
}

fn database_on(port: u16) -> String {
    let name = unique();
    execute(
        &format!("postgres://vodmill@127.0.0.1:{port}/postgres"),
        &format!("CREATE DATABASE {name}"),
    );
    format!("postgres://vodmill@127.0.0.1:{port}/{name}")
}

impl Server {
    pub fn start(options: &[&str]) -> Self {
        loop {
            // Beside the tests' other folders, for its own user must be able to get there.
            let dir = tempfile::Builder::new().prefix("queue-postgres-").tempdir().unwrap().keep();
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let script = spawn(&dir, port, options);
            let mut server = Self { dir, port, script };
            if server.is_up() {
                return server;
            }
            // Another test took the port meanwhile; its server is not ours to talk to.
            assert!(server.log().contains("Address already in use"), "no server: {}", server.log());
        }
    }

    /// A new database's URL.
    pub fn database(&self) -> String {
        database_on(self.port)
    }

    /// Runs a statement on the server.
    pub fn run(&self, sql: &str) {
        let url = format!("postgres://vodmill@127.0.0.1:{}/postgres", self.port);
        execute(&url, sql);
    }

    /// Kills the server as hard as can be, and starts it again after a while.
    pub fn kill_and_start(&mut self, down: Duration, options: &[&str]) {
        let pid = std::fs::read_to_string(self.dir.join("data/postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().to_owned();
        assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
        self.script.wait().unwrap();
        std::thread::sleep(down);
        self.script = spawn(&self.dir, self.port, options);
        assert!(self.is_up(), "no server: {}", self.log());
    }

    /// Waits until this very server takes connections; false if it ended instead.
    fn is_up(&mut self) -> bool {
        let start = Instant::now();
        while !(self.says_ready() && TcpStream::connect(("127.0.0.1", self.port)).is_ok()) {
            if self.script.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "no server: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// What the server notes of itself beside its data: the last line is its state.
    fn says_ready(&self) -> bool {
        let noted = std::fs::read_to_string(self.dir.join("data/postmaster.pid"));
        noted.is_ok_and(|text| text.lines().last().is_some_and(|state| state.trim() == "ready"))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = self.script.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.script.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn spawn(dir: &Path, port: u16, options: &[&str]) -> Child {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/services/postgres");
    let log = std::fs::File::options().create(true).append(true).open(dir.join("log")).unwrap();
    Command::new(script)
        .arg("--remove-when-alone")
        .arg(dir)
        .arg(port.to_string())
        .args(options)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// Runs a statement in a database, once its server lets us in.
pub fn execute(url: &str, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = loop {
            match tokio_postgres::connect(url, tokio_postgres::NoTls).await {
                Ok(connected) => break connected,
                Err(error) => {
                    let starting = tokio_postgres::error::SqlState::CANNOT_CONNECT_NOW;
                    assert_eq!(error.code(), Some(&starting), "{error}");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        };
        let driven = tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
        drop(client);
        driven.await.unwrap().unwrap();
    });
}
