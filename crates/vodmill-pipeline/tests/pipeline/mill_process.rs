//! The whole mill in a process of its own, so that it can be killed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::home::{Home, PATIENCE, work};

/// Works until every job has ended.
pub fn main(home: &Path) {
    work(&Home::at(home).open());
}

/// A mill at work. It is killed, and waited for, when it is dropped.
pub struct MillProcess(Child);

impl MillProcess {
    pub fn start(home: &Home) -> MillProcess {
        let home = format!("home={}", home.root.display());
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        command.args(["mill", "--exact", "--ignored", &home]).stdout(Stdio::null());
        MillProcess(command.spawn().expect("start mill"))
    }

    /// Kills it as soon as `moment` has come; false if it ended before.
    pub fn kill_when(mut self, moment: impl Fn() -> bool) -> bool {
        let begun = Instant::now();
        while !moment() {
            assert!(begun.elapsed() < PATIENCE, "the moment never came");
            if self.0.try_wait().expect("look at mill").is_some() {
                return false;
            }
            std::thread::yield_now();
        }
        self.0.kill().expect("kill mill");
        true
    }

    /// Waits until it has ended well.
    pub fn finish(mut self) {
        let status = self.0.wait().expect("wait for mill");
        assert!(status.success(), "mill: {status}");
    }
}

impl Drop for MillProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
