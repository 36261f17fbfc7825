//! When the frames of a track are shown.

use vodmill_model::media::{Gaps, SeekPoint};

/// Presentation times of a track's frames, eight bytes for each.
#[derive(Debug, Default)]
pub(super) struct Timing {
    times: Vec<i64>,
    /// Time and duration of the last frame so far.
    last: Option<(i64, i64)>,
}

impl Timing {
    /// Takes a frame.
    pub(super) fn add(&mut self, time: i64, duration: i64) {
        self.times.push(time);
        if self.last.is_none_or(|(last, _)| time >= last) {
            self.last = Some((time, duration));
        }
    }

    /// Frames.
    pub(super) fn frames(&self) -> u64 {
        self.times.len() as u64
    }

    /// First and last time, and the gaps between neighbours.
    pub(super) fn finish(mut self) -> Span {
        self.times.sort_unstable();
        self.times.dedup();
        let (Some(&first), Some(&last)) = (self.times.first(), self.times.last()) else {
            return Span::default();
        };
        // In place: the times become the gaps.
        let mut before = first;
        for time in &mut self.times {
            (*time, before) = (time.saturating_sub(before), *time);
        }
        let gaps = &mut self.times[1..];
        gaps.sort_unstable();
        let gaps = Gaps {
            min: gaps.first().copied().unwrap_or(0),
            median: gaps.get(gaps.len() / 2).copied().unwrap_or(0),
            max: gaps.last().copied().unwrap_or(0),
        };
        Span { first, last, last_duration: self.last.map_or(0, |last| last.1), gaps }
    }
}

/// What the times of a track come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub first: i64,
    pub last: i64,
    /// As the container has it; 0 where it does not say.
    pub last_duration: i64,
    pub gaps: Gaps,
}

/// Key packets at least half a second apart; the first packet is always the first.
#[derive(Debug, Default)]
pub(super) struct SeekPoints {
    points: Vec<SeekPoint>,
    /// Bytes from each point to the next.
    bytes: Vec<u64>,
    last: i64,
}

impl SeekPoints {
    /// Takes a packet of the track, by its number and presentation time.
    pub(super) fn add(&mut self, packet: SeekPoint, bytes: usize, key: bool, apart: i64) {
        let far = packet.pts >= self.last.saturating_add(apart);
        if self.points.is_empty() || (key && far) {
            self.points.push(packet);
            self.bytes.push(0);
            self.last = packet.pts;
        }
        if let Some(sum) = self.bytes.last_mut() {
            *sum = sum.saturating_add(bytes as u64);
        }
    }

    /// The points in order, and the bytes from each to the next.
    pub(super) fn finish(self) -> (Vec<SeekPoint>, Vec<u64>) {
        (self.points, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_those_of_the_order_of_showing() {
        let mut timing = Timing::default();
        for time in [0, 40, 10, 20, 100] {
            timing.add(time, 7);
        }
        let span = timing.finish();
        assert_eq!((span.first, span.last, span.last_duration), (0, 100, 7));
        assert_eq!(span.gaps, Gaps { min: 10, median: 20, max: 60 });
    }

    #[test]
    fn one_frame_has_no_gaps() {
        let mut timing = Timing::default();
        timing.add(5, 3);
        let expected = Span { first: 5, last: 5, last_duration: 3, gaps: Gaps::default() };
        assert_eq!(timing.finish(), expected);
        assert_eq!(Timing::default().finish(), Span::default());
    }

    #[test]
    fn seek_points_are_key_packets_apart_but_for_the_first() {
        let mut points = SeekPoints::default();
        for (packet, key) in [(0, false), (1, true), (2, true), (5, false), (6, true)] {
            let at = SeekPoint { pts: packet as i64 * 10, packet };
            points.add(at, 100 + packet as usize, key, 50);
        }
        let (points, bytes) = points.finish();
        let packets: Vec<u64> = points.iter().map(|point| point.packet).collect();
        assert_eq!(packets, [0, 6]);
        assert_eq!(bytes, [408, 106]);
    }
}
