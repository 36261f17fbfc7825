//! The processes of a round, and what a user or a service manager does with them.

use std::collections::BTreeMap;
use std::fs;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use vodmill_tests::product::{Daemon, Pass, Passes, Process, descendants, signal, tree};

use super::lane::{Lane, PATIENCE};
use super::round::{Round, Way};

/// How long a process stands still: longer than its lease of 5 s.
const STILL: Duration = Duration::from_secs(7);

/// After a failure of what is not tried again at once, the daemon is started anew.
const LONG: Duration = Duration::from_secs(12);

/// The processes of a round.
pub struct Crew<'l, 'a> {
    lane: &'l Lane<'a>,
    round: &'l Round,
    pub passes: Passes,
    members: Vec<Daemon>,
    /// A command of a user.
    command: Option<Child>,
    /// How far a job is that is cancelled and retried, or parked.
    steps: usize,
    /// When a process was first seen to stand still.
    still: BTreeMap<u32, Instant>,
    starts: usize,
    /// When all that was ordered had happened.
    happened: Option<Instant>,
}

impl<'l, 'a> Crew<'l, 'a> {
    pub fn start(lane: &'l Lane<'a>, round: &'l Round, passes: Passes) -> Crew<'l, 'a> {
        let mut crew = Crew {
            lane,
            round,
            passes,
            members: Vec::new(),
            command: None,
            steps: 0,
            still: BTreeMap::new(),
            starts: 0,
            happened: None,
        };
        crew.members.push(crew.member(0));
        if lane.bucket.is_some() {
            crew.members.push(crew.member(1));
        }
        crew
    }

    fn member(&self, number: usize) -> Daemon {
        match number {
            0 => Daemon::start(&self.lane.home, &[]),
            _ => Daemon::worker(&self.lane.home, "worker", &[]),
        }
    }

    pub fn log(&self) -> String {
        self.members.iter().map(Daemon::log).collect()
    }

    /// Goes on until the job is over and all has happened, then lets everyone leave.
    pub fn work(&mut self) {
        let begun = Instant::now();
        loop {
            let passes = self.passes.read();
            self.revive();
            self.go_on(&passes);
            self.steer(&passes);
            let happened = self.all_has_happened(&passes);
            if happened && self.still.is_empty() && self.lane.is_over(self.round.way) {
                break;
            }
            self.nudge(happened);
            assert!(begun.elapsed() < PATIENCE, "not over; happened: {happened}");
            thread::sleep(Duration::from_millis(if self.lane.bucket.is_some() { 250 } else { 60 }));
        }
        self.dismiss();
    }

    /// Lets everyone leave; also who has just begun to stand still.
    fn dismiss(&mut self) {
        let begun = Instant::now();
        self.members.iter().for_each(Daemon::terminate);
        while self.members.iter_mut().any(Daemon::runs) {
            let passes = self.passes.read();
            self.go_on(&passes);
            assert!(begun.elapsed() < PATIENCE, "someone does not leave");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whoever has ended is started again, as a service manager does.
    fn revive(&mut self) {
        for number in 0..self.members.len() {
            if !self.members[number].runs() {
                self.starts += 1;
                assert!(self.starts < 8, "it ends again and again");
                self.members[number] = self.member(number);
            }
        }
    }

    /// Who has stood still for long enough goes on. Not a child: what stands still there is killed.
    fn go_on(&mut self, passes: &[Pass]) {
        let stopped = passes.iter().filter(|pass| pass.action.as_deref() == Some("stop"));
        for process in stopped.map(|pass| pass.process) {
            let lives = descendants(process).first().is_some_and(|one| one.pid == process);
            let ours = self.members.iter().map(Daemon::id);
            let ours = ours.chain(self.command.as_ref().map(Child::id)).any(|id| id == process);
            match self.still.get(&process) {
                None if lives && ours && is_stopped(process) => {
                    self.still.insert(process, Instant::now());
                }
                Some(since) if since.elapsed() > STILL => {
                    signal("CONT", &[Process { pid: process, resident: 0 }]);
                    self.still.remove(&process);
                }
                _ => {}
            }
        }
    }

    fn all_has_happened(&mut self, passes: &[Pass]) -> bool {
        let happened = self.round.at.iter().all(|(point, pass)| {
            let mut of_point = passes.iter().filter(|pass| pass.point == *point);
            of_point.nth(pass - 1).is_some_and(|pass| pass.action.is_some())
        });
        let last_step = match self.round.way {
            Way::Retried => 4,
            Way::Parked => 1,
            _ => 0,
        };
        let all = happened && self.steps >= last_step;
        if all && self.happened.is_none() {
            self.happened = Some(Instant::now());
        }
        all
    }

    /// What failed while it was settled is tried again much later, or at the next start.
    fn nudge(&mut self, happened: bool) {
        let long = self.happened.is_some_and(|at| at.elapsed() > LONG);
        if happened
            && long
            && self.lane.bucket.is_none()
            && matches!(self.round.action, "fail" | "full")
        {
            self.members.iter().for_each(Daemon::terminate);
            self.happened = Some(Instant::now());
        }
    }

    /// What a user does meanwhile.
    fn steer(&mut self, passes: &[Pass]) {
        let slow = |point: &str| {
            passes.iter().any(|pass| {
                let delayed = pass.action.as_deref().is_some_and(|word| word.starts_with("delay"));
                pass.point == point && delayed
            })
        };
        match (self.round.way, self.steps) {
            (Way::Parked, 0) if slow("rendition.written") => {
                self.members.iter().for_each(Daemon::terminate);
                self.steps = 1;
            }
            (Way::Retried, 0) if slow("segments.stored") => self.steps = 1,
            (Way::Retried, 1) => self.command("cancel", |state| state == "cancelled"),
            (Way::Retried, 2) => {
                let asset = tree(&self.lane.home.at("published/film"));
                if asset.is_empty() && self.lane.home.scratch().is_empty() {
                    self.steps = 3;
                }
            }
            (Way::Retried, 3) => self.command("retry", |state| state != "cancelled"),
            _ => {}
        }
    }

    /// Has a command run until its job is in a state.
    fn command(&mut self, what: &str, is_done: impl Fn(&str) -> bool) {
        if let Some(command) = &mut self.command {
            if command.try_wait().expect("waiting").is_none() {
                return;
            }
            self.command = None;
        }
        let jobs = self.quiet_jobs();
        let (id, state) = &jobs[0];
        if is_done(state) {
            self.steps += 1;
            return;
        }
        let mut command = self.lane.home.command();
        self.command = Some(command.args(["jobs", what, id]).spawn().expect("it runs"));
    }

    /// Jobs and their states, without coming by a point.
    fn quiet_jobs(&self) -> Vec<(String, String)> {
        let mut command = self.lane.home.command();
        command
            .args(["jobs", "--json"])
            .env_remove("VODMILL_FAULT")
            .env_remove("VODMILL_FAULT_FILE");
        let output = command.output().expect("it runs");
        let jobs: serde_json::Value = serde_json::from_slice(&output.stdout).expect("jobs");
        let text = |job: &serde_json::Value, field: &str| {
            job[field].as_str().unwrap_or_default().to_owned()
        };
        let jobs = jobs.as_array().cloned().unwrap_or_default();
        jobs.iter().map(|job| (text(job, "id"), text(job, "state"))).collect()
    }
}

impl Drop for Crew<'_, '_> {
    fn drop(&mut self) {
        if let Some(command) = &mut self.command {
            let _ = command.kill();
            let _ = command.wait();
        }
    }
}

/// Whether a process stands still (proc(5): the state after the name).
fn is_stopped(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}
