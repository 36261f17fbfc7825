//! When a file in an inbox is complete: a state machine without disk or clock.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Size in bytes.
    pub bytes: u64,
    /// Modification time, nanoseconds since 1970.
    pub modified: i128,
}

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A whole file is taken when it has not changed for so long.
    pub settle: Duration,
    /// Any other file is taken when it has not changed for so long: probing it says in plain words
    /// what is wrong, where leaving it would say nothing.
    pub give_up: Duration,
}

impl Patience {
    /// Thirty times as long for files that are not whole.
    pub fn new(settle: Duration) -> Patience {
        Patience { settle, give_up: settle * 30 }
    }
}

/// A file that was seen.
#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    since: Duration,
    taken: bool,
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

    /// Takes note of a scan at the time `now` of some steady clock. Returns the files that are
    /// complete, in the order of the scan; each once, unless it changes. `whole` looks into a file
    /// that has settled.
    pub fn scan(
        &mut self,
        listing: &[(PathBuf, Stamp)],
        now: Duration,
        whole: impl Fn(&Path) -> bool,
    ) -> Vec<PathBuf> {
        // A file that left may come back as another one of the same stamp: forget it.
        let mut before = std::mem::take(&mut self.files);
        let mut ready = Vec::new();
        for (path, stamp) in listing {
            let mut seen = match before.remove(path) {
                Some(seen) if seen.stamp == *stamp => seen,
                _ => Seen { stamp: *stamp, since: now, taken: false },
            };
            let quiet = now.saturating_sub(seen.since);
            let settled = !seen.taken && quiet >= self.patience.settle;
            if settled && (quiet >= self.patience.give_up || whole(path)) {
                seen.taken = true;
                ready.push(path.clone());
            }
            self.files.insert(path.clone(), seen);
        }
        ready
    }

    /// The file could not be taken after all: it is offered again at the next scan.
    pub fn offer_again(&mut self, path: &Path) {
        if let Some(seen) = self.files.get_mut(path) {
            seen.taken = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(2);

    fn file(bytes: u64) -> Vec<(PathBuf, Stamp)> {
        vec![(PathBuf::from("a.mp4"), Stamp { bytes, modified: 7 })]
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn settler() -> Settler {
        Settler::new(Patience::new(SETTLE))
    }

    #[test]
    fn a_quiet_whole_file_is_taken_once() {
        let mut settler = settler();
        let taken: Vec<usize> =
            (0..6).map(|second| settler.scan(&file(5), at(second), |_| true).len()).collect();
        assert_eq!(taken, [0, 0, 1, 0, 0, 0]);
    }

    #[test]
    fn a_growing_file_waits_until_it_stops() {
        let mut settler = settler();
        for second in 0..10 {
            assert!(settler.scan(&file(second), at(second), |_| true).is_empty());
        }
        assert!(settler.scan(&file(9), at(10), |_| true).is_empty());
        assert_eq!(settler.scan(&file(9), at(11), |_| true).len(), 1);
    }

    #[test]
    fn a_file_that_is_not_whole_is_taken_much_later() {
        let mut settler = settler();
        let taken =
            (0..200).find(|&second| !settler.scan(&file(5), at(second), |_| false).is_empty());
        assert_eq!(taken, Some(60));
    }

    #[test]
    fn a_changed_file_is_another_one() {
        let mut settler = settler();
        settler.scan(&file(5), at(0), |_| true);
        assert_eq!(settler.scan(&file(5), at(2), |_| true).len(), 1);
        assert!(settler.scan(&file(6), at(3), |_| true).is_empty());
        assert_eq!(settler.scan(&file(6), at(5), |_| true).len(), 1);
    }

    #[test]
    fn a_file_that_left_and_came_back_settles_anew() {
        let mut settler = settler();
        settler.scan(&file(5), at(0), |_| true);
        settler.scan(&file(5), at(2), |_| true);
        settler.scan(&[], at(3), |_| true);
        assert!(settler.scan(&file(5), at(4), |_| true).is_empty());
        assert_eq!(settler.scan(&file(5), at(6), |_| true).len(), 1);
    }

    #[test]
    fn a_file_that_could_not_be_taken_is_offered_again() {
        let mut settler = settler();
        settler.scan(&file(5), at(0), |_| true);
        assert_eq!(settler.scan(&file(5), at(2), |_| true).len(), 1);
        settler.offer_again(Path::new("a.mp4"));
        assert_eq!(settler.scan(&file(5), at(3), |_| true).len(), 1);
    }
}
