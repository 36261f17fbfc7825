//! Stills: single pictures taken from the grid and written raw.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};

use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::StillOrder;
use vodmill_model::units::{Frames, Ratio};

use super::filter::Filter;
use super::frames;
use crate::error;

/// The stills of a chunk that are still to be taken.
pub(super) struct Stills<'a> {
    rate: Ratio,
    waiting: BTreeMap<Frames, Vec<&'a StillOrder>>,
    /// One graph for each kind of still, as a storyboard has many of one.
    filters: BTreeMap<&'a str, Filter>,
}

impl<'a> Stills<'a> {
    pub(super) fn new(orders: &'a [StillOrder], rate: Ratio) -> Stills<'a> {
        let mut waiting: BTreeMap<Frames, Vec<&StillOrder>> = BTreeMap::new();
        for order in orders {
            waiting.entry(order.frame).or_default().push(order);
        }
        Stills { rate, waiting, filters: BTreeMap::new() }
    }

    /// Takes the stills that are wanted of this frame of the grid.
    pub(super) fn offer(&mut self, frame: &Video) -> Result<(), MediaError> {
        let number = frame.pts().and_then(|pts| Frames::try_from(pts).ok());
        for order in number.and_then(|n| self.waiting.remove(&n)).unwrap_or_default() {
            let picture = self.filter(order, frame)?;
            write(order, &picture)?;
        }
        Ok(())
    }

    fn filter(&mut self, order: &'a StillOrder, frame: &Video) -> Result<Video, MediaError> {
        let rate = self.rate;
        let filter = self
            .filters
            .entry(order.filter.as_str())
            .or_insert_with(|| Filter::new([order.filter.as_str()], rate.inverse(), Some(rate)));
        let shared = frames::share(frame)
            .map_err(|cause| error::libav("share", format!("frame {}", order.frame), cause))?;
        filter.push(shared)?;
        if let Some((_, picture)) = filter.take() {
            return Ok(picture);
        }
        // A filter that holds its frame back gives it at the end.
        filter.finish()?;
        filter.take().map(|(_, picture)| picture).ok_or_else(|| {
            error::failed("take still", order.path.display(), "its filter gave no picture")
        })
    }

    /// Every still must have been taken.
    pub(super) fn finish(&self) -> Result<(), MediaError> {
        match self.waiting.first_key_value() {
            None => Ok(()),
            Some((frame, _)) => Err(error::failed(
                "take still",
                format!("at frame {frame}"),
                "the frame is not in this chunk",
            )),
        }
    }
}

fn write(order: &StillOrder, picture: &Video) -> Result<(), MediaError> {
    let (width, height) = (picture.width(), picture.height());
    if (width, height) != (order.size.width, order.size.height)
        || !matches!(picture.format(), Pixel::YUVJ420P | Pixel::YUV420P)
    {
        let cause = format!("its filter gave {width}x{height} {:?}", picture.format());
        return Err(error::failed("take still", order.path.display(), cause));
    }
    write_planes(order, picture).map_err(|cause| error::file("write still", &order.path, &cause))
}

fn write_planes(order: &StillOrder, picture: &Video) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(&order.path)?);
    let (width, height) = (order.size.width as usize, order.size.height as usize);
    let chroma = (width.div_ceil(2), height.div_ceil(2));
    for (plane, (width, height)) in [(0, (width, height)), (1, chroma), (2, chroma)] {
        let rows = picture.data(plane).chunks(picture.stride(plane).max(1));
        for row in rows.take(height) {
            file.write_all(&row[..width])?;
        }
    }
    file.flush()
}
