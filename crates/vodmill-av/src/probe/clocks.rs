//! The clocks of a file: each programme of a multiplex has one of its own.

use std::collections::BTreeMap;

use vodmill_model::media::ClockJump;

use super::clock::ClockWatch;
use crate::source::Source;

/// Follows the clocks while packets are read; by number of the programme.
pub(super) struct ClocksWatch {
    may_jump: bool,
    watches: BTreeMap<u32, ClockWatch>,
}

impl ClocksWatch {
    pub(super) fn of(source: &Source) -> ClocksWatch {
        ClocksWatch { may_jump: source.clock_may_jump(), watches: BTreeMap::new() }
    }

    pub(super) fn of_programme(&mut self, number: u32) -> &mut ClockWatch {
        let may_jump = self.may_jump;
        self.watches.entry(number).or_insert_with(|| match may_jump {
            true => ClockWatch::default(),
            false => ClockWatch::of_stored(),
        })
    }

    pub(super) fn finish(self) -> Clocks {
        let clocks = self.watches.into_iter();
        Clocks(clocks.map(|(number, watch)| (number, watch.into_jumps())).collect())
    }
}

/// Where the clocks jump; none for one that cannot be told.
#[derive(Default)]
pub(super) struct Clocks(BTreeMap<u32, Option<Vec<ClockJump>>>);

impl Clocks {
    /// Where a programme's clock jumps, and whether its tracks contradict each other.
    pub(super) fn of_programme(&self, number: u32) -> (Vec<ClockJump>, bool) {
        match self.0.get(&number) {
            Some(Some(jumps)) => (jumps.clone(), false),
            Some(None) => (Vec::new(), true),
            None => (Vec::new(), false),
        }
    }
}
