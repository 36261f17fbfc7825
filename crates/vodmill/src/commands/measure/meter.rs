//! Says how far measuring is.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use vodmill_model::printable;
use vodmill_model::transcode::Progress;

use crate::progress::{Doubling, clock};

/// How often a terminal is written to.
const INTERVAL: Duration = Duration::from_millis(200);

/// What has not moved for so long is done: reading often ends before the last byte.
const STILL: Duration = Duration::from_secs(2);

/// How far each piece of work is: on a terminal one line that changes, else now and then a line.
pub struct Meter {
    began: Instant,
    shown: Option<Instant>,
    lines: Doubling,
    terminal: bool,
    done: BTreeMap<String, Step>,
}

/// How far a piece of work is, and since when.
struct Step {
    done: u64,
    total: u64,
    moved: Instant,
}

impl Default for Meter {
    fn default() -> Meter {
        Meter {
            began: Instant::now(),
            shown: None,
            lines: Doubling::default(),
            terminal: std::io::stderr().is_terminal(),
            done: BTreeMap::new(),
        }
    }
}

impl Meter {
    /// Hears of one piece of work.
    pub fn note(&mut self, step: &Progress) {
        let Some(total) = step.total.filter(|&total| total > 0) else { return };
        self.done.insert(step.of.clone(), Step { done: step.done, total, moved: Instant::now() });
        let elapsed = self.began.elapsed();
        if !self.terminal {
            if self.lines.is_due(elapsed) {
                eprintln!("measure: {}", self.describe(elapsed));
            }
        } else if self.shown.is_none_or(|shown| shown.elapsed() >= INTERVAL) {
            self.shown = Some(Instant::now());
            eprint!("\r\x1b[Kmeasure: {}", self.describe(elapsed));
            let _ = std::io::stderr().flush();
        }
    }

    /// Takes the line away.
    pub fn end(&mut self) {
        if self.terminal && self.shown.is_some() {
            eprint!("\r\x1b[K");
            let _ = std::io::stderr().flush();
        }
    }

    /// What is under way, and for how long it goes on.
    fn describe(&self, elapsed: Duration) -> String {
        let moves = |step: &Step| step.done < step.total && step.moved.elapsed() < STILL;
        let under_way = self.done.iter().filter(|(_, step)| moves(step));
        let parts: Vec<String> = under_way
            .map(|(of, step)| format!("{} {} %", printable(of), step.done * 100 / step.total))
            .collect();
        format!("{} after {}", parts.join(", "), clock(elapsed))
    }
}
