//! Decoding one track from a seek point on, and counting what is damaged.

use std::ops::Range;

use ffmpeg_next::codec::{Context, decoder};
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Error, Packet};
use vodmill_model::outcome::MediaError;
use vodmill_model::plan::{ChunkPlan, DecodePlan};
use vodmill_model::transcode::ProgressSink;
use vodmill_model::units::{Frames, Ratio};

use super::frames;
use super::grid::GridClock;
use crate::error;
use crate::source::{PacketFinder, time_of};

/// Errors in a row without a frame or a packet in between, after which decoding has ended.
const MAX_ERRORS_IN_A_ROW: u32 = 64;

/// Frames of the track in the order of their times, which are set as their `pts`.
pub(crate) struct Decoder<'a> {
    packets: PacketFinder<'a>,
    codec: decoder::Video,
    packet: Packet,
    draining: bool,
    errors_in_a_row: u32,
    /// Frames before this come from pictures that lie before the seek point and are missing.
    earliest: Option<i64>,
    last: i64,
    /// What was damaged so far.
    pub damage: Damage,
    /// Frames within the chunk's stretch of the grid, and the clock that tells.
    pub pictures: Delivered,
}

/// Frames that came out of the decoder, each counted in one chunk alone.
#[derive(Debug)]
pub(crate) struct Delivered {
    clock: GridClock,
    within: Range<Frames>,
    /// How many.
    pub frames: Frames,
}

impl Delivered {
    /// Counts those that the chunk's frames of the grid begin to show.
    pub(crate) fn new(clock: GridClock, within: Range<Frames>) -> Delivered {
        Delivered { clock, within, frames: 0 }
    }

    fn count(&mut self, time: i64) {
        self.frames += u64::from(self.within.contains(&self.clock.first_showing(time)));
    }
}

/// Damaged frames within a stretch of time.
#[derive(Debug)]
pub(crate) struct Damage {
    within: Range<i64>,
    /// How many.
    pub frames: u64,
    /// Time of the first.
    pub first: Option<i64>,
}

impl Damage {
    fn count(&mut self, time: i64) {
        if self.within.contains(&time) {
            self.frames += 1;
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
        }
    }
}

impl<'a> Decoder<'a> {
    /// Opens `path` at the chunk's seek point; damage counts `within` those times, `pictures` takes
    /// count of all frames.
    pub(crate) fn open(
        path: &std::path::Path,
        plan: &'a DecodePlan,
        chunk: &ChunkPlan,
        within: Range<i64>,
        pictures: Delivered,
        watch: &'a dyn ProgressSink,
    ) -> Result<Decoder<'a>, MediaError> {
        let packets =
            PacketFinder::open(path, plan.track, chunk.seek, &plan.clock_jumps, plan.max_pixels)?;
        if packets.time_base() != plan.time_base {
            let cause =
                format!("the time base is {}, planned was {}", packets.time_base(), plan.time_base);
            return Err(error::failed("open", path.display(), cause));
        }
        let codec = open_codec(&packets, plan).map_err(|cause| {
            error::libav("open decoder of", format!("track {}", plan.track), cause)
        })?;
        let seeks_ahead = chunk.seek.packet > 0;
        Ok(Decoder {
            codec,
            packet: Packet::empty(),
            draining: false,
            errors_in_a_row: 0,
            packets: packets.watched(watch),
            earliest: seeks_ahead.then_some(chunk.seek.pts),
            last: i64::MIN,
            damage: Damage { within, frames: 0, first: None },
            pictures,
        })
    }

    /// The next frame; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Video>, MediaError> {
        loop {
            let mut frame = Video::empty();
            match self.codec.receive_frame(&mut frame) {
                Ok(()) => {
                    self.errors_in_a_row = 0;
                    if self.accept(&mut frame) {
                        return Ok(Some(frame));
                    }
                }
                Err(Error::Eof) => return Ok(None),
                Err(Error::Other { errno: ffmpeg_next::error::EAGAIN }) => self.feed()?,
                Err(cause) => {
                    self.tolerate(cause)?;
                    if self.errors_in_a_row > MAX_ERRORS_IN_A_ROW && self.draining {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Gives the frame its time; false if it is not to be shown.
    fn accept(&mut self, frame: &mut Video) -> bool {
        let time = frame.timestamp().unwrap_or(self.last.saturating_add(1));
        if self.earliest.is_some_and(|earliest| time < earliest) {
            return false;
        }
        if frames::is_damaged(frame) {
            self.damage.count(time);
        }
        self.pictures.count(time);
        self.last = time;
        frame.set_pts(Some(time));
        true
    }

    fn feed(&mut self) -> Result<(), MediaError> {
        if self.draining {
            // A decoder that wants more after the end has nothing left.
            self.errors_in_a_row += 1;
        }
        let more = !self.draining && self.packets.read(&mut self.packet)?;
        let sent = if more {
            self.codec.send_packet(&self.packet)
        } else {
            self.draining = true;
            self.codec.send_eof()
        };
        match sent {
            Ok(()) | Err(Error::Eof) => Ok(()),
            Err(cause) => self.tolerate(cause),
        }
    }

    /// Counts an error of the decoder as a frame that did not come; memory is not the input's
    /// fault.
    fn tolerate(&mut self, cause: Error) -> Result<(), MediaError> {
        if let Error::Other { errno: ffmpeg_next::error::ENOMEM } = cause {
            return Err(error::libav("decode", self.packets.source().path().display(), cause));
        }
        self.errors_in_a_row += 1;
        if !self.draining {
            let time = time_of(&self.packet).unwrap_or(self.last);
            if self.earliest.is_none_or(|earliest| time >= earliest) {
                self.damage.count(time);
            }
        }
        Ok(())
    }
}

fn open_codec(packets: &PacketFinder<'_>, plan: &DecodePlan) -> Result<decoder::Video, Error> {
    let stream =
        packets.source().input().stream(plan.track as usize).ok_or(Error::StreamNotFound)?;
    open_decoder(stream.parameters(), packets.time_base(), plan.max_pixels)
}

/// A decoder of pictures: one thread, and never more pixels than `max_pixels`.
pub(crate) fn open_decoder(
    parameters: ffmpeg_next::codec::Parameters,
    time_base: Ratio,
    max_pixels: u64,
) -> Result<decoder::Video, Error> {
    let mut context = Context::from_parameters(parameters)?;
    // SAFETY: the context was just made and is not open yet.
    unsafe {
        let context = context.as_mut_ptr();
        (*context).thread_count = 1;
        (*context).max_pixels = i64::try_from(max_pixels).unwrap_or(i64::MAX);
        (*context).pkt_timebase.num = time_base.num as i32;
        (*context).pkt_timebase.den = time_base.den as i32;
    }
    context.decoder().video()
}
