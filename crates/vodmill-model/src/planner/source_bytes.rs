//! How the bytes of a track are spread over its time.

use crate::media::{SeekPoint, VideoTrack};

/// Bytes of a track up to a time.
pub(super) struct SourceBytes<'a> {
    points: &'a [SeekPoint],
    /// Bytes before each of `points`, and all of them.
    before: Vec<u64>,
    end: i64,
}

impl<'a> SourceBytes<'a> {
    pub fn of(track: &'a VideoTrack) -> SourceBytes<'a> {
        let mut before = vec![0];
        let mut sum: u64 = 0;
        for (_, bytes) in track.seek_points.iter().zip(&track.seek_bytes) {
            sum = sum.saturating_add(*bytes);
            before.push(sum);
        }
        let points = &track.seek_points[..before.len() - 1];
        SourceBytes { points, before, end: track.last.saturating_add(track.last_duration) }
    }

    /// From one time to another, in the track's units.
    pub fn between(&self, from: i64, to: i64) -> u64 {
        self.until(to).saturating_sub(self.until(from))
    }

    /// As if bytes lay evenly between two seek points.
    fn until(&self, time: i64) -> u64 {
        let after = self.points.partition_point(|point| point.pts <= time);
        let Some(last) = after.checked_sub(1) else { return 0 };
        let from = self.points[last].pts;
        let to = self.points.get(after).map_or(self.end, |next| next.pts);
        let bytes = self.before[after] - self.before[last];
        let span = u128::from(to.abs_diff(from)).max(1);
        let passed = u128::from(time.abs_diff(from)).min(span);
        let part = u128::from(bytes) * passed / span;
        self.before[last] + u64::try_from(part).unwrap_or(bytes)
    }
}
