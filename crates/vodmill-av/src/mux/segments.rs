//! HLS segments: the containers and their options.

use vodmill_model::outcome::MediaError;
use vodmill_model::pipeline::Container;
use vodmill_model::transcode::{Cut, Segment, SegmentOrder};
use vodmill_model::units::{TICKS_PER_SECOND, Ticks};

use super::boxes::SEGMENT_TYPE;
use super::clock::{Clock, video_timescale};
use super::counters::Counters;
use super::muxer::{Input, Muxer};
use super::segment_cuts;
use super::stream_reader::{Packet, StreamReader};
use super::tables::Tables;
use crate::error;

#[cfg(test)]
mod tests;

/// Takes each finished segment.
pub(super) type Sink<'a> = &'a mut dyn FnMut(Segment) -> Result<(), MediaError>;

/// Cuts renditions into segments and hands them over in order.
pub(crate) fn segment(order: &SegmentOrder, sink: Sink<'_>) -> Result<(), MediaError> {
    let readers = open_readers(order)?;
    let mut muxer = Segmenter::new(order, &readers)?;
    if order.container == Container::Fmp4 {
        sink(init_segment(muxer.muxer.take()))?;
    }
    match &order.cut {
        Cut::At(ends) => segment_cuts::at(readers, ends, order.part, &mut muxer, sink),
        Cut::KeyFrames => segment_cuts::key_frames(readers, &mut muxer, sink),
    }
}

/// What stands before all segments.
pub(super) fn init_segment(bytes: Vec<u8>) -> Segment {
    Segment { init: true, start: Ticks::ZERO, duration: Ticks::ZERO, bytes }
}

fn open_readers(order: &SegmentOrder) -> Result<Vec<StreamReader>, MediaError> {
    let mut readers = Vec::new();
    if let Some(video) = &order.video {
        readers.push(StreamReader::video(video)?);
    }
    if let (Some(audio), Cut::At(_)) = (&order.audio, &order.cut) {
        // The first part has the encoder's delay, too, which is before zero.
        let from = (order.part.first > 0).then_some(order.part.start);
        readers.push(StreamReader::audio(audio, None, from)?);
    }
    if readers.iter().all(|reader| reader.peek().is_none()) {
        return Err(error::failed("segment", "renditions", "there is nothing in them"));
    }
    Ok(readers)
}

/// A muxer that is cut at segment boundaries.
pub(super) struct Segmenter {
    muxer: Muxer,
    container: Container,
    /// What to bring to their end before another part begins (TS only).
    counters: Option<Counters>,
    /// Tables that stand before all pictures instead of in each (TS only).
    tables: Option<Tables>,
}

impl Segmenter {
    fn new(order: &SegmentOrder, readers: &[StreamReader]) -> Result<Segmenter, MediaError> {
        let first = readers.iter().filter_map(StreamReader::next_dts).min().unwrap_or_default()
            + order.base;
        if first < Ticks::ZERO {
            let cause = format!("the base of {} leaves a time of {first}", order.base);
            return Err(error::failed("segment", "renditions", cause));
        }
        let muxer = match order.container {
            Container::Ts => transport_stream(order, readers, first),
            Container::Fmp4 => fragmented_mp4(order, readers),
        }?;
        let counted = order.container == Container::Ts && !order.part.last;
        let counters = counted.then(Counters::default);
        let apart = order.container == Container::Ts && order.cut == Cut::KeyFrames;
        let tables = apart.then(Tables::default);
        Ok(Segmenter { muxer, container: order.container, counters, tables })
    }

    /// The tables that pictures stand without: once, when the first has ended.
    pub(super) fn tables(&mut self) -> Option<Vec<u8>> {
        self.tables.as_mut().and_then(Tables::section)
    }

    /// Begins a segment.
    pub(super) fn begin(&mut self) -> Result<(), MediaError> {
        match self.container {
            Container::Ts => self.muxer.set("mpegts_flags", "+resend_headers"),
            Container::Fmp4 => Ok(()),
        }
    }

