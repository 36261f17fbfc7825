//! The parent's side: start, listen, watch, kill.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Once;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt as _, FdMapping};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde::de::DeserializeOwned;
use serde_json::Value;
use vodmill_model::Failed;
use vodmill_model::transcode::Progress;

use super::sandbox::Confinement;
use super::watchdog::Watchdog;
use super::{Assignment, Bounds, Event, FILE_SIZE, MEMORY, SANDBOX, SCRATCH, Usage};
use crate::original::OpenOriginal;
use crate::settings::{ChildCommand, Sandbox};
use crate::stage_error::StageError;

/// How often the parent looks whether the child must go.
const LOOK: Duration = Duration::from_millis(100);

/// How long a child may take to leave when it has said its last word.
const LEAVE: Duration = Duration::from_secs(5);

/// Lines of a child's log that are kept for the evidence of a failure.
const LOG_LINES: usize = 40;

/// Longest line of a child that is listened to, in bytes.
const MAX_LINE: u64 = 64 << 20;

/// Starts children.
pub(crate) struct ChildRunner<'a> {
    pub command: &'a ChildCommand,
    pub bounds: &'a Bounds,
    pub sandbox: Sandbox,
    /// The folder that the child may write in, if it may at all.
    pub scratch: Option<&'a Path>,
    /// The original, if it is a file: a child gets its descriptor under the number that it has here,
    /// so that what `/proc/self/fd` says of it holds there too.
    pub original: Option<&'a OpenOriginal>,
}

/// What of this process's environment a child gets. It has no use for the rest, which may hold
/// passwords.
const ENVIRONMENT: [&str; 7] =
    ["LANG", "LC_ALL", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE", "PATH", "RUST_BACKTRACE", "TZ"];

/// What the libraries of a child are told: SVT-AV1 to log errors only, and the allocator to keep to two
/// arenas. Each takes 64 MiB of the address space that `child_memory` bounds, and an encoder with
/// threads of its own would have one for each.
const LIBRARIES: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "2"), ("SVT_LOG", "1")];

impl ChildRunner<'_> {
    /// Runs an assignment to its end: its result, and what the child has cost. `progress` hears how
    /// far it is; as soon as `must_go` answers true, the child is killed and the work parked.
    pub(crate) fn run<T: DeserializeOwned>(
        &self,
        assignment: &Assignment,
        progress: &mut dyn FnMut(Progress),
        must_go: &dyn Fn() -> bool,
    ) -> Result<(T, Usage), StageError> {
        let order = describe(assignment)?;
        let mut child = KillOnDrop(self.start()?);
        let events = listen(&mut child.0);
        let log = std::thread::spawn({
            let stderr = child.0.stderr.take();
            move || stderr.map(tail).unwrap_or_default()
        });
        // The pipe stays open until the child has ended: its end is the child's signal to leave.
        let stdin = child.0.stdin.take();
        let told = std::thread::spawn(move || stdin.map(|pipe| tell(pipe, &order)));
        let said = self.listen_until_end(&child, &events, progress, must_go);
        let (said, usage) = match said {
            Ok(said) => said,
            Err(end) => {
                child.kill();
                return Err(end.with_log(&log.join().unwrap_or_default()));
            }
        };
        let status = child.end().map_err(|error| Failed::from_error("wait for child", &error))?;
        drop(told);
        let result =
            result_of(said, status).map_err(|end| end.with_log(&log.join().unwrap_or_default()))?;
        let result =
            serde_json::from_value(result).map_err(|e| Failed::from_error("read result", &e))?;
        Ok((result, usage))
    }

    fn start(&self) -> Result<Child, Failed> {
        let mut command = Command::new(&self.command.program);
        command
            .args(&self.command.arguments)
            .env_clear()
            .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .envs(LIBRARIES)
            .envs(vodmill_fault::environment())
            .env(SANDBOX, self.sandbox.as_str())
            .env(MEMORY, self.bounds.memory.to_string())
            .env(FILE_SIZE, self.bounds.file_size.to_string())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(scratch) = self.scratch {
            command.env(SCRATCH, scratch).env("TMPDIR", scratch);
        }
        let stage = || format!("start {}", self.command.program.display());
        self.give_original(&mut command).map_err(|error| Failed::from_error(stage(), &error))?;
        command.spawn().map_err(|error| Failed::from_error(stage(), &error))
    }

    /// No other child gets it: descriptors are closed for all that are not given them.
    fn give_original(&self, command: &mut Command) -> io::Result<()> {
        let Some(original) = self.original else { return Ok(()) };
        let child_fd = original.file.as_raw_fd();
        let mapping = FdMapping { parent_fd: original.descriptor()?, child_fd };
        command.fd_mappings(vec![mapping]).map_err(io::Error::other).map(drop)
    }

    /// Says once if children are not confined as they should be.
    fn look_at(&self, confinement: Confinement) {
        static SAID: Once = Once::new();
        if self.sandbox != Sandbox::Off && !confinement.is_whole() {
            let Confinement { files, calls } = confinement;
            SAID.call_once(|| {
                tracing::warn!(files, calls, "media children are not fully confined")
            });
        }
    }

    fn listen_until_end(
        &self,
        child: &KillOnDrop,
        events: &Receiver<Event>,
        progress: &mut dyn FnMut(Progress),
        must_go: &dyn Fn() -> bool,
    ) -> Result<(Option<Event>, Usage), StageError> {
        let mut watchdog = Watchdog::new(self.bounds);
        let mut usage = Usage::default();
        loop {
            if let Some(cause) = watchdog.verdict() {
                return Err(Failed::new("media child", cause).into());
            }
            match events.recv_timeout(LOOK) {
                Ok(Event::Progress(step)) => {
                    if watchdog.note(&step) {
                        progress(step);
                    }
                }
                Ok(Event::Confined(confinement)) => self.look_at(confinement),
                Ok(Event::Usage(said)) => {
                    usage = said;
                    let Usage { cpu_ms, peak_memory } = usage;
                    tracing::debug!(cpu_ms, peak_memory, "media child ends");
                }
                Ok(end) => return Ok((Some(end), usage)),
                Err(RecvTimeoutError::Disconnected) => return Ok((None, usage)),
                Err(RecvTimeoutError::Timeout) => child.end_group_with_it(),
            }
            if must_go() {
                return Err(StageError::Interrupted);
            }
        }
    }
}

