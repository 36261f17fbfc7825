//! Where one segment ends and the next begins.

use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::{Part, Segment};
use vodmill_model::units::Ticks;

use super::lane::{Lane, Packet};
use super::segments::{Segmenter, Sink, init_segment};
use crate::error;

/// Segments that end at `ends`. The first lane leads: its packets are the boundaries.
pub(super) fn at(
    mut lanes: Vec<Lane>,
    ends: &[Ticks],
    part: Part,
    muxer: &mut Segmenter,
    sink: Sink<'_>,
) -> Result<(), MediaError> {
    skip_earlier(&mut lanes, part)?;
    let mut start = start_of(&lanes[0], part.start);
    for (index, end) in ends.iter().enumerate() {
        let is_last = index + 1 == ends.len();
        // Whatever comes after the end of the programme is in its last segment.
        let limit = (!is_last || !part.last).then_some(*end);
        muxer.begin()?;
        let last = write_until(&mut lanes, limit, muxer)?;
        let bytes = muxer.end(is_last)?;
        let Some(last) = last else {
            let cause = format!("nothing to put into the segment that ends at {end}");
            return Err(error::failed("segment", "renditions", cause));
        };
        let next = start_of(&lanes[0], last);
        sink(Segment { init: false, start, duration: next - start, bytes })?;
        start = next;
    }
    Ok(())
}

/// Drops the sound that an earlier part has: a packet belongs to the segment in which it starts.
fn skip_earlier(lanes: &mut [Lane], part: Part) -> Result<(), MediaError> {
    if part.first == 0 {
        return Ok(());
    }
    for index in 0..lanes.len() {
        while is_earlier(lanes, index, part.start) {
            lanes[index].take()?;
        }
    }
    Ok(())
}

fn is_earlier(lanes: &[Lane], index: usize, start: Ticks) -> bool {
    let lane = &lanes[index];
    let is_before = lane.peek().is_some_and(|meta| lane.ticks(meta.pts) < start);
    is_before && !lane.stream.is_video() && !is_end_of_sound(lanes, index)
}

/// Whether the next packet is the last one of sound alone. That belongs to the last segment, which
/// may be shorter than a packet lasts, so that none starts in it.
fn is_end_of_sound(lanes: &[Lane], index: usize) -> bool {
    index == 0 && !lanes[0].stream.is_video() && lanes[0].is_at_last()
}

/// Start of the next packet, or `end` if there is none. That of sound alone may lie before zero: the
/// encoder's delay is media too.
fn start_of(lane: &Lane, end: Ticks) -> Ticks {
    lane.peek().map_or(end, |meta| lane.ticks(meta.pts))
}

/// Writes all packets before `limit` in decoding order, and gives the end of the leading lane's.
fn write_until(
    lanes: &mut [Lane],
    limit: Option<Ticks>,
    muxer: &mut Segmenter,
) -> Result<Option<Ticks>, MediaError> {
    let mut end = None;
    while let Some(index) = next_lane(lanes, limit)? {
        let Some(packet) = lanes[index].take()? else { break };
        muxer.write(index, &packet)?;
        if index == 0 {
            end = end.max(Some(lanes[0].end_of(&packet.meta)));
        }
    }
    Ok(end)
}

/// The lane whose next packet is decoded first, among those that have one before `limit`.
fn next_lane(lanes: &[Lane], limit: Option<Ticks>) -> Result<Option<usize>, MediaError> {
    let mut first: Option<(Ticks, usize)> = None;
    for (index, lane) in lanes.iter().enumerate() {
        let Some(dts) = lane.next_dts() else { continue };
        let waits = limit.is_some() && is_end_of_sound(lanes, index);
        if !waits && !is_past(lane, limit)? && first.is_none_or(|(before, _)| dts < before) {
            first = Some((dts, index));
        }
    }
    Ok(first.map(|(_, index)| index))
}

/// Whether the next packet of `lane` belongs to a later segment.
fn is_past(lane: &Lane, limit: Option<Ticks>) -> Result<bool, MediaError> {
    let (Some(limit), Some(meta)) = (limit, lane.peek()) else { return Ok(false) };
    let pts = lane.ticks(meta.pts);
    if pts < limit {
        return Ok(false);
    }
    if lane.stream.is_video() && (pts > limit || !meta.key) {
        let cause = format!("no key frame at the boundary {limit}, but frame {} ", meta.pts);
        return Err(error::failed("segment", "video", cause));
    }
    Ok(true)
}

/// Each key frame alone, lasting until the next.
pub(super) fn key_frames(
    mut lanes: Vec<Lane>,
    muxer: &mut Segmenter,
    sink: Sink<'_>,
) -> Result<(), MediaError> {
    let Some(lane) = lanes.first_mut().filter(|lane| lane.stream.is_video()) else {
        return Err(error::failed("segment", "key frames", "there is no video"));
    };
    let mut held: Option<Packet> = None;
    let mut end = 0;
    while let Some(packet) = lane.take()? {
        end = end.max(packet.meta.pts + packet.meta.duration);
        if packet.meta.key {
            let until = packet.meta.pts;
            if let Some(picture) = held.replace(packet) {
                write_picture(lane, picture, (until, false), muxer, sink)?;
            }
        }
    }
    match held {
        Some(picture) => write_picture(lane, picture, (end, true), muxer, sink),
        None => Err(error::failed("segment", "key frames", "there is none")),
    }
}

fn write_picture(
    lane: &Lane,
    mut picture: Packet,
    (until, is_last): (i64, bool),
    muxer: &mut Segmenter,
    sink: Sink<'_>,
) -> Result<(), MediaError> {
    let pts = picture.meta.pts;
    // Without the pictures that it would be decoded before, it needs no time of its own for that.
    picture.meta.dts = pts;
    picture.meta.duration = until - pts;
    muxer.begin()?;
    muxer.write(0, &picture)?;
    let (start, bytes) = (lane.ticks(pts), muxer.end(is_last)?);
    if let Some(tables) = muxer.tables() {
        sink(init_segment(tables))?;
    }
    sink(Segment { init: false, start, duration: lane.ticks(until) - start, bytes })
}
