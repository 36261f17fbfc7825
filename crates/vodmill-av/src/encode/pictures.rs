//! From an original to the frames of a chunk's stretch of the grid.

use std::ops::Range;

use ffmpeg_next::frame::Video;
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::transcode::{ProgressSink, VideoDone, VideoOrder};
use vodmill_model::units::{Frames, Ratio, Ticks};

use super::decoder::{Decoder, Delivered};
use super::filter::Filter;
use super::frames;
use super::grid::{Grid, GridClock, Shown};
use crate::error;

/// Takes the frames of the grid in order, each with its number as `pts`.
pub(crate) type Take<'t> = dyn FnMut(Video) -> Result<(), MediaError> + 't;

/// Decodes a chunk and puts it on the grid.
pub(crate) struct Pictures<'a> {
    order: &'a VideoOrder,
    decoder: Decoder<'a>,
    fields: Option<Filter>,
    grid: Option<Grid<Video>>,
    done: VideoDone,
}

impl<'a> Pictures<'a> {
    pub(crate) fn open(
        order: &'a VideoOrder,
        watch: &'a dyn ProgressSink,
    ) -> Result<Pictures<'a>, MediaError> {
        let decode = &order.decode;
        let within = times_of(order);
        let chunk = &order.chunk;
        let end = match order.last {
            true => Frames::MAX,
            false => chunk.first_frame.saturating_add(chunk.frames),
        };
        let frames = chunk.first_frame..end;
        let pictures = Delivered::new(clock(order, decode.time_base), frames);
        let decoder = Decoder::open(&order.original, decode, chunk, within, pictures, watch)?;
        let fields = (!decode.field_filter.is_empty())
            .then(|| Filter::new([decode.field_filter.as_str()], decode.time_base, None));
        Ok(Pictures { order, decoder, fields, grid: None, done: VideoDone::default() })
    }

    /// Gives every frame of the chunk, and not one more.
    pub(crate) fn run(&mut self, take: &mut Take<'_>) -> Result<(), MediaError> {
        while let Some(frame) = self.decoder.next()? {
            match &mut self.fields {
                None => self.place(frame, self.order.decode.time_base, take)?,
                Some(fields) => {
                    fields.push(frame)?;
                    self.place_fields(take)?;
                }
            }
            if !self.order.last && self.grid.as_ref().is_some_and(Grid::is_full) {
                return Ok(());
            }
        }
        if let Some(fields) = &mut self.fields {
            fields.finish()?;
            self.place_fields(take)?;
        }
        match &mut self.grid {
            Some(grid) => grid.finish(|shown| show(shown, &mut self.done, take)),
            None => Ok(()),
        }
    }

    fn place_fields(&mut self, take: &mut Take<'_>) -> Result<(), MediaError> {
        while let Some(fields) = &mut self.fields
            && let Some((_, frame)) = fields.take()
        {
            let time_base = fields.output_time_base();
            self.place(frame, time_base, take)?;
        }
        Ok(())
    }

    fn place(
        &mut self,
        frame: Video,
        time_base: Ratio,
        take: &mut Take<'_>,
    ) -> Result<(), MediaError> {
        let Some(pts) = frame.pts() else { return Ok(()) };
        let chunk = &self.order.chunk;
        let grid = self.grid.get_or_insert_with(|| {
            Grid::new(clock(self.order, time_base), chunk.first_frame, chunk.frames)
        });
        grid.push(frame, pts, |shown| show(shown, &mut self.done, take))
    }

    /// What came of it; a refusal if too much was damaged.
    pub(crate) fn done(mut self) -> Result<VideoDone, MediaError> {
        let (damage, frames) = (&self.decoder.damage, self.order.chunk.frames);
        let unexpected = damage.frames.saturating_sub(self.order.cut_off.into());
        if !self.grid.as_ref().is_some_and(Grid::has_source) {
            let detail = format!(
                "no frame could be decoded for frames {} to {}",
                self.order.chunk.first_frame,
                self.order.chunk.first_frame + frames
            );
            return Err(error::rejected(Reason::Damaged, detail));
        }
        if let Some(limit) = self.order.tolerated_damage_per_mille
            && unexpected.saturating_mul(1000) > u64::from(limit).saturating_mul(frames)
        {
            let first = damage.first.unwrap_or_default() - self.order.decode.origin;
            let at = Ticks::from_units(first, self.order.decode.time_base);
            let detail = format!(
                "{} of {frames} frames are damaged, the first at {at}; {limit} in a thousand \
                 are tolerated",
                damage.frames
            );
            return Err(error::rejected(Reason::Damaged, detail));
        }
        self.done.damaged_frames = damage.frames;
        self.done.decoded_frames = Some(self.decoder.pictures.frames);
        Ok(self.done)
    }
}

fn show(
    shown: Shown<'_, Video>,
    done: &mut VideoDone,
    take: &mut Take<'_>,
) -> Result<(), MediaError> {
    let mut frame = frames::share(shown.frame)
        .map_err(|cause| error::libav("share", format!("frame {}", shown.number), cause))?;
    frame.set_pts(i64::try_from(shown.number).ok());
    done.frames += 1;
    match shown.repeat {
        true => done.repeated_frames += 1,
        false => done.source_frames += 1,
    }
    take(frame)
}

/// The grid's clock in units of `time_base`, which a field filter may have made finer.
fn clock(order: &VideoOrder, time_base: Ratio) -> GridClock {
    let decode = &order.decode;
    let (from, to) = (decode.time_base, time_base);
    let numerator = i128::from(decode.origin) * i128::from(from.num) * i128::from(to.den);
    let denominator = i128::from(from.den) * i128::from(to.num);
    let origin = i64::try_from(numerator.div_euclid(denominator)).unwrap_or(decode.origin);
    GridClock { origin, time_base, rate: order.rate }
}

/// Times of the source that belong to the chunk: what comes before the first belongs to it.
fn times_of(order: &VideoOrder) -> Range<i64> {
    let clock = clock(order, order.decode.time_base);
    let (first, end) =
        (order.chunk.first_frame, order.chunk.first_frame.saturating_add(order.chunk.frames));
    let from = if first == 0 { i64::MIN } else { clock.start(first) };
    from..clock.start(end)
}
