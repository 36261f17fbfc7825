//! What a point is with the feature.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::fs::{FlockOperation, flock};
use signal_hook::consts::{SIGKILL, SIGSTOP};
use signal_hook::low_level::raise;

use crate::POINTS;
use crate::orders::{Action, Order, parse};

const ORDERS: &str = "VODMILL_FAULT";
const FILE: &str = "VODMILL_FAULT_FILE";

static FAULTS: OnceLock<Faults> = OnceLock::new();

struct Faults {
    orders: Vec<Order>,
    /// Opened at the start: later on this process may be confined.
    file: Option<File>,
    /// Passes of this process, where there is no file; held while a pass is counted.
    passes: Mutex<HashMap<&'static str, u64>>,
}

/// Reads the orders; once, before anything else.
///
/// # Errors
/// If they are none, or the file of passes cannot be opened.
pub fn start() -> Result<(), String> {
    let orders = env::var(ORDERS).unwrap_or_default();
    if orders == "list" {
        POINTS.iter().for_each(|name| println!("{name}"));
        std::process::exit(0);
    }
    let orders = parse(&orders).map_err(|why| format!("{ORDERS}: {why}"))?;
    let open = |path: OsString| {
        let opened = File::options().read(true).append(true).create(true).open(&path);
        opened.map_err(|error| format!("{FILE}: open {}: {error}", path.display()))
    };
    let file = env::var_os(FILE).map(open).transpose()?;
    let _ = FAULTS.set(Faults { orders, file, passes: Mutex::default() });
    Ok(())
}

/// What a child process is to have in its environment.
pub fn environment() -> impl Iterator<Item = (&'static str, OsString)> {
    [ORDERS, FILE].into_iter().filter_map(|name| Some((name, env::var_os(name)?)))
}

pub(crate) fn pass(name: &'static str) -> io::Result<()> {
    let Some(faults) = FAULTS.get() else { return Ok(()) };
    match faults.note(name)? {
        None => Ok(()),
        Some(Action::Kill) => raise(SIGKILL),
        // To this thread, which stops its process before it takes another step. Were it sent to the
        // process, another thread might take it, and later.
        Some(Action::Stop) => raise(SIGSTOP),
        Some(Action::Fail) => Err(io::Error::other(format!("fault point {name}"))),
        Some(Action::Full) => Err(rustix::io::Errno::NOSPC.into()),
        Some(Action::Delay(time)) => {
            std::thread::sleep(time);
            Ok(())
        }
    }
}

impl Faults {
    /// Counts a pass; what is to happen at it.
    fn note(&self, name: &'static str) -> io::Result<Option<Action>> {
        let mut passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut file) = self.file.as_ref() else {
            let count = passes.entry(name).or_default();
            *count += 1;
            return Ok(self.action(name, *count));
        };
        flock(file, FlockOperation::LockExclusive)?;
        let action = (|| {
            let mut text = String::new();
            file.seek(SeekFrom::Start(0))?;
            file.read_to_string(&mut text)?;
            let of_name = |line: &&str| line.split(' ').next() == Some(name);
            let action = self.action(name, 1 + text.lines().filter(of_name).count() as u64);
            let word = match action {
                None => "-".to_owned(),
                Some(action) => format!("{action:?}").to_lowercase(),
            };
            file.write_all(format!("{name} {} {word}\n", std::process::id()).as_bytes())?;
            Ok(action)
        })();
        flock(file, FlockOperation::Unlock)?;
        action
    }

    fn action(&self, name: &str, pass: u64) -> Option<Action> {
        let order = self.orders.iter().find(|order| order.is_for(name, pass));
        order.map(|order| order.action)
    }
}
