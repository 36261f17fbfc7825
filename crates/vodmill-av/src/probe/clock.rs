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

/// Tracks change over one after the other, but none goes on by the old clock for longer.
const LONGEST_PARTING: Ticks = Ticks::from_seconds(5);

/// Follows the decode times of a file's tracks, in the order of reading.
#[derive(Debug, Default)]
pub(super) struct ClockWatch {
    tracks: BTreeMap<usize, TrackClock>,
    /// Of the track that jumped last, and of tracks that are new.
    shift: Ticks,
    jumps: Vec<ClockJump>,
    /// Whether time that leaps ahead is a hole, however long: files that were not broadcast.
    holes_only: bool,
    /// Whether no shift makes one clock of all tracks.
    senseless: bool,
}

#[derive(Clone, Copy, Debug)]
struct TrackClock {
    shift: Ticks,
    /// Where the track should go on.
    expected: Ticks,
    /// Where it was when another track left the clock of both.
    parted: Ticks,
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
        let known = self.tracks.get(&track).copied();
        let shift = match known {
            Some(clock) if !self.senseless => self.shift_of(clock, time),
            _ => self.shift,
        };
        let parted = known.map_or(time + shift, |clock| clock.parted);
        let expected = time + shift + duration;
        self.tracks.insert(track, TrackClock { shift, expected, parted });
        self.senseless |= shift != self.shift && expected > parted + LONGEST_PARTING;
        if shift != self.current() {
            self.jumps.push(ClockJump { packet, shift });
            self.senseless |= self.jumps.len() >= MAX_JUMPS;
        }
        shift
    }

    /// The shift of packets that say nothing of the clock.
    pub(super) fn current(&self) -> Ticks {
        self.jumps.last().map_or(Ticks::ZERO, |jump| jump.shift)
    }

    /// Where the clock jumped; none if that cannot be said, as tracks go by clocks of their own.
    pub(super) fn into_jumps(self) -> Option<Vec<ClockJump>> {
        (!self.senseless).then_some(self.jumps)
    }

    fn shift_of(&mut self, clock: TrackClock, time: Ticks) -> Ticks {
        let goes_on = |shift| {
            let ahead = time + shift - clock.expected;
            ahead >= Ticks::ZERO - BACK && ahead <= BACK
        };
        if goes_on(clock.shift) {
            clock.shift
        } else if self.is_near(time + self.shift, clock.expected) {
            self.shift
        } else if self.is_near(time + clock.shift, clock.expected) {
            clock.shift
        } else {
            self.jump(clock, clock.expected - time)
        }
    }

    /// One track goes by the clock of `new` from now on. If it comes late, the others have jumped
    /// to a clock of the same recording that this track has no room before: they move with it.
    fn jump(&mut self, clock: TrackClock, new: Ticks) -> Ticks {
        let apart = new - self.shift;
        let late = clock.shift != self.shift && apart > Ticks::ZERO && apart <= AHEAD;
        for other in self.tracks.values_mut().filter(|other| other.shift == self.shift) {
            match late {
                true => other.shift = new,
                false => other.parted = other.expected,
            }
        }
        self.shift = new;
        new
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
        assert!(clock.into_jumps().is_some_and(|jumps| jumps.is_empty()));
    }

    #[test]
    fn after_a_jump_time_goes_on_where_it_was() {
        let mut clock = ClockWatch::default();
        clock.shift(0, 0, Ticks(0), FRAME);
        assert_eq!(clock.shift(1, 0, Ticks::from_seconds(9000), FRAME).0, 3600 - 810_000_000);
        assert_eq!(clock.shift(2, 0, Ticks(810_003_600), FRAME).0, 3600 - 810_000_000);
        assert_eq!(clock.shift(3, 0, Ticks(0), FRAME).0, 3 * 3600, "and back");
        assert_eq!(clock.into_jumps().map(|jumps| jumps.len()), Some(2));
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
        assert_eq!(clock.into_jumps().map(|jumps| jumps.len()), Some(1));
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

    #[test]
    fn in_a_stored_file_too_a_straggler_keeps_the_old_clock() {
        let mut clock = ClockWatch::of_stored();
        for n in 0..100 {
            clock.shift(2 * n, 0, Ticks(n as i64 * 3600), FRAME);
            clock.shift(2 * n + 1, 1, Ticks(n as i64 * 3600), FRAME);
        }
        assert_eq!(clock.shift(200, 0, Ticks(0), FRAME), Ticks(360_000));
        assert_eq!(clock.shift(201, 1, Ticks(360_000), FRAME), Ticks(0), "no hole of 4 s");
        assert_eq!(clock.shift(202, 1, Ticks(0), FRAME), Ticks(360_000));
    }

    #[test]
    fn a_track_that_is_longer_than_the_other_moves_both() {
        let mut clock = ClockWatch::of_stored();
        for track in [0, 1] {
            clock.shift(0, track, Ticks(0), FRAME);
        }
        clock.shift(1, 1, Ticks::from_seconds(3) - FRAME, FRAME);
        clock.shift(2, 0, Ticks::from_seconds(1) - FRAME, FRAME);
        assert_eq!(clock.shift(3, 0, Ticks::from_seconds(-3), FRAME), Ticks::from_seconds(4));
        let both = Ticks::from_seconds(6);
        assert_eq!(clock.shift(4, 1, Ticks::from_seconds(-3), FRAME), both);
        assert_eq!(clock.shift(5, 0, Ticks::from_seconds(-3) + FRAME, FRAME), both);
    }

    #[test]
    fn tracks_with_clocks_of_their_own_make_no_sense() {
        let mut clock = ClockWatch::of_stored();
        for n in 0..200 {
            clock.shift(2 * n, 0, Ticks(n as i64 * 3600), FRAME);
            let sawtooth = Ticks((n as i64 % 50) * 3600);
            clock.shift(2 * n + 1, 1, sawtooth, FRAME);
        }
        assert_eq!(clock.into_jumps(), None);
    }
}
