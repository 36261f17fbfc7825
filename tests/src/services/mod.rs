//! Servers that the product works with: those of scripts/services, on the loopback address. One of a
//! kind serves all tests of a run of nextest (scripts/test-servers); a test that stops its server
//! starts one of its own, which is gone with it.

mod authority;
mod boto;
mod cdn;
mod cloud;
mod http;
mod nginx;
mod postgres;
mod receiver;

use std::env;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use crate::product::{descendants, gone, signal, wait_until};

pub use authority::Authority;
pub use cdn::{Batch, Cdn};
pub use cloud::{Cloud, Object};
pub use http::{Answer, Asked, HttpServer};
pub use nginx::{Nginx, Reply};
pub use postgres::Postgres;
pub use receiver::{Mood, Receiver};

/// Most that a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running script of scripts/services, and the data of its server.
struct Service {
    name: &'static str,
    directory: TempDir,
    port: u16,
    script: Mutex<Option<Child>>,
}

impl Service {
    /// Starts it on `ports` ports in a row that are free; `ready` looks whether it answers.
    fn start(name: &'static str, ports: u16, ready: fn(&Service) -> bool) -> Service {
        let prefix = format!("vodmill-{name}-");
        let directory = tempfile::Builder::new().prefix(&prefix).tempdir().expect("a folder");
        let port = free_ports(ports);
        let service = Service { name, directory, port, script: Mutex::default() };
        service.start_again(ready);
        service
    }

    /// The one that all tests of this run share, if there is one. It cannot be stopped.
    fn of_this_run(name: &'static str) -> Option<Service> {
        let port = env::var(format!("VODMILL_TEST_{}", name.to_uppercase())).ok()?;
        let directory = tempfile::tempdir().expect("a folder");
        let port = port.parse().expect("a port");
        Some(Service { name, directory, port, script: Mutex::default() })
    }

    /// Starts it with the data that it had, where it was.
    fn start_again(&self, ready: fn(&Service) -> bool) {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/services");
        let log = File::options().create(true).append(true).open(self.log()).expect("a log");
        let mut command = Command::new(scripts.join(self.name));
        command.arg(self.directory.path()).arg(self.port.to_string()).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("the log")).stderr(log);
        let mut script = command.spawn().expect("a script of scripts/services runs");
        wait_until(self.name, PATIENCE, || {
            let ended = script.try_wait().expect("waiting");
            assert!(ended.is_none(), "{} ended: {}", self.name, self.said());
            ready(self).then_some(())
        });
        *self.script.lock().expect("whole") = Some(script);
    }

    /// Lets it end in order.
    fn stop(&self) {
        let mut script = self.take().expect("a server of this test's own runs");
        let family = descendants(script.id());
        signal("TERM", &family[..family.len().min(1)]);
        wait_until("a server stops", PATIENCE, || script.try_wait().expect("waiting"));
        gone(&family);
    }

    /// SIGKILL to the server and all that belongs to it.
    fn kill(&self) {
        kill(self.take().expect("a server of this test's own runs"));
    }

    fn take(&self) -> Option<Child> {
        self.script.lock().expect("whole").take()
    }

    /// A signal to the server and all that belongs to it.
    fn signal(&self, name: &str) {
        let script = self.script.lock().expect("whole");
        signal(name, &descendants(script.as_ref().expect("it runs").id()));
    }

    /// Beside the data, since a server may own its folder.
    fn log(&self) -> PathBuf {
        self.directory.path().with_extension("log")
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }
}

fn kill(mut script: Child) {
    let family = descendants(script.id());
    signal("KILL", &family);
    script.wait().expect("a script ends");
    gone(&family);
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(script) = self.take() {
            kill(script);
        }
        let _ = std::fs::remove_file(self.log());
    }
}

/// Names of databases and buckets of this process begin so: no other has had these.
fn unique(name: &str, separator: char) -> String {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(()));
    format!("t{:016x}{separator}{name}", *PROCESS)
}

/// The first of `count` free ports in a row, below those that the system gives to clients.
pub fn free_ports(count: u16) -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let random = RandomState::new();
    let candidates = (0..1000_u32).map(|turn| 12_000 + (random.hash_one(turn) % 19_000) as u16);
    let mut candidates = candidates.filter(|port| (*port..port + count).all(free));
    candidates.next().expect("free ports")
}
