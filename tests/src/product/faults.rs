//! Orders for the program with fault points, and what it tells of them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{Home, binary_with_faults};

const ORDERS: &str = "VODMILL_FAULT";
const FILE: &str = "VODMILL_FAULT_FILE";

/// The names of all fault points, from the program itself.
pub fn fault_points() -> Vec<String> {
    let output = Command::new(binary_with_faults()).env(ORDERS, "list").output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("names");
    text.lines().map(str::to_owned).collect()
}

/// The passes of all processes of a home.
pub struct Passes(PathBuf);

/// A process came by a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The point.
    pub point: String,
    /// The process.
    pub process: u32,
    /// What happened there, if anything was to happen.
    pub action: Option<String>,
}

impl Passes {
    /// Gives a home orders, and begins to count.
    pub fn order(home: &mut Home, orders: &str) -> Passes {
        let file = home.at("passes");
        let _ = fs::remove_file(&file);
        home.set(ORDERS, orders);
        home.set(FILE, file.to_str().expect("a name of ours"));
        Passes(file)
    }

    /// From now on nothing happens and nothing is counted.
    pub fn end(home: &mut Home) {
        home.unset(ORDERS);
        home.unset(FILE);
    }

    /// All so far, in their order.
    pub fn read(&self) -> Vec<Pass> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        text.lines().filter_map(pass).collect()
    }
}

/// None for a line that is being written.
fn pass(line: &str) -> Option<Pass> {
    let mut words = line.split(' ');
    let point = words.next()?.to_owned();
    let process = words.next()?.parse().ok()?;
    let action = words.next()?;
    Some(Pass { point, process, action: (action != "-").then(|| action.to_owned()) })
}
