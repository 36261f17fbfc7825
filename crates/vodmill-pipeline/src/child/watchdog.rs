//! Whether media work moves on. Only media counts: a child that is awake and says the same again
//! stands still.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vodmill_model::transcode::Progress;

use super::Bounds;

/// Streams that are watched, and longest name of one: a plan has fewer, and what a child says is not
/// to be believed.
const STREAMS: usize = 1024;
const LONGEST_NAME: usize = 256;

/// Watches one child.
pub(super) struct Watchdog<'a> {
    bounds: &'a Bounds,
    begun: Instant,
    moved: Instant,
    /// The furthest that each stream has come.
    most: BTreeMap<String, u64>,
}

impl<'a> Watchdog<'a> {
    pub(super) fn new(bounds: &'a Bounds) -> Watchdog<'a> {
        let now = Instant::now();
        Watchdog { bounds, begun: now, moved: now, most: BTreeMap::new() }
    }

    /// Hears how far a stream has come; whether it is one that can be.
    pub(super) fn note(&mut self, step: &Progress) -> bool {
        let known = self.most.get(&step.of).copied();
        if known.is_none() && (self.most.len() >= STREAMS || step.of.len() > LONGEST_NAME) {
            return false;
        }
        if known.is_none_or(|most| step.done > most) {
            self.most.insert(step.of.clone(), step.done);
            self.moved = Instant::now();
        }
        true
    }

    /// Why the child must be killed, if it must.
    pub(super) fn verdict(&self) -> Option<String> {
        let Bounds { still, whole, .. } = *self.bounds;
        if self.moved.elapsed() > still {
            return Some(format!(
                "no progress in the media for {}{}",
                seconds(still),
                self.furthest()
            ));
        }
        let over = self.begun.elapsed() > whole;
        over.then(|| format!("not done after {}{}", seconds(whole), self.furthest()))
    }

    fn furthest(&self) -> String {
        let streams: Vec<String> =
            self.most.iter().map(|(of, most)| format!("{of} at {most}")).collect();
        match streams.is_empty() {
            true => String::new(),
            false => format!("; {}", streams.join(", ")),
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f32().ceil())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::Needs;

    fn bounds(still: u64, whole: u64) -> Bounds {
        let (still, whole) = (Duration::from_millis(still), Duration::from_millis(whole));
        Bounds { memory: 0, file_size: 0, still, whole, needs: Needs::default() }
    }

    fn step(of: &str, done: u64) -> Progress {
        Progress { of: of.to_owned(), done, total: None }
    }

    #[test]
    fn saying_the_same_again_is_no_progress() {
        let bounds = bounds(30, 60_000);
        let mut dog = Watchdog::new(&bounds);
        dog.note(&step("v360", 8));
        while dog.verdict().is_none() {
            dog.note(&step("v360", 8));
            dog.note(&step("v360", 3));
        }
        let why = dog.verdict().unwrap_or_default();
        assert_eq!(why, "no progress in the media for 1 s; v360 at 8");
    }

    #[test]
    fn a_child_that_makes_up_streams_is_not_listened_to() {
        let bounds = bounds(60_000, 60_000);
        let mut dog = Watchdog::new(&bounds);
        assert!(!dog.note(&step(&"v".repeat(1 << 20), 1)));
        let heard = (0..10_000).filter(|at| dog.note(&step(&format!("v{at}"), 1))).count();
        assert_eq!(heard, STREAMS);
        assert!(dog.note(&step("v0", 2)));
    }

    #[test]
    fn moving_for_ever_is_not_enough() {
        let bounds = bounds(60_000, 30);
        let mut dog = Watchdog::new(&bounds);
        let mut done = 0;
        while dog.verdict().is_none() {
            done += 1;
            dog.note(&step("decode", done));
        }
        assert!(dog.verdict().is_some_and(|why| why.starts_with("not done after 1 s; decode at ")));
    }
}
