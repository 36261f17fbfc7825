//! Processes as /proc shows them.

use std::fs;
use std::process::{Command, Stdio};

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Resident memory in bytes.
    pub resident: u64,
}

/// A process and all below it that live.
pub fn descendants(root: u32) -> Vec<Process> {
    let all: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent(pid)?)))
        .collect();
    let mut family = vec![root];
    let mut next = 0;
    while let Some(one) = family.get(next).copied() {
        family.extend(all.iter().filter(|(_, parent)| *parent == one).map(|(pid, _)| *pid));
        next += 1;
    }
    family.into_iter().filter_map(|pid| Some(Process { pid, resident: resident(pid)? })).collect()
}

/// The fields after the name, which may hold anything.
fn fields(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

fn parent(pid: u32) -> Option<u32> {
    fields(pid)?.get(1)?.parse().ok()
}

/// None for one that has ended, waited for or not.
fn resident(pid: u32) -> Option<u64> {
    let fields = fields(pid)?;
    if matches!(fields.first().map(String::as_str), Some("Z" | "X")) {
        return None;
    }
    let pages: u64 = fields.get(21)?.parse().ok()?;
    Some(pages * 4096)
}

/// Sends a signal, by the shell, since there is always one; processes that have ended are no error.
pub fn signal(name: &str, processes: &[Process]) {
    let ids: Vec<String> = processes.iter().map(|process| process.pid.to_string()).collect();
    if ids.is_empty() {
        return;
    }
    let line = format!("kill -{name} {}", ids.join(" "));
    let status = Command::new("sh").args(["-c", &line]).stderr(Stdio::null()).status();
    status.expect("a shell");
}