/// What a child's last word comes to.
fn result_of(said: Option<Event>, status: ExitStatus) -> Result<Value, StageError> {
    match said {
        Some(Event::Done(value)) => Ok(value),
        Some(Event::Rejected(rejected)) => Err(rejected.into()),
        Some(Event::Failed(failed)) => Err(failed.into()),
        Some(Event::Confined(_) | Event::Progress(_) | Event::Usage(_)) | None => {
            let cause = format!("ended without a result: {status}");
            Err(Failed::new("media child", cause).into())
        }
    }
}

/// A child that does not outlive its parent's interest; nor does a process that it has started.
struct KillOnDrop(Child);

impl KillOnDrop {
    /// Waits for a child that has said its last word, and does not let a library hold it that
    /// hangs on its way out.
    fn end(&mut self) -> io::Result<ExitStatus> {
        let begun = Instant::now();
        while begun.elapsed() < LEAVE && !self.has_ended()? {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.kill_group();
        self.0.wait()
    }

    /// Whether it has; it stays to be waited for, lest its number be given to somebody else.
    fn has_ended(&self) -> io::Result<bool> {
        let Some(pid) = Pid::from_raw(self.0.id().cast_signed()) else { return Ok(true) };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(pid), options)?.is_some())
    }

    /// What a child leaves behind that has crashed may hold its end of our pipes.
    fn end_group_with_it(&self) {
        if self.has_ended().unwrap_or(false) {
            self.kill_group();
        }
    }

    fn kill(&mut self) {
        self.kill_group();
        let _ = self.0.wait();
    }

    /// Kills the child and what it has started, all in the group that it leads. In the sandbox there
    /// is nobody else: it can start no process, and leave no group.
    fn kill_group(&self) {
        if let Some(group) = Pid::from_raw(self.0.id().cast_signed()) {
            // All may have ended by themselves, which is as good.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // One that was waited for has left its number to others.
        if self.0.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.kill();
        }
    }
}

fn describe(assignment: &Assignment) -> Result<Vec<u8>, Failed> {
    let mut line = serde_json::to_vec(assignment)
        .map_err(|error| Failed::from_error("describe assignment", &error))?;
    line.push(b'\n');
    Ok(line)
}

/// Hands the assignment over and the pipe back. A child that is gone before it has read it tells
/// why in its log and by its end, as any other.
fn tell(mut pipe: ChildStdin, line: &[u8]) -> ChildStdin {
    let _ = pipe.write_all(line).and_then(|()| pipe.flush());
    pipe
}

fn listen(child: &mut Child) -> Receiver<Event> {
    let (sender, receiver) = sync_channel(64);
    if let Some(stdout) = child.stdout.take() {
        std::thread::spawn(move || forward(BufReader::new(stdout), &sender));
    }
    receiver
}

fn forward(mut stdout: impl BufRead, sender: &SyncSender<Event>) {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = stdout.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
        // Anything else that a library prints there is not for us.
        let event = serde_json::from_slice(&line).ok();
        let gone = event.is_some_and(|event| sender.send(event).is_err());
        if gone || !read.is_ok_and(|count| count > 0) {
            return;
        }
    }
}

/// The last lines of a log, with bounded memory.
fn tail(stderr: impl Read) -> String {
    let mut lines = VecDeque::new();
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    while reader.by_ref().take(4096).read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        lines.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
        if lines.len() > LOG_LINES {
            lines.pop_front();
        }
    }
    Vec::from(lines).join("\n")
}

#[cfg(test)]
mod tests;
