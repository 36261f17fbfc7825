//! Pieces of the timeline: whole segments, and where decoding begins for each.

use super::Decisions;
use super::source_bytes::SourceBytes;
use crate::media::{FieldOrder, MediaInfo, SeekPoint, VideoTrack};
use crate::plan::{ChunkPlan, VideoTimeline};
use crate::units::{Frames, Ratio};

/// A programme that is long enough is cut into at least this many, so that several cores and
/// machines are busy. Fixed: a plan must not depend on the machine that makes it.
const AT_LEAST: u64 = 4;

/// Segments of a chunk below which the cost of starting one outweighs what it gains: an encoder's
/// first picture takes more bytes than it would in mid-stream.
const FEWEST_SEGMENTS: u64 = 2;

/// The chunks of `grid`, in order.
pub(super) fn chunks(
    media: &MediaInfo,
    track: &VideoTrack,
    grid: &VideoTimeline,
    chunk_seconds: u32,
    decisions: &mut Decisions,
) -> Vec<ChunkPlan> {
    let segments = grid.frames.div_ceil(grid.segment_frames);
    let count = if media.clock_jumps.is_empty() {
        let by_length =
            segments_of(chunk_seconds, grid).min((segments / AT_LEAST).max(FEWEST_SEGMENTS));
        segments.div_ceil(by_length)
    } else {
        1
    };
    explain(media, segments, count, decisions);
    let bytes = SourceBytes::of(track);
    let start = |number: u64| (number * segments / count * grid.segment_frames).min(grid.frames);
    (0..count)
        .map(|number| ChunkPlan {
            input: 0,
            index: u32::try_from(number).unwrap_or(u32::MAX),
            first_frame: start(number),
            frames: start(number + 1) - start(number),
            seek: seek(track, grid.rate, start(number)),
            source_bytes: bytes.between(
                time_of(track, grid.rate, start(number)),
                time_of(track, grid.rate, start(number + 1)),
            ),
        })
        .collect()
}

/// When a frame of the grid is shown, on the track's clock.
pub(super) fn time_of(track: &VideoTrack, rate: Ratio, frame: Frames) -> i64 {
    track.first + units(track, rate.frame_start(frame).0, 90_000)
}

/// Whole segments in about `seconds`, at least one.
fn segments_of(seconds: u32, grid: &VideoTimeline) -> u64 {
    let frames = u64::try_from(grid.rate.scale(i64::from(seconds), 1)).unwrap_or(0);
    ((frames + grid.segment_frames / 2) / grid.segment_frames).max(1)
}

/// The last point from which everything that is shown from `first_frame` on decodes.
pub(super) fn seek(track: &VideoTrack, rate: Ratio, first_frame: Frames) -> SeekPoint {
    let begin = SeekPoint { pts: track.first, packet: 0 };
    let first = track.seek_points.first().copied().unwrap_or(begin);
    if first_frame == 0 {
        return first;
    }
    let latest = time_of(track, rate, first_frame) - margin(track);
    track.seek_points.iter().rfind(|point| point.pts <= latest).copied().unwrap_or(first)
}

/// Three source frames for open groups of pictures, and half a second more where deinterlacing
/// looks at its neighbours. In the track's units.
fn margin(track: &VideoTrack) -> i64 {
    let frame = track.gaps.median.max(track.gaps.max.min(units(track, 1, 1)));
    let fields = match track.field_order {
        FieldOrder::Progressive => 0,
        FieldOrder::TopFirst | FieldOrder::BottomFirst => units(track, 1, 2),
    };
    3 * frame + fields
}

/// `time / per` seconds in the track's units.
fn units(track: &VideoTrack, time: i64, per: u32) -> i64 {
    let base = track.time_base;
    let per_second = i128::from(base.den) * i128::from(time);
    let units = per_second / (i128::from(base.num.max(1)) * i128::from(per));
    i64::try_from(units).unwrap_or(i64::MAX)
}

fn explain(media: &MediaInfo, segments: u64, count: u64, decisions: &mut Decisions) {
    let reason = match () {
        () if !media.clock_jumps.is_empty() => {
            "the clock of the file jumps, so decoding begins at its beginning: once is cheapest"
        }
        () if count == 1 => "too short to be worth cutting",
        () => "equal pieces of whole segments; enough of them to keep several cores busy",
    };
    decisions.add(
        "chunks",
        format!("{}, {} in all", super::count(count, "chunk"), super::count(segments, "segment")),
        reason,
    );
}
