//! Clock jumps: where recordings were joined, or a transmitter began anew.

use std::collections::BTreeMap;

use vodmill_model::media::ClockJump;
use vodmill_model::units::Ticks;

/// This far ahead of where a stream should go on, it may be a hole; beyond, its clock has jumped.
const AHEAD: Ticks = Ticks::from_seconds(10);

/// Decode times do not go back but by rounding and by what muxers get wrong; beyond this, one
/// recording ended and another began.
const BACK: Ticks = Ticks::from_seconds(1);

/// More than any recording has; beyond it the timestamps mean nothing.
const MAX_JUMPS: usize = 1_000;

/// Follows the decode times of a file's tracks, in the order of reading.
#[derive(Debug, Default)]
pub(super) struct ClockWatch {
    expected: BTreeMap<usize, Ticks>,
    shift: Ticks,
    /// The shift before the last jump: tracks change over one after the other.
    before: Ticks,
    jumps: Vec<ClockJump>,
    /// Whether time that leaps ahead is a hole, however long: files that were not broadcast.
    holes_only: bool,
}

impl ClockWatch {
    /// For a container whose clock is not restarted by a transmitter: it jumps only back.
    pub(super) fn of_stored() -> ClockWatch {
        ClockWatch { holes_only: true, ..ClockWatch::default() }
    }

    /// Takes packet number `packet` of the file, of track `track`, and gives the shift to be
    /// added to its times.
    pub(super) fn shift(
        &mut self,
        packet: u64,
        track: usize,
        time: Ticks,
        duration: Ticks,
    ) -> Ticks {
        if let Some(&expected) = self.expected.get(&track)
            && !self.is_near(time + self.shift, expected)
            && self.jumps.len() < MAX_JUMPS
        {
            let straggler = expected - duration..expected + Ticks::from_seconds(1);
            let new = match straggler.contains(&(time + self.before)) {
                true => self.before,
                false => expected - time,
            };
            self.before = std::mem::replace(&mut self.shift, new);
            self.jumps.push(ClockJump { packet, shift: new });
        }
        self.expected.insert(track, time + self.shift + duration);
        self.shift
    }

    /// The shift of packets that say nothing of the clock.
    pub(super) fn current(&self) -> Ticks {
        self.shift
    }

    /// Where the clock jumped.
    pub(super) fn into_jumps(self) -> Vec<ClockJump> {
        self.jumps
    }

    fn is_near(&self, time: Ticks, expected: Ticks) -> bool {
        time >= expected - BACK && (self.holes_only || time <= expected + AHEAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Ticks = Ticks(3600);

    #[test]
    fn a_steady_clock_has_no_jumps() {
        let mut clock = ClockWatch::default();
        for n in 0..100 {
            assert_eq!(clock.shift(n, 0, Ticks(n as i64 * 3600), FRAME), Ticks(0));
        }
        assert!(clock.into_jumps().is_empty());
    }

    #[test]
    fn after_a_jump_time_goes_on_where_it_was() {
        let mut clock = ClockWatch::default();
        clock.shift(0, 0, Ticks(0), FRAME);
        assert_eq!(clock.shift(1, 0, Ticks::from_seconds(9000), FRAME).0, 3600 - 810_000_000);
        assert_eq!(clock.shift(2, 0, Ticks(810_003_600), FRAME).0, 3600 - 810_000_000);
        assert_eq!(clock.shift(3, 0, Ticks(0), FRAME).0, 3 * 3600, "and back");
        assert_eq!(clock.into_jumps().len(), 2);
    }

    #[test]
    fn a_recording_after_itself_goes_on() {
        let mut clock = ClockWatch::default();
        for n in 0..75 {
            clock.shift(n, 0, Ticks(n as i64 * 3600), FRAME);
        }
        assert_eq!(clock.shift(75, 0, Ticks(0), FRAME), Ticks(75 * 3600));
        assert_eq!(clock.shift(76, 0, Ticks(3600), FRAME), Ticks(75 * 3600));
    }

    #[test]
    fn in_a_stored_file_time_ahead_is_a_hole_and_time_back_a_jump() {
        let mut clock = ClockWatch::of_stored();
        clock.shift(0, 0, Ticks(0), FRAME);
        assert_eq!(clock.shift(1, 0, Ticks::from_seconds(9000), FRAME), Ticks(0));
        assert_eq!(clock.shift(2, 0, Ticks(0), FRAME), Ticks(810_003_600));
        assert_eq!(clock.into_jumps().len(), 1);
    }

    #[test]
    fn a_straggler_of_another_track_keeps_the_old_clock() {
        let mut clock = ClockWatch::default();
        clock.shift(0, 0, Ticks(0), FRAME);
        clock.shift(1, 1, Ticks(0), FRAME);
        let new = clock.shift(2, 0, Ticks(90_000_000), FRAME);
        assert_eq!(clock.shift(3, 1, Ticks(3600), FRAME), Ticks(0), "an old packet of track 1");
        assert_eq!(clock.shift(4, 0, Ticks(90_003_600), FRAME), new);
        assert_eq!(clock.shift(5, 1, Ticks(90_003_600), FRAME), new);
    }
}
