//! When a file in an inbox is complete: a state machine without disk or clock.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vodmill_pipeline::original::{Facts, Writers};

/// Longest time that is waited beyond the usual, however slowly a file came.
const LONGEST: Duration = Duration::from_secs(600);

/// Bytes a second of a slow copy over a network, of a file that was not seen to grow.
const SLOW: u64 = 50_000_000;

/// What a file's container says of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All that it promises is there.
    Whole,
    /// It promises nothing: it looks whole wherever it is cut.
    Open,
    /// Something is missing.
    Cut,
}

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A whole file is taken when it has not changed for so long.
    pub settle: Duration,
}

impl Patience {
    /// How long a file must not have changed before it is taken; None while it is open for writing.
    pub fn with(self, file: &Quiet, ending: Ending, writers: &Writers) -> Option<Duration> {
        let (settle, paused) = (self.settle, (file.longest_pause * 2).min(LONGEST));
        match (ending, writers) {
            (_, Writers::Somebody(_)) => None,
            (Ending::Whole, _) => Some(settle),
            (Ending::Open, Writers::Nobody) => Some((settle * 10).max(paused)),
            (Ending::Open, Writers::OutOfSight) => {
                // What came slowly may pause for long.
                let growth = (file.growth / 4).max(Duration::from_secs(file.facts.bytes / SLOW));
                Some((settle * 30).max(paused).max(growth.min(LONGEST)))
            }
            // Probing it says in plain words what is wrong, where leaving it would say nothing.
            (Ending::Cut, _) => Some((settle * 30).max(paused)),
        }
    }

    /// After how long it is said that a file is still open.
    pub fn remarkable(self) -> Duration {
        self.settle * 30
    }
}

/// A file that has not changed for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub facts: Facts,
    /// How long it has not changed.
    pub quiet: Duration,
    /// The longest time between two changes that were seen.
    pub longest_pause: Duration,
    /// How long it was seen to grow.
    pub growth: Duration,
}

/// A file that was seen.
#[derive(Debug)]
struct Seen {
    facts: Facts,
    first: Duration,
    /// Since when it is as it is.
    since: Duration,
    longest_pause: Duration,
    /// When to look into it next; never again once it was taken, unless it changes.
    next: Option<Duration>,
    /// It was said why it is not taken.
    said: bool,
}

/// Remembers the files of one inbox from scan to scan.
#[derive(Debug)]
pub struct Settler {
    patience: Patience,
    files: HashMap<PathBuf, Seen>,
}

impl Settler {
    /// One that has seen nothing yet.
    pub fn new(patience: Patience) -> Settler {
        Settler { patience, files: HashMap::new() }
    }

    /// Takes note of a scan at the time `now` of some steady clock. Returns the files that have
    /// settled and are to be looked into, in the order of the scan.
    pub fn scan(&mut self, listing: Vec<(PathBuf, Facts)>, now: Duration) -> Vec<Quiet> {
        // A file that left may come back as another one of the same facts: forget it.
        let mut before = std::mem::take(&mut self.files);
        let mut settled = Vec::new();
        for (path, facts) in listing {
            let first = now + self.patience.settle;
            let seen = match before.remove(&path) {
                Some(seen) if seen.facts == facts => seen,
                Some(seen) => Seen {
                    facts,
                    since: now,
                    longest_pause: seen.longest_pause.max(now.saturating_sub(seen.since)),
                    next: Some(first),
                    ..seen
                },
                None => {
                    let longest_pause = Duration::ZERO;
                    Seen {
                        facts,
                        first: now,
                        since: now,
                        longest_pause,
                        next: Some(first),
                        said: false,
                    }
                }
            };
            if seen.next.is_some_and(|next| now >= next) {
                settled.push(seen.quiet(&path, now));
            }
            self.files.insert(path, seen);
        }
        settled
    }

    /// The file is looked into again when it has been quiet for `quiet`.
    pub fn wait(&mut self, path: &Path, quiet: Duration) {
        if let Some(seen) = self.files.get_mut(path) {
            seen.next = Some(seen.since + quiet);
        }
    }

    /// Whether it is still to be said why a file is not taken.
    pub fn says(&mut self, path: &Path) -> bool {
        self.files.get_mut(path).is_some_and(|seen| !std::mem::replace(&mut seen.said, true))
    }

    /// The file was taken.
    pub fn taken(&mut self, path: &Path) {
        if let Some(seen) = self.files.get_mut(path) {
            seen.next = None;
        }
    }
}

impl Seen {
    fn quiet(&self, path: &Path, now: Duration) -> Quiet {
        Quiet {
            path: path.to_owned(),
            facts: self.facts,
            quiet: now.saturating_sub(self.since),
            longest_pause: self.longest_pause,
            growth: self.since.saturating_sub(self.first),
        }
    }
}

#[cfg(test)]
mod tests;
