//! The child's side.

use std::io::{BufRead, Read, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use serde::Serialize;
use vodmill_fault::point;
use vodmill_model::transcode::{Progress, ProgressSink};
use vodmill_model::{Failed, MediaError, Transcode};

use super::{Assignment, Event, FILE_SIZE, MEMORY, SANDBOX, Usage, sandbox};
use crate::file::passed;
use crate::settings::Sandbox;
use crate::{measure, package, proof};

/// Progress is told at most this often for each stream.
const INTERVAL: Duration = Duration::from_millis(200);

/// Longest assignment in bytes: a plan of a day with its keys is far below.
const MAX_ASSIGNMENT: u64 = 256 << 20;

/// Carries out the assignment that stands on standard input.
pub fn main(transcode: &dyn Transcode) -> ExitCode {
    let events = EventWriter::default();
    limit_self();
    // Of itself, and by the kernel where this process hangs in a library. A parent that was gone
    // before this line is noticed by the end of standard input.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    let result = read_assignment().and_then(|assignment| {
        if let Some(original) = assignment.original() {
            transcode.reach(original)?;
        }
        events.say(&Event::Confined(sandbox::enter(sandbox_level(), &assignment.files())?));
        leave_with_parent();
        carry_out(assignment, transcode, &events)
    });
    let (event, code) = match result {
        Ok(value) => (Event::Done(value), ExitCode::SUCCESS),
        Err(MediaError::Rejected(rejected)) => (Event::Rejected(rejected), ExitCode::SUCCESS),
        Err(MediaError::Failed(failed)) => (Event::Failed(failed), ExitCode::FAILURE),
    };
    events.say(&Event::Usage(Usage::of_self()));
    events.say(&event);
    code
}

/// Takes on the bounds that the parent set: what a hostile file can make libav ask for, the kernel
/// then refuses.
fn limit_self() {
    // What it makes is clear media, which is made public by its publication alone.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let bound = |resource, variable: &str| {
        let value = std::env::var(variable).ok().and_then(|text| text.parse().ok());
        // Without permission to lower a bound the work goes on under the bound there is.
        let _ = setrlimit(resource, Rlimit { current: value, maximum: value });
    };
    bound(Resource::As, MEMORY);
    bound(Resource::Fsize, FILE_SIZE);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// As closely as possible, unless the parent says otherwise.
fn sandbox_level() -> Sandbox {
    std::env::var(SANDBOX).ok().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn read_assignment() -> Result<Assignment, MediaError> {
    let fault =
        |error: &(dyn std::error::Error + 'static)| Failed::from_error("read assignment", error);
    let mut line = String::new();
    let mut input = std::io::stdin().lock().take(MAX_ASSIGNMENT);
    input.read_line(&mut line).map_err(|error| fault(&error))?;
    Ok(serde_json::from_str(&line).map_err(|error| fault(&error))?)
}

/// Ends this process when the parent's end of standard input is closed, by death or by will.
fn leave_with_parent() {
    std::thread::spawn(|| {
        let mut byte = [0];
        while std::io::stdin().lock().read(&mut byte).is_ok_and(|count| count > 0) {}
        std::process::exit(3);
    });
}

fn carry_out(
    assignment: Assignment,
    transcode: &dyn Transcode,
    events: &EventWriter,
) -> Result<serde_json::Value, MediaError> {
    match assignment {
        Assignment::Probe(order) => value(transcode.probe(&order, events)?),
        Assignment::Analyse(order) => value(transcode.analyse(&order, events)?),
        Assignment::Video(order) => {
            let done = transcode.encode_video(&order, events)?;
            passed(point!("rendition.written"))?;
            value(done)
        }
        Assignment::Audio(order) => {
            let done = transcode.encode_audio(&order, events)?;
            passed(point!("rendition.written"))?;
            value(done)
        }
        Assignment::Segments(order) => {
            let done = package::build_segments(&order, transcode, events)?;
            passed(point!("segments.made"))?;
            value(done)
        }
        Assignment::Package(order) => value(package::build(&order, transcode, events)?),
        Assignment::Check(order) => value(proof::check(&order, transcode, events)?),
        Assignment::Measure(order) => value(transcode.measure(&order, events)?),
        Assignment::Pictures(order) => value(measure::take(&order, transcode, events)?),
    }
}

fn value(result: impl Serialize) -> Result<serde_json::Value, MediaError> {
    serde_json::to_value(result)
        .map_err(|error| Failed::from_error("describe result", &error).into())
}

/// The child's events: events on standard output, progress not too often.
#[derive(Default)]
struct EventWriter {
    last: Mutex<Vec<(String, Instant)>>,
}

impl EventWriter {
    fn say(&self, event: &Event) {
        let mut out = std::io::stdout().lock();
        // Without a listener there is nobody to tell; the process ends with its standard input.
        let _ = serde_json::to_writer(&mut out, event);
        let _ = out.write_all(b"\n").and_then(|()| out.flush());
    }

    fn is_due(&self, of: &str) -> bool {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match last.iter_mut().find(|(name, _)| name == of) {
            Some((_, at)) if at.elapsed() < INTERVAL => false,
            Some((_, at)) => {
                *at = Instant::now();
                true
            }
            None => {
                last.push((of.to_owned(), Instant::now()));
                true
            }
        }
    }
}

impl ProgressSink for EventWriter {
    fn progress(&self, progress: Progress) {
        if self.is_due(&progress.of) {
            self.say(&Event::Progress(progress));
        }
    }
}
