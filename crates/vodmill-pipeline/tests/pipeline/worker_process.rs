//! The whole worker in a process of its own, so that it can be killed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::home::{Home, PATIENCE, work};

/// Works until every job has ended.
pub fn main(home: &Path) {
    work(&Home::at(home).open());
}

/// A worker at work. It is killed, and waited for, when it is dropped.
pub struct WorkerProcess(Child);

impl WorkerProcess {
    pub fn start(home: &Home) -> WorkerProcess {
        let home = format!("home={}", home.root.display());
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        command.args(["worker", "--exact", "--ignored", &home]).stdout(Stdio::null());
        WorkerProcess(command.spawn().expect("start worker"))
    }

    /// Kills it as soon as `moment` has come; false if it ended before.
    pub fn kill_when(mut self, moment: impl Fn() -> bool) -> bool {
        let begun = Instant::now();
        while !moment() {
            assert!(begun.elapsed() < PATIENCE, "the moment never came");
            if self.0.try_wait().expect("look at worker").is_some() {
                return false;
            }
            std::thread::yield_now();
        }
        self.0.kill().expect("kill worker");
        true
    }

    /// Waits until it has ended well.
    pub fn finish(mut self) {
        let status = self.0.wait().expect("wait for worker");
        assert!(status.success(), "worker: {status}");
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
