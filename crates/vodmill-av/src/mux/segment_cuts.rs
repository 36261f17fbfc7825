//! Where one segment ends and the next begins.

use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::{Part, Segment};
use vodmill_model::units::Ticks;

use super::segments::{Segmenter, Sink, init_segment};
use super::stream_reader::{Packet, StreamReader};
use crate::error;

/// Segments that end at `ends`. The first reader leads: its packets are the boundaries.
pub(super) fn at(
    mut readers: Vec<StreamReader>,
    ends: &[Ticks],
    part: Part,
    muxer: &mut Segmenter,
    sink: Sink<'_>,
) -> Result<(), MediaError> {
    skip_earlier(&mut readers, part)?;
    let mut start = start_of(&readers[0], part.start);
    for (index, end) in ends.iter().enumerate() {
        let is_last = index + 1 == ends.len();
        // Whatever comes after the end of the programme is in its last segment.
        let limit = (!is_last || !part.last).then_some(*end);
        muxer.begin()?;
        let last = write_until(&mut readers, limit, muxer)?;
        let bytes = muxer.end(is_last)?;
        let Some(last) = last else {
            let cause = format!("nothing to put into the segment that ends at {end}");
            return Err(error::failed("segment", "renditions", cause));
        };
        let next = start_of(&readers[0], last);
        sink(Segment { init: false, start, duration: next - start, bytes })?;
        start = next;
    }
    Ok(())
}

/// Drops the sound that an earlier part has: a packet belongs to the segment in which it starts.
fn skip_earlier(readers: &mut [StreamReader], part: Part) -> Result<(), MediaError> {
    if part.first == 0 {
        return Ok(());
    }
    for index in 0..readers.len() {
        while is_earlier(readers, index, part.start) {
            readers[index].take()?;
        }
    }
    Ok(())
}

fn is_earlier(readers: &[StreamReader], index: usize, start: Ticks) -> bool {
    let reader = &readers[index];
    let is_before = reader.peek().is_some_and(|meta| reader.ticks(meta.pts) < start);
    is_before && !reader.stream.is_video() && !is_end_of_sound(readers, index)
}

/// Whether the next packet is the last one of sound alone. That belongs to the last segment, which
/// may be shorter than a packet lasts, so that none starts in it.
fn is_end_of_sound(readers: &[StreamReader], index: usize) -> bool {
    index == 0 && !readers[0].stream.is_video() && readers[0].is_at_last()
}

/// Start of the next packet, or `end` if there is none. That of sound alone may lie before zero: the
/// encoder's delay is media too.
fn start_of(reader: &StreamReader, end: Ticks) -> Ticks {
    reader.peek().map_or(end, |meta| reader.ticks(meta.pts))
}

/// Writes all packets before `limit` in decoding order, and gives the end of the leading reader's.
fn write_until(
    readers: &mut [StreamReader],
    limit: Option<Ticks>,
    muxer: &mut Segmenter,
) -> Result<Option<Ticks>, MediaError> {
    let mut end = None;
    while let Some(index) = next_reader(readers, limit)? {
        let Some(packet) = readers[index].take()? else { break };
        muxer.write(index, &packet)?;
        if index == 0 {
            end = end.max(Some(readers[0].end_of(&packet.meta)));
        }
    }
    Ok(end)
}

/// The reader whose next packet is decoded first, among those that have one before `limit`.
fn next_reader(
    readers: &[StreamReader],
    limit: Option<Ticks>,
) -> Result<Option<usize>, MediaError> {
    let mut first: Option<(Ticks, usize)> = None;
    for (index, reader) in readers.iter().enumerate() {
        let Some(dts) = reader.next_dts() else { continue };
        let waits = limit.is_some() && is_end_of_sound(readers, index);
        if !waits && !is_past(reader, limit)? && first.is_none_or(|(before, _)| dts < before) {
            first = Some((dts, index));
        }
    }
    Ok(first.map(|(_, index)| index))
}

/// Whether the next packet of `reader` belongs to a later segment.
fn is_past(reader: &StreamReader, limit: Option<Ticks>) -> Result<bool, MediaError> {
    let (Some(limit), Some(meta)) = (limit, reader.peek()) else { return Ok(false) };
    let pts = reader.ticks(meta.pts);
    if pts < limit {
        return Ok(false);
    }
    if reader.stream.is_video() && (pts > limit || !meta.key) {
        let cause = format!("no key frame at the boundary {limit}, but frame {} ", meta.pts);
        return Err(error::failed("segment", "video", cause));
    }
    Ok(true)
}

/// Each key frame alone, lasting until the next.
pub(super) fn key_frames(
    mut readers: Vec<StreamReader>,
    muxer: &mut Segmenter,
    sink: Sink<'_>,
) -> Result<(), MediaError> {
    let Some(reader) = readers.first_mut().filter(|reader| reader.stream.is_video()) else {
        return Err(error::failed("segment", "key frames", "there is no video"));
    };
    let mut held: Option<Packet> = None;
    let mut end = 0;
    while let Some(packet) = reader.take()? {
        end = end.max(packet.meta.pts + packet.meta.duration);
        if packet.meta.key {
            let until = packet.meta.pts;
            if let Some(picture) = held.replace(packet) {
                write_picture(reader, picture, (until, false), muxer, sink)?;
            }
        }
    }
    match held {
        Some(picture) => write_picture(reader, picture, (end, true), muxer, sink),
        None => Err(error::failed("segment", "key frames", "there is none")),
    }
}

fn write_picture(
    reader: &StreamReader,
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
    let (start, bytes) = (reader.ticks(pts), muxer.end(is_last)?);
    if let Some(tables) = muxer.tables() {
        sink(init_segment(tables))?;
    }
    sink(Segment { init: false, start, duration: reader.ticks(until) - start, bytes })
}
