//! A running daemon, or a worker.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Home, Process, descendants, signal};

/// From one look at the world outside to the next.
const LOOK: Duration = Duration::from_millis(50);

/// The same at most.
const REST: Duration = Duration::from_millis(500);

/// Looks until something is there; panics after `limit`. A look that takes long, as one that starts a
/// process does, is followed by a longer rest, so that looking keeps no processor busy.
pub fn wait_until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        let begun = Instant::now();
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {limit:?}");
        thread::sleep((begun.elapsed() * 8).clamp(LOOK, REST));
    }
}

/// `vodmill daemon` or `vodmill worker`, killed with its children when dropped.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts one; its log is kept beside the home's state.
    pub fn start(home: &Home, arguments: &[&str]) -> Daemon {
        Daemon::spawn(home, "daemon", "daemon.log", arguments)
    }

    /// Starts a worker; its log is kept under its name.
    pub fn worker(home: &Home, name: &str, arguments: &[&str]) -> Daemon {
        Daemon::spawn(home, "worker", &format!("{name}.log"), arguments)
    }

    /// Starts `vodmill keys serve`; its log is kept beside the home's state.
    pub fn key_server(home: &Home, arguments: &[&str]) -> Daemon {
        let arguments: Vec<&str> = ["serve"].iter().chain(arguments).copied().collect();
        Daemon::spawn(home, "keys", "keys.log", &arguments)
    }

    fn spawn(home: &Home, what: &str, log: &str, arguments: &[&str]) -> Daemon {
        let log = home.at(log);
        let file = File::options().create(true).append(true).open(&log).expect("a log");
        let mut command = home.command();
        command.arg(what).args(arguments).stdout(Stdio::null()).stderr(file);
        Daemon { child: command.spawn().expect("it starts"), log }
    }

    /// It and all its children.
    pub fn family(&self) -> Vec<Process> {
        descendants(self.child.id())
    }

    /// SIGKILL to all of them at once, and waits until they are gone.
    pub fn kill(&mut self) {
        let family = self.family();
        // Stopped first, so that the parent cannot start another child in between.
        signal("STOP", &family[..family.len().min(1)]);
        let family = self.family();
        signal("KILL", &family);
        self.child.wait().expect("the daemon ends");
        gone(&family);
    }

    /// SIGKILL to the daemon alone, and waits until its children have left by themselves.
    pub fn kill_alone(&mut self) {
        let family = self.family();
        signal("KILL", &family[..family.len().min(1)]);
        self.child.wait().expect("the daemon ends");
        gone(&family);
    }

    /// SIGKILL to one of its children, if it has any now.
    pub fn kill_a_child(&self) {
        let family = self.family();
        signal("KILL", &family[family.len().min(1)..family.len().min(2)]);
    }

    /// SIGSTOP to all of them: what a machine looks like that stands still.
    pub fn stand_still(&self) {
        // The parent first, so that it cannot start another child in between.
        let family = self.family();
        signal("STOP", &family[..family.len().min(1)]);
        signal("STOP", &self.family());
    }

    /// SIGCONT to all of them.
    pub fn go_on(&self) {
        signal("CONT", &self.family());
    }

    /// SIGTERM to the daemon alone.
    pub fn terminate(&self) {
        signal("TERM", &[Process { pid: self.child.id(), resident: 0 }]);
    }

    /// Waits for its end.
    pub fn ended(&mut self, limit: Duration) -> ExitStatus {
        wait_until("the daemon ends", limit, || self.child.try_wait().expect("waiting"))
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("waiting").is_none()
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it and its forerunners in this home logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.runs() {
            self.kill();
        }
        if thread::panicking() {
            eprintln!("--- {}\n{}", self.log.display(), self.log());
        }
    }
}

/// Waits until none of these processes lives.
pub fn gone(family: &[Process]) {
    wait_until("processes are gone", Duration::from_secs(10), || {
        family.iter().all(|one| descendants(one.pid).is_empty()).then_some(())
    });
}