    /// Adds a packet to the segment.
    pub(super) fn write(&mut self, reader: usize, packet: &Packet) -> Result<(), MediaError> {
        self.muxer.write(reader, packet)
    }

    /// Ends the segment, the last one of its part or not, and takes its bytes.
    pub(super) fn end(&mut self, is_last: bool) -> Result<Vec<u8>, MediaError> {
        self.muxer.flush()?;
        let bytes = self.muxer.take();
        if self.container == Container::Fmp4 {
            return Ok([&SEGMENT_TYPE[..], &bytes].concat());
        }
        let bytes = match &mut self.tables {
            Some(tables) => tables.take_out(&bytes),
            None => bytes,
        };
        let Some(counters) = &mut self.counters else { return Ok(bytes) };
        counters.count(&bytes);
        if is_last { counters.complete(&bytes) } else { Ok(bytes) }
    }
}

/// How far the clock reference (PCR) runs before decoding times. The muxer gathers audio frames
/// into one PES packet for half of it, which is what keeps audio small: a PES packet for each
/// frame, its default, adds half as much again.
const CLOCK_LEAD: Ticks = Ticks(TICKS_PER_SECOND * 7 / 10);

fn transport_stream(
    order: &SegmentOrder,
    readers: &[StreamReader],
    first: Ticks,
) -> Result<Muxer, MediaError> {
    let inputs: Vec<_> = readers
        .iter()
        .map(|reader| Input {
            stream: &reader.stream,
            clock: Clock::new(reader.stream.unit, TICKS_PER_SECOND as u32, order.base),
            default: false,
        })
        .collect();
    // The clock reference must not be negative either.
    let lead = CLOCK_LEAD.min(first).0 * 100 / 9;
    let options = [
        ("fflags", "+bitexact"),
        ("avoid_negative_ts", "disabled"),
        ("max_delay", &lead.to_string()),
        // Timestamps as given: without it the muxer adds twice `max_delay`.
        ("mpegts_copyts", "1"),
        // 32 TS packets: room for the audio frames of half the lead at 128 kbit/s.
        ("pes_payload_size", "5874"),
        // PAT, PMT and SDT at the start of each segment, PAT and PMT at key frames; no more.
        ("pat_period", "86400"),
        ("sdt_period", "86400"),
        ("flush_packets", "0"),
    ];
    Muxer::in_memory("mpegts", &inputs, &options)
}

fn fragmented_mp4(order: &SegmentOrder, readers: &[StreamReader]) -> Result<Muxer, MediaError> {
    let inputs: Vec<_> = readers.iter().map(|reader| mp4_input(reader, order.base)).collect();
    let video = order.video.as_ref().map_or(0, |video| video_timescale(video.rate));
    let options = [
        ("fflags", "+bitexact"),
        ("avoid_negative_ts", "disabled"),
        // `frag_discont` without edit lists makes the decode time of a fragment (tfdt) the
        // packet's own; otherwise the muxer counts from its first packet. Not `cmaf`: it means
        // negative composition offsets, which FFmpeg's own reader puts a frame late.
        (
            "movflags",
            "frag_custom+empty_moov+default_base_moof+frag_discont+skip_trailer+skip_sidx",
        ),
        ("use_editlist", "0"),
        // Each segment is one fragment, and their numbers begin at 1 (ISO/IEC 14496-12, 8.8.5).
        ("fragment_index", &(order.part.first + 1).to_string()),
        ("video_track_timescale", &video.to_string()),
        ("flush_packets", "0"),
    ];
    Muxer::in_memory("mp4", &inputs, &options)
}

/// A stream with the timescale that is exact for it.
pub(super) fn mp4_input(reader: &StreamReader, base: Ticks) -> Input<'_> {
    let unit = reader.stream.unit;
    let timescale =
        if reader.stream.is_video() { video_timescale(unit.inverse()) } else { unit.den };
    Input { stream: &reader.stream, clock: Clock::new(unit, timescale, base), default: false }
}
