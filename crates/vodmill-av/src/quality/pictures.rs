//! The distorted side: its pictures in the form in which they are compared, and their scores.

use std::sync::mpsc::Receiver;

use ffmpeg_next::frame::Video;
use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::{
    DistortedMedia, DistortedOrder, MeasureOrder, MeasuredMedia, Progress, ProgressSink, VideoDone,
    VideoOrder,
};
use vodmill_model::units::{Frames, Size};

use super::{Luma, Meter, Models, renditions};
use crate::encode::filter::Filter;
use crate::encode::pictures::Pictures;
use crate::error;

/// Scores all pictures of `distorted` against those that `references` gives; none where these end
/// too early.
pub(super) fn score(
    order: &MeasureOrder,
    distorted: &DistortedOrder,
    references: Receiver<Video>,
    watch: &dyn ProgressSink,
) -> Result<Option<MeasuredMedia>, MediaError> {
    let mut scorer = Scorer::new(order, distorted, references, watch)?;
    let pictures = give_pictures(order, distorted, &mut scorer, watch);
    if scorer.reference_stopped {
        return Ok(None);
    }
    let (id, pictures) = (distorted.id.clone(), pictures?);
    Ok(Some(MeasuredMedia { id, pictures, scores: scorer.meter.finish()? }))
}

fn give_pictures(
    order: &MeasureOrder,
    distorted: &DistortedOrder,
    scorer: &mut Scorer<'_>,
    watch: &dyn ProgressSink,
) -> Result<VideoDone, MediaError> {
    if let DistortedMedia::Renditions(chunks) = &distorted.media {
        return renditions::run(chunks, &order.chunk, &mut |frame| scorer.take(frame));
    }
    let decoding = decoding(order, distorted);
    let mut pictures = Pictures::open(&decoding, watch)?;
    pictures.run(&mut |frame| scorer.take(frame))?;
    pictures.done()
}

/// How a file is decoded onto the reference's grid.
fn decoding(order: &MeasureOrder, distorted: &DistortedOrder) -> VideoOrder {
    let (path, decode, seek) = match &distorted.media {
        DistortedMedia::File { path, decode, seek } => (path, decode, *seek),
        DistortedMedia::Renditions(_) => (&order.original, &order.decode, order.chunk.seek),
    };
    let mut chunk = order.chunk.clone();
    chunk.seek = seek;
    VideoOrder {
        original: path.clone(),
        decode: decode.clone(),
        rate: order.rate,
        chunk,
        encodes: Vec::new(),
        deciders: Vec::new(),
        stills: Vec::new(),
        tolerated_damage_per_mille: None,
        cut_off: false,
        last: order.last,
    }
}

/// Gives pairs of pictures to a meter.
struct Scorer<'a> {
    id: &'a str,
    frames: Frames,
    size: Size,
    references: Receiver<Video>,
    reference_stopped: bool,
    filter: Filter,
    meter: Meter,
    done: Frames,
    watch: &'a dyn ProgressSink,
}

impl<'a> Scorer<'a> {
    fn new(
        order: &'a MeasureOrder,
        distorted: &'a DistortedOrder,
        references: Receiver<Video>,
        watch: &'a dyn ProgressSink,
    ) -> Result<Scorer<'a>, MediaError> {
        let comparison = &distorted.comparison;
        let size = comparison.size;
        let models =
            Models { size, depth: comparison.depth, subsample: order.subsample, neg: order.neg };
        let filter = Filter::new([chain(distorted)], order.rate.inverse(), Some(order.rate));
        Ok(Scorer {
            id: &distorted.id,
            frames: order.chunk.frames,
            size,
            references,
            reference_stopped: false,
            filter,
            meter: Meter::new(models)?,
            done: 0,
            watch,
        })
    }

    /// Takes a picture, whose time is its number on the grid.
    fn take(&mut self, frame: Video) -> Result<(), MediaError> {
        let number = frame.pts().and_then(|pts| Frames::try_from(pts).ok()).unwrap_or_default();
        let Ok(reference) = self.references.recv() else {
            self.reference_stopped = true;
            return Err(error::failed("measure", self.id, "the reference has stopped"));
        };
        if reference.pts() != frame.pts() {
            return Err(error::failed("measure", self.id, "frames got out of step"));
        }
        let distorted = if self.meter.scores_next() { Some(self.filtered(frame)?) } else { None };
        let luma = distorted.as_ref().map(|frame| self.luma(frame)).transpose()?;
        self.meter.push(number, self.luma(&reference)?, luma)?;
        self.done += 1;
        let (of, total) = (self.id.to_owned(), Some(self.frames));
        self.watch.progress(Progress { of, done: self.done, total });
        Ok(())
    }

    fn filtered(&mut self, frame: Video) -> Result<Video, MediaError> {
        self.filter.push(frame)?;
        if let Some((_, picture)) = self.filter.take() {
            return Ok(picture);
        }
        self.filter.finish()?;
        let picture = self.filter.take().map(|(_, picture)| picture);
        picture.ok_or_else(|| error::failed("measure", self.id, "its filter gave no picture"))
    }

    fn luma<'f>(&self, frame: &'f Video) -> Result<Luma<'f>, MediaError> {
        if (frame.width(), frame.height()) != (self.size.width, self.size.height) {
            let cause = format!("a picture is {}x{}", frame.width(), frame.height());
            return Err(error::failed("measure", self.id, cause));
        }
        Ok(Luma { data: frame.data(0), stride: frame.stride(0) })
    }
}

/// All filters of a picture from its decoder to its comparison.
fn chain(distorted: &DistortedOrder) -> String {
    let last = &distorted.comparison.distorted_filter;
    match &distorted.media {
        DistortedMedia::File { decode, .. } if !decode.picture_filter.is_empty() => {
            format!("{},{last}", decode.picture_filter)
        }
        _ => last.clone(),
    }
}
