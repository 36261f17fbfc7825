//! Video: one chunk, decoded once, encoded for every rung.
//!
//! ```text
//! packets ─ decoder ─ field filter ─ grid ─ picture filter ─┬─ filter ─ encoder thread ─ rendition
//!                                                           │             │ types of frames
//!                                                           ├─ filter ─ encoder thread ─ rendition
//!                                                           └─ stills
//! ```
//!
//! Everything up to the encoders runs in the calling thread. Frames whose types another encoder decides
//! wait for them in the queue of their own: it holds as many as that encoder may be behind.

mod analyse;
mod decoder;
mod encoder;
pub(crate) mod filter;
pub(crate) mod frames;
mod grid;
pub(crate) mod pictures;
mod stills;
mod trial;
mod types;

use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use ffmpeg_next::frame::Video;
use vodmill_model::outcome::MediaError;
use vodmill_model::plan::VideoEncode;
use vodmill_model::transcode::{ProgressSink, VideoDone, VideoOrder};
use vodmill_model::units::Frames;

use self::encoder::Work;
use self::filter::Filter;
use self::pictures::Pictures;
use self::stills::Stills;
use crate::error;

pub(crate) use self::analyse::analyse;
pub(crate) use self::decoder::open_decoder;

/// Frames that wait for an encoder. Deeper queues cost memory and gain nothing.
const QUEUE: usize = 1;

/// Decodes one chunk once and encodes it for every rung.
pub(crate) fn encode_video(
    order: &VideoOrder,
    watch: &dyn ProgressSink,
) -> Result<VideoDone, MediaError> {
    let all: Vec<_> = encodes(order).map(|(encode, _)| encode).collect();
    let links = types::links(&all)?;
    thread::scope(|scope| {
        let mut senders = Vec::new();
        let mut encoders = Vec::new();
        for ((encode, path), types) in encodes(order).zip(links) {
            let (sender, frames) = sync_channel(queue(encode));
            let work = Work { encode, path, rate: order.rate, chunk: &order.chunk, watch };
            senders.push(sender);
            encoders.push(scope.spawn(move || encoder::run(&work, types, frames)));
        }
        let made = make_frames(order, senders, watch);
        let mut packets = Vec::new();
        for encoder in encoders {
            let ended = encoder.join().unwrap_or_else(|_| {
                Err(error::failed("encode", order.original.display(), "an encoder panicked"))
            });
            // An encoder's error explains why no more frames could be handed to it.
            packets.push(ended?);
        }
        let done = made?;
        check(order, &packets)?;
        Ok(done)
    })
}

/// Every encode, those first that others have their frame types from: where one fails, the others do
/// because of it.
fn encodes(order: &VideoOrder) -> impl Iterator<Item = (&VideoEncode, Option<&Path>)> {
    let unwritten = order.deciders.iter().map(|encode| (encode, None));
    let written = || order.encodes.iter().map(|(encode, path)| (encode, Some(path.as_path())));
    let decides = written().filter(|(encode, _)| encode.types.is_none());
    let takes = written().filter(|(encode, _)| encode.types.is_some());
    unwritten.chain(decides).chain(takes)
}

/// Frames that may wait for an encoder.
fn queue(encode: &VideoEncode) -> usize {
    let waiting = encode.types.as_ref().map_or(0, |types| types.waiting);
    QUEUE + usize::try_from(waiting).unwrap_or(0)
}

fn check(order: &VideoOrder, packets: &[Frames]) -> Result<(), MediaError> {
    let wrong = encodes(order).zip(packets).find(|&(_, &n)| n != order.chunk.frames);
    match wrong {
        None => Ok(()),
        Some(((encode, _), packets)) => {
            let cause = format!("{packets} frames of {}", order.chunk.frames);
            Err(error::failed("encode", &encode.id, cause))
        }
    }
}

fn make_frames(
    order: &VideoOrder,
    senders: Vec<SyncSender<Video>>,
    watch: &dyn ProgressSink,
) -> Result<VideoDone, MediaError> {
    let mut pictures = Pictures::open(order, watch)?;
    let mut fan = Fan::new(order, senders);
    pictures.run(&mut |frame| fan.take(frame))?;
    let done = pictures.done()?;
    fan.finish()?;
    Ok(done)
}

/// Gives each frame of the grid to the encoders and the stills.
struct Fan<'a> {
    picture: Option<Filter>,
    encodes: Filter,
    stills: Stills<'a>,
    senders: Vec<SyncSender<Video>>,
}

impl<'a> Fan<'a> {
    fn new(order: &'a VideoOrder, senders: Vec<SyncSender<Video>>) -> Fan<'a> {
        let (base, rate) = (order.rate.inverse(), Some(order.rate));
        let picture = order.decode.picture_filter.as_str();
        let chains = encodes(order).map(|(encode, _)| encode.filter.as_str());
        Fan {
            picture: (!picture.is_empty()).then(|| Filter::new([picture], base, rate)),
            encodes: Filter::new(chains, base, rate),
            stills: Stills::new(&order.stills, order.rate),
            senders,
        }
    }

    fn take(&mut self, frame: Video) -> Result<(), MediaError> {
        let Some(picture) = &mut self.picture else { return self.give(frame) };
        picture.push(frame)?;
        self.give_pictures()
    }

    fn give_pictures(&mut self) -> Result<(), MediaError> {
        while let Some((_, frame)) = self.picture.as_mut().and_then(Filter::take) {
            self.give(frame)?;
        }
        Ok(())
    }

    fn give(&mut self, frame: Video) -> Result<(), MediaError> {
        self.stills.offer(&frame)?;
        if self.senders.is_empty() {
            return Ok(());
        }
        self.encodes.push(frame)?;
        self.send()
    }

    fn send(&mut self) -> Result<(), MediaError> {
        while let Some((output, frame)) = self.encodes.take() {
            self.senders[output]
                .send(frame)
                .map_err(|_| error::failed("hand frames to", "an encoder", "it has stopped"))?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), MediaError> {
        if let Some(picture) = &mut self.picture {
            picture.finish()?;
        }
        self.give_pictures()?;
        self.encodes.finish()?;
        self.send()?;
        self.stills.finish()
    }
}
